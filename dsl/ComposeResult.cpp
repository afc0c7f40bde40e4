//===- ComposeResult.cpp - From the core's p' to the flat rule's ----------===//
//
// The result goes from the core outwards. A holding box replaces it by its own
// p in the calls in which it holds; a box with an equation for p' gets it under
// a name and returns something else. Where no box does, the core's equation is
// the flat rule's, and a held call leaves the parameter's bytes alone.
//
//===----------------------------------------------------------------------===//

#include "Builtins.h"
#include "ComposeFlat.h"

#include "llvm/ADT/STLExtras.h"

namespace updraft {

using ast::ExprPtr;

namespace {
/// A result on its way out: `changes ? value : otherwise`.
struct Result {
  ExprPtr value;
  ExprPtr changes;       ///< null: always
  std::string otherwise; ///< the p that is the result where nothing changes
  /// `changes` is a holding box's condition and no more, so that it implies
  /// those of the boxes around that one.
  bool isHolders = false;
  bool covers = false; ///< it is right for absent tensors too

  ExprPtr whole() const {
    if (!changes)
      return value;
    ast::Range range = value->range;
    return ast::makeSelect(changes, value, ast::makeRef(otherwise, range),
                           range);
  }
};
} // namespace

static const ast::Equation *equationOfResult(const ast::Box &box) {
  for (const ast::Equation &equation : box.equations)
    if (equation.primed && equation.target.text == "p")
      return &equation;
  return nullptr;
}

static ExprPtr negated(const ExprPtr &e) {
  return ast::makeUnary(ast::Operator::Not, e, e->range);
}

/// Takes `keep` out of a result: what it is where it changes, and when that is
/// (null: always).
static std::pair<ExprPtr, ExprPtr> withoutKeep(const ExprPtr &value) {
  if (value->kind != ast::Expr::Kind::Select)
    return {value, nullptr};
  const ExprPtr &condition = value->args[0];
  ast::Range range = value->range;
  auto [yes, yesChanges] = withoutKeep(value->args[1]);
  auto [no, noChanges] = withoutKeep(value->args[2]);
  if (no->kind == ast::Expr::Kind::Keep)
    return {yes, conjunction(condition, yesChanges)};
  if (yes->kind == ast::Expr::Kind::Keep)
    return {no, conjunction(negated(condition), noChanges)};
  if (!yesChanges && !noChanges)
    return {value, nullptr};
  ExprPtr always = ast::makeBoolean(true, range);
  return {ast::makeSelect(condition, yes, no, range),
          ast::makeSelect(condition, yesChanges ? yesChanges : always,
                          noChanges ? noChanges : always, range)};
}

/// The core's own result. A rule that was composed before may say `keep`.
static Result coreResult(const ExprPtr &value, const ExprPtr &p, bool covers) {
  Result result;
  std::tie(result.value, result.changes) = withoutKeep(value);
  result.otherwise = p->name;
  result.covers = covers;
  return result;
}

/// `result` in the calls in which a box lets it happen, else the box's p.
static void hold(Result &result, const ExprPtr &active, const ExprPtr &p) {
  if (result.changes && result.otherwise == p->name) {
    if (!result.isHolders)
      result.changes = conjunction(active, result.changes);
    return;
  }
  result.value = result.whole();
  result.changes = active;
  result.otherwise = p->name;
  result.isHolders = true;
}

/// Whether a condition of the flat rule is one value a tensor, or coarser. No
/// is the safe answer.
static bool isUniform(const ast::Expr &e, const ast::Box &flat,
                      unsigned &budget) {
  using Kind = ast::Expr::Kind;
  if (budget == 0)
    return false;
  --budget;
  if (e.kind == Kind::Number || e.kind == Kind::Boolean)
    return true;
  const Function *function =
      e.kind == Kind::Call ? findFunction(e.name) : nullptr;
  if (function && (function->kind == Function::Kind::Shape ||
                   function->kind == Function::Kind::Reduction))
    return !e.over || *e.over <= ast::Over::Model;
  if (!e.args.empty())
    return llvm::all_of(e.args, [&](const ExprPtr &arg) {
      return isUniform(*arg, flat, budget);
    });
  if (e.kind != Kind::Ref || e.primed)
    return false;
  auto isCalled = [&](const auto &item) { return item.name.text == e.name; };
  if (e.name == "step" || e.name == "calls" || e.name == "t" ||
      llvm::StringRef(e.name).ends_with("inner.step") ||
      llvm::StringRef(e.name).ends_with("inner.calls") ||
      llvm::any_of(flat.options, isCalled) ||
      llvm::any_of(flat.hypers, isCalled))
    return true;
  for (const ast::State &state : flat.states)
    if (isCalled(state))
      return state.shape >= ast::Shape::Tensor;
  for (const ast::Equation &equation : flat.equations)
    if (equation.target.text == e.name && !equation.primed)
      return isUniform(*equation.value, flat, budget);
  return false;
}

/// Where a box returns `c ? x : inner.p'` with a uniform c, something changes
/// where c holds or something inside changes; else always.
static ExprPtr changesOfBox(const ExprPtr &value, const std::string &inside,
                            const ExprPtr &changesInside,
                            const ast::Box &flat) {
  unsigned budget = 1000;
  if (!changesInside || value->kind != ast::Expr::Kind::Select ||
      value->args[2]->kind != ast::Expr::Kind::Ref ||
      value->args[2]->name != inside || value->args[2]->primed ||
      !isUniform(*value->args[0], flat, budget))
    return nullptr;
  return ast::makeBinary(ast::Operator::Or, value->args[0], changesInside,
                         value->range);
}

std::optional<ast::Equation> Flattener::addResults() {
  const Part &rule = parts_[core()];
  const ast::Equation *last = equationOfResult(rule.box);
  if (!last)
    return std::nullopt; // the checker asks for it
  ast::Equation equation = *last;
  equation.value = rename(last->value, core(), When::Step);
  if (equation.guard)
    equation.guard = rename(last->guard, core(), When::Stored);
  if (core() == 0) {
    flat_->coversAbsent = rule.box.coversAbsent;
    return equation;
  }
  if (equation.guard)
    equation.value = ast::makeSelect(equation.guard, equation.value,
                                     places_[core()].p, equation.value->range);
  equation.guard = nullptr;
  Result result =
      coreResult(equation.value, places_[core()].p, rule.box.coversAbsent);
  for (size_t i = core(); i-- > 0;) {
    const Place &place = places_[i];
    if (place.handed.holds())
      hold(result, places_[i + 1].active, place.p);
    if (!place.handed.result && !readResults_.count(i))
      continue;
    ast::Range range = parts_[i].used;
    ast::Equation let;
    let.target = {resultName(i), range};
    let.value = result.whole();
    ExprPtr changes =
        result.otherwise == place.p->name ? result.changes : nullptr;
    if (parts_[i].box.coversAbsent && !result.covers) {
      ExprPtr absent = ast::makeRef("absent", range);
      let.value = ast::makeSelect(absent, ast::makeRef(place.p->name, range),
                                  let.value, range);
      if (changes)
        changes = conjunction(negated(absent), changes);
      result.covers = true;
    }
    flat_->equations.push_back(std::move(let));
    ExprPtr inside = ast::makeRef(resultName(i), range);
    result = {inside, changes, place.p->name, false, result.covers};
    if (!place.handed.result)
      continue;
    result.value = guarded(i, *place.handed.result, inside, result.covers);
    result.changes = changesOfBox(result.value, inside->name, changes, *flat_);
  }
  equation.value = result.otherwise == "p" && result.changes
                       ? ast::makeSelect(result.changes, result.value,
                                         ast::makeKeep(rule.used), rule.used)
                       : result.whole();
  flat_->coversAbsent = result.covers;
  return equation;
}

} // namespace updraft
