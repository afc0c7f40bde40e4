//===- Functions.cpp - The functions of the language, bit for bit ---------===//
//
// Two cores carry nearly everything. expParts writes e^x as 2^n (1 + r + tail);
// logPair yields a logarithm as an unevaluated sum of two doubles, with a
// relative error below 2^-65, which is what pow needs. All arithmetic with such
// pairs is by exact sums (Dekker, Knuth) and exact products (by fma).
//
// There is no branch on data and no table, so that the compiler can emit the
// same for vectors: special cases are selected at the end, whatever the general
// road made of them. The one loop is in mod; further rounds change nothing.
// Polynomials are minimax fits with coefficients in f64.
//
//===----------------------------------------------------------------------===//

#include "Functions.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

namespace updraft::functions {

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Added to a small number, leaves it rounded to an integer in the low bits.
constexpr double kShifter = 0x1.8p52;

/// log 2 in two parts; the first has 40 bits, so that its products with
/// exponents are exact.
constexpr double kLn2High = 0x1.62e42fefa4p-1, kLn2Low = -0x1.8432a1b0e2634p-43;
constexpr double kLog2e = 0x1.71547652b82fep+0;
constexpr double kPi4High = 0x1.921fb54442d18p-1,
                 kPi4Low = 0x1.1a62633145c07p-55;

/// The unevaluated sum of two numbers, `low` at most half an ulp of `high`.
struct Pair {
  double high, low;
};

uint64_t bitsOf(double x) { return std::bit_cast<uint64_t>(x); }
double fromBits(uint64_t bits) { return std::bit_cast<double>(bits); }

/// a + b exactly, if |a| >= |b| or a is 0.
Pair fastSum(double a, double b) {
  double sum = a + b;
  return {sum, b - (sum - a)};
}

/// a + b exactly.
Pair exactSum(double a, double b) {
  double sum = a + b, part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}

/// a / b to about 2^-100.
Pair quotient(Pair a, Pair b) {
  double inverse = 1 / b.high, high = a.high * inverse;
  double rest = std::fma(-high, b.high, a.high);
  return {high, (rest + std::fma(-high, b.low, a.low)) * inverse};
}

/// Coefficients from the highest power down.
double polynomial(double x, std::initializer_list<double> coefficients) {
  double value = 0;
  bool first = true;
  for (double c : coefficients) {
    value = first ? c : std::fma(value, x, c);
    first = false;
  }
  return value;
}

/// 2^n for an integer n in [-1022, 1023].
double powerOfTwo(double n) {
  return fromBits(bitsOf(n + (kShifter + 1023)) << 52);
}

/// x * 2^n for an integer |n| <= 2000, rounded once: the first of the two steps
/// stays far from the ends of the range if x is near 1.
double scale(double x, double n) {
  double half = (n * 0.5 + kShifter) - kShifter;
  return x * powerOfTwo(half) * powerOfTwo(n - half);
}

double clamp(double x, double low, double high) {
  x = x > high ? high : x;
  return x < low ? low : x;
}

//===- Exponentials -------------------------------------------------------===//

/// e^x = 2^power (1 + r + tail), |r| <= log(2)/2, tail much smaller than r.
struct ExpParts {
  double power, r, tail;
};

/// Of x + low, |x| <= 1000.
ExpParts expParts(double x, double low = 0) {
  double power = std::fma(x, kLog2e, kShifter) - kShifter;
  Pair r =
      fastSum(std::fma(-power, kLn2High, x), std::fma(-power, kLn2Low, low));
  double q =
      polynomial(r.high, {0x1.1f86f47345c7fp-29, 0x1.af4ed1a88d4bbp-26,
                          0x1.27e4cfad25176p-22, 0x1.71de01a9f26cbp-19,
                          0x1.a01a01ab9920dp-16, 0x1.a01a01ac1eb57p-13,
                          0x1.6c16c16c156a4p-10, 0x1.111111111005p-7,
                          0x1.5555555555557p-5, 0x1.5555555555557p-3, 0.5});
  double tail = std::fma(r.high * r.high, q, std::fma(r.high, r.low, r.low));
  return {power, r.high, tail};
}

/// 1 + r + tail.
Pair mantissa(const ExpParts &e) {
  Pair sum = fastSum(1, e.r);
  return fastSum(sum.high, sum.low + e.tail);
}

/// factor * e^x - shift, where factor is 2^-power times the power of two that
/// `shift` is.
Pair expMinus(const ExpParts &e, double factor, double shift) {
  Pair q = fastSum(e.r, e.tail);
  Pair whole = exactSum(factor, -shift);
  Pair sum = exactSum(whole.high, factor * q.high);
  return fastSum(sum.high, sum.low + std::fma(factor, q.low, whole.low));
}

//===- Logarithms ---------------------------------------------------------===//

/// x = 2^power * fraction, fraction in [low, 2 low), for positive finite x.
struct Split {
  double power, fraction;
};

Split split(double x, double low) {
  bool isSubnormal = x < 0x1p-1022;
  uint64_t bits = bitsOf(isSubnormal ? x * 0x1p54 : x);
  bits += bitsOf(1) - bitsOf(low);
  double power = fromBits((bits >> 52) | bitsOf(0x1p52)) - (0x1p52 + 1023);
  double fraction = fromBits((bits & 0xfffffffffffff) + bitsOf(low));
  return {isSubnormal ? power - 54 : power, fraction};
}

constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;

/// log(2^power (1 + f)) for 1 + f in about [sqrt(1/2), sqrt(2)), by the series
/// 2s + s^3 (2/3 + s^2 Q(s^2)) in s = f / (2 + f).
Pair logPair(double power, Pair f) {
  Pair d = fastSum(2, f.high);
  Pair s = quotient(f, {d.high, d.low + f.low});
  double square = s.high * s.high;
  double squareLow = std::fma(s.high, s.high, -square) + 2 * s.high * s.low;
  double q = polynomial(square, {0x1.da997bf5a8d2dp-4, 0x1.e01a99f1e297cp-4,
                                 0x1.11154b6c5a5c7p-3, 0x1.3b13a9e71b3a4p-3,
                                 0x1.745d173ca067bp-3, 0x1.c71c71c74cc65p-3,
                                 0x1.24924924922fdp-2, 0x1.999999999999ap-2});
  Pair third = fastSum(0x1.5555555555555p-1, square * q);
  third.low += 0x1.5555555555555p-55;
  double cube = s.high * square;
  double cubeLow = std::fma(s.high, square, -cube) +
                   std::fma(s.high, squareLow, s.low * square);
  double term = cube * third.high;
  double termLow = std::fma(cube, third.high, -term) +
                   std::fma(cube, third.low, cubeLow * third.high);
  Pair sum = fastSum(2 * s.high, term);
  double low = sum.low + (2 * s.low + termLow);
  Pair total = fastSum(power * kLn2High, sum.high);
  return fastSum(total.high, total.low + std::fma(power, kLn2Low, low));
}

/// log x for positive finite x.
Pair logPair(double x) {
  Split parts = split(x, kSqrtHalf);
  return logPair(parts.power, {parts.fraction - 1, 0});
}

} // namespace

