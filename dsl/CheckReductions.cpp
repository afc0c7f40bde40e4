//===- CheckReductions.cpp - Many values to one ---------------------------===//
//
// A reduction over the tensor is a node of the expression. One over group or
// model takes values from every tensor, also from those of other variants; it
// becomes an entry of Rule::reductions, with one operand for each variant.
//
//===----------------------------------------------------------------------===//

#include "CheckExpr.h"
#include "CheckSettle.h"
#include "Printer.h"

using namespace updraft;
using namespace updraft::check;

static bool wantsBoolean(const Function &function) {
  return function.reducer == Reducer::Any || function.reducer == Reducer::All ||
         function.reducer == Reducer::Count;
}

static bool yieldsBoolean(const Function &function) {
  return function.reducer == Reducer::Any || function.reducer == Reducer::All;
}

const Expr *Elaborator::operandOf(const ast::Expr &call,
                                  const Function &function) {
  if (function.arity() == 2) { // dot
    const Expr *a = numeric(*call.args[0]);
    const Expr *b = numeric(*call.args[1]);
    return a && b ? context_.node(Op::Mul, call.range, {a, b}) : nullptr;
  }
  return wantsBoolean(function) ? boolean(*call.args[0])
                                : numeric(*call.args[0]);
}

const Expr *Elaborator::reduction(const ast::Expr &call,
                                  const Function &function) {
  if (mode_ == Mode::Constant)
    return nullptr;
  ast::Over over = call.over.value_or(ast::Over::Tensor);
  return over == ast::Over::Group || over == ast::Over::Model
             ? reduceAcross(call, function)
             : reduceWithin(call, function, over);
}

/// Reports a reduction of something that is one value there already.
static std::nullptr_t nothingToReduce(Context &context, const ast::Expr &call,
                                      const Expr *operand, ast::Over over) {
  const ast::Expr &argument =
      *call.args[call.args.size() - 1 - call.isFiltered];
  return context.error(
      Label::L2, call.range,
      "'" + call.name + "' over " + wordFor(over) +
          " has nothing to reduce: '" + textOf(argument.range) + "' is " +
          perWhat(operand) +
          (over == ast::Over::Tensor && operand->level >= Level::Tensor
               ? "; was 'over group' or 'over model' meant?"
               : ""));
}

/// A constant that stands for every element, as when a condition has settled
/// to it.
static const Expr *spread(Context &context, const Expr *constant, Level level) {
  Expr *node = context.make(constant->op, level, constant->range);
  node->isBoolean = constant->isBoolean;
  node->number = constant->number;
  return node;
}

/// What is left of a value when rows, columns, ... are reduced away; none if it
/// has none.      SPEC (L2)
static std::optional<Span> reduced(const Expr *operand, ast::Over over,
                                   Axis axis) {
  if (operand->level < Level::Axis)
    return std::nullopt;
  if (over == ast::Over::Tensor)
    return Span{Level::Tensor};
  if (operand->level == Level::Element)
    return Span{Level::Axis, axis};
  AxisKind away = over == ast::Over::Rows ? AxisKind::Rows : AxisKind::Cols;
  if (over == ast::Over::Block || operand->axis.kind != away ||
      operand->axis.isFolded != axis.isFolded)
    return std::nullopt;
  axis.kind = AxisKind::Matrix;
  return Span{Level::Axis, axis};
}

/// The axis that a reduction of elements leaves; none after an error.
std::optional<Axis> Elaborator::axisLeft(const ast::Expr &call,
                                         ast::Over over) {
  Axis axis;
  if (over == ast::Over::Tensor)
    return axis;
  axis.kind = over == ast::Over::Cols   ? AxisKind::Rows
              : over == ast::Over::Rows ? AxisKind::Cols
                                        : AxisKind::Block;
  axis.isFolded = call.isFolded;
  if (over == ast::Over::Block) {
    axis.block = blockSize(context_, *call.block);
    return axis.block ? std::optional(axis) : std::nullopt;
  }
  context_.hasReadShape = true;
  if (!hasMatrices(context_, call.range,
                   "'over " + llvm::Twine(wordFor(over)) + "'"))
    return std::nullopt;
  return axis;
}

