//===- CheckEquations.cpp - From definitions to the rule's equations ------===//
//
// A let or new value of model or group level is computed once for all variants
// and goes to the shared part; what is finer belongs to its variant. A let that
// comes out differently in different variants becomes several lets.
//
//===----------------------------------------------------------------------===//

#include "CheckExpr.h"
#include "CheckOrder.h"
#include "CheckSettle.h"

using namespace updraft;
using namespace updraft::check;

using Kind = ast::Expr::Kind;

//===----------------------------------------------------------------------===//
// x' = c ? e : keep
//===----------------------------------------------------------------------===//

namespace {
/// A side of the outermost `?:`s of a new value.
struct Side {
  const Expr *value = nullptr;
  const Expr *commit = nullptr; ///< null: always
  bool keeps = false;           ///< only `keep`
  bool hasFailed = false;
};
} // namespace

static bool containsKeep(Context &context, const ast::Expr &expression) {
  const ast::Expr &node = strip(context, expression);
  return node.kind == Kind::Keep ||
         (node.kind == Kind::Select && (containsKeep(context, *node.args[1]) ||
                                        containsKeep(context, *node.args[2])));
}

static const Expr *both(Context &context, const Expr *a, const Expr *b) {
  return a && b ? context.node(Op::And, a->range, {a, b}, true) : a ? a : b;
}

/// When c ? yes : no commits.
static const Expr *commitOf(Context &context, const Expr *c, const Side &yes,
                            const Side &no) {
  auto negated = [&] { return context.node(Op::Not, c->range, {c}, true); };
  if (no.keeps)
    return both(context, c, yes.commit);
  if (yes.keeps)
    return both(context, negated(), no.commit);
  if (yes.commit && no.commit)
    return context.node(Op::Select, c->range, {c, yes.commit, no.commit}, true);
  if (no.commit)
    return context.node(Op::Or, c->range, {c, no.commit}, true);
  if (yes.commit)
    return context.node(Op::Or, c->range, {negated(), yes.commit}, true);
  return nullptr;
}

static Side sideOf(Context &context, Elaborator &elaborator,
                   const ast::Expr &expression) {
  const ast::Expr &node = strip(context, expression);
  Side side;
  if (node.kind == Kind::Keep) {
    side.keeps = true;
    return side;
  }
  if (!containsKeep(context, node)) {
    side.value = elaborator.expr(node);
    side.hasFailed = !side.value;
    return side;
  }
  const Expr *condition = elaborator.boolean(*node.args[0]);
  Side yes = sideOf(context, elaborator, *node.args[1]);
  Side no = sideOf(context, elaborator, *node.args[2]);
  side.hasFailed = !condition || yes.hasFailed || no.hasFailed;
  side.keeps = yes.keeps && no.keeps;
  if (side.hasFailed || side.keeps)
    return side;
  side.commit = commitOf(context, condition, yes, no);
  if (yes.keeps || no.keeps)
    side.value = yes.keeps ? no.value : yes.value;
  else
    side.value =
        context.node(Op::Select, node.range, {condition, yes.value, no.value});
  return side;
}

//===----------------------------------------------------------------------===//
// Elaborating
//===----------------------------------------------------------------------===//

/// Level and axis of what an equation defines.
static Span targetSpan(const Context &context, const Definition &definition) {
  if (definition.target == Equation::Target::Param)
    return {Level::Element};
  const State &state =
      context.rule.states[context.states[definition.state].rule];
  return {state.level, state.axis};
}

static Level targetLevel(const Context &context, const Definition &definition) {
  return targetSpan(context, definition).level;
}

static std::string targetName(const Definition &definition) {
  return definition.ast->target.text + "'";
}

/// What would make a value fit.
static std::string remedy(const Expr *value, const Span &target) {
  if (value->level == Level::Axis && target.level == Level::Axis)
    return "";
  if (value->level == Level::Element)
    return "; reduce it: mean, norm?";
  if (value->level == Level::Axis)
    return "; reduce it once more";
  return target.level == Level::Model ? "; reduce it over model?"
                                      : "; reduce it over group?";
}