double exp(double x) {
  ExpParts e = expParts(clamp(x, -746, 710));
  return scale(mantissa(e).high, e.power);
}

double expm1(double x) {
  // Half of the result, because 2^1024 does not exist.
  ExpParts e = expParts(clamp(x, -50, 710));
  double result = 2 * expMinus(e, powerOfTwo(e.power - 1), 0.5).high;
  return std::fabs(x) < 0x1p-54 ? x : result;
}

double log(double x) {
  double result = logPair(x).high;
  result = x == kInf ? x : result;
  result = x == 0 ? -kInf : result;
  return x >= 0 ? result : kNan;
}

double log1p(double x) {
  Pair sum = exactSum(1, x);
  Split parts = split(sum.high, kSqrtHalf);
  double low = x < 0x1p60 ? sum.low : 0;
  Pair f = exactSum(parts.fraction - 1,
                    low * powerOfTwo(-clamp(parts.power, -60, 60)));
  double result = logPair(parts.power, f).high;
  result = x == kInf ? x : result;
  result = x == -1 ? -kInf : result;
  result = x >= -1 ? result : kNan;
  return std::fabs(x) < 0x1p-54 ? x : result;
}

double tanh(double x) {
  // (e^2x - 1) / (e^2x + 1); beyond 20 it rounds to 1.
  ExpParts e = expParts(2 * clamp(std::fabs(x), 0, 20));
  Pair above = expMinus(e, powerOfTwo(e.power), 1);
  Pair below = exactSum(2, above.high);
  below.low += above.low;
  Pair result = quotient(above, below);
  return std::copysign(result.high + result.low, x);
}

