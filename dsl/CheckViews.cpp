//===- CheckViews.cpp - Views and requirements ----------------------------===//

#include "AstMake.h"
#include "CheckExpr.h"
#include "CheckSettle.h"

using namespace updraft;
using namespace updraft::check;

/// What a view shows; null if it does not exist here or is wrong.
static const Expr *valueOf(Context &context, const ast::View &view) {
  Elaborator elaborator(context, Mode::View);
  if (view.value)
    return elaborator.numeric(*view.value);
  auto found = context.symbols.find(view.name.text);
  if (found == context.symbols.end())
    return context.unknown(view.name.text, view.name.range);
  // A state that an option or the shape takes away takes its view along.
  if (found->second.kind == Symbol::Kind::State &&
      !context.states[found->second.index].exists)
    return nullptr;
  if (found->second.kind == Symbol::Kind::Let &&
      !context.definitions[found->second.index].exists)
    return nullptr;
  return elaborator.numeric(*ast::makeRef(view.name.text, view.name.range));
}

static void checkDuplicates(Context &context) {
  llvm::StringMap<llvm::SMRange> names;
  for (const ast::View &view : context.box.views) {
    auto [found, isNew] = names.try_emplace(view.name.text, view.name.range);
    if (isNew)
      continue;
    context.error(Label::S1, view.name.range,
                  "the view '" + view.name.text + "' is defined twice");
    context.diagnostics.note(found->second, "the first is here");
  }
}

void check::checkViews(Context &context) {
  Rule &rule = context.rule;
  if (context.variant == 0)
    checkDuplicates(context);
  for (const ast::View &view : context.box.views) {
    context.hasReadShape = false;
    const Expr *value =
        guardHolds(context, view.guard) ? valueOf(context, view) : nullptr;
    if (!value)
      continue;
    View made;
    made.name = view.name.text;
    made.doc = view.doc;
    made.level = std::max(value->level, Level::Model);
    made.axis = value->axis;
    made.value = value;
    if (made.level > Level::Group) {
      rule.variants[context.variant].views.push_back(std::move(made));
      continue;
    }
    const View *other = nullptr;
    for (const View &present : rule.views)
      if (present.name == made.name)
        other = &present;
    if (!other)
      rule.views.push_back(std::move(made));
    else if (!sameTree(other->value, made.value))
      context.error(Label::V5, view.name.range,
                    "the view '" + made.name + "' is " + perWhat(made.level) +
                        ", but depends on the shape of one tensor");
  }
}

/// Enters a requirement where the run can check it first. `condition` is what
/// is left of it in the variant under way.
static void enter(Context &context, const ast::Require &require,
                  const Expr *condition) {
  Rule &rule = context.rule;
  Require made{condition, require.message, require.range};
  bool isDecided = isConstant(condition);
  if (isDecided && condition->number != 0)
    return;
  if (isDecided && !context.hasReadShape) {
    context.error(Label::D7, require.range,
                  require.message.empty()
                      ? "the requirement is not met: '" +
                            textOf(require.condition->range) + "'"
                      : require.message);
    return;
  }
  if (context.hasReadShape || condition->level > Level::Group) {
    rule.variants[context.variant].requires_.push_back(std::move(made));
    return;
  }
  if (context.variant == 0)
    rule.requires_.push_back(std::move(made));
}

/// The same answers as the variant's tests, without what requirements promise:
/// they are what is to be checked.
static Shapes tested(const Variant &variant) {
  Shapes shapes;
  for (const Test &test : variant.tests) {
    Question question;
    question.what = test.what;
    question.index = test.index;
    question.relation = test.relation;
    question.value = test.value;
    question.tag = test.tag;
    if (!shapes.answer(question))
      shapes.learn(question, true, false);
  }
  return shapes;
}

void check::checkRequires(Context &context) {
  if (context.box.requires_.empty())
    return;
  for (unsigned i = 0; i < context.rule.variants.size(); ++i) {
    context.setShapes(tested(context.rule.variants[i]));
    context.variant = i;
    Elaborator elaborator(context, Mode::Require);
    for (const ast::Require &require : context.box.requires_) {
      context.hasReadShape = false;
      const Expr *condition = elaborator.boolean(*require.condition);
      // The run checks one after the other and stops at the first that fails.
      elaborator.assume(*require.condition);
      if (condition)
        enter(context, require, condition);
    }
  }
}
