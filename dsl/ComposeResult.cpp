//===- ComposeResult.cpp - From the core's p' to the flat rule's ----------===//
//
// The result goes from the core outwards. A holding box replaces it by its own
// p in the calls in which it holds; a box with an equation for p' gets it under
// a name and returns something else. Where no box does, the core's equation is
// the flat rule's, and a held call leaves the parameter's bytes alone.
//
//===----------------------------------------------------------------------===//

#include "ComposeFlat.h"

namespace updraft {

using ast::ExprPtr;

namespace {
/// A result on its way out.
struct Result {
  ExprPtr value;
  /// `value` is `c ? e : p` of our making, with this p: it may become keep.
  std::string fallback;
  bool covers = false; ///< it is right for absent tensors too
};
} // namespace

static const ast::Equation *resultOf(const ast::Box &box) {
  for (const ast::Equation &equation : box.equations)
    if (equation.primed && equation.target.text == "p")
      return &equation;
  return nullptr;
}

/// `value` with p for keep, so that it has a value wherever it is read.
static Result withoutKeep(ExprPtr value, const ExprPtr &p, bool covers) {
  if (value->kind != ast::Expr::Kind::Select)
    return {std::move(value), "", covers};
  ast::Expr copy = *value;
  bool hadKeep = false;
  for (ExprPtr &side : copy.args)
    if (side->kind == ast::Expr::Kind::Keep) {
      side = ast::makeRef(p->name, side->range);
      hadKeep = true;
    }
  if (!hadKeep)
    return {std::move(value), "", covers};
  return {ast::make(std::move(copy)), p->name, covers};
}

/// The side of a result that is the stored parameter becomes keep.
static ExprPtr withKeep(const Result &result) {
  if (result.fallback != "p")
    return result.value;
  ast::Expr copy = *result.value;
  for (size_t side : {2, 1}) {
    const ast::Expr &e = *copy.args[side];
    if (e.kind != ast::Expr::Kind::Ref || e.name != "p" || e.primed)
      continue;
    copy.args[side] = ast::makeKeep(e.range);
    break;
  }
  return ast::make(std::move(copy));
}

/// `result` in the calls in which the box at `place` lets it happen, else p.
static Result heldResult(Result result, const ExprPtr &active,
                         const ExprPtr &p) {
  // What a box further in holds is held by this one too.
  if (result.fallback == p->name &&
      result.value->args[2]->kind == ast::Expr::Kind::Ref &&
      result.value->args[2]->name == p->name)
    return result;
  ast::Range range = result.value->range;
  return {ast::makeSelect(active, result.value, ast::makeRef(p->name, range),
                          range),
          p->name, result.covers};
}

void Flattener::addResults() {
  const Part &rule = parts_[core()];
  const ast::Equation *last = resultOf(rule.box);
  if (!last)
    return; // the checker asks for it
  ast::Equation equation = *last;
  equation.value = rename(last->value, core(), When::Step);
  if (equation.guard)
    equation.guard = rename(last->guard, core(), When::Stored);
  if (core() == 0) {
    flat_->coversAbsent = rule.box.coversAbsent;
    flat_->equations.push_back(std::move(equation));
    return;
  }
  if (equation.guard)
    equation.value =
        ast::makeSelect(equation.guard, equation.value, places_[core()].p,
                        equation.value->range);
  equation.guard = nullptr;
  Result result = withoutKeep(equation.value, places_[core()].p,
                              rule.box.coversAbsent);
  for (size_t i = core(); i-- > 0;) {
    const Place &place = places_[i];
    const Part &box = parts_[i];
    ast::Range range = box.used;
    if (place.handed.holds())
      result = heldResult(result, places_[i + 1].active, place.p);
    if (!place.handed.result && !readResults_.count(i))
      continue;
    ExprPtr value = result.value;
    bool coversHere = box.box.coversAbsent && !result.covers;
    if (coversHere)
      value = ast::makeSelect(ast::makeRef("absent", range),
                              ast::makeRef(place.p->name, range), value, range);
    ast::Equation let;
    let.target = {resultName(i), range};
    let.value = value;
    flat_->equations.push_back(std::move(let));
    ExprPtr inside = ast::makeRef(resultName(i), range);
    result = {inside, "", result.covers || coversHere};
    if (place.handed.result)
      result.value = guarded(i, *place.handed.result, inside,
                             /*mindsAbsent=*/true);
  }
  equation.value = withKeep(result);
  flat_->coversAbsent = result.covers;
  flat_->equations.push_back(std::move(equation));
}

} // namespace updraft
