//===- CheckLeaves.cpp - Names in expressions -----------------------------===//
//
// What a name stands for where it is read, and whether it may be read there.
//
//===----------------------------------------------------------------------===//

#include "CheckExpr.h"
#include "CheckSettle.h"

using namespace updraft;
using namespace updraft::check;

namespace {
/// What may be read where, and how the user is told.
struct Place {
  Mode mode;
  Label label;
  const char *name, *may;
};
} // namespace

static const Place kPlaces[] = {
    {Mode::View, Label::S7, "a view", "stored values, hypers and counters"},
    {Mode::Initial, Label::S6, "an initial value",
     "constants, hypers, 'p' and its shape"},
    {Mode::Require, Label::D9, "a requirement",
     "options, hypers and the shape of 'p'"},
    {Mode::Computed, Label::D8, "the default of a hyper",
     "constants, hypers, 'calls' and 'step'"},
};

/// Counters of held rules are states; schedules read them.
static bool isCounter(const ast::State &state) {
  llvm::StringRef name = state.name.text;
  return state.shape == ast::Shape::Model &&
         (name.ends_with(".step") || name.ends_with(".calls"));
}

bool Elaborator::permits(Leaf leaf, llvm::StringRef name, llvm::SMRange range) {
  static const char *const kinds[] = {"a hyper",
                                      "a counter",
                                      "a counter of one tensor",
                                      "a shape",
                                      "the parameter",
                                      "the gradient",
                                      "an input",
                                      "a state",
                                      "a new value",
                                      "a value of all tensors"};
  auto among = [&](std::initializer_list<Leaf> leaves) {
    return llvm::is_contained(leaves, leaf);
  };
  bool isPermitted = false;
  switch (mode_) {
  case Mode::Step:
    return true;
  case Mode::Constant:
    return false;
  case Mode::View:
    isPermitted = among({Leaf::Hyper, Leaf::Counter, Leaf::TensorCounter,
                         Leaf::Shape, Leaf::Param, Leaf::Old});
    break;
  case Mode::Initial:
    isPermitted = among({Leaf::Hyper, Leaf::Shape, Leaf::Param});
    break;
  case Mode::Require:
    isPermitted = among({Leaf::Hyper, Leaf::Shape});
    break;
  case Mode::Computed:
    isPermitted = among({Leaf::Hyper, Leaf::Counter});
    break;
  }
  if (isPermitted)
    return true;
  for (const Place &place : kPlaces)
    if (place.mode == mode_)
      error(place.label, range,
            llvm::Twine(place.name) + " reads '" + name + "', " +
                kinds[int(leaf)] + "; it may read " + place.may);
  return false;
}

const Expr *Elaborator::languageName(const ast::Expr &expression) {
  struct Entry {
    const char *name;
    Op op;
    Leaf leaf;
    Level level;
  };
  static const Entry entries[] = {
      {"p", Op::Param, Leaf::Param, Level::Element},
      {"g", Op::Grad, Leaf::Grad, Level::Element},
      {"t", Op::TensorStep, Leaf::TensorCounter, Level::Tensor},
      {"step", Op::Step, Leaf::Counter, Level::Model},
      {"calls", Op::Step, Leaf::Counter, Level::Model},
      {"absent", Op::Absent, Leaf::TensorCounter, Level::Tensor},
  };
  for (const Entry &entry : entries) {
    if (expression.name != entry.name)
      continue;
    if (!permits(entry.leaf, expression.name, expression.range))
      return nullptr;
    Expr *node = context_.make(entry.op, entry.level, expression.range);
    node->isBoolean = entry.op == Op::Absent;
    return node;
  }
  if (mode_ == Mode::Constant)
    return nullptr;
  return context_.unknown(expression.name, expression.range);
}

std::nullptr_t Elaborator::guarded(const ast::Name &name,
                                   const ast::ExprPtr &guard,
                                   const ast::Expr &use) {
  if (mode_ == Mode::Constant)
    return nullptr;
  std::string shown = name.text + (use.primed ? "'" : "");
  context_.error(Label::V1, use.range,
                 "'" + shown + "' exists only if '" +
                     (guard ? textOf(guard->range) : "...") +
                     "', which is not so here; put this under the same guard "
                     "or in a side of '?:'");
  context_.diagnostics.note(name.range, "'" + name.text + "' is defined here");
  return nullptr;
}

const Expr *Elaborator::state(unsigned index, const ast::Expr &expression) {
  const StateFacts &facts = context_.states[index];
  const ast::State &declared = context_.box.states[index];
  if (mode_ == Mode::Computed && isCounter(declared)) {
    // A counter of a held rule counts like `step` does outside.
  } else if (!permits(expression.primed ? Leaf::New : Leaf::Old,
                      expression.primed ? expression.name + "'"
                                        : expression.name,
                      expression.range)) {
    return nullptr;
  }
  context_.hasReadShape |= facts.varies;
  if (!facts.exists)
    return guarded(declared.name, declared.guard, expression);
  if (facts.rule == kNone)
    return nullptr;
  bool isNew = false;
  if (expression.primed && facts.equation != kNone) {
    const Definition &definition = context_.definitions[facts.equation];
    if (definition.hasFailed)
      return nullptr;
    context_.hasReadShape |= definition.varies;
    isNew = definition.exists && !definition.form.keeps;
  }
  Expr *node =
      context_.make(isNew ? Op::New : Op::Old,
                    context_.rule.states[facts.rule].level, expression.range);
  node->axis = context_.rule.states[facts.rule].axis;
  node->index = facts.rule;
  return node;
}

