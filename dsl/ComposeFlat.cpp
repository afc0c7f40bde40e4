//===- ComposeFlat.cpp - Renaming parts into one rule ---------------------===//
//
// Every equation of every box stays an equation; only names change. So the
// flat rule computes the same bits, whoever reads it.
//
//===----------------------------------------------------------------------===//

#include "ComposeFlat.h"
#include "Builtins.h"
#include "Lexer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

namespace updraft {

using ast::ExprPtr;

//===----------------------------------------------------------------------===//
// What the parts define
//===----------------------------------------------------------------------===//

static bool isHandedIn(llvm::StringRef name) {
  return name == "inner.g" || name == "inner.p" || name == "inner.commit" ||
         name == "inner.call";
}

/// Names that mean something already cannot be defined in a transform. A rule's
/// are the checker's.      SPEC (S2)
bool Flattener::checkName(size_t part, const ast::Name &name) {
  static const char *const kTaken[] = {"g",    "p",     "u",     "t",
                                       "step", "calls", "inner", "absent"};
  if (parts_[part].isCore())
    return true;
  if (llvm::is_contained(kTaken, name.text) || findFunction(name.text))
    return diagnostics_.report(Label::S2, name.range,
                               "'" + name.text +
                                   "' means something already and cannot be "
                                   "defined");
  if (llvm::StringRef(name.text).contains('.'))
    return diagnostics_.report(Label::B13, name.range,
                               "a transform cannot define '" + name.text +
                                   "'; of its inside it defines inner.g, "
                                   "inner.p, inner.commit and inner.call");
  return true;
}

/// SPEC (B13)
bool Flattener::checkDefinitions(size_t part) {
  Part &here = parts_[part];
  const ast::Box &box = here.box;
  bool isGood = true;
  auto define = [&](const ast::Name &name) {
    isGood &= checkName(part, name);
    here.names.insert(name.text);
  };
  for (const ast::Option &option : box.options)
    define(option.name);
  for (const ast::Hyper &hyper : box.hypers) {
    define(hyper.name);
    if (hyper.isRate && box.isTransform)
      isGood = diagnostics_.report(Label::B13, hyper.name.range,
                                   "a transform has no rate; it reads the "
                                   "rule's as 'inner.rate'");
  }
  for (const ast::State &state : box.states)
    define(state.name);
  for (const ast::Input &input : box.inputs)
    define(input.name);
  for (const ast::Equation &equation : box.equations) {
    const ast::Name &name = equation.target;
    if (equation.isPort && box.isTransform)
      isGood = diagnostics_.report(Label::B13, name.range,
                                   "a transform has no port; it defines 'u' "
                                   "to change the rule's");
    if (isHandedIn(name.text) && !box.isTransform)
      isGood = diagnostics_.report(Label::B13, name.range,
                                   "a rule has no inside; only a transform "
                                   "defines '" +
                                       name.text + "'");
    bool isSpecial = name.text == (equation.primed ? "p" : "u") ||
                     (isHandedIn(name.text) && !equation.primed);
    if (box.isTransform && isSpecial)
      continue;
    if (!equation.primed)
      define(name);
    else if (box.isTransform && !here.names.count(name.text))
      isGood = diagnostics_.report(
          Label::B13, name.range,
          "a transform has equations for its own states and p' only, not for "
          "'" +
              name.text + "''" +
              didYouMean(name.text, std::vector<std::string>(
                                        here.names.begin(), here.names.end())));
  }
  return isGood;
}

/// Whether an equation of p' does anything but pass inner.p' on.
bool Flattener::changesResult(size_t part,
                              const ast::Equation &equation) const {
  const ast::Expr *value = equation.value.get();
  while (value->kind == ast::Expr::Kind::Select) {
    std::optional<BuildValue> condition =
        evaluateBuild(*value->args[0], parts_[part].box);
    if (!condition)
      break;
    value = value->args[condition->number != 0 ? 1 : 2].get();
  }
  return value->kind != ast::Expr::Kind::Ref || value->name != "inner.p" ||
         !value->primed;
}

/// Finds what a transform says about its inside.      SPEC (S1)
bool Flattener::gatherHanded(size_t part) {
  const ast::Box &box = parts_[part].box;
  if (!box.isTransform)
    return true;
  Handed &handed = places_[part].handed;
  std::map<std::string, ast::Range> seen;
  bool isGood = true;
  for (const ast::Equation &equation : box.equations) {
    llvm::StringRef name = equation.target.text;
    const ast::Equation **slot = equation.primed
                                     ? name == "p" ? &handed.result : nullptr
                                 : name == "inner.g"      ? &handed.g
                                 : name == "inner.p"      ? &handed.p
                                 : name == "inner.commit" ? &handed.commit
                                 : name == "inner.call"   ? &handed.call
                                 : name == "u"            ? &handed.u
                                                          : nullptr;
    if (!slot)
      continue;
    auto [first, isNew] = seen.insert({name.str(), equation.target.range});
    if (!isNew) {
      isGood = diagnostics_.report(Label::S1, equation.target.range,
                                   "'" + name +
                                       "' has two equations; choose "
                                       "between them with '?:'");
      diagnostics_.note(first->second, "the first one is here");
      continue;
    }
    std::optional<BuildValue> guard =
        equation.guard ? evaluateBuild(*equation.guard, box) : std::nullopt;
    bool isOff = guard && guard->number == 0;
    if (!isOff && (slot != &handed.result || changesResult(part, equation)))
      *slot = &equation;
  }
  return isGood;
}

/// No two parts give one name, and none is too long to be read again.
/// SPEC (B7, G5)
bool Flattener::takeName(const std::string &name, ast::Range range,
                         size_t part) {
  if (name.size() > kMaxNameLength)
    return diagnostics_.report(
        Label::G5, range,
        "in the flat rule this name would have " + llvm::Twine(name.size()) +
            " characters, at most " + llvm::Twine(kMaxNameLength) +
            " are possible; shorten it or its label");
  auto [owner, isNew] = owners_.insert({name, part});
  if (isNew || owner->second == part)
    return true;
  size_t box = parts_[part].isCore() ? owner->second : part;
  diagnostics_.report(Label::B7, parts_[box].used,
                      "'" + name +
                          "' would be there twice; give this box another "
                          "label");
  diagnostics_.note(range, "one is declared here");
  return false;
}

bool Flattener::takeNames() {
  bool isGood = true;
  for (size_t i = 0; i < parts_.size() && isGood; ++i) {
    if (!parts_[i].isCore()) // the longest name that composition makes
      isGood &=
          takeName(parts_[i].fullName("inner.committed"), parts_[i].used, i);
    for (const std::string &name : parts_[i].names)
      isGood &= takeName(parts_[i].fullName(name), parts_[i].box.name.range, i);
    for (const ast::Hyper &hyper : parts_[i].parameters)
      isGood &= takeName(hyper.name.text, hyper.name.range, i);
  }
  return isGood;
}

/// Clipping limits what one call brings, which is seldom meant where several
/// calls make one gradient.      SPEC (W6)
void Flattener::checkClipping(size_t part) {
  const Handed &handed = places_[part].handed;
  auto clips = [](const ast::Expr &e, auto &&self) -> bool {
    if (e.kind == ast::Expr::Kind::Call &&
        (e.name == "min" || e.name == "clamp" || e.name == "norm"))
      return true;
    return llvm::any_of(e.args,
                        [&](const ExprPtr &arg) { return self(*arg, self); });
  };
  if (!handed.g || !clips(*handed.g->value, clips))
    return;
  for (size_t i = part + 1; i < core(); ++i) {
    const Handed &inside = places_[i].handed;
    if (!inside.g || !inside.commit || parts_[i].box.states.empty())
      continue;
    diagnostics_.report(Label::W6, parts_[part].used,
                        "'" + parts_[part].prefix +
                            "' limits the gradient of each call; to limit "
                            "their mean, put it inside '" +
                            parts_[i].prefix + "'");
    diagnostics_.note(parts_[i].used, "the gradients are added up here");
    return;
  }
}

//===----------------------------------------------------------------------===//
// Writing the flat rule
//===----------------------------------------------------------------------===//

void Flattener::addDeclarations(size_t part) {
  const Part &here = parts_[part];
  auto renamed = [&](const ast::Name &name) {
    return ast::Name{here.fullName(name.text), name.range};
  };
  auto stored = [&](ExprPtr &e) {
    if (e)
      e = rename(e, part, When::Stored);
  };
  for (ast::Option option : here.box.options) {
    option.name = renamed(option.name);
    flat_->options.push_back(std::move(option));
  }
  auto addHyper = [&](ast::Hyper hyper, ast::Name name) {
    hyper.name = std::move(name);
    stored(hyper.low);
    stored(hyper.high);
    stored(hyper.initial);
    flat_->hypers.push_back(std::move(hyper));
  };
  for (const ast::Hyper &hyper : here.box.hypers)
    addHyper(hyper, renamed(hyper.name));
  for (const ast::Hyper &hyper : here.parameters)
    addHyper(hyper, hyper.name);
  for (ast::State state : here.box.states) {
    state.name = renamed(state.name);
    state.coversAbsent |= here.box.isTransform && here.box.coversAbsent;
    state.isFolded |=
        here.box.foldsParam &&
        (state.shape == ast::Shape::Rows || state.shape == ast::Shape::Cols ||
         state.shape == ast::Shape::Matrix);
    stored(state.block);
    stored(state.initial);
    stored(state.guard);
    flat_->states.push_back(std::move(state));
  }
  for (ast::Input input : here.box.inputs) {
    input.name = renamed(input.name);
    flat_->inputs.push_back(std::move(input));
  }
  for (ast::Require require : here.box.requires_) {
    stored(require.condition);
    flat_->requires_.push_back(std::move(require));
  }
  for (ast::View view : here.box.views) {
    view.name = renamed(view.name);
    stored(view.value);
    stored(view.guard);
    flat_->views.push_back(std::move(view));
  }
}

/// The value of an equation, or `otherwise` where its guard is false or, if it
/// is read for absent tensors too, where the tensor is absent and the box does
/// not cover it.
ExprPtr Flattener::guarded(size_t part, const ast::Equation &equation,
                           ExprPtr otherwise, bool forAbsentToo) {
  ExprPtr value = rename(equation.value, part, When::Step);
  ast::Range range = value->range;
  bool isOn =
      !equation.guard || evaluateBuild(*equation.guard, parts_[part].box);
  if (!isOn)
    value = ast::makeSelect(rename(equation.guard, part, When::Stored), value,
                            otherwise, range);
  if (forAbsentToo && !parts_[part].box.coversAbsent)
    value =
        ast::makeSelect(ast::makeRef("absent", range), otherwise, value, range);
  return value;
}

void Flattener::addLet(const std::string &name, ExprPtr value,
                       const ast::Equation &from) {
  ast::Equation let;
  let.target = {name, from.target.range};
  let.doc = from.doc;
  let.value = std::move(value);
  flat_->equations.push_back(std::move(let));
}

/// The definitions that a box hands in or on.
void Flattener::addHanded(size_t part) {
  const Handed &handed = places_[part].handed;
  const std::string base = parts_[part].prefix + ".";
  bool isRead = places_[part].coversInside;
  ExprPtr yes = ast::makeBoolean(true, parts_[part].used);
  if (handed.g)
    addLet(base + "inner.g", guarded(part, *handed.g, places_[part].g, isRead),
           *handed.g);
  if (handed.p)
    addLet(base + "inner.p", guarded(part, *handed.p, places_[part].p, isRead),
           *handed.p);
  if (handed.call)
    addLet(base + "inner.call",
           guarded(part, *handed.call, yes, /*forAbsentToo=*/false),
           *handed.call);
  if (handed.commit)
    addLet(base + "inner.commit",
           guarded(part, *handed.commit, yes, /*forAbsentToo=*/false),
           *handed.commit);
  if (handed.u)
    addLet(base + "u",
           guarded(part, *handed.u,
                   innerDirection(part, handed.u->value->range), isRead),
           *handed.u);
}

/// Lets and states; p' and what is handed in stand apart.
void Flattener::addEquations(size_t part) {
  const Part &here = parts_[part];
  for (ast::Equation equation : here.box.equations) {
    llvm::StringRef name = equation.target.text;
    if (name == "p" && equation.primed)
      continue;
    if (here.box.isTransform &&
        (name == "u" || (isHandedIn(name) && !equation.primed)))
      continue;
    equation.target.text = here.fullName(name);
    equation.isPort &= !route_.isRoute;
    equation.value = rename(equation.value, part, When::Step);
    if (equation.primed)
      equation.value = held(equation.value, places_[part].active);
    if (equation.guard)
      equation.guard = rename(equation.guard, part, When::Stored);
    flat_->equations.push_back(std::move(equation));
  }
}

/// What composition puts around an expression may make it too high to be read
/// again.      SPEC (G5)
bool Flattener::checkHeights() {
  bool isGood = true;
  auto check = [&](const ExprPtr &e) {
    if (e && e->height > ast::kMaxHeight)
      isGood = diagnostics_.report(Label::G5, e->range,
                                   "in the flat rule the expression is nested "
                                   "more than " +
                                       llvm::Twine(ast::kMaxHeight) +
                                       " levels deep; name a part of it");
  };
  for (const ast::Equation &equation : flat_->equations) {
    check(equation.value);
    check(equation.guard);
  }
  for (const ast::Hyper &hyper : flat_->hypers)
    check(hyper.initial);
  return isGood;
}

std::unique_ptr<ast::Box> Flattener::run() {
  bool isGood = true;
  for (size_t i = 0; i < parts_.size(); ++i) {
    isGood &= checkDefinitions(i);
    isGood &= gatherHanded(i);
  }
  if (!isGood || !takeNames())
    return nullptr;
  const ast::Box &rule = parts_[core()].box;
  flat_->name = {pieces_.name, rule.name.range};
  flat_->doc = pieces_.doc;
  placeParts();
  std::vector<ast::Equation> committed = std::move(flat_->equations);
  flat_->equations.clear();
  addDeclarations(core());
  for (size_t i = 0; i < core(); ++i) {
    checkClipping(i);
    addDeclarations(i);
    addEquations(i);
    addHanded(i);
  }
  llvm::append_range(flat_->equations, committed);
  addEquations(core());
  std::optional<ast::Equation> result = addResults();
  if (route_.isRoute)
    describeInside();
  addCounters();
  if (result) // last, as one writes it
    flat_->equations.push_back(std::move(*result));
  if (!checkHeights() || diagnostics_.hasErrors())
    return nullptr;
  return std::move(flat_);
}

std::unique_ptr<ast::Box> flatten(const Pieces &pieces, Route &route,
                                  Diagnostics &diagnostics) {
  return Flattener(pieces, route, diagnostics).run();
}

} // namespace updraft
