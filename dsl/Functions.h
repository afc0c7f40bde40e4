//===- Functions.h - The functions of the language, bit for bit -----------===//
//
// exp, log, pow and the others as numerics.md 4 wants them: one fixed sequence
// of IEEE additions, multiplications, divisions, fused multiply-adds and
// integer operations each, so that every machine gets the same bits. Nothing
// here calls a mathematical library, except for operations that are exact.
//
// The f32 version of a function is its f64 version, rounded. The compiler emits
// the same sequences (compiler/Passes/ExpandMath); tests compare the two.
//
// Largest errors seen, in units in the last place of the result:
//
//            f64                  f64                   f64
//   exp      0.763      log1p    0.501       cos       0.718
//   expm1    0.898      tanh     0.749       atan2     0.645
//   log      0.501      sigmoid  0.775       pow       0.757
//
// against an extended-precision reference over 10^8 random arguments each, many
// of them near edges (test/unit/FunctionsTest.cpp holds the bound of 1). mod is
// exact, or rounded once where the signs differ.
//
// In f32: 0.5000000 for each of exp, expm1, log, log1p, tanh, sigmoid and cos,
// over all 2^32 arguments, and for atan2 and pow over 10^9 random pairs
// (test/unit/FunctionsExhaustive.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_FUNCTIONS_H
#define UPDRAFT_DSL_FUNCTIONS_H

namespace updraft::functions {

double exp(double x);
double expm1(double x);
double log(double x);
double log1p(double x);
double tanh(double x);
/// 1 / (1 + exp(-x)), without overflow on the way.
double sigmoid(double x);
/// The argument is reduced exactly, however large it is. Of infinity: NaN.
double cos(double x);
/// The angle of the point (x, y), in [-pi, pi]; IEEE 754's special cases.
double atan2(double y, double x);
/// IEEE 754's `pow` with all its special cases: pow(x, 0) = pow(1, y) = 1.
double pow(double x, double y);
/// The remainder of x / y with the sign of y: exact where x and y agree in
/// sign, else the remainder of equal sign plus y, rounded. By 0: NaN.
double mod(double x, double y);

/// IEEE 754-2019 minimum and maximum: -0 < +0, NaN if either is NaN.
double minimum(double a, double b);
double maximum(double a, double b);
/// To the nearest integer, halves to the even one.
double round(double x);

float exp(float x);
float expm1(float x);
float log(float x);
float log1p(float x);
float tanh(float x);
float sigmoid(float x);
float cos(float x);
float atan2(float y, float x);
float pow(float x, float y);
float mod(float x, float y);

} // namespace updraft::functions

#endif // UPDRAFT_DSL_FUNCTIONS_H
