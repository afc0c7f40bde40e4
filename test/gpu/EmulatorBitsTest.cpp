//===- EmulatorBitsTest.cpp - Integers, bits and predicates of PTX --------===//

#include "Trial.h"

using namespace updraft::gpu::trial;

namespace {

using U128 = unsigned __int128;
using S128 = __int128;

TEST(EmulatorBits, Arithmetic) {
  expectIntegers("add.s32 %r0, %r1, %r2;", 32,
                 [](Row x) { return uint32_t(x[0] + x[1]); });
  expectIntegers("sub.s64 %d0, %d1, %d2;", 64,
                 [](Row x) { return x[0] - x[1]; });
  expectIntegers("add.s16 %h0, %h1, %h2;", 16,
                 [](Row x) { return uint16_t(x[0] + x[1]); });
  expectIntegers("neg.s32 %r0, %r1;", 32,
                 [](Row x) { return uint32_t(-x[0]); });
  expectIntegers("abs.s64 %d0, %d1;", 64,
                 [](Row x) { return int64_t(x[0]) < 0 ? -x[0] : x[0]; });
  expectIntegers("min.s32 %r0, %r1, %r2;", 32, [](Row x) {
    return uint32_t(std::min(int32_t(x[0]), int32_t(x[1])));
  });
  expectIntegers("max.u64 %d0, %d1, %d2;", 64,
                 [](Row x) { return std::max(x[0], x[1]); });
}

TEST(EmulatorBits, Products) {
  expectIntegers("mul.lo.s32 %r0, %r1, %r2;", 32,
                 [](Row x) { return uint32_t(x[0] * x[1]); });
  expectIntegers("mul.hi.u32 %r0, %r1, %r2;", 32, [](Row x) {
    return uint64_t(uint32_t(x[0])) * uint32_t(x[1]) >> 32;
  });
  expectIntegers("mul.hi.s32 %r0, %r1, %r2;", 32, [](Row x) {
    return uint32_t(int64_t(int32_t(x[0])) * int32_t(x[1]) >> 32);
  });
  expectIntegers("mul.hi.u64 %d0, %d1, %d2;", 64,
                 [](Row x) { return U128(x[0]) * x[1] >> 64; });
  expectIntegers("mul.hi.s64 %d0, %d1, %d2;", 64, [](Row x) {
    return S128(int64_t(x[0])) * int64_t(x[1]) >> 64;
  });
  expectIntegers("mul.wide.s32 %d0, %r1, %r2;", 64,
                 [](Row x) { return int64_t(int32_t(x[0])) * int32_t(x[1]); });
  expectIntegers("mul.wide.u16 %r0, %h1, %h2;", 32, [](Row x) {
    return uint32_t(uint16_t(x[0])) * uint16_t(x[1]);
  });
  expectIntegers("mad.lo.s64 %d0, %d1, %d2, %d3;", 64,
                 [](Row x) { return x[0] * x[1] + x[2]; });
  expectIntegers("mad.wide.u32 %d0, %r1, %r2, %d3;", 64, [](Row x) {
    return uint64_t(uint32_t(x[0])) * uint32_t(x[1]) + x[2];
  });
  expectIntegers("mad.hi.u32 %r0, %r1, %r2, %r3;", 32, [](Row x) {
    return uint32_t((uint64_t(uint32_t(x[0])) * uint32_t(x[1]) >> 32) + x[2]);
  });
}

TEST(EmulatorBits, Quotients) {
  expectIntegers("or.b32 %r2, %r2, 1; div.u32 %r0, %r1, %r2;", 32,
                 [](Row x) { return uint32_t(x[0]) / (uint32_t(x[1]) | 1); });
  expectIntegers("or.b64 %d2, %d2, 1; rem.s64 %d0, %d1, %d2;", 64,
                 [](Row x) { return S128(int64_t(x[0])) % int64_t(x[1] | 1); });
  expectIntegers("or.b32 %r2, %r2, 1; div.s32 %r0, %r1, %r2;", 32, [](Row x) {
    return uint32_t(int64_t(int32_t(x[0])) / int32_t(x[1] | 1));
  });
}

TEST(EmulatorBits, ShiftsClamp) {
  expectIntegers("shl.b32 %r0, %r1, %r2;", 32, [](Row x) {
    return uint32_t(x[1]) > 31 ? 0 : uint32_t(x[0] << (x[1] & 31));
  });
  expectIntegers("shr.u64 %d0, %d1, %r2;", 64, [](Row x) {
    return uint32_t(x[1]) > 63 ? 0 : x[0] >> uint32_t(x[1]);
  });
  expectIntegers("shr.s32 %r0, %r1, %r2;", 32, [](Row x) {
    return uint32_t(int32_t(x[0]) >> std::min<uint32_t>(31, x[1]));
  });
  expectIntegers("shr.s16 %h0, %h1, %r2;", 16, [](Row x) {
    return uint16_t(int16_t(x[0]) >> std::min<uint32_t>(15, x[1]));
  });
}

/// Bit i of (high, low) as one number, i below 64.
bool bit(Row x, unsigned i) {
  return (i < 32 ? x[0] >> i : x[1] >> (i - 32)) & 1;
}

TEST(EmulatorBits, FunnelShifts) {
  for (bool left : {false, true})
    for (bool clamp : {false, true}) {
      std::string name = std::string("shf.") + (left ? "l." : "r.") +
                         (clamp ? "clamp" : "wrap") + ".b32 %r0, %r1, %r2, ";
      for (uint32_t by : {0u, 1u, 17u, 31u, 32u, 45u})
        expectIntegers(name + std::to_string(by) + ";", 32, [=](Row x) {
          uint32_t n = clamp ? std::min(by, 32u) : by & 31, result = 0;
          for (unsigned i = 0; i < 32; ++i)
            result |= uint32_t(bit(x, left ? i + 32 - n : i + n)) << i;
          return result;
        });
    }
}

TEST(EmulatorBits, Logic) {
  expectIntegers("xor.b64 %d0, %d1, %d2; not.b64 %d0, %d0;", 64,
                 [](Row x) { return ~(x[0] ^ x[1]); });
  expectIntegers("and.b16 %h0, %h1, %h2;", 16,
                 [](Row x) { return uint16_t(x[0] & x[1]); });
  for (uint32_t table : {0xe8u, 0x96u, 0xcau, 0x01u})
    expectIntegers(
        "lop3.b32 %r0, %r1, %r2, %r3, " + std::to_string(table) + ";", 32,
        [=](Row x) {
          uint32_t result = 0;
          for (int i = 0; i < 32; ++i) {
            int k = (x[0] >> i & 1) * 4 + (x[1] >> i & 1) * 2 + (x[2] >> i & 1);
            result |= (table >> k & 1) << i;
          }
          return result;
        });
}

TEST(EmulatorBits, Counting) {
  expectIntegers("clz.b32 %r0, %r1;", 32, [](Row x) {
    int n = 0;
    while (n < 32 && !(x[0] >> (31 - n) & 1))
      ++n;
    return n;
  });
  expectIntegers("popc.b64 %r0, %d1;", 32,
                 [](Row x) { return std::popcount(x[0]); });
  expectIntegers("brev.b64 %d0, %d1;", 64, [](Row x) {
    uint64_t result = 0;
    for (int i = 0; i < 64; ++i)
      result |= (x[0] >> i & 1) << (63 - i);
    return result;
  });
  expectIntegers("bfind.s32 %r0, %r1;", 32, [](Row x) {
    for (int i = 31; i >= 0; --i)
      if ((x[0] >> i & 1) != (x[0] >> 31 & 1))
        return uint32_t(i);
    return ~0u;
  });
}

TEST(EmulatorBits, Fields) {
  for (uint32_t from : {0u, 3u, 30u, 31u, 40u, 70u})
    for (uint32_t length : {0u, 1u, 7u, 32u, 64u, 255u}) {
      std::string at = std::to_string(from) + ", " + std::to_string(length);
      expectIntegers("bfe.s32 %r0, %r1, " + at + ";", 32, [=](Row x) {
        uint32_t result = 0, last = std::min(from + length - 1, 31u);
        bool sign = length && (x[0] >> last & 1);
        for (uint32_t i = 0; i < 32; ++i)
          result |=
              uint32_t(i < length && from + i <= 31 ? x[0] >> (from + i) & 1
                                                    : sign)
              << i;
        return result;
      });
      expectIntegers("bfi.b64 %d0, %d1, %d2, " + at + ";", 64, [=](Row x) {
        uint64_t result = x[1];
        for (uint32_t i = 0; i < length && from + i <= 63; ++i) {
          result &= ~(uint64_t(1) << (from + i));
          result |= (x[0] >> i & 1) << (from + i);
        }
        return result;
      });
    }
  expectIntegers("prmt.b32 %r0, %r1, %r2, %r3;", 32, [](Row x) {
    uint8_t bytes[8], result[4];
    uint32_t a = x[0], b = x[1], value;
    std::memcpy(bytes, &a, 4);
    std::memcpy(bytes + 4, &b, 4);
    for (int i = 0; i < 4; ++i) {
      uint32_t pick = x[2] >> (4 * i);
      result[i] = bytes[pick & 7];
      if (pick & 8)
        result[i] = static_cast<int8_t>(result[i]) < 0 ? 255 : 0;
    }
    std::memcpy(&value, result, 4);
    return value;
  });
}

TEST(EmulatorBits, Predicates) {
  expectIntegers("setp.lt.s32 %p0, %r1, %r2;", 1,
                 [](Row x) { return int32_t(x[0]) < int32_t(x[1]); });
  expectIntegers("setp.hs.u64 %p0, %d1, %d2;", 1,
                 [](Row x) { return x[0] >= x[1]; });
  expectIntegers("setp.ne.b16 %p1|%p0, %h1, %h2;", 1,
                 [](Row x) { return uint16_t(x[0]) == uint16_t(x[1]); });
  expectIntegers("setp.gt.u32 %p1, %r3, %r4;"
                 "setp.le.xor.s64 %p2|%p0, %d1, %d2, !%p1;",
                 1, [](Row x) {
                   bool other = uint32_t(x[2]) <= uint32_t(x[3]);
                   return !(int64_t(x[0]) <= int64_t(x[1])) ^ other;
                 });
  expectIntegers("setp.gt.u32 %p1, %r3, %r4; mov.b32 %r0, %r1;"
                 "@!%p1 mov.b32 %r0, %r2;",
                 32, [](Row x) {
                   return uint32_t(x[2]) > uint32_t(x[3]) ? uint32_t(x[0])
                                                          : uint32_t(x[1]);
                 });
  expectIntegers(
      "setp.gt.s32 %p1, %r1, 7; setp.lt.s32 %p2, %r2, 9;"
      "and.pred %p3, %p1, %p2; not.pred %p0, %p3;",
      1, [](Row x) { return !(int32_t(x[0]) > 7 && int32_t(x[1]) < 9); });
}

TEST(EmulatorBits, Parts) {
  expectIntegers("mov.b32 {%h5, %h6}, %r1; mov.b32 %r0, {%h6, %h5};", 32,
                 [](Row x) { return std::rotl(uint32_t(x[0]), 16); });
  expectIntegers("mov.b64 {_, %r5}, %d1; mov.b64 %d0, {%r5, %r2};", 64,
                 [](Row x) { return x[0] >> 32 | x[1] << 32; });
  expectIntegers("mov.b64 {%h5, %h6, %h7, %h8}, %d1;"
                 "mov.b64 %d0, {%h8, %h7, %h6, %h5};",
                 64, [](Row x) {
                   uint64_t result = 0;
                   for (int i = 0; i < 4; ++i)
                     result = result << 16 | (x[0] >> (16 * i) & 0xffff);
                   return result;
                 });
}

} // namespace