double sigmoid(double x) {
  // With t = e^-|x|: 1 / (1 + t), or t / (1 + t) for negative x.
  bool isNegative = x < 0;
  ExpParts e = expParts(-clamp(std::fabs(x), 0, 746));
  Pair t = mantissa(e);
  double factor = powerOfTwo(clamp(e.power, -100, 0));
  Pair below = fastSum(1, t.high * factor);
  below.low += t.low * factor;
  Pair result =
      quotient({isNegative ? t.high : 1, isNegative ? t.low : 0}, below);
  return scale(result.high + result.low, isNegative ? e.power : 0);
}

double pow(double x, double y) {
  Pair l = logPair(std::fabs(x));
  // Large enough to overflow with every logarithm but 0, and no infinity.
  double exponent = clamp(y, -0x1p70, 0x1p70);
  double product = exponent * l.high;
  double low = std::fma(exponent, l.high, -product) + exponent * l.low;
  bool isFar = !(std::fabs(product) <= 800);
  ExpParts e =
      expParts(isFar ? std::copysign(800, product) : product, isFar ? 0 : low);
  double result = scale(mantissa(e).high, e.power);

  bool isWhole = std::floor(y) == y;
  bool isOdd = isWhole && std::floor(0.5 * y) != 0.5 * y;
  double atZero = y < 0 ? kInf : 0, atInf = y < 0 ? 0 : kInf;
  result = std::fabs(x) == kInf ? atInf : result;
  result = x == 0 ? atZero : result;
  result = x < 0 && x != -kInf && !isWhole ? kNan : result;
  result = isOdd ? std::copysign(result, x) : result;
  result = x != x || y != y ? kNan : result;
  return x == 1 || y == 0 ? 1 : result;
}

//===- Angles -------------------------------------------------------------===//

double atan2(double y, double x) {
  double width = std::fabs(x), height = std::fabs(y);
  bool isSteep = height > width;
  double a = isSteep ? width : height, b = isSteep ? height : width;
  bool isFar = b == kInf, isZero = b == 0;
  a = isFar ? (a == kInf ? 1 : 0) : a;
  b = isFar || isZero ? 1 : b;
  double direct = a / b;

  // The angle of a / b <= 1: by (a - b) / (a + b) and pi/4 if above tan(pi/8).
  double factor = b > 0x1p500 ? 0x1p-600 : b < 0x1p-400 ? 0x1p600 : 1;
  double above = a * factor, below = b * factor;
  bool isWide = above > 0x1.a827999fcef32p-2 * below;
  Pair difference = exactSum(above, -below), sum = exactSum(below, above);
  Pair z =
      quotient({isWide ? difference.high : above, isWide ? difference.low : 0},
               {isWide ? sum.high : below, isWide ? sum.low : 0});
  double square = z.high * z.high;
  double q = polynomial(square, {0x1.fb81f769758aep-7, -0x1.14bd80cae63e1p-5,
                                 0x1.72169dbe34a0fp-5, -0x1.abcc3d95a51a9p-5,
                                 0x1.e17f3cbf8f645p-5, -0x1.110d2f18fa6c7p-4,
                                 0x1.3b137c240395fp-4, -0x1.745d15680755cp-4,
                                 0x1.c71c71bca8eaep-4, -0x1.2492492481cbep-3,
                                 0x1.9999999999815p-3, -0x1.5555555555555p-2});
  double tail = std::fma(z.high * square, q, std::fma(-square, z.low, z.low));
  Pair angle = exactSum(isWide ? kPi4High : 0, z.high);
  angle.low += tail + (isWide ? kPi4Low : 0);

  // Mirrored at the diagonal, then at the vertical.
  Pair steep = exactSum(2 * kPi4High, -angle.high);
  steep.low += 2 * kPi4Low - angle.low;
  angle = isSteep ? steep : angle;
  Pair left = exactSum(4 * kPi4High, -angle.high);
  left.low += 4 * kPi4Low - angle.low;
  bool isLeft = bitsOf(x) >> 63;
  angle = isLeft ? left : angle;

  double result = angle.high + angle.low;
  result = direct < 0x1p-30 && !isSteep && !isLeft ? direct : result;
  return x != x || y != y ? kNan : std::copysign(result, y);
}

