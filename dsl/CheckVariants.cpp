//===- CheckVariants.cpp - The outcomes of a rule's guards ----------------===//
//
// A guard is settled under what is known; where it asks a question about the
// shape that is open, both answers are followed. What remains at the leaves are
// the variants: answers that do not contradict each other and decide every
// guard.
//
//===----------------------------------------------------------------------===//

#include "Builtins.h"
#include "CheckSettle.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace updraft;
using namespace updraft::check;

using Kind = ast::Expr::Kind;

static constexpr unsigned kMostVariants = 64;

using Seen = llvm::SmallPtrSet<const ast::Expr *, 8>;

/// A name in a guard, or in the lets it reads, that only the run knows. `seen`:
/// the lets that have been looked into, so that each is once.
static const ast::Expr *culprit(const Context &context,
                                const ast::Expr &expression, Seen &seen) {
  constexpr unsigned kMostLets = 400;
  if (expression.kind == Kind::Call) {
    const Function *function = findFunction(expression.name);
    if (function && function->kind == Function::Kind::Shape)
      return nullptr;
    if (!function || function->kind == Function::Kind::Reduction ||
        function->kind == Function::Kind::Matrix)
      return &expression;
  }
  if (expression.kind == Kind::Ref) {
    auto found = context.symbols.find(expression.name);
    if (found == context.symbols.end() || expression.primed)
      return &expression;
    if (found->second.kind == Symbol::Kind::Option)
      return nullptr;
    if (found->second.kind != Symbol::Kind::Let)
      return &expression;
    const ast::Expr &value =
        *context.definitions[found->second.index].ast->value;
    if (seen.size() >= kMostLets || !seen.insert(&value).second)
      return nullptr;
    return culprit(context, value, seen);
  }
  for (const ast::ExprPtr &arg : expression.args)
    if (const ast::Expr *found = culprit(context, *arg, seen))
      return found;
  return nullptr;
}

/// Reports a guard that compile time and shapes do not decide.
static void reportGuard(Context &context, const ast::Expr &guard,
                        const Settled &settled) {
  if (settled.kind != Settled::Kind::Runtime) {
    context.error(Label::T2, guard.range,
                  "a guard is a condition, but '" + textOf(guard.range) +
                      "' is a number");
    return;
  }
  Seen seen;
  const ast::Expr *found = culprit(context, guard, seen);
  if (!found) {
    context.error(Label::V2, guard.range,
                  "a guard is decided by options, tag(\"...\") and comparisons "
                  "of rank(p), dim(p, i) and size(p) with constants; use '?:' "
                  "in the equation");
    return;
  }
  bool isDefined = found->kind != Kind::Ref || isReserved(found->name) ||
                   context.symbols.count(found->name);
  if (!isDefined) {
    context.unknown(found->name, found->range);
    return;
  }
  context.error(Label::V2, guard.range,
                "a guard cannot read '" + textOf(found->range) +
                    "', which only the run knows; use '?:' in the equation");
  auto symbol = context.symbols.find(found->name);
  if (symbol != context.symbols.end())
    context.diagnostics.note(symbol->second.range,
                             "'" + found->name + "' is declared here");
}

/// Tags, and the conditions of reductions.
static void collectTags(const ast::Expr &expression,
                        std::vector<const ast::Expr *> &guards) {
  if (expression.isFiltered)
    guards.push_back(expression.args.back().get());
  if (expression.kind == Kind::Call && expression.name == "tag" &&
      expression.args.size() == 1 && expression.args[0]->kind == Kind::String)
    guards.push_back(&expression);
  for (const ast::ExprPtr &arg : expression.args)
    collectTags(*arg, guards);
}

/// All that variants must decide. A tag is no number that a kernel could read,
/// so it is decided wherever it stands.
static std::vector<const ast::Expr *> guardsOf(const ast::Box &box) {
  std::vector<const ast::Expr *> guards;
  for (const ast::State &state : box.states)
    if (state.guard)
      guards.push_back(state.guard.get());
  for (const ast::Equation &equation : box.equations)
    if (equation.guard)
      guards.push_back(equation.guard.get());
  for (const ast::Equation &equation : box.equations)
    collectTags(*equation.value, guards);
  for (const ast::View &view : box.views) {
    if (view.guard)
      guards.push_back(view.guard.get());
    if (view.value)
      collectTags(*view.value, guards);
  }
  return guards;
}

