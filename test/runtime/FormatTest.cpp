//===- FormatTest.cpp - Rounding to the narrow formats --------------------===//
//
// Every narrow value widens to what its fields say; every wide value narrows to
// the nearer neighbour, to the even one between two.
//
//===----------------------------------------------------------------------===//

#include "runtime/Format.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <initializer_list>

using namespace updraft::runtime;

static int failed;

/// A format by its numbers of bits.
struct Narrow {
  uint32_t format;
  int exponentBits, digitBits;
};

/// From the fields, in f64, where all values are exact; beyond the largest
/// finite value what would come next, so that rounding to infinity is nearest.
static double meaning(const Narrow &n, uint32_t bits) {
  int bias = (1 << (n.exponentBits - 1)) - 1;
  int exponent = int(bits >> n.digitBits) & ((1 << n.exponentBits) - 1);
  double digits = double(bits & ((1u << n.digitBits) - 1));
  double size = exponent ? std::ldexp(digits + (1 << n.digitBits),
                                      exponent - bias - n.digitBits)
                         : std::ldexp(digits, 1 - bias - n.digitBits);
  return bits & 0x8000 ? -size : size;
}

static void widens(const Narrow &n) {
  uint32_t infinite = ((1u << n.exponentBits) - 1) << n.digitBits;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    uint16_t narrow = uint16_t(bits);
    float wide = 0;
    convert(&narrow, n.format, &wide, UPDRAFT_F32, 1);
    uint32_t size = bits & 0x7fff;
    if (size > infinite)
      failed += !std::isnan(wide);
    else if (size == infinite)
      failed += !std::isinf(wide) || std::signbit(wide) != bits >> 15;
    else
      failed +=
          double(wide) != meaning(n, bits) || std::signbit(wide) != bits >> 15;
  }
}

static bool isNearest(const Narrow &n, float wide, uint16_t bits) {
  uint32_t infinite = ((1u << n.exponentBits) - 1) << n.digitBits;
  uint32_t size = bits & 0x7fff;
  if (std::isnan(wide))
    return size > infinite;
  if (std::isinf(wide))
    return size == infinite && std::signbit(wide) == bits >> 15;
  double x = std::fabs(double(wide)), off = std::fabs(meaning(n, size) - x);
  double up = std::fabs(meaning(n, size + 1) - x);
  double down = size ? std::fabs(meaning(n, size - 1) - x) : INFINITY;
  bool even = !(size & 1);
  if (size == infinite) // everything above is infinite too
    up = INFINITY, off = x > meaning(n, size) ? 0 : off;
  return size <= infinite && std::signbit(wide) == bits >> 15 &&
         (off < up || (off == up && even)) &&
         (off < down || (off == down && even));
}

static void narrows(const Narrow &n) {
  for (uint64_t bits = 0; bits < 0x100000000; bits += 613) {
    // Every stride also meets the exact ties and their neighbours.
    for (uint32_t low : {uint32_t(bits), uint32_t(bits) & 0xffff8000,
                         (uint32_t(bits) & 0xfffff000) | 0x1000}) {
      float wide = std::bit_cast<float>(low);
      uint16_t narrow = 0;
      convert(&wide, UPDRAFT_F32, &narrow, n.format, 1);
      failed += !isNearest(n, wide, narrow);
    }
  }
}

int main() {
  for (const Narrow &n :
       {Narrow{UPDRAFT_F16, 5, 10}, Narrow{UPDRAFT_BF16, 8, 7}}) {
    widens(n);
    narrows(n);
    printf("%s: %d failed\n", formatName(n.format), failed);
  }
  return failed != 0;
}
