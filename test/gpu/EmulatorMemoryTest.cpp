//===- EmulatorMemoryTest.cpp - Memory, calls and errors of PTX -----------===//

#include "Trial.h"

using namespace updraft::gpu;
using namespace updraft::gpu::trial;

namespace {

void expectError(const std::string &error, const std::string &part) {
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

/// What a launch of the body with 32 threads throws.
std::string launchError(const std::string &body, void *io,
                        const Checks &checks = {}) {
  Module module(kernel(body));
  return errorOf([&] { launch(module, io, 32, 1, checks); });
}

TEST(EmulatorMemory, WidthsAndVectors) {
  alignas(16) int8_t bytes[64];
  for (int i = 0; i < 64; ++i)
    bytes[i] = static_cast<int8_t>(i * 37 - 100);
  auto at = [&](const std::string &text) {
    alignas(16) uint64_t out[8] = {};
    auto from = reinterpret_cast<uint64_t>(bytes);
    Module module(kernel("setp.ne.u32 %p1, %r31, 0; @%p1 ret;\n"
                         "mov.u64 %d1, " +
                         std::to_string(from) + ";\n" + text));
    launch(module, out);
    return std::vector<uint64_t>(out, out + 8);
  };
  EXPECT_EQ(at("ld.global.s8 %d0, [%d1]; st.global.u64 [%d31], %d0;")[0],
            uint64_t(int64_t(bytes[0])));
  EXPECT_EQ(at("ld.u8 %r0, [%d1+1]; st.u32 [%d31], %r0;")[0],
            uint64_t(uint8_t(bytes[1])));
  EXPECT_EQ(at("ld.s16 %r0, [%d1+2]; st.b8 [%d31+4], %r0;")[0],
            uint64_t(uint8_t(bytes[2])) << 32);
  auto found = at("add.s64 %d1, %d1, 32;\n"
                  "ld.global.nc.L1::no_allocate.v4.f32 {%r1, %r2, _, %r4}, "
                  "[%d1+-16];\n"
                  "st.global.cs.v2.b32 [%d31+8], {%r4, 7};\n"
                  "st.global.v2.u16 [%d31+20], {1, 2};");
  uint64_t last;
  std::memcpy(&last, bytes + 28, 4);
  EXPECT_EQ(found[1], (last & 0xffffffff) | uint64_t(7) << 32);
  EXPECT_EQ(found[2], uint64_t(0x00020001) << 32);
}

TEST(EmulatorMemory, VariablesKeepTheirValues) {
  const std::string before = ".const .align 4 .u32 primes[4] = {2, 3, 5, 7};\n"
                             ".global .align 8 .b8 counter[8] = {40, 1};\n"
                             ".global .u64 where = generic(counter)+0;\n";
  Module module(kernel("setp.ne.u32 %p1, %r31, 3; @%p1 exit;\n"
                       "ld.const.u32 %r1, [primes+12];\n"
                       "ld.global.u64 %d1, [where];\n"
                       "ld.global.u64 %d2, [%d1]; add.s64 %d2, %d2, 1;\n"
                       "st.global.u64 [%d1], %d2;\n"
                       "st.global.u64 [%d31], %d2;\n"
                       "st.global.u32 [%d31+8], %r1;",
                       before));
  uint64_t io[2] = {};
  for (uint64_t i = 1; i < 3; ++i) {
    launch(module, io);
    EXPECT_EQ(io[0], 256 + 40 + i);
  }
  EXPECT_EQ(io[1], 7u);
}

TEST(EmulatorMemory, SharedMemoryStaticAndDynamic) {
  const std::string before = ".shared .align 8 .b8 tile[512];\n"
                             ".extern .shared .align 16 .b8 more[];\n";
  // Threads of two warps swap their values, by offset and by generic address.
  Module module(kernel("mul.wide.u32 %d1, %r31, 8; mov.u64 %d2, tile;\n"
                       "add.s64 %d3, %d2, %d1; st.shared.u64 [%d3], %d1;\n"
                       "shl.b32 %r1, %r31, 2; mov.u32 %r2, more;\n"
                       "add.s32 %r3, %r2, %r1; st.shared.u32 [%r3], %r31;\n"
                       "bar.sync 0;\n"
                       "xor.b64 %d4, %d1, 504; add.s64 %d4, %d4, %d2;\n"
                       "cvta.shared.u64 %d5, %d4; ld.u64 %d6, [%d5];\n"
                       "xor.b32 %r4, %r1, 252; add.s32 %r4, %r4, %r2;\n"
                       "ld.shared.u32 %r5, [%r4]; cvt.u64.u32 %d7, %r5;\n"
                       "add.s64 %d6, %d6, %d7; add.s64 %d8, %d31, %d1;\n"
                       "st.global.u64 [%d8], %d6;",
                       before));
  uint64_t io[64] = {};
  Checks checks;
  checks.races = false; // all blocks write the same
  launch(module, io, 64, 3, checks, 256);
  for (uint64_t i = 0; i < 64; ++i)
    EXPECT_EQ(io[i], 9 * (63 - i));
}

TEST(EmulatorMemory, FunctionsTakeAndGive) {
  // Half of the lanes call; the function branches and returns twice.
  const std::string before =
      ".func (.param .align 8 .b8 back[16]) pair(.param .align 8 .b8 in[16],"
      " .param .b32 k)\n"
      "{ .reg .b64 %d<4>; .reg .b32 %r<3>; .reg .pred %p;\n"
      "ld.param.b64 %d1, [in]; ld.param.b64 %d2, [in+8];\n"
      "ld.param.b32 %r1, [k]; setp.gt.u32 %p, %r1, 9; @%p bra more;\n"
      "st.param.b64 [back], %d2; st.param.b64 [back+8], %d1; ret;\n"
      "more: add.s64 %d3, %d1, %d2;\n"
      "st.param.v2.b64 [back], {%d3, %d3}; ret; }\n";
  Module module(kernel("and.b32 %r1, %r31, 1; setp.eq.u32 %p1, %r1, 1;\n"
                       "mul.wide.u32 %d1, %r31, 16; add.s64 %d2, %d31, %d1;\n"
                       "mov.b64 %d3, -1; mov.b64 %d4, -2; @%p1 bra skip;\n"
                       "{ // callseq\n"
                       ".param .align 8 .b8 p0[16]; .param .b32 p1;\n"
                       ".param .align 8 .b8 ret0[16];\n"
                       "st.param.b64 [p0], %d1; st.param.b64 [p0+8], 5;\n"
                       "st.param.b32 [p1], %r31;\n"
                       "call.uni (ret0), pair, (p0, p1);\n"
                       "ld.param.b64 %d3, [ret0]; ld.param.b64 %d4, [ret0+8];\n"
                       "}\nskip: st.global.v2.u64 [%d2], {%d3, %d4};",
                       before));
  alignas(16) int64_t io[64] = {};
  launch(module, io);
  for (int64_t i = 0; i < 32; ++i) {
    EXPECT_EQ(io[2 * i], i % 2 ? -1 : i > 9 ? 16 * i + 5 : 5);
    EXPECT_EQ(io[2 * i + 1], i % 2 ? -2 : i > 9 ? 16 * i + 5 : 16 * i);
  }
}

TEST(EmulatorMemory, JumpsByTable) {
  Module module(kernel("and.b32 %r1, %r31, 3; mov.u32 %r2, 100;\n"
                       "ts: .branchtargets a, b, c, b;\n"
                       "brx.idx %r1, ts;\n"
                       "a: add.s32 %r2, %r2, 1;\n"
                       "b: add.s32 %r2, %r2, 10;\n"
                       "c: mul.wide.u32 %d1, %r31, 4; add.s64 %d2, %d31, %d1;\n"
                       "st.global.u32 [%d2], %r2;"));
  uint32_t io[32];
  launch(module, io);
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(io[i], (i & 3) == 0 ? 111u : (i & 3) == 2 ? 100u : 110u);
}

TEST(EmulatorMemory, ErrorsOfAccess) {
  alignas(16) uint64_t io[64] = {};
  auto start = reinterpret_cast<uint64_t>(io);
  expectError(launchError("add.s64 %d1, %d31, 2; ld.u32 %r1, [%d1];", io),
              "entry trial, block (0, 0, 0), thread (0, 0, 0), PTX line 10: "
              "reads 4 bytes at 0x");
  expectError(launchError("ld.v2.u64 {%d1, %d2}, [%d31+8];", io),
              ": not aligned");
  expectError(launchError("ld.u32 %r1, [16];", io), ": not allowed");
  Checks checks;
  checks.mayAccess = [=](uint64_t at, uint64_t bytes, bool write) {
    return at >= start && at + bytes <= start + (write ? 64 : 128);
  };
  const std::string each = "mul.wide.u32 %d1, %r31, 4; add.s64 %d2, %d1, %d31;";
  EXPECT_EQ(launchError(each + "ld.u32 %r1, [%d2];", io, checks), "no error");
  expectError(launchError(each + "ld.u32 %r1, [%d2+4];", io, checks),
              "thread (31, 0, 0), PTX line 10: reads 4 bytes at");
  expectError(launchError(each + "st.u32 [%d2], %r31;", io, checks),
              "thread (16, 0, 0), PTX line 10: writes 4 bytes at");
  const std::string tile = ".shared .u32 tile[8];";
  Module late(kernel("ld.shared.u32 %r1, [tile+4];", tile));
  expectError(errorOf([&] { launch(late, io); }), "never written");
  Module outside(kernel("st.shared.u32 [tile+32], 1;", tile));
  expectError(errorOf([&] { launch(outside, io); }), "outside of it");
}

TEST(EmulatorMemory, ErrorsOfValues) {
  uint64_t io[1] = {};
  expectError(launchError("add.s32 %r1, %r2, 1;", io),
              "reads a register that was never set");
  expectError(launchError("setp.eq.u32 %p1, %r31, 4; @%p1 mov.u32 %r1, 1;\n"
                          "add.s32 %r1, %r1, 1;",
                          io),
              "thread (0, 0, 0), PTX line 11: reads a register that was never");
  expectError(launchError("@%p1 exit;", io), "its predicate was never set");
  expectError(launchError("setp.lt.u32 %p1, %r31, 4; @%p1 trap;", io), "trap");
  expectError(launchError("div.u32 %r1, %r31, %r31;", io), "divided by 0");
}

TEST(EmulatorMemory, RefusesWhatItDoesNotKnow) {
  auto refused = [](const std::string &body, const std::string &part) {
    expectError(errorOf([&] { Module module(kernel(body)); }), part);
  };
  refused("wgmma.fence.sync.aligned;", "PTX line 10: not known: wgmma");
  refused("add.f32 %r1, %r2, %r3;", ".rn is wanted");
  refused("mul.rn.ftz.f32 %r1, %r2, %r3;", ".ftz is not known");
  refused("div.full.f32 %r1, %r2, %r3;", ".rn is wanted");
  refused("ex2.approx.f32 %r1, %r2;", "not known");
  refused("add.s32 %r1, %d2, %r3;", "a register of another width");
  refused("add.s32 %r1, %r2;", "not 3 operands");
  refused("add.s32 %r1, %x2, 1;", "a name that is not known");
  refused("mov.u32 %r1, %clock;", "a name that is not known");
  refused("bra nowhere;", "a label that is not set");
  refused("call.uni nothing;", "a call of no function");
  refused("atom.add.f32 %r1, [%d1], %r2;", "not known");
  refused("ld.volatile.u32 %r1, [%d1];", ".volatile is not known");
  refused(".local .b8 depot[8];", "not known");
  expectError(errorOf([] { Module module("hello"); }), "PTX line 1: not known");
}

} // namespace
