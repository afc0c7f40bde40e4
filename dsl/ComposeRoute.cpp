//===- ComposeRoute.cpp - Two routes to one rule --------------------------===//
//
// `yes where condition else no` becomes one rule: both routes are flattened on
// their own, and what they compute for a tensor is put under the condition as a
// guard. What has one value for the model or a group is computed whoever is
// routed where; their reductions take the tensors of their route. Boxes around
// the router then find a rule like any other.
//
//===----------------------------------------------------------------------===//

#include "Builtins.h"
#include "ComposeFlat.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

namespace updraft {

using ast::ExprPtr;

//===----------------------------------------------------------------------===//
// What stands inside
//===----------------------------------------------------------------------===//

/// Calls `visit` with each rule that may be inside.
template <typename Visit>
static void forEachRule(Inside &inside, const Visit &visit) {
  if (!inside.condition)
    visit(inside);
  for (Inside &route : inside.routes)
    forEachRule(route, visit);
}

/// Writes down what boxes around the router can ask of this route.
void Flattener::describeInside() {
  const Part &rule = parts_[core()];
  Inside &inside = route_.inside;
  ast::Range range = rule.used;
  if (rule.inside) { // it ends in a router itself
    inside = *rule.inside;
  } else {
    inside.name = rule.prefix;
    inside.rate = coreRate();
  }
  if (corePort())
    inside.port = innerDirection(SIZE_MAX, range)->name;
  forEachRule(inside, [&](Inside &leaf) {
    for (const Part &part : parts_)
      for (const ast::State &state : part.box.states) {
        std::string full = part.fullName(state.name.text);
        leaf.states[full] = full;
        if (!rule.inside && part.isCore())
          leaf.states[state.name.text] = full;
      }
    for (const std::string &kind : route_.counters)
      if (std::string name = counter(kind, core(), range)->name; name != kind)
        leaf.counters.insert({kind, name});
    leaf.committed = conjunction(places_[core()].active, leaf.committed);
  });
}

static bool isSame(const ExprPtr &a, const ExprPtr &b) {
  return a->kind == b->kind && a->name == b->name && a->primed == b->primed &&
         a->boolean == b->boolean && a->args.empty() && b->args.empty();
}

/// What `read` finds in the routes, chosen by their conditions. Reports a route
/// that has none of `what`.      SPEC (B18)
ExprPtr Flattener::routed(const Inside &inside,
                          llvm::function_ref<ExprPtr(const Inside &)> read,
                          size_t part, const llvm::Twine &what,
                          ast::Range range) {
  if (inside.condition) {
    ExprPtr yes = routed(inside.routes[0], read, part, what, range);
    ExprPtr no = routed(inside.routes[1], read, part, what, range);
    return isSame(yes, no) ? yes
                           : ast::makeSelect(inside.condition, yes, no, range);
  }
  if (ExprPtr found = read(inside))
    return found;
  diagnostics_.report(Label::B18, parts_[part].used,
                      "'" + parts_[part].box.name.text + "' needs " + what +
                          " inside, and the route '" + inside.name +
                          "' has none");
  diagnostics_.note(range, "it is read here");
  diagnostics_.note(parts_[core()].used, "the router is here");
  return ast::makeBoolean(true, range);
}

/// A counter of the core, as a box around it reads it.
ExprPtr Flattener::innerCounter(llvm::StringRef kind, size_t part,
                                ast::Range range) {
  const Part &rule = parts_[core()];
  if (!rule.inside)
    return counter(kind, core(), range);
  return routed(
      *rule.inside,
      [&](const Inside &route) {
        auto held = route.counters.find(kind.str());
        return held == route.counters.end() ? counter(kind, core(), range)
                                            : ast::makeRef(held->second, range);
      },
      part, "", range);
}

//===----------------------------------------------------------------------===//
// Guarding a route
//===----------------------------------------------------------------------===//

namespace {
/// A flat rule whose tensors are those for which `condition` holds.
class Guarded {
public:
  Guarded(ast::Box box, ExprPtr condition)
      : box_(std::move(box)), condition_(std::move(condition)) {}

  ast::Box run();

private:
  void findShared();
  bool isShared(const ast::Expr &e) const;
  ExprPtr filtered(const ExprPtr &e) const;
  ExprPtr guard(const ExprPtr &own) const {
    return conjunction(condition_, own);
  }

