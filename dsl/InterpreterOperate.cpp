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

/// Calls `use` with what the builtin does, as a function of numbers of type T.
/// So the choice is made once for many operands.
template <class T, class Use>
static void withBuiltin(Builtin builtin, Use use) {
  switch (builtin) {
  case Builtin::Abs:
    return use([](T a, T, T) { return std::fabs(a); });
  case Builtin::Sqrt:
    return use([](T a, T, T) { return std::sqrt(a); });
  case Builtin::Rsqrt:
    return use([](T a, T, T) { return T(1) / std::sqrt(a); });
  case Builtin::Exp:
    return use([](T a, T, T) { return functions::exp(a); });
  case Builtin::Log:
    return use([](T a, T, T) { return functions::log(a); });
  case Builtin::Expm1:
    return use([](T a, T, T) { return functions::expm1(a); });
  case Builtin::Log1p:
    return use([](T a, T, T) { return functions::log1p(a); });
  case Builtin::Tanh:
    return use([](T a, T, T) { return functions::tanh(a); });
  case Builtin::Sigmoid:
    return use([](T a, T, T) { return functions::sigmoid(a); });
  case Builtin::Atan2:
    return use([](T a, T b, T) { return functions::atan2(a, b); });
  case Builtin::Cos:
    return use([](T a, T, T) { return functions::cos(a); });
  case Builtin::Pow:
    return use([](T a, T b, T) { return functions::pow(a, b); });
  case Builtin::Min:
    return use([](T a, T b, T) { return functions::minimum(a, b); });
  case Builtin::Max:
    return use([](T a, T b, T) { return functions::maximum(a, b); });
  case Builtin::Sign:
    return use([](T a, T, T) { return sign(a); });
  case Builtin::Floor:
    return use([](T a, T, T) { return std::floor(a); });
  case Builtin::Ceil:
    return use([](T a, T, T) { return std::ceil(a); });
  case Builtin::Round:
    return use([](T a, T, T) { return functions::round(a); });
  case Builtin::IsFinite:
    return use([](T a, T, T) { return std::isfinite(a); });
  case Builtin::IsNan:
    return use([](T a, T, T) { return std::isnan(a); });
  case Builtin::Ratio:
    return use([](T a, T b, T c) { return a == 0 || b == 0 ? c : a / b; });
  }
}

/// The same of any operation.
template <class T, class Use>
static void withOperation(const Expr &e, Use use) {
  switch (e.op) {
  case Op::Neg:
    return use([](T a, T, T) { return -a; });
  case Op::Add:
    return use([](T a, T b, T) { return a + b; });
  case Op::Sub:
    return use([](T a, T b, T) { return a - b; });
  case Op::Mul:
    return use([](T a, T b, T) { return a * b; });
  case Op::Div:
    return use([](T a, T b, T) { return a / b; });
  case Op::Mod:
    return use([](T a, T b, T) { return functions::mod(a, b); });
  case Op::Fma:
    return use([](T a, T b, T c) { return std::fma(a, b, c); });
  case Op::PowInt:
    return use([&](T a, T, T) { return product(a, e.index); });
  case Op::Call:
    return withBuiltin<T>(e.builtin, use);
  case Op::Lt:
    return use([](T a, T b, T) { return a < b; });
  case Op::Le:
    return use([](T a, T b, T) { return a <= b; });
  case Op::Gt:
    return use([](T a, T b, T) { return a > b; });
  case Op::Ge:
    return use([](T a, T b, T) { return a >= b; });
  case Op::Eq:
    return use([](T a, T b, T) { return a == b; });
  case Op::Ne:
    return use([](T a, T b, T) { return a != b; });
  case Op::Not:
    return use([](T a, T, T) { return a == 0; });
  case Op::And:
    return use([](T a, T b, T) { return a != 0 && b != 0; });
  case Op::Or:
    return use([](T a, T b, T) { return a != 0 || b != 0; });
  case Op::Select:
    return use([](T a, T b, T c) { return a != 0 ? b : c; });
  default:
    assert(false && "not an operation");
  }
}

template <class T>
static void operateOn(const Expr &e, const std::array<Items, 3> &operands,
                      llvm::MutableArrayRef<double> results) {
  withOperation<T>(e, [&](auto operation) {
    auto [a, b, c] = operands;
    for (size_t i = 0; i < results.size(); ++i)
      results[i] = operation(T(a[i]), T(b[i]), T(c[i]));
  });
}

void operate(const Expr &e, Compute type, const std::array<Items, 3> &operands,
             llvm::MutableArrayRef<double> results) {
  if (type == Compute::F32)
    operateOn<float>(e, operands, results);
  else
    operateOn<double>(e, operands, results);
}

double operate(const Expr &e, double a, double b, double c) {
  double result = 0;
  operate(e, Compute::F64, {{{&a, 0, 1}, {&b, 0, 1}, {&c, 0, 1}}}, result);
  return result;
}

} // namespace updraft
