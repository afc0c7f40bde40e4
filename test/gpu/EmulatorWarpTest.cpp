//===- EmulatorWarpTest.cpp - Warps, barriers and races of PTX ------------===//

#include "Trial.h"

using namespace updraft::gpu;
using namespace updraft::gpu::trial;

namespace {

void expectError(const std::string &error, const std::string &part) {
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

const char *const kOwn = "mul.wide.u32 %d1, %r31, 4; add.s64 %d2, %d1, %d31;\n";

/// Runs the body, which has its own word of the result at [%d2].
std::vector<uint32_t> words(const std::string &body, uint32_t threads = 32) {
  std::vector<uint32_t> out(1024, 77);
  Module module(kernel(kOwn + body));
  launch(module, out.data(), threads);
  out.resize(threads);
  return out;
}
std::string errorIn(const std::string &body, uint32_t threads = 32,
                    uint32_t blocks = 1, const std::string &before = "") {
  std::vector<uint32_t> out(1024, 77);
  return errorOf([&] {
    Module module(kernel(kOwn + body, before));
    launch(module, out.data(), threads, blocks);
  });
}

TEST(EmulatorWarp, Shuffles) {
  auto shuffled = [](const std::string &mode, int by, int clamp) {
    return words("shfl.sync." + mode + ".b32 %r1|%p1, %r31, " +
                 std::to_string(by) + ", " + std::to_string(clamp) +
                 ", -1;\n@%p1 add.s32 %r1, %r1, 100;"
                 "st.global.u32 [%d2], %r1;");
  };
  auto down = shuffled("down", 3, 31), up = shuffled("up", 5, 0);
  auto butterfly = shuffled("bfly", 9, 31), index = shuffled("idx", 7, 31);
  // Segments of 8: c has 24 in its bits 8 to 12.
  auto part = shuffled("down", 3, 24 << 8 | 7);
  for (uint32_t l = 0; l < 32; ++l) {
    EXPECT_EQ(down[l], l + 3 < 32 ? l + 103 : l);
    EXPECT_EQ(up[l], l >= 5 ? l + 95 : l);
    EXPECT_EQ(butterfly[l], (l ^ 9) + 100);
    EXPECT_EQ(index[l], 107u);
    EXPECT_EQ(part[l], l % 8 + 3 < 8 ? l + 103 : l);
  }
}

TEST(EmulatorWarp, VotesAndMasks) {
  auto found = words("setp.gt.u32 %p1, %r31, 5;\n"
                     "vote.sync.ballot.b32 %r1, %p1, 0xffffffff;\n"
                     "vote.sync.any.pred %p2, !%p1, -1;\n"
                     "vote.sync.all.pred %p3, %p1, -1;\n"
                     "selp.b32 %r2, 1, 0, %p2; selp.b32 %r3, 2, 0, %p3;\n"
                     "popc.b32 %r4, %r1; mov.u32 %r5, %lanemask_lt;\n"
                     "popc.b32 %r6, %r5; mad.lo.s32 %r7, %r6, 256, %r4;\n"
                     "add.s32 %r7, %r7, %r2; add.s32 %r7, %r7, %r3;\n"
                     "st.global.u32 [%d2], %r7;");
  for (uint32_t l = 0; l < 32; ++l)
    EXPECT_EQ(found[l], l * 256 + 26 + 1);
}

TEST(EmulatorWarp, LoopsOfDifferentLengthsJoin) {
  // Collatz steps of each lane, then a shuffle of all.
  auto found = words("add.s32 %r1, %r31, 1; mov.u32 %r2, 0;\n"
                     "loop: setp.eq.u32 %p1, %r1, 1; @%p1 bra end;\n"
                     "and.b32 %r3, %r1, 1; setp.eq.u32 %p2, %r3, 0;\n"
                     "@%p2 bra even; mad.lo.s32 %r1, %r1, 3, 1; bra next;\n"
                     "even: shr.u32 %r1, %r1, 1;\n"
                     "next: add.s32 %r2, %r2, 1; bra loop;\n"
                     "end: shfl.sync.idx.b32 %r4, %r2, 26, 31, -1;\n"
                     "mad.lo.s32 %r5, %r4, 1000, %r2;\n"
                     "st.global.u32 [%d2], %r5;");
  for (uint32_t l = 0; l < 32; ++l) {
    uint32_t steps = 0;
    for (uint32_t x = l + 1; x != 1; x = x % 2 ? 3 * x + 1 : x / 2)
      ++steps;
    EXPECT_EQ(found[l], 111000 + steps);
  }
}

TEST(EmulatorWarp, SpecialRegistersAndGrids) {
  std::vector<uint32_t> out(3 * 2 * 4 * 5, 0);
  Module module(kernel(
      "mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %ntid.x;\n"
      "mad.lo.s32 %r4, %r2, %r3, %r1; mov.u32 %r5, %ctaid.x;\n"
      "mov.u32 %r6, %ctaid.y; mov.u32 %r7, %nctaid.x;\n"
      "mad.lo.s32 %r8, %r6, %r7, %r5; mov.u32 %r9, %ntid.y;\n"
      "mul.lo.s32 %r10, %r9, %r3; mad.lo.s32 %r11, %r8, %r10, %r4;\n"
      "mul.wide.u32 %d1, %r11, 4; add.s64 %d2, %d1, %d31;\n"
      "mad.lo.s32 %r12, %r2, 100, %r1; mad.lo.s32 %r12, %r6, 7000, %r12;\n"
      "mad.lo.s32 %r12, %r5, 1000, %r12; st.global.u32 [%d2], %r12;"));
  for (uint64_t shuffle : {0, 1, 2}) {
    Launch made;
    made.entry = "trial";
    made.grid[0] = 3, made.grid[1] = 2, made.block[0] = 4, made.block[1] = 5;
    auto address = reinterpret_cast<uint64_t>(out.data());
    const void *parameters[] = {&address};
    made.parameters = parameters;
    Checks checks;
    checks.shuffle = shuffle;
    std::fill(out.begin(), out.end(), 0);
    run(module, made, checks);
    for (uint32_t i = 0; i < out.size(); ++i) {
      uint32_t block = i / 20, thread = i % 20;
      EXPECT_EQ(out[i], block / 3 * 7000 + block % 3 * 1000 + thread / 4 * 100 +
                            thread % 4);
    }
  }
}

TEST(EmulatorWarp, LanesThatDoNotCome) {
  expectError(errorIn("setp.eq.u32 %p1, %r31, 9; @%p1 exit;\n"
                      "shfl.sync.down.b32 %r1, %r31, 1, 31, -1;"),
              "thread (0, 0, 0), PTX line 12: waits for lane 9, which has");
  expectError(errorIn("setp.eq.u32 %p1, %r31, 9;\n"
                      "@%p1 bra other;\nbar.warp.sync -1; bra end;\n"
                      "other: bar.warp.sync -1;\nend: bar.sync 0;"),
              "PTX line 13: waits for lanes that do not come: of 32 only 31");
  expectError(errorIn("setp.lt.u32 %p1, %r31, 16;\n"
                      "@%p1 shfl.sync.down.b32 %r1, %r31, 1, 31, 0xfffe;"),
              "a member mask that differs or lacks the thread itself");
  expectError(errorIn("setp.lt.u32 %p1, %r31, 16;\n"
                      "@%p1 shfl.sync.idx.b32 %r1, %r31, 20, 31, 0xffff;"),
              "reads from lane 20, which takes no part");
  expectError(errorIn("setp.lt.u32 %p1, %r31, 32; @%p1 bar.sync 0;", 64),
              "a barrier to which some warps do not come");
  expectError(errorIn("setp.eq.u32 %p1, %r31, 40; @%p1 exit; bar.sync 0;", 64),
              "waits for lane 8, which has ended");
}

TEST(EmulatorWarp, HalvesOfAWarp) {
  auto found = words("setp.lt.u32 %p1, %r31, 16; @!%p1 bra high;\n"
                     "shfl.sync.bfly.b32 %r1, %r31, 1, 31, 0xffff; bra end;\n"
                     "high: shfl.sync.bfly.b32 %r1, %r31, 2, 31, 0xffff0000;\n"
                     "end: bar.warp.sync -1; st.global.u32 [%d2], %r1;");
  for (uint32_t l = 0; l < 32; ++l)
    EXPECT_EQ(found[l], l ^ (l < 16 ? 1 : 2));
}

//===- Races --------------------------------------------------------------===//

TEST(EmulatorRace, WithinAWarp) {
  const std::string neighbour = "st.global.u32 [%d2], %r31;\n",
                    load = "xor.b64 %d3, %d1, 4; add.s64 %d3, %d3, %d31;\n"
                           "ld.global.u32 %r1, [%d3];";
  expectError(errorIn(neighbour + load),
              "thread (0, 0, 0), PTX line 13: race: reads 4 bytes at 0x");
  expectError(errorIn(neighbour + load), "which thread 1 wrote at line 11");
  EXPECT_EQ(errorIn(neighbour + "bar.warp.sync -1;" + load), "no error");
  EXPECT_EQ(
      errorIn(neighbour + "shfl.sync.idx.b32 %r2, %r31, 0, 31, -1;" + load),
      "no error");
  EXPECT_EQ(errorIn(neighbour + "bar.sync 0;" + load), "no error");
  // Reads first, writes after.
  expectError(errorIn(load + "\nst.global.u32 [%d2], %r31;"),
              "which thread 1 read at line 12");
  EXPECT_EQ(errorIn(load + "bar.warp.sync -1; st.global.u32 [%d2], %r31;"),
            "no error");
  // The same value by all is a race too; one thread alone is none.
  expectError(errorIn("st.global.u32 [%d31], 7;"), "thread (1, 0, 0)");
  EXPECT_EQ(errorIn("setp.eq.u32 %p1, %r31, 3; @%p1 st.global.u32 [%d31], 7;"),
            "no error");
  // All read one word; then one of them writes it.
  expectError(errorIn("ld.global.u32 %r1, [%d31+64];\n"
                      "setp.eq.u32 %p1, %r31, 3; @%p1 st.u32 [%d31+64], 7;"),
              "which several threads read");
  EXPECT_EQ(errorIn("ld.global.u32 %r1, [%d31+64]; bar.warp.sync -1;\n"
                    "setp.eq.u32 %p1, %r31, 3; @%p1 st.u32 [%d31+64], 7;"),
            "no error");
}

TEST(EmulatorRace, PartsOfAWarp) {
  // Lanes below 16 know of each other, but not of the others.
  const std::string start = "st.global.u32 [%d2], %r31; setp.lt.u32 %p1, %r31, "
                            "16; @%p1 bar.warp.sync 0xffff;\n";
  const std::string load = "add.s64 %d3, %d3, %d31; @%p1 ld.u32 %r1, [%d3];";
  EXPECT_EQ(errorIn(start + "xor.b64 %d3, %d1, 4;" + load), "no error");
  expectError(errorIn(start + "xor.b64 %d3, %d1, 64;" + load), "race");
}

TEST(EmulatorRace, BetweenWarpsAndBlocks) {
  const std::string swap = "xor.b64 %d3, %d1, 128; add.s64 %d3, %d3, %d31;\n"
                           "ld.global.u32 %r1, [%d3];";
  const std::string put = "st.global.u32 [%d2], %r31;\n";
  expectError(errorIn(put + "bar.warp.sync -1;" + swap, 64), "race");
  EXPECT_EQ(errorIn(put + "bar.sync 0;" + swap, 64), "no error");
  expectError(errorIn(swap + "bar.warp.sync -1;" + put, 64), "race");
  EXPECT_EQ(errorIn(swap + "barrier.sync 1;" + put, 64), "no error");
  expectError(errorIn("bar.sync 0;" + put + "bar.sync 0;", 64, 2),
              "of another block wrote");
  expectError(errorIn("mov.u32 %r5, %ctaid.x; setp.eq.u32 %p1, %r5, 1;\n"
                      "@%p1 st.u32 [%d2], 1; @!%p1 ld.u32 %r1, [%d2];",
                      32, 2),
              "of another block read");
  // Shared memory is another one in each block.
  EXPECT_EQ(errorIn("mov.u32 %r1, tile; shl.b32 %r2, %r31, 2;\n"
                    "add.s32 %r1, %r1, %r2; st.shared.u32 [%r1], %r31;",
                    64, 3, ".shared .u32 tile[64];"),
            "no error");
  expectError(
      errorIn("st.shared.u32 [tile], %r31;", 32, 1, ".shared .u32 tile[64];"),
      "(shared)");
}

TEST(EmulatorRace, PiecesOfAnySize) {
  // Neighbours of 2 bytes in what was read in pieces of 16 are no race, but a
  // byte of a piece of 16 is one.
  const std::string at = "mul.wide.u32 %d3, %r31, 16; add.s64 %d3, %d3, %d31;\n"
                         "ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%d3];\n";
  EXPECT_EQ(errorIn(at + "bar.warp.sync -1; mul.wide.u32 %d4, %r31, 2;\n"
                         "add.s64 %d4, %d4, %d31; st.global.u16 [%d4], %r31;"),
            "no error");
  expectError(errorIn(at + "add.s64 %d4, %d31, 17; setp.eq.u32 %p1, %r31, 0;\n"
                           "@%p1 st.global.u8 [%d4], %r31;"),
              "which thread 1 read");
}

TEST(EmulatorRace, ConstantLoadsAndLaterLaunches) {
  expectError(errorIn("ld.global.nc.u32 %r1, [%d2]; st.global.u32 [%d2], 1;"),
              "race");
  expectError(errorIn("st.global.u32 [%d2], 1; ld.global.nc.u32 %r1, [%d2];"),
              "race");
  std::vector<uint32_t> out(1024, 0);
  Module writer(kernel(std::string(kOwn) + "st.global.u32 [%d2], 1;"));
  Module reader(kernel("ld.global.nc.u32 %r1, [%d31];"));
  for (int i = 0; i < 3; ++i) {
    launch(writer, out.data());
    launch(reader, out.data(), 32, 2);
  }
  Checks off;
  off.races = false;
  Module racy(kernel("st.global.u32 [%d31], %r31;"));
  launch(racy, out.data(), 32, 2, off);
}

} // namespace