  ast::Box box_;
  ExprPtr condition_;
  std::set<std::string> ofTensor_; ///< names with a value for each tensor
};
} // namespace

/// Calls `visit` with the names of what an expression reads of one tensor.
template <typename Visit>
static void forEachRead(const ast::Expr &e, const Visit &visit) {
  if (e.kind == ast::Expr::Kind::Ref)
    visit(e.name);
  const Function *function =
      e.kind == ast::Expr::Kind::Call ? findFunction(e.name) : nullptr;
  if (function && function->kind == Function::Kind::Reduction &&
      (e.over == ast::Over::Group || e.over == ast::Over::Model))
    return;
  if (function && function->kind == Function::Kind::Shape)
    visit(std::string("p"));
  for (const ExprPtr &arg : e.args)
    forEachRead(*arg, visit);
}

bool Guarded::isShared(const ast::Expr &e) const {
  bool isShared = true;
  forEachRead(
      e, [&](const std::string &name) { isShared &= !ofTensor_.count(name); });
  return isShared;
}

/// Finds what has a value for each tensor: the arrays, and lets that read such
/// a value.
void Guarded::findShared() {
  std::vector<std::string> open = {"p", "g", "t", "absent"};
  for (const ast::State &state : box_.states)
    if (state.shape < ast::Shape::Group)
      open.push_back(state.name.text);
  for (const ast::Input &input : box_.inputs)
    if (!input.isScalar)
      open.push_back(input.name.text);
  std::map<std::string, std::vector<std::string>> readers;
  for (const ast::Equation &equation : box_.equations)
    if (!equation.primed)
      forEachRead(*equation.value, [&](const std::string &name) {
        readers[name].push_back(equation.target.text);
      });
  while (!open.empty()) {
    std::string name = std::move(open.back());
    open.pop_back();
    if (ofTensor_.insert(name).second)
      llvm::append_range(open, readers[name]);
  }
}

/// Reductions over group and model take the tensors of this route alone.
ExprPtr Guarded::filtered(const ExprPtr &e) const {
  if (!e || e->args.empty())
    return e;
  ast::Expr copy = *e;
  bool isSame = true;
  for (ExprPtr &arg : copy.args) {
    ExprPtr changed = filtered(arg);
    isSame &= changed == arg;
    arg = std::move(changed);
  }
  if (e->over == ast::Over::Group || e->over == ast::Over::Model) {
    isSame = false;
    if (copy.isFiltered)
      copy.args.back() = guard(copy.args.back());
    else
      copy.args.push_back(condition_);
    copy.isFiltered = true;
  }
  return isSame ? e : ast::make(std::move(copy));
}

ast::Box Guarded::run() {
  findShared();
  for (ast::State &state : box_.states)
    if (state.shape < ast::Shape::Group)
      state.guard = guard(state.guard);
  for (ast::Equation &equation : box_.equations) {
    equation.value = filtered(equation.value);
    bool isResult = equation.primed && equation.target.text == "p";
    if (!isResult && ofTensor_.count(equation.target.text))
      equation.guard = guard(equation.guard);
  }
  for (ast::View &view : box_.views)
    if (view.value && !isShared(*view.value))
      view.guard = guard(view.guard);
  for (ast::Require &require : box_.requires_)
    if (!isShared(*require.condition)) {
      ast::Range range = require.condition->range;
      require.condition =
          ast::makeBinary(ast::Operator::Or,
                          ast::makeUnary(ast::Operator::Not, condition_, range),
                          require.condition, range);
    }
  return std::move(box_);
}

//===----------------------------------------------------------------------===//
// One rule of two
//===----------------------------------------------------------------------===//

/// Takes p' out of a route: its value, with `keep` where it says nothing or
/// does not cover absent tensors that the other route covers.
static ExprPtr takeResult(ast::Box &box, bool coversAbsent) {
  auto found = llvm::find_if(box.equations, [](const ast::Equation &equation) {
    return equation.primed && equation.target.text == "p";
  });
  if (found == box.equations.end())
    return nullptr;
  ExprPtr value = found->value;
  ast::Range range = value->range;
  if (found->guard)
    value = ast::makeSelect(found->guard, value, ast::makeKeep(range), range);
  if (coversAbsent && !box.coversAbsent)
    value = ast::makeSelect(ast::makeRef("absent", range), ast::makeKeep(range),
                            value, range);
  box.equations.erase(found);
  return value;
}

static void append(ast::Box &to, ast::Box from) {
  auto move = [](auto &to, auto &from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()),
              std::make_move_iterator(from.end()));
  };
  move(to.options, from.options);
  move(to.hypers, from.hypers);
  move(to.states, from.states);
  move(to.inputs, from.inputs);
  move(to.equations, from.equations);
  move(to.views, from.views);
  move(to.requires_, from.requires_);
}

