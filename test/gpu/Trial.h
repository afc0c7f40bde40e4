//===- Trial.h - One instruction on many values ---------------------------===//

#ifndef UPDRAFT_TEST_GPU_TRIAL_H
#define UPDRAFT_TEST_GPU_TRIAL_H

#include "Emulator.h"

#include "gtest/gtest.h"

#include <array>
#include <bit>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

namespace updraft::gpu::trial {

using Row = std::array<uint64_t, 4>; // inputs a, b, c, d of a thread

/// A module of one entry `trial`: registers %h (16 bits), %r, %d (64) and %p
/// 0 to 31, the parameter `io` in %d31, the thread in %r31. The body starts at
/// line 10.
inline std::string kernel(const std::string &body,
                          const std::string &before = "") {
  return ".version 8.8\n.target sm_90\n.address_size 64\n" + before +
         "\n.visible .entry trial(.param .u64 io)\n{\n"
         ".reg .b16 %h<32>; .reg .b32 %r<32>; .reg .b64 %d<32>;\n"
         ".reg .pred %p<32>;\n"
         "ld.param.u64 %d31, [io]; mov.u32 %r31, %tid.x;\n" +
         body + "\nret;\n}\n";
}

inline void launch(const Module &module, const void *io, uint32_t threads = 32,
                   uint32_t blocks = 1, const Checks &checks = {},
                   uint32_t sharedBytes = 0) {
  Launch made;
  made.entry = "trial";
  made.grid[0] = blocks;
  made.block[0] = threads;
  made.sharedBytes = sharedBytes;
  auto address = reinterpret_cast<uint64_t>(io);
  const void *parameters[] = {&address};
  made.parameters = parameters;
  run(module, made, checks);
}

/// The body on each row: its inputs are %d1.. %d4, %r1.. and %h1.. (the low
/// bits), its result is %d0, %r0 or %h0 by `bits`; of a predicate %p0 (1).
inline std::vector<uint64_t> evaluate(const std::string &body, unsigned bits,
                                      const std::vector<Row> &rows) {
  std::string text = "mad.wide.u32 %d30, %r31, 40, %d31;\n";
  for (int i = 1; i <= 4; ++i) {
    auto n = std::to_string(i), at = std::to_string(8 * (i - 1));
    text += "ld.global.u64 %d" + n + ", [%d30+" + at + "];\n";
    text += "ld.global.u32 %r" + n + ", [%d30+" + at + "];\n";
    text += "ld.global.u16 %h" + n + ", [%d30+" + at + "];\n";
  }
  text += body + "\n";
  if (bits == 1)
    text += "selp.u64 %d0, 1, 0, %p0;\n";
  if (bits == 16)
    text += "cvt.u64.u16 %d0, %h0;\n";
  if (bits == 32)
    text += "cvt.u64.u32 %d0, %r0;\n";
  text += "st.global.u64 [%d30+32], %d0;\n";
  Module module(kernel(text));
  std::vector<uint64_t> results;
  for (size_t first = 0; first < rows.size(); first += 32) {
    uint64_t io[32][5] = {};
    size_t count = std::min<size_t>(32, rows.size() - first);
    for (size_t i = 0; i < count; ++i)
      std::memcpy(io[i], rows[first + i].data(), 32);
    // Some warps are not full, so that both roads are taken.
    launch(module, io, static_cast<uint32_t>(count));
    for (size_t i = 0; i < count; ++i)
      results.push_back(io[i][4]);
  }
  return results;
}

/// What the launch or the parser throws.
template <class F> std::string errorOf(F run) {
  try {
    run();
  } catch (const std::runtime_error &error) {
    return error.what();
  }
  return "no error";
}

/// Integers with all kinds of bits.
inline std::vector<Row> integerRows() {
  const uint64_t kinds[] = {0,
                            1,
                            2,
                            5,
                            31,
                            32,
                            63,
                            100,
                            0x7fff,
                            0x8000,
                            0xffff,
                            0x7fffffff,
                            0x80000000,
                            0xffffffff,
                            0x123456789abcdef0,
                            0x7fffffffffffffff,
                            0x8000000000000000,
                            0xffffffffffffffff,
                            0xfffffffffffffff9};
  std::vector<Row> rows;
  uint64_t state = 88172645463325252;
  for (uint64_t a : kinds)
    for (uint64_t b : kinds) {
      Row row{a, b};
      for (int k = 2; k < 4; ++k) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        row[k] = state;
      }
      rows.push_back(row);
    }
  return rows;
}

/// The body against `expected(row)` on all integer rows.
template <class F>
void expectIntegers(const std::string &body, unsigned bits, F expected) {
  auto rows = integerRows();
  auto found = evaluate(body, bits, rows);
  for (size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(found[i], uint64_t(expected(rows[i])))
        << body << " of " << std::hex << rows[i][0] << ", " << rows[i][1]
        << ", " << rows[i][2] << ", " << rows[i][3];
}

} // namespace updraft::gpu::trial

#endif // UPDRAFT_TEST_GPU_TRIAL_H
