//===- ComposeNames.cpp - What a name of a box is in the flat rule --------===//

#include "Builtins.h"
#include "ComposeFlat.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

namespace updraft {

using ast::ExprPtr;

/// Whether a call asks about p's shape, which no box changes.
static bool asksShape(const ast::Expr &call) {
  return call.name == "rank" || call.name == "dim" || call.name == "size";
}

static bool isParam(const ast::Expr &e) {
  return e.kind == ast::Expr::Kind::Ref && e.name == "p" && !e.primed;
}

/// Whether a call takes p apart as `fold p` says.
static bool readsMatrix(const ast::Expr &e) {
  if (e.kind != ast::Expr::Kind::Call)
    return false;
  const Function *function = findFunction(e.name);
  return e.over == ast::Over::Rows || e.over == ast::Over::Cols ||
         (function && function->kind == Function::Kind::Matrix);
}

ExprPtr Flattener::rename(const ExprPtr &e, size_t part, When when) {
  if (e->kind == ast::Expr::Kind::Ref)
    return renameRef(e, part, when);
  if (e->args.empty())
    return e;
  ast::Expr copy = *e;
  bool isSame = true;
  if (copy.block) {
    copy.block = rename(copy.block, part, when);
    isSame = copy.block == e->block;
  }
  if (parts_[part].box.foldsParam && !copy.isFolded && readsMatrix(copy)) {
    copy.isFolded = true;
    isSame = false;
  }
  for (size_t i = 0; i < copy.args.size(); ++i) {
    const ExprPtr &arg = e->args[i];
    if (e->kind == ast::Expr::Kind::Call && asksShape(*e) && isParam(*arg))
      continue;
    copy.args[i] = rename(arg, part, when);
    isSame &= copy.args[i] == arg;
  }
  // A text that nothing changes stays as it was written.
  return isSame ? e : settled(std::move(copy));
}

/// SPEC (N1)
ExprPtr Flattener::unknown(const ExprPtr &e, size_t part) {
  if (parts_[part].isCore())
    return e; // the checker knows what a rule may name
  std::vector<std::string> names(parts_[part].names.begin(),
                                 parts_[part].names.end());
  for (const char *known :
       {"inner.g", "inner.p", "inner.u", "inner.step", "inner.t", "inner.calls",
        "inner.rate", "inner.committed", "step", "calls"})
    names.push_back(known);
  diagnostics_.report(Label::N1, e->range,
                      "'" + e->name + "' is not defined" +
                          didYouMean(e->name, names));
  return e;
}

ExprPtr Flattener::renameRef(const ExprPtr &e, size_t part, When when) {
  const Part &here = parts_[part];
  const Place &place = places_[part];
  llvm::StringRef name = e->name;
  bool isStored = when == When::Stored;
  if (name == "u" && !e->primed && !isStored) {
    if (!here.isCore())
      return place.handed.u ? ast::makeRef(here.prefix + ".u", e->range)
                            : innerDirection(part, e->range);
    if (corePort()) // the direction after all boxes
      return route_.sharesPort ? ast::makeRef("u", e->range)
                               : innerDirection(SIZE_MAX, e->range);
  }
  for (const ast::Hyper &parameter : here.parameters)
    if (parameter.name.text == e->name)
      return e; // of a schedule: named in full when it was bound
  if (here.names.count(e->name))
    return here.prefix.empty()
               ? e
               : ast::makeRef(here.fullName(name), e->range, e->primed);
  if (name == "p" && e->primed)
    return outerResult(part, e->range);
  if (name == "p")
    return isStored ? e : ast::makeRef(place.p->name, e->range);
  if (e->primed && !name.starts_with("inner."))
    return unknown(e, part);
  if (name == "g")
    return isStored ? e : ast::makeRef(place.g->name, e->range);
  if (name == "step" || name == "calls" || name == "t")
    return counter(name, part, e->range);
  if (name == "absent")
    return e;
  if (name.starts_with("inner.") && !here.isCore())
    return renameInner(e, part);
  return unknown(e, part);
}

/// What a transform reads of its inside.      SPEC (B10, B11, B12)
ExprPtr Flattener::renameInner(const ExprPtr &e, size_t part) {
  const Handed &handed = places_[part].handed;
  llvm::StringRef name = llvm::StringRef(e->name).drop_front(6);
  std::string own = parts_[part].prefix + "." + e->name;
  if (e->primed)
    return name == "p" ? innerResult(part, e->range)
                       : renameInnerState(e, part);
  if (name == "g")
    return ast::makeRef(handed.g ? own : places_[part].g->name, e->range);
  if (name == "p")
    return ast::makeRef(handed.p ? own : places_[part].p->name, e->range);
  if (name == "commit" || name == "call") {
    bool isDefined = name == "call" ? handed.call : handed.commit;
    return isDefined ? ast::makeRef(own, e->range)
                     : ast::makeBoolean(true, e->range);
  }
  if (name == "committed") {
    const ExprPtr &active = places_[core()].active;
    ExprPtr yes = ast::makeBoolean(true, e->range);
    ExprPtr outside = active ? ast::makeRef(active->name, e->range) : yes;
    const Inside *inside = parts_[core()].inside.get();
    if (!inside)
      return outside;
    ExprPtr within = routed(
        *inside,
        [&](const Inside &route) {
          return route.committed ? route.committed : yes;
        },
        part, "", e->range);
    bool isAlways = within->kind == ast::Expr::Kind::Boolean && within->boolean;
    return isAlways ? outside : conjunction(active ? outside : nullptr, within);
  }
  if (name == "step" || name == "calls" || name == "t")
    return innerCounter(name, part, e->range);
  if (name == "u")
    return innerDirection(part, e->range);
  if (name != "rate")
    return renameInnerState(e, part);
  const Part &rule = parts_[core()];
  if (rule.inside)
    return routed(
        *rule.inside,
        [&](const Inside &route) {
          return route.rate.empty() ? nullptr
                                    : ast::makeRef(route.rate, e->range);
        },
        part, "a rate", e->range);
  if (std::string rate = coreRate(); !rate.empty())
    return ast::makeRef(rate, e->range);
  diagnostics_.report(Label::B12, parts_[part].used,
                      "'" + parts_[part].box.name.text +
                          "' needs a rule with a rate, and '" +
                          rule.box.name.text + "' has none");
  diagnostics_.note(e->range, "the rate is read here");
  diagnostics_.note(rule.box.name.range, "the rule is declared here");
  return e;
}

/// inner.m, inner.ema.average, primed or not.      SPEC (B11)
ExprPtr Flattener::renameInnerState(const ExprPtr &e, size_t part) {
  llvm::StringRef path = llvm::StringRef(e->name).drop_front(6);
  std::vector<std::string> names;
  const Part &rule = parts_[core()];
  for (size_t i = part + 1; i < parts_.size(); ++i) {
    if (i == core() && rule.inside)
      return routed(
          *rule.inside,
          [&](const Inside &route) {
            auto found = route.states.find(path.str());
            return found == route.states.end()
                       ? nullptr
                       : ast::makeRef(found->second, e->range, e->primed);
          },
          part, "a state '" + path + "'", e->range);
    for (const ast::State &state : parts_[i].box.states) {
      std::string full = parts_[i].fullName(state.name.text);
      if (full == path || (i == core() && state.name.text == path))
        return ast::makeRef(full, e->range, e->primed);
      names.push_back(full);
    }
  }
  diagnostics_.report(Label::B11, parts_[part].used,
                      "'" + parts_[part].box.name.text + "' needs a state '" +
                          path + "' inside, and there is none" +
                          didYouMean(path, names));
  diagnostics_.note(e->range, "it is read here");
  diagnostics_.note(rule.box.name.range, "the rule is declared here");
  return e;
}

//===----------------------------------------------------------------------===//
// What comes back
//===----------------------------------------------------------------------===//

/// Whether what comes back inside a box has a name of its own. It needs none
/// where nothing further out changes it: then it is p'.
bool Flattener::isResultNamed(size_t part) const {
  for (size_t i = 0; i <= part; ++i)
    if (places_[i].handed.result)
      return true;
  return false;
}

/// Whether what a part returns is right for absent tensors too: it covers them,
/// or leaves alone what something further in returns for them.
bool Flattener::returnsForAbsent(size_t part) const {
  for (size_t i = part; i < parts_.size(); ++i)
    if (parts_[i].box.coversAbsent &&
        (parts_[i].isCore() || places_[i].handed.result))
      return true;
  return false;
}

std::string Flattener::resultName(size_t part) const {
  return parts_[part].prefix + ".inner.result";
}

ExprPtr Flattener::resultOf(size_t part, ast::Range range) {
  readResults_.insert(part);
  return ast::makeRef(resultName(part), range);
}

/// inner.p' of a box. For an absent tensor, a box that covers it reads its own
/// p where nothing inside covers it.
ExprPtr Flattener::innerResult(size_t part, ast::Range range) {
  if (isResultNamed(part))
    return resultOf(part, range);
  ExprPtr result = ast::makeRef("p", range, /*primed=*/true);
  if (!parts_[part].box.coversAbsent || returnsForAbsent(part + 1))
    return result;
  return ast::makeSelect(ast::makeRef("absent", range),
                         ast::makeRef(places_[part].p->name, range),
                         std::move(result), range);
}

/// p' of a part: what it returns, which is what comes back to the next box
/// around it.
ExprPtr Flattener::outerResult(size_t part, ast::Range range) {
  if (!parts_[part].isCore() && !places_[part].handed.result)
    return innerResult(part, range);
  if (part == 0 || !isResultNamed(part - 1))
    return ast::makeRef("p", range, /*primed=*/true);
  return resultOf(part - 1, range);
}

/// The flat name of the rule's rate, empty if it has none.
std::string Flattener::coreRate() const {
  for (const ast::Hyper &hyper : parts_[core()].box.hypers)
    if (hyper.isRate)
      return parts_[core()].fullName(hyper.name.text);
  return {};
}

const ast::Equation *Flattener::corePort() const {
  return portOf(parts_[core()].box);
}

/// `u`, or that of a router within a route.
static bool isPortName(llvm::StringRef name) {
  return name == "u" || name.ends_with(".where.u");
}

const ast::Equation *portOf(const ast::Box &box) {
  for (const ast::Equation &equation : box.equations) {
    if (!equation.isPort || equation.primed ||
        !isPortName(equation.target.text))
      continue;
    std::optional<BuildValue> guard =
        equation.guard ? evaluateBuild(*equation.guard, box) : std::nullopt;
    if (!guard || guard->number != 0)
      return &equation;
  }
  return nullptr;
}

/// The direction as the boxes inside `part` leave it; of SIZE_MAX: all boxes.
/// SPEC (B10)
ExprPtr Flattener::innerDirection(size_t part, ast::Range range) {
  for (size_t i = part + 1; i < core(); ++i)
    if (places_[i].handed.u)
      return ast::makeRef(parts_[i].prefix + ".u", range);
  if (part != SIZE_MAX && !corePort()) {
    const Part &rule = parts_[core()];
    if (rule.inside)
      return routed(
          *rule.inside,
          [&](const Inside &route) {
            return route.port.empty() ? nullptr
                                      : ast::makeRef(route.port, range);
          },
          part, "a port u", range);
    diagnostics_.report(Label::B10, parts_[part].used,
                        "'" + parts_[part].box.name.text +
                            "' needs a rule with a port u, and '" +
                            rule.box.name.text + "' has none");
    diagnostics_.note(range, "the direction is used here");
    diagnostics_.note(rule.box.name.range, "the rule is declared here");
  }
  const ast::Equation *port = corePort();
  return ast::makeRef(parts_[core()].fullName(port ? port->target.text : "u"),
                      range);
}

} // namespace updraft