/// A new value must be a number of the state's level and axis, or coarser.
/// SPEC (L1, L6)
static bool checkValue(Context &context, const Definition &definition,
                       const Expr *value) {
  llvm::SMRange range = definition.ast->value->range;
  if (value->isBoolean)
    return context.diagnostics.report(
        Label::T1, range,
        "'" + targetName(definition) +
            "' is a number, but its equation is a boolean; write '" +
            textOf(range) + " ? 1 : 0'");
  Span target = targetSpan(context, definition);
  if (fits(value, target.level, target.axis))
    return true;
  context.error(value->level > target.level ? Label::L1 : Label::L6, range,
                "'" + definition.ast->target.text + "' is " +
                    perWhat(target.level, target.axis) +
                    ", but its new value is " + perWhat(value) +
                    remedy(value, target));
  if (const Expr *leaf = leafOf(value, value->level))
    context.diagnostics.note(leaf->range, "'" + textOf(leaf->range) + "' is " +
                                              perWhat(leaf));
  return false;
}

static bool checkCommit(Context &context, const Definition &definition,
                        const Expr *commit) {
  Level finest = std::min(targetLevel(context, definition), Level::Tensor);
  if (commit->level <= finest)
    return true;
  return context.diagnostics.report(
      Label::L3, commit->range,
      "whether '" + targetName(definition) +
          "' keeps its value must be decided by at most " + perWhat(finest) +
          ", but '" + textOf(commit->range) + "' is " + perWhat(commit));
}

/// Whether the state of an equation can take it.
static bool checkTarget(Context &context, const Definition &definition) {
  if (definition.target != Equation::Target::State)
    return true;
  const StateFacts &facts = context.states[definition.state];
  context.hasReadShape |= facts.varies;
  const ast::State &state = context.box.states[definition.state];
  if (facts.exists)
    return facts.rule != kNone;
  const ast::Name &name = definition.ast->target;
  context.error(Label::V1, name.range,
                "'" + targetName(definition) + "' has an equation where '" +
                    name.text + "' does not exist; it exists only if '" +
                    (state.guard ? textOf(state.guard->range) : "...") + "'");
  context.diagnostics.note(state.name.range,
                           "'" + name.text + "' is declared here");
  return false;
}

void check::elaborate(Context &context, Definition &definition) {
  context.hasReadShape = false;
  guardHolds(context, definition.ast->guard);
  bool isTargetValid = checkTarget(context, definition);
  Elaborator elaborator(context, Mode::Step);
  elaborator.setCurrent(&definition);
  Side side;
  if (definition.target == Equation::Target::Let) {
    side.value = elaborator.expr(*definition.ast->value);
    side.hasFailed = !side.value;
  } else {
    side = sideOf(context, elaborator, *definition.ast->value);
    if (isTargetValid && side.value)
      side.hasFailed |= !checkValue(context, definition, side.value);
    if (isTargetValid && side.commit)
      side.hasFailed |= !checkCommit(context, definition, side.commit);
  }
  definition.hasFailed = side.hasFailed || !isTargetValid;
  definition.varies |= context.hasReadShape;
  definition.form.value = side.value;
  definition.form.commit = side.commit;
  definition.form.keeps = side.keeps;
  definition.form.let = kNone;
}

//===----------------------------------------------------------------------===//
// Placing
//===----------------------------------------------------------------------===//

static Equation equationOf(const Definition &definition, unsigned index) {
  Equation equation;
  equation.target = definition.target;
  equation.index = index;
  equation.value = definition.form.value;
  equation.commit = definition.form.commit;
  equation.range = definition.ast->target.range;
  return equation;
}

/// A let of the rule for this form, an old one if it says the same.
static void placeLet(Context &context, Definition &definition, Variant *out) {
  Form &form = definition.form;
  if (isConstant(form.value))
    return;
  bool isShared = form.value->level <= Level::Group;
  bool isNew = true;
  for (const Form &other : definition.forms)
    if (sameTree(other.value, form.value)) {
      form.let = other.let;
      isNew = false;
      break;
    }
  if (isNew) {
    form.let = context.rule.lets.size();
    Let let;
    let.name = definition.ast->target.text;
    let.level = form.value->level;
    let.axis = form.value->axis;
    let.isBoolean = form.value->isBoolean;
    context.rule.lets.push_back(std::move(let));
    definition.forms.push_back(form);
  }
  if (!out)
    return;
  if (!isShared)
    out->equations.push_back(equationOf(definition, form.let));
  else if (isNew)
    context.rule.shared.push_back(equationOf(definition, form.let));
}

