//===- ImportExpr.cpp - What operators mean -------------------------------===//
//
// Each node becomes the operations that numerics.md gives it, in the type of
// its level. Build-level arithmetic that is exact everywhere is done here, so
// that literals such as 1 - 0.1 are constants.
//
//===----------------------------------------------------------------------===//

#include "compiler/ImportBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace updraft {

//===----------------------------------------------------------------------===//
// Build level
//===----------------------------------------------------------------------===//

static std::optional<double> foldNumbers(const Expr *expr, ArrayRef<double> x) {
  switch (expr->op) {
  case Op::Neg:
    return -x[0];
  case Op::Add:
    return x[0] + x[1];
  case Op::Sub:
    return x[0] - x[1];
  case Op::Mul:
    return x[0] * x[1];
  case Op::Div:
    return x[0] / x[1];
  case Op::Fma:
    return std::fma(x[0], x[1], x[2]);
  case Op::Lt:
    return x[0] < x[1];
  case Op::Le:
    return x[0] <= x[1];
  case Op::Gt:
    return x[0] > x[1];
  case Op::Ge:
    return x[0] >= x[1];
  case Op::Eq:
    return x[0] == x[1];
  case Op::Ne:
    return x[0] != x[1];
  case Op::Not:
    return x[0] == 0;
  case Op::And:
    return x[0] != 0 && x[1] != 0;
  case Op::Or:
    return x[0] != 0 || x[1] != 0;
  case Op::PowInt: {
    double power = expr->index ? x[0] : 1.0;
    for (unsigned i = 1; i < expr->index; ++i)
      power *= x[0];
    return power;
  }
  case Op::Call:
    if (expr->builtin == Builtin::Sqrt)
      return std::sqrt(x[0]);
    if (expr->builtin == Builtin::Abs)
      return std::fabs(x[0]);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

std::optional<double> foldExactly(const Expr *expr) {
  if (expr->op == Op::Number || expr->op == Op::Boolean)
    return expr->number;
  if (expr->level != Level::Build)
    return std::nullopt;
  if (expr->op == Op::Select) {
    std::optional<double> condition = foldExactly(expr->args[0]);
    if (!condition)
      return std::nullopt;
    return foldExactly(expr->args[*condition != 0 ? 1 : 2]);
  }
  SmallVector<double, 3> operands;
  for (const Expr *arg : expr->args) {
    std::optional<double> operand = foldExactly(arg);
    if (!operand)
      return std::nullopt;
    operands.push_back(*operand);
  }
  return foldNumbers(expr, operands);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

Value BodyImporter::importAt(const Expr *expr, Level level) {
  if (std::optional<double> known = foldExactly(expr);
      known && !expr->isBoolean)
    return constant(*known, typeAt(level));
  return round(import(expr), level);
}

Value BodyImporter::import(const Expr *expr) {
  if (std::optional<double> known = foldExactly(expr))
    return expr->isBoolean ? boolean(*known != 0)
                           : constant(*known, typeAt(Level::Model));
  // Operands come first and bring their own locations.
  Location outer = location_;
  location_ = context_.locate(builder_.getContext(), expr->range);
  Value value;
  switch (expr->op) {
  case Op::Neg:
  case Op::Add:
  case Op::Sub:
  case Op::Mul:
  case Op::Div:
  case Op::Mod:
  case Op::Fma:
  case Op::PowInt:
    value = importArithmetic(expr);
    break;
  case Op::Call:
    value = importCall(expr);
    break;
  case Op::Lt:
  case Op::Le:
  case Op::Gt:
  case Op::Ge:
  case Op::Eq:
  case Op::Ne:
    value = importComparison(expr);
    break;
  case Op::Not:
  case Op::And:
  case Op::Or:
    value = importLogic(expr);
    break;
  case Op::Select:
    value = importSelect(expr);
    break;
  case Op::Reduce:
    value = importReduce(expr);
    break;
  case Op::NewtonSchulz:
    value = importNewtonSchulz(expr);
    break;
  default:
    value = importLeaf(expr);
    break;
  }
  location_ = outer;
  return value;
}

Value BodyImporter::importLeaf(const Expr *expr) {
  switch (expr->op) {
  case Op::Hyper:
    return hyper(expr->index);
  case Op::Step:
  case Op::TensorStep:
    return step(expr->op == Op::TensorStep);
  case Op::Absent:
    return negate(present());
  case Op::Rank:
    return shape(ir::Shape::Rank);
  case Op::Size:
    return shape(ir::Shape::Size);
  case Op::Dim:
    return shape(ir::Shape::Dim, expr->index);
  case Op::Input: {
    const Input &input = rule_.inputs[expr->index];
    return get(input.name,
               typeAt(input.isScalar ? Level::Model : Level::Element));
  }
  case Op::Param:
    return oldParam();
  case Op::NewParam:
    return newParam();
  case Op::Grad:
    return grad();
  case Op::Old:
    return oldState(expr->index);
  case Op::New:
    return newState(expr->index);
  case Op::Let:
    return let(expr->index);
  case Op::Cross:
    return importCross(expr);
  default:
    llvm_unreachable("not a leaf");
  }
}

Value BodyImporter::importArithmetic(const Expr *expr) {
  Location location = location_;
  SmallVector<Value, 3> x;
  for (const Expr *arg : expr->args)
    x.push_back(importAt(arg, expr->level));
  switch (expr->op) {
  case Op::Neg:
    return arith::NegFOp::create(builder_, location, x[0]);
  case Op::Add:
    return arith::AddFOp::create(builder_, location, x[0], x[1]);
  case Op::Sub:
    return arith::SubFOp::create(builder_, location, x[0], x[1]);
  case Op::Mul:
    return arith::MulFOp::create(builder_, location, x[0], x[1]);
  case Op::Div:
    return arith::DivFOp::create(builder_, location, x[0], x[1]);
  case Op::Mod:
    return ir::MathOp::create(builder_, location, x[0].getType(),
                              ir::Function::Mod, x);
  case Op::Fma:
    return math::FmaOp::create(builder_, location, x[0], x[1], x[2]);
  default:
    break;
  }
  if (expr->index == 0)
    return constant(1.0, x[0].getType());
  Value power = x[0];
  for (unsigned i = 1; i < expr->index; ++i)
    power = arith::MulFOp::create(builder_, location, power, x[0]);
  return power;
}

Value BodyImporter::importComparison(const Expr *expr) {
  using Predicate = arith::CmpFPredicate;
  Value a = importAt(expr->args[0], expr->level);
  Value b = importAt(expr->args[1], expr->level);
  Predicate predicate = expr->op == Op::Lt   ? Predicate::OLT
                        : expr->op == Op::Le ? Predicate::OLE
                        : expr->op == Op::Gt ? Predicate::OGT
                        : expr->op == Op::Ge ? Predicate::OGE
                        : expr->op == Op::Eq ? Predicate::OEQ
                                             : Predicate::UNE;
  return arith::CmpFOp::create(builder_, location_, predicate, a, b);
}

Value BodyImporter::importLogic(const Expr *expr) {
  if (expr->op == Op::Not) {
    if (expr->args[0]->op == Op::Absent)
      return present();
    return negate(import(expr->args[0]));
  }
  Value a = import(expr->args[0]), b = import(expr->args[1]);
  if (expr->op == Op::And)
    return both(a, b);
  return arith::OrIOp::create(builder_, location_, a, b);
}

/// `!c ? a : b` is `c ? b : a`, so that equal conditions look alike.
Value BodyImporter::importSelect(const Expr *expr) {
  const Expr *condition = expr->args[0];
  bool isSwapped = false;
  for (; condition->op == Op::Not; condition = condition->args[0])
    isSwapped = !isSwapped;
  if (std::optional<double> known = foldExactly(condition))
    return importAt(expr->args[(*known != 0) != isSwapped ? 1 : 2],
                    expr->level);
  Value holds;
  if (condition->op == Op::Absent) {
    holds = present();
    isSwapped = !isSwapped;
  } else {
    holds = import(condition);
  }
  Value a = importAt(expr->args[1], expr->level);
  Value b = importAt(expr->args[2], expr->level);
  if (isSwapped)
    std::swap(a, b);
  return arith::SelectOp::create(builder_, location_, holds, a, b);
}

//===----------------------------------------------------------------------===//
// Builtins
//===----------------------------------------------------------------------===//

static std::optional<ir::Function> functionOf(Builtin builtin) {
  switch (builtin) {
  case Builtin::Exp:
    return ir::Function::Exp;
  case Builtin::Log:
    return ir::Function::Log;
  case Builtin::Expm1:
    return ir::Function::Expm1;
  case Builtin::Log1p:
    return ir::Function::Log1p;
  case Builtin::Tanh:
    return ir::Function::Tanh;
  case Builtin::Sigmoid:
    return ir::Function::Sigmoid;
  case Builtin::Atan2:
    return ir::Function::Atan2;
  case Builtin::Cos:
    return ir::Function::Cos;
  case Builtin::Pow:
    return ir::Function::Pow;
  default:
    return std::nullopt;
  }
}

Value BodyImporter::importCall(const Expr *expr) {
  Location location = location_;
  SmallVector<Value, 3> x;
  for (const Expr *arg : expr->args)
    x.push_back(importAt(arg, expr->level));
  Type type = x[0].getType();
  if (std::optional<ir::Function> function = functionOf(expr->builtin))
    return ir::MathOp::create(builder_, location, type, *function, x);
  auto compare = [&](arith::CmpFPredicate predicate, Value a,
                     Value b) -> Value {
    return arith::CmpFOp::create(builder_, location, predicate, a, b);
  };
  auto select = [&](Value c, Value a, Value b) -> Value {
    return arith::SelectOp::create(builder_, location, c, a, b);
  };
  auto zero = [&] { return constant(0.0, type); };
  switch (expr->builtin) {
  case Builtin::Abs:
    return math::AbsFOp::create(builder_, location, x[0]);
  case Builtin::Sqrt:
    return math::SqrtOp::create(builder_, location, x[0]);
  case Builtin::Rsqrt:
    return arith::DivFOp::create(
        builder_, location, constant(1.0, type),
        math::SqrtOp::create(builder_, location, x[0]));
  case Builtin::Min:
    return arith::MinimumFOp::create(builder_, location, x[0], x[1]);
  case Builtin::Max:
    return arith::MaximumFOp::create(builder_, location, x[0], x[1]);
  case Builtin::Floor:
    return math::FloorOp::create(builder_, location, x[0]);
  case Builtin::Ceil:
    return math::CeilOp::create(builder_, location, x[0]);
  case Builtin::Round:
    return math::RoundEvenOp::create(builder_, location, x[0]);
  case Builtin::IsNan:
    return compare(arith::CmpFPredicate::UNO, x[0], x[0]);
  case Builtin::IsFinite:
    return compare(arith::CmpFPredicate::OLT,
                   math::AbsFOp::create(builder_, location, x[0]),
                   constant(std::numeric_limits<double>::infinity(), type));
  case Builtin::Sign: { // of NaN itself
    Value isNan = compare(arith::CmpFPredicate::UNO, x[0], x[0]);
    Value isLess = compare(arith::CmpFPredicate::OLT, x[0], zero());
    Value isMore = compare(arith::CmpFPredicate::OGT, x[0], zero());
    Value below = select(isLess, constant(-1.0, type), zero());
    Value sign = select(isMore, constant(1.0, type), below);
    return select(isNan, x[0], sign);
  }
  case Builtin::Ratio: {
    Value a = compare(arith::CmpFPredicate::OEQ, x[0], zero());
    Value b = compare(arith::CmpFPredicate::OEQ, x[1], zero());
    Value isZero = arith::OrIOp::create(builder_, location, a, b);
    Value ratio = arith::DivFOp::create(builder_, location, x[0], x[1]);
    return select(isZero, x[2], ratio);
  }
  default:
    llvm_unreachable("every builtin is imported");
  }
}

} // namespace updraft
