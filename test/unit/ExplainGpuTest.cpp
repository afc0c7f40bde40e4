//===- ExplainGpuTest.cpp - Counting the instructions of a loop -----------===//

#include "compiler/ExplainGpu.h"

#include <gtest/gtest.h>

using namespace updraft;

/// Two vectors a turn, one of them behind a condition; then the rest, without
/// vectors.
static constexpr char kTwoRoads[] = R"(
.visible .entry walk(
	.param .u64 walk_param_0
)
{
	.reg .b32 	%r<9>;

	ld.param.b64 	%rd1, [walk_param_0];
	bra.uni 	$L__1;
$L__2:
	add.s64 	%rd1, %rd1, 4096;
$L__1:                                  // the loop begins in its middle
	setp.ge.s64 	%p1, %rd1, %rd2;
	@%p1 bra 	$L__4;
	ld.global.nc.v4.b32 	{%r1, %r2, %r3, %r4}, [%rd1];
	@%p2 bra 	$L__3;
	ld.global.nc.v4.b32 	{%r5, %r6, %r7, %r8}, [%rd1+512];
	div.rn.f32 	%r1, %r2, %r3;
$L__3:
	bra.uni 	$L__2;
$L__4:
	ld.global.b32 	%r1, [%rd1];
	add.s64 	%rd1, %rd1, 4;
	@%p3 bra 	$L__4;
	ret;

}
)";

TEST(ExplainGpu, TheRoadOfMostVectorsCounts) {
  std::vector<GpuLoop> loops = mainLoops(kTwoRoads, "walk");
  ASSERT_EQ(loops.size(), 1u);
  EXPECT_EQ(loops[0].elements, 8u);
  EXPECT_EQ(loops[0].bytes, 4u);
  // add 2, setp 2, bra, ld, bra, ld, div 10, bra; special units: 2*8 slots.
  EXPECT_EQ(loops[0].instructions, 19 / 8.0);
  EXPECT_EQ(loops[0].slots, 19 / 8.0);
}

TEST(ExplainGpu, ThereMayBeNoLoop) {
  EXPECT_TRUE(mainLoops(kTwoRoads, "run").empty());
  EXPECT_TRUE(mainLoops("", "walk").empty());
}

/// Loops of as many bytes, of which one calls a function; and one of fewer.
static constexpr char kCall[] = R"(
.func  (.param .b64 func_retval0) square(
	.param .b64 square_param_0
)
{
	ld.param.b64 	%rd1, [square_param_0];
	mul.rn.f64 	%rd2, %rd1, %rd1;
	st.param.b64 	[func_retval0], %rd2;
	ret;

}
.visible .entry call(
	.param .u64 call_param_0
)
{
$L__1:
	ld.global.v2.b64 	{%rd1, %rd2}, [%rd9+16];
	ld.global.v2.b64 	{%rd4, %rd5}, [%rd9];
	{ // callseq 0, 0
	.param .b64 param0;
	.param .b64 retval0;
	st.param.b64 	[param0], %rd1;
	call.uni (retval0), square, (param0);
	ld.param.b64 	%rd3, [retval0];
	} // callseq 0
	st.global.v2.b64 	[%rd9], {%rd3, %rd2};
	st.global.v2.b64 	[%rd9+16], {%rd4, %rd5};
	@%p1 bra 	$L__1;
$L__2:
	ld.global.v4.b64 	{%rd1, %rd2, %rd3, %rd4}, [%rd9];
	st.global.v4.b64 	[%rd9], {%rd1, %rd2, %rd3, %rd4};
	@%p1 bra 	$L__2;
$L__3:
	ld.global.v4.b32 	{%r1, %r2, %r3, %r4}, [%rd9];
	@%p1 bra 	$L__3;
	ret;

}
)";

TEST(ExplainGpu, AFunctionCountsWhereItIsCalled) {
  std::vector<GpuLoop> loops = mainLoops(kCall, "call");
  ASSERT_EQ(loops.size(), 2u);
  EXPECT_EQ(loops[0].calls, std::vector<std::string>{"square"});
  EXPECT_EQ(loops[0].bytes, 16u);
  // ld 2, st, call 2, ld, st 2, bra; in the function 4.
  EXPECT_EQ(loops[0].elements, 4u);
  EXPECT_EQ(loops[0].instructions, 13 / 4.0);
  EXPECT_TRUE(loops[1].calls.empty());
  // Two accesses take a quarter of the processor's 128 lanes four times each.
  EXPECT_EQ(loops[1].instructions, 3 / 4.0);
  EXPECT_EQ(loops[1].slots, 8 / 4.0);
}

/// The reciprocal of what no turn changes is made before the loop.
TEST(ExplainGpu, DivisionByAnInvariantIsCheaper) {
  std::string text = R"(
.visible .entry divide(
)
{
$L__1:
	ld.global.v4.b32 	{%r1, %r2, %r3, %r4}, [%rd9];
	add.s32 	%r5, %r5, 1;
	div.u32 	%r6, %r1, %r7;
	@%p1 bra 	$L__1;
	ret;

}
)";
  EXPECT_EQ(mainLoops(text, "divide")[0].instructions, (3 + 9) / 4.0);
  text.replace(text.find("%r7"), 3, "%r5");
  EXPECT_EQ(mainLoops(text, "divide")[0].instructions, (3 + 18) / 4.0);
}

/// Vectors of one array, though their addresses are in two registers.
TEST(ExplainGpu, AddressesAreKnownByHowTheyAreMade) {
  std::string text = R"(
.visible .entry run(
)
{
$L__1:
	shl.b64 	%rd1, %rd5, 2;
	add.s64 	%rd2, %rd6, %rd1;
	add.s64 	%rd3, %rd6, %rd1;
	ld.global.v4.b32 	{%r1, %r2, %r3, %r4}, [%rd2];
	ld.global.v4.b32 	{%r5, %r6, %r7, %r8}, [%rd3+512];
	@%p1 bra 	$L__1;
	ret;

}
)";
  EXPECT_EQ(mainLoops(text, "run")[0].elements, 8u);
  text.replace(text.find("%rd3, %rd6"), 10, "%rd3, %rd7");
  EXPECT_EQ(mainLoops(text, "run")[0].elements, 4u);
}

TEST(ExplainGpu, TimesAreOfAllProcessors) {
  GpuBoard board = {"two", 1, 2, 0.5};
  EXPECT_EQ(board.timeOf(128), 1);
}
