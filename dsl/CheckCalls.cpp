//===- CheckCalls.cpp - Functions in expressions --------------------------===//

#include "CheckExpr.h"
#include "CheckSettle.h"

using namespace updraft;
using namespace updraft::check;

using Kind = ast::Expr::Kind;

/// Reports that nothing of this name can be called.
static std::nullptr_t reportNoFunction(Context &context,
                                       const ast::Expr &call) {
  std::vector<std::string> names;
  for (const Function &function : allFunctions())
    names.push_back(function.name.str());
  bool isName = context.symbols.count(call.name);
  return context.error(
      Label::N1, call.range,
      "'" + call.name + "' is not a function" +
          (isName ? std::string() : didYouMean(call.name, names)));
}

bool Elaborator::hasArguments(const ast::Expr &call, const Function &function) {
  for (const std::string &name : call.argNames)
    if (!name.empty()) {
      error(Label::D1, call.range,
            "'" + call.name + "' takes its arguments by position, not '" +
                name + " = ...'");
      return false;
    }
  size_t given = call.args.size() - call.isFiltered;
  if (given == function.arity())
    return true;
  std::string wanted;
  for (char c : function.parameters)
    wanted += c == ' ' ? ", " : std::string(1, c);
  error(Label::D1, call.range,
        "'" + call.name + "' takes " + llvm::Twine(function.arity()) +
            (function.arity() == 1 ? " argument (" : " arguments (") + wanted +
            "), but " + llvm::Twine(given) +
            (given == 1 ? " is given" : " are given"));
  return false;
}

const Expr *Elaborator::call(const ast::Expr &expression) {
  const Function *function = findFunction(expression.name);
  if (!function) {
    if (mode_ != Mode::Constant)
      reportNoFunction(context_, expression);
    return nullptr;
  }
  if (function->kind == Function::Kind::Later)
    return error(Label::U6, expression.range,
                 "'" + expression.name + "': " + function->meaning +
                     " are not supported yet");
  bool canFold = function->kind == Function::Kind::Reduction ||
                 function->kind == Function::Kind::Matrix;
  if ((expression.over && function->kind != Function::Kind::Reduction) ||
      (expression.isFolded && !canFold))
    return error(Label::L4, expression.range,
                 "'" + expression.name +
                     "' is not a reduction and takes no 'over'");
  if (!hasArguments(expression, *function))
    return nullptr;
  switch (function->kind) {
  case Function::Kind::Builtin:
    return builtin(expression, *function);
  case Function::Kind::Expansion:
    return expansion(expression);
  case Function::Kind::Shape:
    return shape(expression);
  case Function::Kind::Matrix:
    return newtonSchulz(expression);
  default:
    return reduction(expression, *function);
  }
}

const Expr *Elaborator::builtin(const ast::Expr &call,
                                const Function &function) {
  std::vector<const Expr *> args;
  bool isValid = true;
  for (const ast::ExprPtr &arg : call.args) {
    args.push_back(numeric(*arg));
    isValid &= args.back() != nullptr;
  }
  if (!isValid)
    return nullptr;
  if (function.builtin == Builtin::Sign)
    warnAboutSum(args[0], call.args[0]->range, "'sign'");
  return context_.node(Op::Call, call.range, std::move(args),
                       isPredicate(function.builtin), 0, function.builtin);
}

/// lerp(a, b, w) is fma(b - a, w, a); clamp(x, lo, hi) min(max(x, lo), hi).
const Expr *Elaborator::expansion(const ast::Expr &call) {
  const Expr *a = numeric(*call.args[0]);
  const Expr *b = numeric(*call.args[1]);
  const Expr *c = numeric(*call.args[2]);
  if (!a || !b || !c)
    return nullptr;
  if (call.name == "clamp") {
    const Expr *floor =
        context_.node(Op::Call, call.range, {a, b}, false, 0, Builtin::Max);
    return context_.node(Op::Call, call.range, {floor, c}, false, 0,
                         Builtin::Min);
  }
  warnAboutWeight(call);
  const Expr *difference = context_.node(Op::Sub, call.range, {b, a});
  return context_.node(Op::Fma, call.range, {difference, c, a});
}

