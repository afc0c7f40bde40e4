//===- Rounding.h - f16, bf16 and the roundings of PTX --------------------===//

#ifndef UPDRAFT_TEST_GPU_ROUNDING_H
#define UPDRAFT_TEST_GPU_ROUNDING_H

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace updraft::gpu {

enum class Rounding { Near, Zero, Down, Up };

/// A NaN as the hardware makes it: PTX leaves the bits open.
inline float canonical(float x) {
  return x == x ? x : std::bit_cast<float>(0x7fffffffu);
}
inline double canonical(double x) {
  return x == x ? x : std::bit_cast<double>(0x7fffffffffffffffu);
}

/// x * y + z rounded once.
inline float fused(float x, float y, float z) {
  return canonical(__builtin_fmaf(x, y, z));
}
inline double fused(double x, double y, double z) {
  return canonical(__builtin_fma(x, y, z));
}

/// `value` in a format of 1 sign, E exponent and M fraction bits, as an
/// integer; results beyond the range by IEEE 754.
template <int E, int M> uint32_t narrow(double value, Rounding rounding) {
  constexpr int64_t bias = (1 << (E - 1)) - 1, most = (1 << E) - 1;
  constexpr uint32_t infinity = uint32_t(most) << M;
  uint64_t bits = std::bit_cast<uint64_t>(value);
  bool minus = bits >> 63;
  uint32_t sign = uint32_t(minus) << (E + M);
  if (value != value)
    return (1u << (E + M)) - 1;
  if (std::isinf(value))
    return sign | infinity;
  if (value == 0)
    return sign;
  int exponent; // value = fraction * 2^exponent, fraction in [2^52, 2^53)
  auto fraction = static_cast<uint64_t>(
      std::ldexp(std::frexp(std::fabs(value), &exponent), 53));
  exponent -= 53;
  int64_t unit = exponent + 52 - M; // weight of the last kept bit
  int64_t least = 1 - bias - M;
  unit = unit < least ? least : unit;
  int64_t drop = unit - exponent;
  uint64_t kept = drop < 64 ? fraction >> drop : 0;
  uint64_t rest = drop < 64 ? fraction - (kept << drop) : fraction;
  bool inexact = rest != 0, up = false;
  if (rounding == Rounding::Near && drop < 60) {
    uint64_t half = uint64_t(1) << (drop - 1);
    up = rest > half || (rest == half && (kept & 1));
  } else if (rounding == Rounding::Down) {
    up = inexact && minus;
  } else if (rounding == Rounding::Up) {
    up = inexact && !minus;
  }
  kept += up;
  // A carry out of the fraction raises the exponent by itself.
  uint64_t result = kept >> M ? (uint64_t(unit - least) << M) + kept : kept;
  if (result < infinity)
    return sign | uint32_t(result);
  bool toInfinity = rounding == Rounding::Near ||
                    (rounding == Rounding::Down && minus) ||
                    (rounding == Rounding::Up && !minus);
  return sign | (toInfinity ? infinity : infinity - 1);
}

struct Half {
  uint16_t bits;
  static Half near(double x) {
    return {uint16_t(narrow<5, 10>(x, Rounding::Near))};
  }
  double value() const {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31
                      ? (fraction ? std::numeric_limits<double>::quiet_NaN()
                                  : std::numeric_limits<double>::infinity())
                      : std::ldexp(exponent ? 1024 + fraction : fraction,
                                   (exponent ? exponent : 1) - 25);
    return bits >> 15 ? -size : size;
  }
};

struct Brain {
  uint16_t bits;
  static Brain near(double x) {
    return {uint16_t(narrow<8, 7>(x, Rounding::Near))};
  }
  double value() const { return std::bit_cast<float>(uint32_t(bits) << 16); }
};

/// x + y rounded to odd, so that a second, shorter rounding is the only one.
inline double sumToOdd(double x, double y) {
  double sum = x + y;
  if (!std::isfinite(sum))
    return sum;
  double part = sum - x, error = (x - (sum - part)) + (y - part);
  uint64_t bits = std::bit_cast<uint64_t>(sum);
  if (error != 0 && !(bits & 1))
    bits += (error > 0) == (sum > 0) ? 1 : -1;
  return std::bit_cast<double>(bits);
}

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_ROUNDING_H
