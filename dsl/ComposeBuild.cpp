//===- ComposeBuild.cpp - What is known when a pipe is composed -----------===//
//
// Composition itself asks a few questions that options decide: whether a box
// replaces the result, whether a rule has its port. It evaluates no more than
// that; all other build-level conditions stay in the flat rule.
//
//===----------------------------------------------------------------------===//

#include "Compose.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

namespace updraft {

using ast::ExprPtr;
using ast::Operator;

/// Nodes that are visited. Lets may form a cycle, which the checker reports, or
/// double at each name.
static constexpr unsigned kBudget = 2000;

using Value = std::optional<BuildValue>;

static Value number(double value) { return BuildValue{false, value}; }
static Value boolean(bool value) { return BuildValue{true, double(value)}; }

static Value evaluate(const ast::Expr &e, const ast::Box &box,
                      unsigned &budget);

static Value evaluateRef(const ast::Expr &e, const ast::Box &box,
                         unsigned &budget) {
  if (e.primed)
    return std::nullopt;
  for (const ast::Option &option : box.options)
    if (option.name.text == e.name)
      return option.initial ? evaluate(*option.initial, box, budget)
                            : std::nullopt;
  for (const ast::Equation &equation : box.equations)
    if (equation.target.text == e.name && !equation.primed && !equation.guard)
      return evaluate(*equation.value, box, budget);
  return std::nullopt;
}

static Value compare(Operator op, double a, double b) {
  switch (op) {
  case Operator::Lt:
    return boolean(a < b);
  case Operator::Le:
    return boolean(a <= b);
  case Operator::Gt:
    return boolean(a > b);
  case Operator::Ge:
    return boolean(a >= b);
  case Operator::Eq:
    return boolean(a == b);
  case Operator::Ne:
    return boolean(a != b);
  case Operator::Add:
    return number(a + b);
  case Operator::Sub:
    return number(a - b);
  case Operator::Mul:
    return number(a * b);
  case Operator::Div:
    return number(a / b);
  default:
    return std::nullopt; // `mod` and `^` are the checker's
  }
}

static Value evaluateBinary(const ast::Expr &e, const ast::Box &box,
                            unsigned &budget) {
  Value left = evaluate(*e.args[0], box, budget);
  bool isAnd = e.op == Operator::And, isOr = e.op == Operator::Or;
  if (left && left->isBoolean && (isAnd || isOr) && bool(left->number) == isOr)
    return left; // the other side need not be known
  Value right = evaluate(*e.args[1], box, budget);
  if (right && right->isBoolean && (isAnd || isOr) &&
      bool(right->number) == isOr)
    return right;
  if (!left || !right || left->isBoolean != right->isBoolean ||
      left->isBoolean != (isAnd || isOr))
    return std::nullopt;
  return left->isBoolean ? right : compare(e.op, left->number, right->number);
}

static Value evaluate(const ast::Expr &e, const ast::Box &box,
                      unsigned &budget) {
  if (budget == 0)
    return std::nullopt;
  --budget;
  switch (e.kind) {
  case ast::Expr::Kind::Number:
    return number(e.number);
  case ast::Expr::Kind::Boolean:
    return boolean(e.boolean);
  case ast::Expr::Kind::Ref:
    return evaluateRef(e, box, budget);
  case ast::Expr::Kind::Binary:
    return evaluateBinary(e, box, budget);
  case ast::Expr::Kind::Unary: {
    Value operand = evaluate(*e.args[0], box, budget);
    if (!operand || operand->isBoolean != (e.op == Operator::Not))
      return std::nullopt;
    return operand->isBoolean ? boolean(!operand->number)
                              : number(-operand->number);
  }
  case ast::Expr::Kind::Select: {
    Value condition = evaluate(*e.args[0], box, budget);
    if (!condition || !condition->isBoolean)
      return std::nullopt;
    return evaluate(*e.args[condition->number ? 1 : 2], box, budget);
  }
  case ast::Expr::Kind::String:
  case ast::Expr::Kind::Call:
  case ast::Expr::Kind::Keep:
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<BuildValue> evaluateBuild(const ast::Expr &expression,
                                        const ast::Box &box) {
  unsigned budget = kBudget;
  return evaluate(expression, box, budget);
}

ExprPtr conjunction(ExprPtr left, ExprPtr right) {
  if (!left)
    return right;
  if (!right)
    return left;
  ast::Range range = right->range;
  return ast::makeBinary(Operator::And, std::move(left), std::move(right),
                         range);
}

/// The boolean literal that an expression is, if it is one.
static std::optional<bool> literal(const ExprPtr &e) {
  if (e->kind != ast::Expr::Kind::Boolean)
    return std::nullopt;
  return e->boolean;
}

ExprPtr settled(ast::Expr node) {
  if (node.kind == ast::Expr::Kind::Select)
    if (std::optional<bool> condition = literal(node.args[0]))
      return node.args[*condition ? 1 : 2];
  if (node.kind == ast::Expr::Kind::Unary && node.op == Operator::Not)
    if (std::optional<bool> operand = literal(node.args[0]))
      return ast::makeBoolean(!*operand, node.range);
  bool isAnd = node.op == Operator::And;
  if (node.kind == ast::Expr::Kind::Binary &&
      (isAnd || node.op == Operator::Or))
    for (unsigned side : {0, 1})
      if (std::optional<bool> operand = literal(node.args[side]))
        return *operand == isAnd ? node.args[1 - side] : node.args[side];
  return ast::make(std::move(node));
}

} // namespace updraft