const Expr *Elaborator::shape(const ast::Expr &call) {
  if (mode_ == Mode::Constant)
    return nullptr;
  if (call.name == "tag") {
    Settled settled = settle(context_, call);
    context_.hasReadShape |= settled.readsShape;
    if (settled.kind == Settled::Kind::Boolean)
      return context_.boolean(settled.number != 0, call.range);
    if (call.args[0]->kind != Kind::String)
      return error(Label::T4, call.args[0]->range,
                   "tag() wants the name of a tag in quotes");
    return error(Label::U9, call.range,
                 "tag() cannot stand here yet: only equations and their "
                 "guards may ask for tags");
  }
  const ast::Expr &param = *call.args[0];
  if (param.kind != Kind::Ref || param.name != "p" || param.primed)
    return error(Label::D1, param.range,
                 "'" + call.name + "' wants 'p': every array has its shape");
  if (!permits(Leaf::Shape, call.name + "(p)", call.range))
    return nullptr;
  if (call.name != "dim")
    return context_.make(call.name == "rank" ? Op::Rank : Op::Size,
                         Level::Tensor, call.range);
  Settled axis = settle(context_, *call.args[1]);
  if (axis.kind != Settled::Kind::Number || axis.number < 0 ||
      axis.number > 255 || axis.number != unsigned(axis.number))
    return error(Label::D4, call.args[1]->range,
                 "the axis of 'dim' must be a whole number known at compile "
                 "time, from 0");
  unsigned index = unsigned(axis.number);
  unsigned rank = std::max(rank_, context_.shapes.leastRank());
  context_.hasReadShape = true;
  if (index >= rank)
    return error(Label::V4, call.range,
                 "'" + textOf(call.range) + "' needs a rank of at least " +
                     llvm::Twine(index + 1) + ", but here it may be " +
                     llvm::Twine(rank) + "; guard it by 'if rank(p) >= " +
                     llvm::Twine(index + 1) + "' or require that");
  Expr *node = context_.make(Op::Dim, Level::Tensor, call.range);
  node->index = index;
  return node;
}

/// rank(p) >= 2 && ... holds: axes 0 and 1 exist.
void Elaborator::assume(const ast::Expr &condition) {
  if (condition.kind != Kind::Binary)
    return;
  if (condition.op == ast::Operator::And) {
    assume(*condition.args[0]);
    assume(*condition.args[1]);
    return;
  }
  Settled settled = settle(context_, condition);
  if (settled.kind != Settled::Kind::Open ||
      settled.question.what != Test::What::Rank)
    return;
  Shapes shapes;
  shapes.learn(settled.question, true, false);
  assumeRank(shapes.leastRank());
}

/// lerp(m, g, beta1) in m' = ...: the weight is that of the new value, so a
/// number near 1 is a decay in the wrong place.
void Elaborator::warnAboutWeight(const ast::Expr &call) {
  constexpr double kLooksLikeDecay = 0.5;
  if (!current_ || current_->target != Equation::Target::State)
    return;
  const ast::Expr &from = *call.args[0], &weight = *call.args[2];
  if (from.kind != Kind::Ref || from.primed ||
      from.name != current_->ast->target.text || weight.kind != Kind::Ref)
    return;
  auto found = context_.symbols.find(weight.name);
  if (found == context_.symbols.end() ||
      found->second.kind != Symbol::Kind::Hyper)
    return;
  const Hyper &hyper = context_.rule.hypers[found->second.index];
  llvm::StringRef name = hyper.name;
  bool looksLikeDecay = hyper.initial
                            ? *hyper.initial > kLooksLikeDecay
                            : name.contains("beta") || name.contains("decay") ||
                                  name.contains("rho");
  if (!looksLikeDecay)
    return;
  context_.error(Label::W5, weight.range,
                 "the weight of lerp is that of its second argument, and '" +
                     hyper.name + "' looks like a decay; write '1 - " +
                     hyper.name + "'");
}

/// fma(a, b, c*d) rounds one product and not the other, so that equal products
/// of opposite sign do not cancel.
void Elaborator::warnAboutSum(const Expr *operand, llvm::SMRange range,
                              const char *what) {
  if (mode_ != Mode::Step || operand->level != Level::Element)
    return;
  const Expr *sum = operand;
  if (sum->op == Op::Let)
    for (const Definition &definition : context_.definitions)
      if (definition.form.let == operand->index && definition.form.value)
        sum = definition.form.value;
  if (!context_.sumsOfProducts.count(sum))
    return;
  context_.error(Label::W7, range,
                 llvm::Twine(what) + " takes '" + textOf(range) +
                     "', a sum of two products of which only one is rounded: "
                     "where they should cancel it is not 0; give the products "
                     "names of their own");
}
