//===- CheckSettle.cpp - What compile time knows of an expression ---------===//

#include "CheckSettle.h"
#include "Builtins.h"
#include "CheckExpr.h"

#include "llvm/ADT/STLExtras.h"

using namespace updraft;
using namespace updraft::check;

using Kind = Settled::Kind;
using ast::Operator;

static Settled known(bool value, bool readsShape) {
  Settled result;
  result.kind = Kind::Boolean;
  result.number = value;
  result.readsShape = readsShape;
  return result;
}

/// The answer to a question about the shape, or the question.
static Settled ask(Context &context, const Question &question) {
  if (std::optional<bool> answer = context.shapes.answer(question))
    return known(*answer, true);
  Settled result;
  result.kind = Kind::Open;
  result.question = question;
  result.readsShape = true;
  return result;
}

static Settled settleLet(Context &context, unsigned index) {
  Definition &definition = context.definitions[index];
  if (definition.isSettled)
    return definition.settled;
  // A let that needs itself is reported by CheckOrder.
  if (definition.isSettling)
    return {};
  definition.isSettling = true;
  Settled result;
  const ast::ExprPtr &guard = definition.ast->guard;
  Settled holds = guard ? settle(context, *guard) : known(true, false);
  if (holds.kind == Kind::Open)
    result = holds;
  else if (holds.kind == Kind::Boolean && holds.number != 0)
    result = settle(context, *definition.ast->value);
  result.readsShape |= holds.readsShape;
  definition.isSettling = false;
  definition.isSettled = true;
  definition.settled = result;
  return result;
}

static Settled settleName(Context &context, const ast::Expr &expression) {
  auto found = context.symbols.find(expression.name);
  if (expression.primed || found == context.symbols.end())
    return {};
  const Symbol &symbol = found->second;
  if (symbol.kind == Symbol::Kind::Let)
    return settleLet(context, symbol.index);
  if (symbol.kind != Symbol::Kind::Option || !context.options[symbol.index])
    return {};
  Settled result;
  result.kind =
      context.box.options[symbol.index].type == ast::Option::Type::Bool
          ? Kind::Boolean
          : Kind::Number;
  result.number = *context.options[symbol.index];
  return result;
}

static bool isParam(const ast::Expr &expression) {
  return expression.kind == ast::Expr::Kind::Ref && !expression.primed &&
         expression.name == "p";
}

/// rank(p), dim(p, i), size(p) and tag("name").
static Settled settleCall(Context &context, const ast::Expr &call) {
  const Function *function = findFunction(call.name);
  if (!function || function->kind != Function::Kind::Shape ||
      call.args.size() != function->arity())
    return {};
  Settled result;
  result.readsShape = true;
  if (call.name == "tag") {
    if (call.args[0]->kind != ast::Expr::Kind::String)
      return {};
    result.question.what = Test::What::Tag;
    result.question.tag = call.args[0]->name;
    result.question.value = 1;
    return ask(context, result.question);
  }
  if (!isParam(*call.args[0]))
    return {};
  result.kind = Kind::Length;
  if (call.name == "rank")
    result.question.what = Test::What::Rank;
  else if (call.name == "size")
    result.question.what = Test::What::Size;
  else {
    result.question.what = Test::What::Dim;
    Settled axis = settle(context, *call.args[1]);
    if (axis.kind != Kind::Number || axis.number < 0 || axis.number > 255 ||
        axis.number != unsigned(axis.number))
      return {};
    result.question.index = unsigned(axis.number);
  }
  return result;
}

static Settled settleComparison(Context &context, const ast::Expr &expression) {
  Settled left = settle(context, *expression.args[0]);
  if (left.kind != Kind::Number && left.kind != Kind::Length)
    return {};
  Settled right = settle(context, *expression.args[1]);
  Op relation = relationOf(expression.op);
  bool readsShape = left.readsShape || right.readsShape;
  if (left.kind == Kind::Number && right.kind == Kind::Number)
    return known(compare(relation, left.number, right.number), readsShape);
  if (left.kind == Kind::Number && right.kind == Kind::Length) {
    std::swap(left, right);
    relation = mirrored(relation);
  }
  if (left.kind != Kind::Length || right.kind != Kind::Number)
    return {};
  left.question.relation = relation;
  left.question.value = right.number;
  return ask(context, left.question);
}

static Settled settleLogic(Context &context, const ast::Expr &expression) {
  Settled left = settle(context, *expression.args[0]);
  if (left.kind != Kind::Boolean)
    return left.kind == Kind::Open ? left : Settled();
  if ((left.number != 0) == (expression.op == Operator::Or))
    return left;
  Settled right = settle(context, *expression.args[1]);
  right.readsShape |= left.readsShape;
  if (right.kind == Kind::Boolean || right.kind == Kind::Open)
    return right;
  return {};
}

