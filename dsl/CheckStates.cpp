//===- CheckStates.cpp - States: where they exist, how they start ---------===//

#include "CheckExpr.h"
#include "CheckSettle.h"

using namespace updraft;
using namespace updraft::check;

static Level levelOf(ast::Shape shape) {
  switch (shape) {
  case ast::Shape::Like:
    return Level::Element;
  case ast::Shape::Tensor:
    return Level::Tensor;
  case ast::Shape::Group:
    return Level::Group;
  case ast::Shape::Model:
    return Level::Model;
  default:
    return Level::Axis;
  }
}

static AxisKind axisKindOf(ast::Shape shape) {
  switch (shape) {
  case ast::Shape::Rows:
    return AxisKind::Rows;
  case ast::Shape::Cols:
    return AxisKind::Cols;
  case ast::Shape::Matrix:
    return AxisKind::Matrix;
  case ast::Shape::Block:
    return AxisKind::Block;
  default:
    return AxisKind::None;
  }
}

static void checkFormat(Context &context, const ast::State &declared,
                        State &state) {
  llvm::StringRef text = llvm::StringRef(declared.format).trim();
  if (text.empty())
    return;
  if (state.level != Level::Element) {
    bool isArray = state.level == Level::Axis;
    context.error(Label::S8, declared.name.range,
                  "'" + state.name + "' is " +
                      perWhat(state.level, state.axis) +
                      (isArray ? ", and these are stored in the compute type"
                               : ", and scalars are always stored as f64") +
                      "; leave out 'as " + text + "'");
    return;
  }
  static const std::pair<const char *, Format> formats[] = {
      {"f64", Format::F64},
      {"f32", Format::F32},
      {"bf16", Format::BF16},
      {"f16", Format::F16}};
  if (text == "p")
    state.format = context.rule.param;
  for (const auto &[name, format] : formats)
    if (text == name)
      state.format = format;
  if (state.format)
    return;
  static const std::vector<std::string> later = {
      "bf16 stochastic", "bf16 kahan", "split", "q8", "q4", "fp8"};
  for (const std::string &name : later)
    if (text.starts_with(name)) {
      context.error(Label::U7, declared.name.range,
                    "storing '" + state.name + "' as '" + text +
                        "' is not supported yet");
      return;
    }
  std::vector<std::string> names = {"f64", "f32", "bf16", "f16", "p"};
  context.error(Label::S8, declared.name.range,
                "'" + text + "' is not a storage format" +
                    didYouMean(text, names));
}

/// What does not depend on the variant. False if the state cannot be used.
static bool declareState(Context &context, unsigned index, bool varies) {
  const ast::State &declared = context.box.states[index];
  StateFacts &facts = context.states[index];
  Level level = levelOf(declared.shape);
  Axis axis{axisKindOf(declared.shape), declared.isFolded, 0};
  if (declared.block && !(axis.block = blockSize(context, *declared.block)))
    return false;
  if (varies && level <= Level::Group)
    return context.diagnostics.report(
        Label::V5, declared.guard->range,
        "'" + declared.name.text + "' is " + perWhat(level) +
            ", so it cannot depend on the shape of one tensor");
  State state;
  state.name = declared.name.text;
  state.doc = declared.doc;
  state.level = level;
  state.axis = axis;
  state.coversAbsent = declared.coversAbsent;
  state.range = declared.name.range;
  checkFormat(context, declared, state);
  facts.rule = context.rule.states.size();
  context.rule.states.push_back(std::move(state));
  return true;
}

static void checkInitial(Context &context, unsigned index) {
  const ast::State &declared = context.box.states[index];
  State &state = context.rule.states[context.states[index].rule];
  if (!declared.initial) {
    context.error(Label::S6, declared.name.range,
                  "'" + state.name + "' has no initial value; write '= 0'");
    return;
  }
  const Expr *value =
      Elaborator(context, Mode::Initial).numeric(*declared.initial);
  if (!value)
    return;
  if (!fits(value, state.level, state.axis)) {
    context.error(
        value->level > state.level ? Label::L1 : Label::L6,
        declared.initial->range,
        "'" + state.name + "' is " + perWhat(state.level, state.axis) +
            ", but its initial value is " + perWhat(value) +
            (value->level == Level::Element ? "; reduce it: mean, norm?" : ""));
    return;
  }
  if (!state.initial)
    state.initial = value;
  else if (!sameTree(state.initial, value))
    context.error(Label::V5, declared.initial->range,
                  "the initial value of '" + state.name +
                      "' differs between tensors whose shapes differ; write "
                      "two states");
}

static bool isOfMatrices(ast::Shape shape) {
  return shape == ast::Shape::Rows || shape == ast::Shape::Cols ||
         shape == ast::Shape::Matrix;
}

void check::checkStates(Context &context, const std::vector<Shapes> &variants) {
  const std::vector<ast::State> &states = context.box.states;
  // Initial values that have asked about the shape, or have not been seen yet.
  std::vector<bool> isOpen(states.size(), true);
  std::vector<bool> isUsable(states.size(), true);
  for (const Shapes &shapes : variants) {
    context.setShapes(shapes);
    for (unsigned i = 0; i < states.size(); ++i) {
      StateFacts &facts = context.states[i];
      context.hasReadShape = false;
      bool exists = guardHolds(context, states[i].guard);
      facts.varies |= context.hasReadShape;
      if (!exists || !isUsable[i])
        continue;
      if (isOfMatrices(states[i].shape) &&
          !hasMatrices(context, states[i].name.range,
                       "'" + llvm::Twine(states[i].name.text) + "'")) {
        isUsable[i] = false;
        continue;
      }
      if (!isOpen[i])
        continue;
      if (facts.rule == kNone && !declareState(context, i, facts.varies)) {
        isUsable[i] = false;
        continue;
      }
      context.hasReadShape = false;
      checkInitial(context, i);
      isOpen[i] = context.hasReadShape;
    }
  }
}
