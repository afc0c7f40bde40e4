//===- ExpandMathFunctions.h - The bodies of functions --------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_EXPANDMATHFUNCTIONS_H
#define UPDRAFT_COMPILER_PASSES_EXPANDMATHFUNCTIONS_H

#include "compiler/Passes/ExpandMathBuilder.h"

namespace updraft::expand {

// Each builds the operations that dsl/Functions.cpp does, in the same order:
// the bits agree, and tests compare them.

/// The unevaluated sum of two numbers, `low` at most half an ulp of `high`.
struct Pair {
  Number high, low;
};

/// a + b exactly, if |a| >= |b| or a is 0.
Pair fastSum(Number a, Number b);
/// a + b exactly.
Pair exactSum(Number a, Number b);
/// a / b to about 2^-100.
Pair quotient(Pair a, Pair b);
/// Coefficients from the highest power down.
Number polynomial(Number x, std::initializer_list<double> coefficients);
/// x, or the end of the range that it is beyond. NaN stays.
Number clamp(Number x, double low, double high);
/// 2^n for a whole n in [-1022, 1023].
Number powerOfTwo(Number n);
/// x * 2^n for a whole |n| <= 2000, rounded once if x is near 1.
Number scale(Number x, Number n);

/// x = 2^power * fraction, fraction in [low, 2 low), for positive finite x.
struct Split {
  Number power, fraction;
};
Split split(Number x, double low);

Number exp(Number x);
Number expm1(Number x);
Number log(Number x);
Number log1p(Number x);
Number tanh(Number x);
Number sigmoid(Number x);
Number pow(Number x, Number y);
Number atan2(Number y, Number x);
Number cos(Number x);
Number mod(Number x, Number y);

} // namespace updraft::expand

#endif // UPDRAFT_COMPILER_PASSES_EXPANDMATHFUNCTIONS_H