const Expr *Elaborator::hyper(unsigned index, const ast::Expr &expression) {
  if (!permits(Leaf::Hyper, expression.name, expression.range))
    return nullptr;
  const Hyper &hyper = context_.rule.hypers[index];
  if (hyper.computed && mode_ == Mode::Require)
    return error(Label::D9, expression.range,
                 "'" + expression.name +
                     "' is computed in each step; a requirement is checked "
                     "before the first");
  // One schedule may read another: its value is put in place.
  if (mode_ == Mode::Computed) {
    if (!resolveHyper(context_, index, expression.range))
      return nullptr;
    if (const Expr *computed = context_.rule.hypers[index].computed)
      return computed;
  }
  Expr *node = context_.make(Op::Hyper, context_.rule.hypers[index].level,
                             expression.range);
  node->index = index;
  return node;
}

Label Elaborator::inliningLabel() const {
  for (const Place &place : kPlaces)
    if (place.mode == mode_)
      return place.label;
  return Label::S7;
}

/// A let's own expression, in this place.
const Expr *Elaborator::inlined(Definition &definition,
                                const ast::Expr &expression) {
  constexpr unsigned kDeepest = 64;
  auto [found, isNew] = inlined_.try_emplace(&definition, nullptr);
  if (isNew) {
    if (++inlineDepth_ > kDeepest) {
      --inlineDepth_;
      return error(inliningLabel(), expression.range,
                   "'" + expression.name +
                       "' stands behind more than 64 other names; that is too "
                       "deep outside an equation");
    }
    const Expr *value = expr(*definition.ast->value);
    --inlineDepth_;
    inlined_[&definition] = value;
    return value;
  }
  return found->second;
}

static unsigned sizeOf(const Expr *node, unsigned limit) {
  unsigned size = 1;
  for (const Expr *arg : node->args)
    if (size < limit)
      size += sizeOf(arg, limit - size);
  return size;
}

const Expr *Elaborator::let(unsigned index, const ast::Expr &expression) {
  Definition &definition = context_.definitions[index];
  if (mode_ == Mode::Constant) {
    Settled settled = settle(context_, expression);
    if (settled.kind == Settled::Kind::Number)
      return context_.number(settled.number, expression.range);
    if (settled.kind == Settled::Kind::Boolean)
      return context_.boolean(settled.number != 0, expression.range);
    return nullptr;
  }
  if (!guardHolds(context_, definition.ast->guard))
    return guarded(definition.ast->target, definition.ast->guard, expression);
  if (mode_ != Mode::Step) {
    const Expr *value = inlined(definition, expression);
    if (!value || inlinedNodes_ > kMostInlined)
      return nullptr;
    inlinedNodes_ += sizeOf(value, kMostInlined + 1);
    if (inlinedNodes_ > kMostInlined)
      return error(inliningLabel(), expression.range,
                   "'" + expression.name +
                       "' stands for too large an expression outside an "
                       "equation");
    return value;
  }
  if (definition.hasFailed || !definition.form.value)
    return nullptr;
  context_.hasReadShape |= definition.varies;
  const Expr *value = definition.form.value;
  if (isConstant(value))
    return value;
  Expr *node = context_.make(Op::Let, value->level, expression.range);
  node->axis = value->axis;
  node->isBoolean = value->isBoolean;
  node->index = definition.form.let;
  return node;
}

const Expr *Elaborator::primedName(const ast::Expr &expression) {
  const std::string &name = expression.name;
  if (name == "p") {
    if (!permits(Leaf::New, "p'", expression.range) ||
        context_.paramEquation == kNone)
      return nullptr;
    const Definition &definition = context_.definitions[context_.paramEquation];
    if (definition.hasFailed)
      return nullptr;
    context_.hasReadShape |= definition.varies;
    bool isNew = definition.exists && !definition.form.keeps;
    return context_.make(isNew ? Op::NewParam : Op::Param, Level::Element,
                         expression.range);
  }
  auto found = context_.symbols.find(name);
  if (found != context_.symbols.end() &&
      found->second.kind == Symbol::Kind::State)
    return state(found->second.index, expression);
  if (mode_ == Mode::Constant)
    return nullptr;
  if (found == context_.symbols.end() && !isReserved(name))
    return context_.unknown(name, expression.range);
  error(Label::S5, expression.range,
        "'" + name +
            "' is not a state and has no new value; leave out the "
            "prime");
  if (found != context_.symbols.end())
    context_.diagnostics.note(found->second.range,
                              "'" + name + "' is defined here");
  return nullptr;
}

const Expr *Elaborator::reference(const ast::Expr &expression) {
  if (expression.primed)
    return primedName(expression);
  auto found = context_.symbols.find(expression.name);
  if (found == context_.symbols.end())
    return languageName(expression);
  unsigned index = found->second.index;
  switch (found->second.kind) {
  case Symbol::Kind::State:
    return state(index, expression);
  case Symbol::Kind::Hyper:
    return hyper(index, expression);
  case Symbol::Kind::Let:
    return let(index, expression);
  case Symbol::Kind::Option: {
    if (!context_.options[index])
      return nullptr;
    double value = *context_.options[index];
    if (context_.box.options[index].type == ast::Option::Type::Bool)
      return context_.boolean(value != 0, expression.range);
    return context_.number(value, expression.range);
  }
  case Symbol::Kind::Input: {
    if (!permits(Leaf::Input, expression.name, expression.range))
      return nullptr;
    bool isScalar = context_.box.inputs[index].isScalar;
    Expr *node = context_.make(
        Op::Input, isScalar ? Level::Model : Level::Element, expression.range);
    node->index = index;
    return node;
  }
  }
  return nullptr;
}