namespace {

/// 2/pi, in words of 32 bits, behind 96 bits of zero.
constexpr uint32_t kTwoOverPi[40] = {
    0x00000000, 0x00000000, 0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1,
    0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561, 0xb7246e3a,
    0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5,
    0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b,
    0xbdf9283b, 0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf,
    0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b, 0x3d0739f7,
    0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046};

constexpr uint64_t kLow32 = 0xffffffff;

/// Six words of kTwoOverPi from bit `position` (below 1088) on, the highest
/// first. A barrel shifter instead of a look-up: words are moved by 32, 16, 8,
/// 4, 2 and 1 places where the bits of the position say so.
void window(uint64_t position, uint64_t words[6]) {
  uint64_t moved[70] = {};
  for (int i = 0; i < 40; ++i)
    moved[i] = kTwoOverPi[i];
  for (int places = 32; places >= 1; places /= 2)
    for (int i = 0; i < 6 + places; ++i)
      moved[i] = position & (32 * places) ? moved[i + places] : moved[i];
  uint64_t shift = position & 31;
  for (int i = 0; i < 6; ++i)
    words[i] = (((moved[i] << 32) | moved[i + 1]) << shift) >> 32;
}

/// x = quadrant * pi/2 + angle up to multiples of 2 pi, |angle| <= pi/4.
struct Reduced {
  uint64_t quadrant;
  Pair angle;
};

/// For finite x >= 2^-30. The fraction of x * 2/pi is computed in 192 bits, of
/// which at most 62 cancel (x is never closer to a multiple of pi/2).
Reduced reduce(double x) {
  uint64_t bits = bitsOf(x);
  uint64_t m = (bits & 0xfffffffffffff) | 0x10000000000000;
  // x = m 2^e; the window begins at the bit of weight 2 in m 2^e (2/pi).
  uint64_t words[6];
  window((bits >> 52) - 1075 - 2 + 96, words);

  // The low 192 bits of m * words, as six words, lowest last.
  uint64_t mLow = m & kLow32, mHigh = m >> 32, product[6], carry = 0;
  uint64_t previous = 0;
  for (int i = 5; i >= 0; --i) {
    uint64_t low = mLow * words[i], high = mHigh * previous;
    uint64_t sum = carry + (low & kLow32) + (high & kLow32);
    product[i] = sum & kLow32;
    carry = (sum >> 32) + (low >> 32) + (high >> 32);
    previous = words[i];
  }

  // The two highest bits count quadrants, rounded to the nearest one.
  uint64_t quadrant = ((product[0] + 0x20000000) >> 30) & 3;
  uint64_t isNegative = (product[0] >> 29) & 1;
  uint64_t flip = (0 - isNegative) & kLow32;
  Pair sum = {0, 0};
  double weight = 0x1p-32;
  for (int i = 0; i < 5; ++i) {
    uint64_t word = ((product[i] << 2) | (product[i + 1] >> 30)) & kLow32;
    double digit = fromBits((word ^ flip) | bitsOf(0x1p52)) - 0x1p52;
    Pair next = fastSum(sum.high, digit * weight);
    sum = {next.high, next.low + sum.low};
    weight *= 0x1p-32;
  }
  sum = fastSum(sum.high, sum.low);
  sum = isNegative ? Pair{-sum.high, -sum.low} : sum;

  double high = sum.high * (2 * kPi4High);
  double low = std::fma(sum.high, 2 * kPi4High, -high) +
               std::fma(sum.high, 2 * kPi4Low, sum.low * (2 * kPi4High));
  return {quadrant, fastSum(high, low)};
}

} // namespace

