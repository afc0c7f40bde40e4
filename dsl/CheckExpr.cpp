//===- CheckExpr.cpp - From written expressions to checked ones -----------===//

#include "CheckExpr.h"
#include "CheckSettle.h"
#include "CheckShapes.h"

#include <cmath>

using namespace updraft;
using namespace updraft::check;

using ast::Operator;
using Kind = ast::Expr::Kind;

std::nullptr_t Elaborator::error(Label label, llvm::SMRange range,
                                 const llvm::Twine &message) {
  if (mode_ != Mode::Constant)
    context_.error(label, range, message);
  return nullptr;
}

const Expr *Elaborator::wantNumber(const Expr *node, llvm::SMRange range) {
  if (node && node->isBoolean)
    return error(Label::T1, range,
                 "'" + textOf(range) +
                     "' is a boolean, but a number is wanted here; write '" +
                     textOf(range) + " ? 1 : 0'");
  return node;
}

const Expr *Elaborator::wantBoolean(const Expr *node, llvm::SMRange range) {
  if (node && !node->isBoolean)
    return error(Label::T2, range,
                 "'" + textOf(range) +
                     "' is a number, but a condition is wanted here; write '" +
                     textOf(range) + " != 0'");
  return node;
}

const Expr *Elaborator::numeric(const ast::Expr &expression) {
  return wantNumber(expr(expression), expression.range);
}

const Expr *Elaborator::boolean(const ast::Expr &expression) {
  return wantBoolean(expr(expression), expression.range);
}

const Expr *Elaborator::expr(const ast::Expr &expression) {
  return dispatch(strip(context_, expression));
}

const Expr *Elaborator::dispatch(const ast::Expr &expression) {
  switch (expression.kind) {
  case Kind::Number:
    return context_.number(expression.number, expression.range);
  case Kind::Boolean:
    return context_.boolean(expression.boolean, expression.range);
  case Kind::String:
    return error(Label::T4, expression.range,
                 "text stands where a value is wanted; only tag() takes text");
  case Kind::Ref:
    return reference(expression);
  case Kind::Unary:
    return unary(expression);
  case Kind::Binary:
    return binary(expression);
  case Kind::Select:
    return select(expression);
  case Kind::Call:
    return call(expression);
  case Kind::Keep:
    return error(Label::S10, expression.range,
                 "'keep' may only be a side of the outermost '?:' of an "
                 "equation x' = ...");
  }
  return nullptr;
}

const Expr *Elaborator::unary(const ast::Expr &expression) {
  const ast::Expr &operand = *expression.args[0];
  if (expression.op == Operator::Neg) {
    const Expr *value = numeric(operand);
    return value ? context_.node(Op::Neg, expression.range, {value}) : nullptr;
  }
  const Expr *value = boolean(operand);
  return value ? context_.node(Op::Not, expression.range, {value}, true)
               : nullptr;
}

const Expr *Elaborator::binary(const ast::Expr &expression) {
  switch (expression.op) {
  case Operator::Add:
  case Operator::Sub:
    return sum(expression);
  case Operator::Mul:
    return product(expression);
  case Operator::Pow:
    return power(expression);
  case Operator::And:
  case Operator::Or:
    return logic(expression);
  case Operator::Div:
  case Operator::Mod: {
    const Expr *left = numeric(*expression.args[0]);
    const Expr *right = numeric(*expression.args[1]);
    if (!left || !right)
      return nullptr;
    Op op = expression.op == Operator::Div ? Op::Div : Op::Mod;
    return context_.node(op, expression.range, {left, right});
  }
  default:
    return comparison(expression);
  }
}