const Expr *Elaborator::reduceWithin(const ast::Expr &call,
                                     const Function &function, ast::Over over) {
  std::optional<Axis> axis = axisLeft(call, over);
  const Expr *operand = operandOf(call, function);
  if (!operand || !axis)
    return nullptr;
  bool isSettled =
      isConstant(operand) && call.args[0]->kind == ast::Expr::Kind::Select;
  if (isSettled)
    operand = spread(context_, operand, Level::Element);
  std::optional<Span> left = reduced(operand, over, *axis);
  if (!left)
    return nothingToReduce(context_, call, operand, over);
  Expr *node = context_.make(Op::Reduce, left->level, call.range);
  node->axis = left->axis;
  node->reducer = function.reducer;
  node->isBoolean = yieldsBoolean(function);
  node->args = {operand};
  return node;
}

/// SPEC (V5)
static bool differsBetweenShapes(Context &context, const ast::Expr &call) {
  return context.diagnostics.report(
      Label::V5, call.range,
      "'" + textOf(call.range) +
          "' takes values of another level from tensors of another shape");
}

/// Enters the operand that this variant has. False after an error.
static bool enterOperand(Context &context, CrossFacts &facts,
                         Reduction &reduction, const Expr *operand) {
  const ast::Expr &call = *facts.ast;
  ast::Over over = *call.over;
  bool isShared = operand->level <= Level::Group;
  bool isSettled = isConstant(operand) && facts.varies;
  if (isSettled) {
    // Settled away for these tensors: a value like those of the others.
    if (facts.level == Level::Axis)
      return differsBetweenShapes(context, call);
    operand = spread(context, operand, facts.level);
    isShared = false;
  } else if (operand->level <= reduction.over) {
    nothingToReduce(context, call, operand, over);
    return false;
  }
  if (!facts.isLevelKnown && !isSettled) {
    facts.isLevelKnown = true;
    facts.level = operand->level;
    if (facts.level == Level::Axis && llvm::any_of(facts.operands, isConstant))
      return differsBetweenShapes(context, call);
    for (const Expr *&other : facts.operands)
      if (other)
        other = spread(context, other, facts.level);
    if (isShared && facts.operands.empty())
      reduction.shared = operand;
  }
  bool differs = isShared ? !sameTree(reduction.shared, operand)
                          : reduction.shared || operand->level != facts.level;
  if (differs)
    return differsBetweenShapes(context, call);
  if (facts.operands.size() <= context.variant)
    facts.operands.resize(context.variant + 1, nullptr);
  facts.operands[context.variant] = isShared ? nullptr : operand;
  return true;
}

const Expr *Elaborator::reduceAcross(const ast::Expr &call,
                                     const Function &function) {
  if (mode_ != Mode::Step)
    return error(Label::U8, call.range,
                 llvm::Twine("'over ") + wordFor(*call.over) +
                     "' outside an equation is not supported yet");
  bool hadReadShape = context_.hasReadShape;
  context_.hasReadShape = false;
  bool isElsewhere = call.isFiltered && !guardHolds(context_, call.args.back());
  const Expr *operand = isElsewhere ? nullptr : operandOf(call, function);
  bool varies = context_.hasReadShape || call.isFiltered;
  context_.hasReadShape |= hadReadShape;
  if (!operand && !isElsewhere)
    return nullptr;
  auto [found, isNew] =
      context_.crossIndex.try_emplace(&call, context_.crosses.size());
  if (isNew) {
    CrossFacts facts;
    facts.ast = &call;
    context_.crosses.push_back(std::move(facts));
    Reduction reduction;
    reduction.reducer = function.reducer;
    reduction.over =
        *call.over == ast::Over::Model ? Level::Model : Level::Group;
    reduction.range = call.range;
    context_.rule.reductions.push_back(reduction);
  }
  unsigned index = context_.crossIndex.lookup(&call);
  CrossFacts &facts = context_.crosses[index];
  facts.varies |= varies;
  if (isElsewhere) {
    facts.isElsewhere.resize(
        std::max<size_t>(facts.isElsewhere.size(), context_.variant + 1));
    facts.isElsewhere[context_.variant] = true;
  } else if (!enterOperand(context_, facts, context_.rule.reductions[index],
                           operand)) {
    return nullptr;
  }
  Expr *node = context_.make(Op::Cross, context_.rule.reductions[index].over,
                             call.range);
  node->index = index;
  node->isBoolean = yieldsBoolean(function);
  return node;
}