/// Learns what holds for every tensor that is accepted.
static void learnRequired(Context &context, const ast::Expr &condition,
                          Seen &seen) {
  if (condition.kind == Kind::Binary && condition.op == ast::Operator::And) {
    learnRequired(context, *condition.args[0], seen);
    learnRequired(context, *condition.args[1], seen);
    return;
  }
  if (condition.kind == Kind::Binary && condition.op == ast::Operator::Or) {
    Settled left = settle(context, *condition.args[0]);
    if (left.kind == Settled::Kind::Boolean && left.number == 0)
      learnRequired(context, *condition.args[1], seen);
    return;
  }
  unsigned let = condition.kind == Kind::Ref && !condition.primed
                     ? context.definitionOf(condition.name, false)
                     : kNone;
  if (let != kNone) {
    constexpr unsigned kMostLets = 400;
    const ast::Expr &value = *context.definitions[let].ast->value;
    if (seen.size() < kMostLets && seen.insert(&value).second)
      learnRequired(context, value, seen);
    return;
  }
  bool isNot =
      condition.kind == Kind::Unary && condition.op == ast::Operator::Not;
  const ast::Expr &asked = isNot ? *condition.args[0] : condition;
  if (asked.kind == Kind::Binary
          ? asked.op < ast::Operator::Lt || asked.op > ast::Operator::Ne
          : asked.kind != Kind::Call)
    return;
  Settled settled = settle(context, asked);
  if (settled.kind != Settled::Kind::Open ||
      settled.question.what == Test::What::Tag)
    return;
  Shapes shapes = context.shapes;
  shapes.learn(settled.question, !isNot, false);
  context.setShapes(shapes);
}

/// What a requirement says may depend on answers: `!routed || rank(p) == 2`.
static void learnRequirements(Context &context) {
  Seen seen;
  for (const ast::Require &require : context.box.requires_)
    learnRequired(context, *require.condition, seen);
}

namespace {
class Enumerator {
public:
  explicit Enumerator(Context &context)
      : context_(context), guards_(guardsOf(context.box)) {}

  std::vector<Shapes> run() {
    waiting_.push_back(context_.shapes);
    while (!waiting_.empty() && !hasFailed_) {
      Shapes shapes = std::move(waiting_.back());
      waiting_.pop_back();
      context_.setShapes(shapes);
      learnRequirements(context_);
      shapes = context_.shapes;
      if (isDecided(shapes))
        variants_.push_back(std::move(shapes));
      if (variants_.size() + waiting_.size() > kMostVariants) {
        context_.error(Label::V3, guards_.back()->range,
                       "the guards have more than 64 outcomes; this is the "
                       "last of them");
        hasFailed_ = true;
      }
    }
    if (hasFailed_)
      variants_.clear();
    return std::move(variants_);
  }

private:
  /// Whether all guards are; else both answers to the first open question wait.
  bool isDecided(const Shapes &shapes) {
    for (const ast::Expr *guard : guards_) {
      Settled settled = settle(context_, *guard);
      if (settled.kind == Settled::Kind::Boolean)
        continue;
      if (settled.kind != Settled::Kind::Open) {
        reportGuard(context_, *guard, settled);
        continue;
      }
      const Question &question = settled.question;
      if (question.what == Test::What::Dim &&
          question.index >= shapes.leastRank()) {
        context_.error(
            Label::V4, guard->range,
            "the guard asks for axis " + llvm::Twine(question.index) +
                " where the rank may be " + llvm::Twine(shapes.leastRank()) +
                "; ask for the rank first: 'rank(p) >= " +
                llvm::Twine(question.index + 1) + " && ...'");
        continue;
      }
      for (bool answer : {false, true}) {
        waiting_.push_back(shapes);
        waiting_.back().learn(question, answer);
      }
      return false;
    }
    return true;
  }

  Context &context_;
  std::vector<const ast::Expr *> guards_;
  std::vector<Shapes> waiting_, variants_;
  bool hasFailed_ = false;
};
} // namespace

std::vector<Shapes> check::enumerateVariants(Context &context) {
  return Enumerator(context).run();
}

void check::enterVariant(Context &context) {
  for (unsigned i = 0; i < context.states.size(); ++i)
    context.states[i].exists = guardHolds(context, context.box.states[i].guard);
  for (Definition &definition : context.definitions) {
    definition.status = Definition::Status::Waiting;
    definition.exists = guardHolds(context, definition.ast->guard);
    // What cannot vary has been reported once.
    if (!definition.wasDone || definition.varies) {
      definition.hasFailed = false;
      definition.form = Form();
    }
  }
}