const Expr *Elaborator::comparison(const ast::Expr &expression) {
  const Expr *sides[2];
  for (int i = 0; i < 2; ++i) {
    llvm::SMRange range = expression.args[i]->range;
    sides[i] = expr(*expression.args[i]);
    if (sides[i] && sides[i]->isBoolean)
      sides[i] = error(Label::T1, range,
                       "'" + textOf(range) +
                           "' is a boolean and cannot be compared; use '&&', "
                           "'||' and '!'");
  }
  if (!sides[0] || !sides[1])
    return nullptr;
  for (int i = 0; i < 2; ++i)
    warnAboutSum(sides[i], expression.args[i]->range, "the comparison");
  return context_.node(relationOf(expression.op), expression.range,
                       {sides[0], sides[1]}, true);
}

/// `&&` and `||`. Where the left side is known the right one need not exist.
const Expr *Elaborator::logic(const ast::Expr &expression) {
  bool isAnd = expression.op == Operator::And;
  Settled left = settle(context_, *expression.args[0]);
  context_.hasReadShape |= left.readsShape;
  if (left.kind == Settled::Kind::Boolean) {
    if ((left.number != 0) != isAnd)
      return context_.boolean(!isAnd, expression.range);
    return boolean(*expression.args[1]);
  }
  const Expr *first = boolean(*expression.args[0]);
  unsigned rank = rank_;
  if (isAnd)
    assume(*expression.args[0]);
  const Expr *second = boolean(*expression.args[1]);
  rank_ = rank;
  if (!first || !second)
    return nullptr;
  return context_.node(isAnd ? Op::And : Op::Or, expression.range,
                       {first, second}, true);
}

const Expr *Elaborator::select(const ast::Expr &expression) {
  const Expr *condition = boolean(*expression.args[0]);
  unsigned rank = rank_;
  assume(*expression.args[0]);
  const Expr *yes = expr(*expression.args[1]);
  rank_ = rank;
  const Expr *no = expr(*expression.args[2]);
  if (!condition || !yes || !no)
    return nullptr;
  if (yes->isBoolean != no->isBoolean) {
    auto kind = [](const Expr *node) {
      return node->isBoolean ? "a boolean" : "a number";
    };
    return error(Label::T3, expression.range,
                 llvm::Twine("one side of '?:' is ") + kind(yes) +
                     ", the other " + kind(no));
  }
  return context_.node(Op::Select, expression.range, {condition, yes, no},
                       yes->isBoolean);
}

/// The whole number that a literal is, with its sign.
static std::optional<int> wholeLiteral(const ast::Expr &expression) {
  const ast::Expr *node = &expression;
  bool isNegative = node->kind == Kind::Unary && node->op == Operator::Neg;
  if (isNegative)
    node = node->args[0].get();
  constexpr double kGreatest = 8;
  if (node->kind != Kind::Number || node->number < 0 ||
      node->number > kGreatest || node->number != std::floor(node->number))
    return std::nullopt;
  return isNegative ? -int(node->number) : int(node->number);
}

/// `x^n` with a small literal n is a chain of products; all else is pow.
const Expr *Elaborator::power(const ast::Expr &expression) {
  const ast::Expr &exponent = strip(context_, *expression.args[1]);
  const Expr *base = numeric(*expression.args[0]);
  llvm::SMRange range = expression.range;
  if (std::optional<int> n = wholeLiteral(exponent)) {
    if (!base)
      return nullptr;
    const Expr *chain =
        context_.node(Op::PowInt, range, {base}, false, std::abs(*n));
    if (exponent.kind == Kind::Number)
      return chain;
    const Expr *one = context_.number(1, range);
    return context_.node(Op::Div, range, {one, chain});
  }
  const Expr *power = numeric(exponent);
  if (mode_ == Mode::Step && exponent.kind == Kind::Ref &&
      exponent.name == "calls" && !exponent.primed)
    context_.error(Label::W2, exponent.range,
                   "'calls' also counts calls in which the rule was held; a "
                   "bias correction wants 't' or 'step'");
  if (!base || !power)
    return nullptr;
  return context_.node(Op::Call, range, {base, power}, false, 0, Builtin::Pow);
}