static ast::Equation equation(const std::string &name, ExprPtr value) {
  ast::Equation made;
  made.target = {name, value->range};
  made.value = std::move(value);
  return made;
}

/// Whether all rules at the end have a port.
static bool hasPorts(const Pieces &pieces) {
  if (pieces.router)
    return hasPorts(pieces.router->yes) && hasPorts(pieces.router->no);
  return portOf(pieces.parts.back().box);
}

/// The counters of its inside that an expression reads.
static void findCounters(const ast::Expr &e, std::set<std::string> &found) {
  for (const char *kind : {"step", "t", "calls"})
    if (e.kind == ast::Expr::Kind::Ref &&
        e.name == std::string("inner.") + kind)
      found.insert(kind);
  for (const ExprPtr &arg : e.args)
    findCounters(*arg, found);
}

/// The rule that both routes make, as a part. None after errors.
static std::optional<Part> partOf(Router &router, const Route &outside,
                                  Diagnostics &diagnostics) {
  Route yes;
  yes.isRoute = true;
  yes.sharesPort = hasPorts(router.yes) && hasPorts(router.no);
  yes.counters = outside.counters;
  Route no = yes;
  std::unique_ptr<ast::Box> first = flattenRoutes(router.yes, yes, diagnostics);
  std::unique_ptr<ast::Box> second = flattenRoutes(router.no, no, diagnostics);
  if (!first || !second)
    return std::nullopt;
  // No name of a text looks like this: the word is reserved.
  ast::Range range = router.condition->range;
  const Inside *leaf = &yes.inside;
  std::string name = "where";
  for (; leaf->condition; leaf = &leaf->routes[0])
    name += ".where";
  name = leaf->name + "." + name;
  ExprPtr holds = ast::makeRef(name, range);
  ExprPtr fails = ast::makeUnary(ast::Operator::Not, holds, range);

  Part part;
  ast::Box &box = part.box;
  box.name = {first->name.text, range};
  box.coversAbsent = first->coversAbsent || second->coversAbsent;
  *first = Guarded(std::move(*first), holds).run();
  *second = Guarded(std::move(*second), fails).run();
  ExprPtr yesResult = takeResult(*first, box.coversAbsent);
  ExprPtr noResult = takeResult(*second, box.coversAbsent);
  box.equations.push_back(equation(name, router.condition));
  append(box, std::move(*first));
  append(box, std::move(*second));
  auto inside = std::make_shared<Inside>();
  inside->condition = holds;
  inside->routes = {yes.inside, no.inside};
  if (yes.sharesPort) {
    // A router within a route has a port of another name than the whole.
    ast::Equation port =
        equation(outside.isRoute ? name + ".u" : "u",
                 ast::makeSelect(holds, ast::makeRef(yes.inside.port, range),
                                 ast::makeRef(no.inside.port, range), range));
    port.isPort = true;
    box.equations.push_back(std::move(port));
  }
  if (yesResult && noResult) {
    ast::Equation result =
        equation("p", ast::makeSelect(holds, yesResult, noResult, range));
    result.primed = true;
    box.equations.push_back(std::move(result));
  }
  part.used = range;
  part.inside = std::move(inside);
  return part;
}

std::unique_ptr<ast::Box> flattenRoutes(Pieces &pieces, Route &route,
                                        Diagnostics &diagnostics) {
  if (!pieces.router)
    return flatten(pieces, route, diagnostics);
  for (const Part &part : pieces.parts)
    for (const ast::Equation &equation : part.box.equations)
      findCounters(*equation.value, route.counters);
  std::optional<Part> core = partOf(*pieces.router, route, diagnostics);
  if (!core)
    return nullptr;
  Pieces whole = pieces;
  whole.router = nullptr;
  whole.parts.push_back(std::move(*core));
  return flatten(whole, route, diagnostics);
}

} // namespace updraft
