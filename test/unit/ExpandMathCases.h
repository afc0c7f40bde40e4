//===- ExpandMathCases.h - Every function and its C++ copy ----------------===//

#ifndef UPDRAFT_TEST_EXPANDMATHCASES_H
#define UPDRAFT_TEST_EXPANDMATHCASES_H

#include "compiler/Dialect/Dialect.h"
#include "dsl/Functions.h"

namespace updraft {

struct Case {
  ir::Function function;
  double (*wide)(double, double);
  float (*narrow)(float, float);
  bool takesTwo;
};

#define ONE(name, lower)                                                       \
  {ir::Function::name, [](double x, double) { return functions::lower(x); },   \
   [](float x, float) { return functions::lower(x); }, false}
#define TWO(name, lower)                                                       \
  {ir::Function::name,                                                         \
   [](double x, double y) { return functions::lower(x, y); },                  \
   [](float x, float y) { return functions::lower(x, y); }, true}
inline const Case cases[] = {
    ONE(Exp, exp),     ONE(Log, log),   ONE(Expm1, expm1),
    ONE(Log1p, log1p), ONE(Tanh, tanh), ONE(Sigmoid, sigmoid),
    TWO(Atan2, atan2), ONE(Cos, cos),   TWO(Pow, pow),
    TWO(Mod, mod),
};
#undef ONE
#undef TWO

} // namespace updraft

#endif // UPDRAFT_TEST_EXPANDMATHCASES_H