static Settled settleNot(Context &context, const ast::Expr &expression) {
  Settled operand = settle(context, *expression.args[0]);
  if (operand.kind == Kind::Boolean)
    return known(operand.number == 0, operand.readsShape);
  return operand.kind == Kind::Open ? operand : Settled();
}

/// Arithmetic on constants is that of the elaborator: one place forms fused
/// multiply-adds.
static Settled settleArithmetic(Context &context, const ast::Expr &expression) {
  bool readsShape = false;
  for (const ast::ExprPtr &arg : expression.args) {
    Settled settled = settle(context, *arg);
    readsShape |= settled.readsShape;
    if (settled.kind != Kind::Number && settled.kind != Kind::Boolean)
      return {};
  }
  const Expr *value = Elaborator(context, Mode::Constant).expr(expression);
  if (!value || !isConstant(value))
    return {};
  Settled result;
  result.kind = value->isBoolean ? Kind::Boolean : Kind::Number;
  result.number = value->number;
  result.readsShape = readsShape;
  return result;
}

static Settled settleBinary(Context &context, const ast::Expr &expression) {
  switch (expression.op) {
  case Operator::And:
  case Operator::Or:
    return settleLogic(context, expression);
  case Operator::Lt:
  case Operator::Le:
  case Operator::Gt:
  case Operator::Ge:
  case Operator::Eq:
  case Operator::Ne:
    return settleComparison(context, expression);
  default:
    return settleArithmetic(context, expression);
  }
}

static Settled settleSelect(Context &context, const ast::Expr &expression) {
  Settled condition = settle(context, *expression.args[0]);
  Settled result;
  if (condition.kind == Kind::Boolean)
    result = settle(context, *expression.args[condition.number != 0 ? 1 : 2]);
  else if (condition.kind == Kind::Open)
    result = condition;
  result.readsShape |= condition.readsShape;
  return result;
}

static Settled settleNode(Context &context, const ast::Expr &expression) {
  Settled result;
  switch (expression.kind) {
  case ast::Expr::Kind::Number:
    result.kind = Kind::Number;
    result.number = expression.number;
    return result;
  case ast::Expr::Kind::Boolean:
    return known(expression.boolean, false);
  case ast::Expr::Kind::Ref:
    return settleName(context, expression);
  case ast::Expr::Kind::Unary:
    return expression.op == Operator::Not
               ? settleNot(context, expression)
               : settleArithmetic(context, expression);
  case ast::Expr::Kind::Binary:
    return settleBinary(context, expression);
  case ast::Expr::Kind::Select:
    return settleSelect(context, expression);
  case ast::Expr::Kind::Call: {
    const Function *function = findFunction(expression.name);
    if (!function || function->kind == Function::Kind::Reduction ||
        function->kind == Function::Kind::Matrix)
      return result;
    return function->kind == Function::Kind::Shape
               ? settleCall(context, expression)
               : settleArithmetic(context, expression);
  }
  default:
    return result;
  }
}

Settled check::settle(Context &context, const ast::Expr &expression) {
  // Lets may stand behind each other in any number; what is deeper than this is
  // left to the run.
  constexpr unsigned kDeepest = 1500;
  // Settling and elaborating call each other, so a tall expression would be
  // visited again and again; a small one is not worth remembering.
  constexpr unsigned kSmall = 6;
  if (context.settleDepth >= kDeepest)
    return {};
  if (expression.height > kSmall) {
    auto found = context.settleMemo.find(&expression);
    if (found != context.settleMemo.end())
      return found->second;
  }
  ++context.settleDepth;
  Settled result = settleNode(context, expression);
  --context.settleDepth;
  if (expression.height > kSmall)
    context.settleMemo[&expression] = result;
  return result;
}

const ast::Expr &check::strip(Context &context, const ast::Expr &expression) {
  const ast::Expr *node = &expression;
  while (node->kind == ast::Expr::Kind::Select) {
    Settled condition = settle(context, *node->args[0]);
    context.hasReadShape |= condition.readsShape;
    if (condition.kind != Kind::Boolean)
      break;
    node = node->args[condition.number != 0 ? 1 : 2].get();
  }
  return *node;
}

bool check::guardHolds(Context &context, const ast::ExprPtr &guard) {
  if (!guard)
    return true;
  Settled settled = settle(context, *guard);
  context.hasReadShape |= settled.readsShape;
  // A guard that is wrong has been reported, and should cost nothing more.
  return settled.kind != Kind::Boolean || settled.number != 0;
}
