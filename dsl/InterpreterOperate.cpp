//===- InterpreterOperate.cpp - One operation on numbers ------------------===//

#include "InterpreterOperate.h"

#include "Functions.h"

#include <cassert>
#include <cmath>

namespace updraft {

/// ((x*x)*x)*..., `count` factors.
template <class T> static T product(T x, unsigned count) {
  T result = count == 0 ? T(1) : x;
  for (unsigned i = 1; i < count; ++i)
    result = result * x;
  return result;
}

template <class T> static T sign(T x) {
  if (x > 0)
    return 1;
  if (x < 0)
    return -1;
  return x == 0 ? T(0) : x;
}

template <class T> static double callBuiltin(Builtin builtin, T a, T b, T c) {
  switch (builtin) {
  case Builtin::Abs:
    return std::fabs(a);
  case Builtin::Sqrt:
    return std::sqrt(a);
  case Builtin::Rsqrt:
    return T(1) / std::sqrt(a);
  case Builtin::Exp:
    return functions::exp(a);
  case Builtin::Log:
    return functions::log(a);
  case Builtin::Expm1:
    return functions::expm1(a);
  case Builtin::Log1p:
    return functions::log1p(a);
  case Builtin::Tanh:
    return functions::tanh(a);
  case Builtin::Sigmoid:
    return functions::sigmoid(a);
  case Builtin::Atan2:
    return functions::atan2(a, b);
  case Builtin::Cos:
    return functions::cos(a);
  case Builtin::Pow:
    return functions::pow(a, b);
  case Builtin::Min:
    return functions::minimum(a, b);
  case Builtin::Max:
    return functions::maximum(a, b);
  case Builtin::Sign:
    return sign(a);
  case Builtin::Floor:
    return std::floor(a);
  case Builtin::Ceil:
    return std::ceil(a);
  case Builtin::Round:
    return functions::round(a);
  case Builtin::IsFinite:
    return std::isfinite(a);
  case Builtin::IsNan:
    return std::isnan(a);
  case Builtin::Ratio:
    return a == 0 || b == 0 ? c : a / b;
  }
  assert(false && "no such builtin");
  return 0;
}

template <class T>
static double operateIn(const Expr &e, double x, double y, double z) {
  T a = T(x), b = T(y), c = T(z);
  switch (e.op) {
  case Op::Neg:
    return -a;
  case Op::Add:
    return a + b;
  case Op::Sub:
    return a - b;
  case Op::Mul:
    return a * b;
  case Op::Div:
    return a / b;
  case Op::Mod:
    return functions::mod(a, b);
  case Op::Fma:
    return std::fma(a, b, c);
  case Op::PowInt:
    return product(a, e.index);
  case Op::Call:
    return callBuiltin(e.builtin, a, b, c);
  case Op::Lt:
    return a < b;
  case Op::Le:
    return a <= b;
  case Op::Gt:
    return a > b;
  case Op::Ge:
    return a >= b;
  case Op::Eq:
    return a == b;
  case Op::Ne:
    return a != b;
  case Op::Not:
    return a == 0;
  case Op::And:
    return a != 0 && b != 0;
  case Op::Or:
    return a != 0 || b != 0;
  case Op::Select:
    return a != 0 ? b : c;
  default:
    assert(false && "not an operation");
    return 0;
  }
}

double operate(const Expr &e, Compute type, double a, double b, double c) {
  return type == Compute::F32 ? operateIn<float>(e, a, b, c)
                              : operateIn<double>(e, a, b, c);
}

} // namespace updraft
