//===- ExpandMathFunctions.cpp - Exponentials and logarithms --------------===//
//
// The algorithms are explained in dsl/Functions.cpp, of which this is the copy
// in operations. Where the order of two operations could differ, it is that.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/ExpandMathFunctions.h"

#include <bit>
#include <limits>

namespace updraft::expand {

static constexpr double kInf = std::numeric_limits<double>::infinity();
static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
static constexpr double kShifter = 0x1.8p52;
static constexpr double kLn2High = 0x1.62e42fefa4p-1,
                        kLn2Low = -0x1.8432a1b0e2634p-43;
static constexpr double kLog2e = 0x1.71547652b82fep+0;

static uint64_t bitsOfConstant(double x) { return std::bit_cast<uint64_t>(x); }

//===- Tools --------------------------------------------------------------===//

Pair fastSum(Number a, Number b) {
  Number sum = a + b;
  return {sum, b - (sum - a)};
}

Pair exactSum(Number a, Number b) {
  Number sum = a + b, part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}

Pair quotient(Pair a, Pair b) {
  Number inverse = a.high.emitter->number(1) / b.high;
  Number high = a.high * inverse;
  Number rest = fma(-high, b.high, a.high);
  return {high, (rest + fma(-high, b.low, a.low)) * inverse};
}

Number polynomial(Number x, std::initializer_list<double> coefficients) {
  Number value = x.emitter->number(*coefficients.begin());
  for (double c : llvm::drop_begin(coefficients))
    value = fma(value, x, x.emitter->number(c));
  return value;
}

Number clamp(Number x, double low, double high) {
  x = select(x > high, high, x);
  return select(x < low, low, x);
}

Number powerOfTwo(Number n) {
  return fromBits(bitsOf(n + (kShifter + 1023)) << 52);
}

Number scale(Number x, Number n) {
  Number half = (n * 0.5 + kShifter) - kShifter;
  return x * powerOfTwo(half) * powerOfTwo(n - half);
}

Split split(Number x, double low) {
  Truth isSubnormal = x < 0x1p-1022;
  Bits bits = bitsOf(select(isSubnormal, x * 0x1p54, x)) +
              (bitsOfConstant(1) - bitsOfConstant(low));
  Number power =
      fromBits((bits >> 52) | bitsOfConstant(0x1p52)) - (0x1p52 + 1023);
  Number fraction = fromBits((bits & 0xfffffffffffff) + bitsOfConstant(low));
  return {select(isSubnormal, power - 54, power), fraction};
}

//===- Exponentials -------------------------------------------------------===//

namespace {
/// e^x = 2^power (1 + r + tail).
struct ExpParts {
  Number power, r, tail;
};
} // namespace

static ExpParts expParts(Number x, Number low) {
  Emitter &e = *x.emitter;
  Number power = fma(x, e.number(kLog2e), e.number(kShifter)) - kShifter;
  Pair r = fastSum(fma(-power, e.number(kLn2High), x),
                   fma(-power, e.number(kLn2Low), low));
  Number q =
      polynomial(r.high, {0x1.1f86f47345c7fp-29, 0x1.af4ed1a88d4bbp-26,
                          0x1.27e4cfad25176p-22, 0x1.71de01a9f26cbp-19,
                          0x1.a01a01ab9920dp-16, 0x1.a01a01ac1eb57p-13,
                          0x1.6c16c16c156a4p-10, 0x1.111111111005p-7,
                          0x1.5555555555557p-5, 0x1.5555555555557p-3, 0.5});
  Number tail = fma(r.high * r.high, q, fma(r.high, r.low, r.low));
  return {power, r.high, tail};
}

static ExpParts expParts(Number x) { return expParts(x, x.emitter->number(0)); }

static Pair mantissa(const ExpParts &e) {
  Pair sum = fastSum(e.r.emitter->number(1), e.r);
  return fastSum(sum.high, sum.low + e.tail);
}

static Pair expMinus(const ExpParts &e, Number factor, double shift) {
  Pair q = fastSum(e.r, e.tail);
  Pair whole = exactSum(factor, e.r.emitter->number(-shift));
  Pair sum = exactSum(whole.high, factor * q.high);
  return fastSum(sum.high, sum.low + fma(factor, q.low, whole.low));
}

Number exp(Number x) {
  ExpParts e = expParts(clamp(x, -746, 710));
  return scale(mantissa(e).high, e.power);
}

Number expm1(Number x) {
  ExpParts e = expParts(clamp(x, -50, 710));
  Number result = expMinus(e, powerOfTwo(e.power - 1), 0.5).high * 2;
  return select(abs(x) < 0x1p-54, x, result);
}

Number tanh(Number x) {
  ExpParts e = expParts(clamp(abs(x), 0, 20) * 2);
  Pair above = expMinus(e, powerOfTwo(e.power), 1);
  Pair below = exactSum(x.emitter->number(2), above.high);
  below.low = below.low + above.low;
  Pair result = quotient(above, below);
  return copysign(result.high + result.low, x);
}

Number sigmoid(Number x) {
  Truth isNegative = x < 0;
  ExpParts e = expParts(-clamp(abs(x), 0, 746));
  Pair t = mantissa(e);
  Number factor = powerOfTwo(clamp(e.power, -100, 0));
  Pair below = fastSum(x.emitter->number(1), t.high * factor);
  below.low = below.low + t.low * factor;
  Pair result = quotient(
      {select(isNegative, t.high, 1), select(isNegative, t.low, 0)}, below);
  return scale(result.high + result.low, select(isNegative, e.power, 0));
}

//===- Logarithms ---------------------------------------------------------===//

static constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;

/// log(2^power (1 + f)).
static Pair logPair(Number power, Pair f) {
  Emitter &e = *power.emitter;
  Pair d = fastSum(e.number(2), f.high);
  Pair s = quotient(f, {d.high, d.low + f.low});
  Number square = s.high * s.high;
  Number squareLow = fma(s.high, s.high, -square) + s.high * 2 * s.low;
  Number q = polynomial(square, {0x1.da997bf5a8d2dp-4, 0x1.e01a99f1e297cp-4,
                                 0x1.11154b6c5a5c7p-3, 0x1.3b13a9e71b3a4p-3,
                                 0x1.745d173ca067bp-3, 0x1.c71c71c74cc65p-3,
                                 0x1.24924924922fdp-2, 0x1.999999999999ap-2});
  Pair third = fastSum(e.number(0x1.5555555555555p-1), square * q);
  third.low = third.low + 0x1.5555555555555p-55;
  Number cube = s.high * square;
  Number cubeLow =
      fma(s.high, square, -cube) + fma(s.high, squareLow, s.low * square);
  Number term = cube * third.high;
  Number termLow =
      fma(cube, third.high, -term) + fma(cube, third.low, cubeLow * third.high);
  Pair sum = fastSum(s.high * 2, term);
  Number low = sum.low + (s.low * 2 + termLow);
  Pair total = fastSum(power * kLn2High, sum.high);
  return fastSum(total.high, total.low + fma(power, e.number(kLn2Low), low));
}

static Pair logPair(Number x) {
  Split parts = split(x, kSqrtHalf);
  return logPair(parts.power, {parts.fraction - 1, x.emitter->number(0)});
}

Number log(Number x) {
  Number result = logPair(x).high;
  result = select(x == kInf, x, result);
  result = select(x == 0, -kInf, result);
  return select(x >= 0, result, kNan);
}

Number log1p(Number x) {
  Pair sum = exactSum(x.emitter->number(1), x);
  Split parts = split(sum.high, kSqrtHalf);
  Number low = select(x < 0x1p60, sum.low, 0);
  Pair f = exactSum(parts.fraction - 1,
                    low * powerOfTwo(-clamp(parts.power, -60, 60)));
  Number result = logPair(parts.power, f).high;
  result = select(x == kInf, x, result);
  result = select(x == -1, -kInf, result);
  result = select(x >= -1, result, kNan);
  return select(abs(x) < 0x1p-54, x, result);
}

Number pow(Number x, Number y) {
  Pair l = logPair(abs(x));
  Number exponent = clamp(y, -0x1p70, 0x1p70);
  Number product = exponent * l.high;
  Number low = fma(exponent, l.high, -product) + exponent * l.low;
  Truth isNear = abs(product) <= 800;
  Number bound = copysign(x.emitter->number(800), product);
  ExpParts e = expParts(select(isNear, product, bound), select(isNear, low, 0));
  Number result = scale(mantissa(e).high, e.power);

  Truth isWhole = floor(y) == y;
  Truth isOdd = isWhole & (floor(y * 0.5) != y * 0.5);
  Number atZero = select(y < 0, kInf, 0), atInf = select(y < 0, 0, kInf);
  result = select(abs(x) == kInf, atInf, result);
  result = select(x == 0, atZero, result);
  result = select((x < 0) & (x != -kInf) & !isWhole, kNan, result);
  result = select(isOdd, copysign(result, x), result);
  result = select((x != x) | (y != y), kNan, result);
  return select((x == 1) | (y == 0), 1, result);
}

} // namespace updraft::expand
