//===- ComposeHold.cpp - Conditions and counters of held boxes ------------===//
//
// A box that defines inner.commit or inner.call holds what stands inside it in
// the calls in which that is false. In the flat rule each state inside says
// so (`x' = c ? e : keep`), and the counters inside, which no longer run with
// the program's, become states.
//
//===----------------------------------------------------------------------===//

#include "ComposeFlat.h"

#include "llvm/ADT/Twine.h"

namespace updraft {

using ast::ExprPtr;

/// Says what stands inside a box sees, and when it is active.
void Flattener::placeInside(size_t box) {
  const Place &outside = places_[box];
  const Handed &handed = outside.handed;
  Place &inside = places_[box + 1];
  ast::Range range = parts_[box].used;
  const std::string base = parts_[box].prefix + ".inner.";
  inside.g = handed.g ? ast::makeRef(base + "g", range) : outside.g;
  inside.p = handed.p ? ast::makeRef(base + "p", range) : outside.p;
  inside.active = outside.active;
  inside.holder = handed.holds() ? int(box) : outside.holder;
  inside.caller = handed.call ? int(box) : outside.caller;
  if (handed.call)
    inside.active =
        conjunction(inside.active, ast::makeRef(base + "call", range));
  if (handed.commit)
    inside.active =
        conjunction(inside.active, ast::makeRef(base + "commit", range));
  // Conditions of several boxes get a name, so that each is one word.
  if (handed.holds() && inside.active->kind != ast::Expr::Kind::Ref) {
    ast::Equation let;
    let.target = {base + "committed", range};
    let.value = inside.active;
    inside.active = ast::makeRef(let.target.text, range);
    owners_[let.target.text] = box;
    flat_->equations.push_back(std::move(let));
  }
}

void Flattener::placeParts() {
  ast::Range range = parts_[0].used;
  places_[0].g = ast::makeRef("g", range);
  places_[0].p = ast::makeRef("p", range);
  for (size_t i = 0; i + 1 < parts_.size(); ++i)
    placeInside(i);
  bool covers = false;
  for (size_t i = parts_.size(); i-- > 0;) {
    places_[i].coversInside = covers;
    covers |= parts_[i].box.coversAbsent;
  }
}

/// `value` where `active` holds; else the stored bytes stay.
ExprPtr Flattener::held(ExprPtr value, const ExprPtr &active) const {
  if (!active)
    return value;
  ast::Range range = value->range;
  // A rule that was composed before may keep for reasons of its own.
  if (value->kind == ast::Expr::Kind::Select) {
    bool keepsElse = value->args[2]->kind == ast::Expr::Kind::Keep;
    bool keepsThen = value->args[1]->kind == ast::Expr::Kind::Keep;
    if (keepsElse || keepsThen) {
      ExprPtr condition = value->args[0];
      if (keepsThen)
        condition = ast::makeUnary(ast::Operator::Not, condition, range);
      return ast::makeSelect(conjunction(active, condition),
                             value->args[keepsElse ? 1 : 2],
                             ast::makeKeep(range), range);
    }
  }
  return ast::makeSelect(active, std::move(value), ast::makeKeep(range), range);
}

//===----------------------------------------------------------------------===//
// Counters
//===----------------------------------------------------------------------===//

/// The flat name of a counter inside `holder`: those of the core are
/// `inner.step`, `inner.t` and `inner.calls`.
std::string Flattener::counterName(llvm::StringRef kind, int holder) const {
  const Place &rule = places_[core()];
  std::string name = ("inner." + kind).str();
  bool isCores = holder == (kind == "calls" ? rule.caller : rule.holder);
  if (isCores && !owners_.count(name) && !route_.isRoute)
    return name;
  return parts_[holder].prefix + "." + name;
}

/// A counter as a part reads it.
ExprPtr Flattener::counter(llvm::StringRef kind, size_t part,
                           ast::Range range) {
  int holder = kind == "calls" ? places_[part].caller : places_[part].holder;
  if (holder < 0)
    return ast::makeRef(kind, range);
  std::string name = counterName(kind, holder);
  counters_[name] = {kind.str(), holder};
  return ast::makeRef(name, range);
}

/// Whether the call happens inside `caller`: every inner.call around it that
/// was evaluated was true. One is evaluated where its box is active.
ExprPtr Flattener::calledInside(int caller) const {
  ExprPtr result;
  for (int i = 0; i <= caller; ++i) {
    if (!places_[i].handed.call)
      continue;
    ast::Range range = parts_[i].used;
    ExprPtr call = ast::makeRef(parts_[i].prefix + ".inner.call", range);
    if (const ExprPtr &active = places_[i].active)
      call = ast::makeBinary(ast::Operator::Or,
                             ast::makeUnary(ast::Operator::Not, active, range),
                             call, range);
    result = conjunction(result, call);
  }
  return result;
}

/// A counter starts at 1 and is the number of the update under way.
void Flattener::addCounters() {
  for (const auto &[name, counter] : counters_) {
    ast::Range range = parts_[counter.holder].used;
    bool isCalls = counter.kind == "calls", isTensor = counter.kind == "t";
    std::string inside = "inside " + parts_[counter.holder].prefix;
    ast::State state;
    state.name = {name, range};
    state.doc = (isCalls    ? "Number of the call that reaches what stands "
                 : isTensor ? "Number of this tensor's update "
                            : "Number of the update ") +
                inside + ".";
    state.shape = isTensor ? ast::Shape::Tensor : ast::Shape::Model;
    state.initial = ast::makeNumber(1, range);
    flat_->states.push_back(state);

    ast::Equation equation;
    equation.target = state.name;
    equation.primed = true;
    equation.value =
        held(ast::makeBinary(ast::Operator::Add, ast::makeRef(name, range),
                             ast::makeNumber(1, range), range),
             isCalls ? calledInside(counter.holder)
                     : places_[counter.holder + 1].active);
    flat_->equations.push_back(std::move(equation));
  }
}

} // namespace updraft
