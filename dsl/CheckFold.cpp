//===- CheckFold.cpp - Arithmetic on build-level constants ----------------===//

#include "CheckFold.h"
#include "CheckShapes.h"
#include "Functions.h"

#include "llvm/Support/ErrorHandling.h"

#include <cmath>

using namespace updraft;
using namespace updraft::check;

static double signOf(double x) {
  if (std::isnan(x))
    return x;
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

static double powInt(double x, unsigned exponent) {
  double result = exponent == 0 ? 1 : x;
  for (unsigned i = 1; i < exponent; ++i)
    result *= x;
  return result;
}

static double foldCall(Builtin builtin, double a, double b, double c) {
  switch (builtin) {
  case Builtin::Abs:
    return std::fabs(a);
  case Builtin::Sqrt:
    return std::sqrt(a);
  case Builtin::Rsqrt:
    return 1 / std::sqrt(a);
  case Builtin::Min:
    return functions::minimum(a, b);
  case Builtin::Max:
    return functions::maximum(a, b);
  case Builtin::Sign:
    return signOf(a);
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
  }
  llvm_unreachable("builtin");
}

std::optional<double> check::fold(const Expr &node) {
  auto arg = [&](unsigned i) {
    return i < node.args.size() ? node.args[i]->number : 0;
  };
  double a = arg(0), b = arg(1), c = arg(2);
  switch (node.op) {
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
    return powInt(a, node.index);
  case Op::Call:
    return foldCall(node.builtin, a, b, c);
  case Op::Lt:
  case Op::Le:
  case Op::Gt:
  case Op::Ge:
  case Op::Eq:
  case Op::Ne:
    return compare(node.op, a, b);
  case Op::Not:
    return a == 0;
  case Op::And:
    return a != 0 && b != 0;
  case Op::Or:
    return a != 0 || b != 0;
  case Op::Select:
    return a != 0 ? b : c;
  default:
    return std::nullopt;
  }
}