/// A new value of model or group level: the same for all variants.
static void placeShared(Context &context, Definition &definition) {
  if (definition.forms.empty()) {
    definition.forms.push_back(definition.form);
    if (!definition.form.keeps)
      context.rule.shared.push_back(
          equationOf(definition, context.states[definition.state].rule));
    return;
  }
  const Form &first = definition.forms.front();
  if (first.keeps == definition.form.keeps &&
      sameTree(first.value, definition.form.value) &&
      sameTree(first.commit, definition.form.commit))
    return;
  context.error(Label::V5, definition.ast->target.range,
                "'" + definition.ast->target.text + "' is " +
                    perWhat(targetLevel(context, definition)) +
                    ", but its equation depends on the shape of one tensor");
}

void check::place(Context &context, Definition &definition, Variant *out) {
  if (definition.target == Equation::Target::Let) {
    placeLet(context, definition, out);
    return;
  }
  if (!out)
    return;
  if (targetLevel(context, definition) <= Level::Group) {
    placeShared(context, definition);
    return;
  }
  if (definition.form.keeps)
    return;
  unsigned index = definition.target == Equation::Target::State
                       ? context.states[definition.state].rule
                       : 0;
  out->equations.push_back(equationOf(definition, index));
}

//===----------------------------------------------------------------------===//
// All variants
//===----------------------------------------------------------------------===//

/// Reports an equation of a group or model state that only some tensors have.
static void checkSharedGuard(Context &context, const Definition &definition) {
  const ast::ExprPtr &guard = definition.ast->guard;
  if (definition.target != Equation::Target::State || !guard ||
      context.states[definition.state].rule == kNone ||
      targetLevel(context, definition) > Level::Group)
    return;
  context.hasReadShape = false;
  guardHolds(context, guard);
  if (context.hasReadShape)
    context.error(Label::V5, guard->range,
                  "'" + definition.ast->target.text + "' is " +
                      perWhat(targetLevel(context, definition)) +
                      ", so its equation cannot depend on the shape of one "
                      "tensor");
}

/// Whether a variant has entered its operand, or has none to enter.
static bool hasOperand(const CrossFacts &facts, unsigned variant) {
  if (facts.isElsewhere.size() > variant && facts.isElsewhere[variant])
    return true;
  return facts.operands.size() > variant && facts.operands[variant];
}

/// Operands that this variant has not entered: of reductions written in
/// equations that are shared with, or stand only in, other variants.
static void completeOperands(Context &context, Orderer &orderer,
                             Variant &variant) {
  for (unsigned i = 0; i < context.crosses.size(); ++i) {
    if (context.rule.reductions[i].shared)
      continue;
    const ast::Expr &call = *context.crosses[i].ast;
    orderer.completeAll(call, &variant);
    if (hasOperand(context.crosses[i], context.variant))
      continue;
    CrossFacts &facts = context.crosses[i];
    if (!facts.varies && !facts.operands.empty() && facts.operands[0]) {
      // The place may be there without operand, if a later variant has one.
      if (facts.operands.size() <= context.variant)
        facts.operands.resize(context.variant + 1, nullptr);
      facts.operands[context.variant] = facts.operands[0];
      continue;
    }
    // Elaborating it once more enters the operand.
    Elaborator(context, Mode::Step).expr(call);
  }
}

/// What must be computed: new values of states and of p.
static void completeRoots(Context &context, Orderer &orderer,
                          Variant &variant) {
  for (unsigned i = 0; i < context.definitions.size(); ++i) {
    Definition &definition = context.definitions[i];
    bool isRoot = definition.target == Equation::Target::Param
                      ? context.paramEquation == i
                      : definition.target == Equation::Target::State &&
                            context.states[definition.state].equation == i;
    if (isRoot)
      orderer.complete(i, &variant);
  }
}