double cos(double x) {
  double size = clamp(std::fabs(x), 0x1p-30, 0x1.fffffffffffffp1023);
  Reduced r = reduce(size);
  double a = r.angle.high, square = a * a;
  double s = polynomial(square, {-0x1.8d4a467ccf749p-41, 0x1.60e5c07e29e76p-33,
                                 -0x1.ae63f7f2a6342p-26, 0x1.71de3a1031602p-19,
                                 -0x1.a01a019fe8845p-13, 0x1.111111111101ep-7,
                                 -0x1.5555555555555p-3});
  double c = polynomial(square, {0x1.343d8f40c03a6p-45, -0x1.92a5b4b077a0ap-37,
                                 0x1.1eecd5a0b1608p-29, -0x1.27e4faeeaa569p-22,
                                 0x1.a01a019fb7a89p-16, -0x1.6c16c16c16a32p-10,
                                 0x1.5555555555555p-5});
  double sine = a + std::fma(a * square, s,
                             std::fma(-0.5 * square, r.angle.low, r.angle.low));
  Pair one = fastSum(1, -0.5 * square);
  double squareLow = std::fma(a, a, -square);
  double rest =
      std::fma(square * square, c, std::fma(-0.5, squareLow, -a * r.angle.low));
  double cosine = one.high + (one.low + rest);
  // cos, -sin, -cos, sin in quadrants 0 to 3.
  double result = r.quadrant & 1 ? sine : cosine;
  result = (r.quadrant + 1) & 2 ? -result : result;
  return std::fabs(x) < kInf ? result : kNan;
}

//===- Remainders and comparisons -----------------------------------------===//

double mod(double x, double y) {
  double a = std::fabs(x), b = std::fabs(y);
  Split from = split(a, 1), by = split(b, 1);
  // The remainder of from * 2^distance by `by`, 51 binary digits at a time.
  // Rounding can make a digit one too large, never too small.
  double divisor = by.fraction, distance = from.power - by.power;
  double rest = from.fraction;
  rest = rest >= divisor ? rest - divisor : rest;
  for (double ahead = distance; ahead > 0; ahead -= 51) {
    double scaled = rest * powerOfTwo(clamp(ahead, 0, 51));
    double digits = std::floor(scaled / divisor);
    rest = std::fma(-digits, divisor, scaled);
    rest = rest < 0 ? rest + divisor : rest;
  }
  rest = a < b ? a : scale(rest, by.power);

  double same = std::copysign(rest, y);
  bool differ = (bitsOf(x) ^ bitsOf(y)) >> 63;
  double result = differ && rest != 0 ? y - same : same;
  return a < kInf && b > 0 ? result : kNan;
}

double minimum(double a, double b) {
  double smaller = a < b || (a == b && bitsOf(a) >> 63) ? a : b;
  return a != a || b != b ? kNan : smaller;
}

double maximum(double a, double b) {
  double larger = a > b || (a == b && bitsOf(b) >> 63) ? a : b;
  return a != a || b != b ? kNan : larger;
}

double round(double x) { return std::rint(x); }

//===- The f32 versions ---------------------------------------------------===//

float exp(float x) { return float(exp(double(x))); }
float expm1(float x) { return float(expm1(double(x))); }
float log(float x) { return float(log(double(x))); }
float log1p(float x) { return float(log1p(double(x))); }
float tanh(float x) { return float(tanh(double(x))); }
float sigmoid(float x) { return float(sigmoid(double(x))); }
float cos(float x) { return float(cos(double(x))); }
float atan2(float y, float x) { return float(atan2(double(y), double(x))); }
float pow(float x, float y) { return float(pow(double(x), double(y))); }
float mod(float x, float y) { return float(mod(double(x), double(y))); }

} // namespace updraft::functions