static void enter(Context &context, const std::vector<Shapes> &variants,
                  unsigned index) {
  context.setShapes(variants[index]);
  context.variant = index;
  enterVariant(context);
}

static bool hasAllOperands(const Context &context, unsigned variant) {
  for (unsigned i = 0; i < context.crosses.size(); ++i)
    if (!context.rule.reductions[i].shared &&
        !hasOperand(context.crosses[i], variant))
      return false;
  return true;
}

/// A reduction that was found in a later variant takes values from the earlier
/// ones too, and its operand there may need further reductions. Each round
/// finds at least one, and there are no more than calls in the text.
static void completeEarlier(Context &context,
                            const std::vector<Shapes> &variants) {
  bool isComplete = false;
  while (!isComplete && !context.diagnostics.hasErrors()) {
    isComplete = true;
    for (unsigned i = 0; i < variants.size(); ++i) {
      if (hasAllOperands(context, i))
        continue;
      isComplete = false;
      enter(context, variants, i);
      Variant &variant = context.rule.variants[i];
      variant.equations.clear();
      Orderer orderer(context);
      completeRoots(context, orderer, variant);
      completeOperands(context, orderer, variant);
    }
  }
}

/// Lets that nothing needs: looked over for errors, then forgotten.
static void checkDead(Context &context, const std::vector<Shapes> &variants) {
  size_t lets = context.rule.lets.size();
  size_t reductions = context.rule.reductions.size();
  for (unsigned i = 0; i < variants.size(); ++i) {
    bool isEntered = false;
    for (unsigned d = 0; d < context.definitions.size(); ++d) {
      Definition &definition = context.definitions[d];
      if (definition.target != Equation::Target::Let ||
          (definition.wasDone && !definition.varies))
        continue;
      if (!isEntered)
        enter(context, variants, i);
      isEntered = true;
      Orderer(context).complete(d, nullptr);
    }
  }
  context.rule.lets.resize(lets);
  context.rule.reductions.resize(reductions);
  context.crosses.resize(reductions);
}

/// A misspelt name is wrong also where no tensor has the equation.
static void checkSpelling(Context &context, const ast::Expr &expression) {
  if (expression.kind == Kind::Ref && !isReserved(expression.name) &&
      !context.symbols.count(expression.name))
    context.unknown(expression.name, expression.range);
  for (const ast::ExprPtr &arg : expression.args)
    checkSpelling(context, *arg);
}

void check::checkEquations(Context &context,
                           const std::vector<Shapes> &variants) {
  Rule &rule = context.rule;
  rule.variants.resize(variants.size());
  if (context.paramEquation == kNone)
    context.error(Label::S9, context.box.name.range,
                  "'" + context.box.name.text +
                      "' does not say what p' is; write p' = ...");
  for (unsigned i = 0; i < variants.size(); ++i) {
    Variant &variant = rule.variants[i];
    variant.name = "v" + std::to_string(i);
    variant.tests = variants[i].tests();
    enter(context, variants, i);
    for (const StateFacts &facts : context.states)
      if (facts.exists && facts.rule != kNone &&
          rule.states[facts.rule].level > Level::Group)
        variant.states.push_back(facts.rule);
    for (const Definition &definition : context.definitions)
      checkSharedGuard(context, definition);
    Orderer orderer(context);
    completeRoots(context, orderer, variant);
    completeOperands(context, orderer, variant);
    checkViews(context);
  }
  completeEarlier(context, variants);
  checkDead(context, variants);
  for (const Definition &definition : context.definitions)
    if (!definition.wasDone)
      checkSpelling(context, *definition.ast->value);
  for (unsigned i = 0; i < variants.size(); ++i)
    for (CrossFacts &facts : context.crosses) {
      facts.operands.resize(variants.size(), nullptr);
      rule.variants[i].operands.push_back(facts.operands[i]);
    }
  if (!context.diagnostics.hasErrors())
    orderShared(context);
}
