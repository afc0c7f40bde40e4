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
  if (call.args.size() == 2) { // dot
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
  if (over == ast::Over::Rows || over == ast::Over::Cols ||
      over == ast::Over::Block)
    return error(Label::U5, call.range,
                 llvm::Twine("'over ") + wordFor(over) +
                     "' is not supported yet");
  return over == ast::Over::Tensor ? reduceTensor(call, function)
                                   : reduceAcross(call, function);
}

/// Reports a reduction of something that is one value there already.
static std::nullptr_t nothingToReduce(Context &context, const ast::Expr &call,
                                      const Expr *operand, ast::Over over) {
  const ast::Expr &argument = *call.args.back();
  return context.error(
      Label::L2, call.range,
      "'" + call.name + "' over " + wordFor(over) +
          " has nothing to reduce: '" + textOf(argument.range) + "' is " +
          perWhat(operand->level) +
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

const Expr *Elaborator::reduceTensor(const ast::Expr &call,
                                     const Function &function) {
  const Expr *operand = operandOf(call, function);
  if (!operand)
    return nullptr;
  bool isSettled =
      isConstant(operand) && call.args[0]->kind == ast::Expr::Kind::Select;
  if (isSettled)
    operand = spread(context_, operand, Level::Element);
  if (operand->level != Level::Element)
    return nothingToReduce(context_, call, operand, ast::Over::Tensor);
  Expr *node = context_.make(Op::Reduce, Level::Tensor, call.range);
  node->reducer = function.reducer;
  node->isBoolean = yieldsBoolean(function);
  node->args = {operand};
  return node;
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
    operand = spread(context, operand, facts.level);
    isShared = false;
  } else if (operand->level <= reduction.over) {
    nothingToReduce(context, call, operand, over);
    return false;
  }
  if (!facts.isLevelKnown && !isSettled) {
    facts.isLevelKnown = true;
    facts.level = operand->level;
    for (const Expr *&other : facts.operands)
      if (other)
        other = spread(context, other, facts.level);
    if (isShared && facts.operands.empty())
      reduction.shared = operand;
  }
  bool differs = isShared ? !sameTree(reduction.shared, operand)
                          : reduction.shared || operand->level != facts.level;
  if (differs)
    return context.diagnostics.report(
        Label::V5, call.range,
        "'" + textOf(call.range) +
            "' takes values of another level from tensors of another shape");
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
  const Expr *operand = operandOf(call, function);
  bool varies = context_.hasReadShape;
  context_.hasReadShape |= hadReadShape;
  if (!operand)
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
  if (!enterOperand(context_, facts, context_.rule.reductions[index], operand))
    return nullptr;
  Expr *node = context_.make(Op::Cross, context_.rule.reductions[index].over,
                             call.range);
  node->index = index;
  node->isBoolean = yieldsBoolean(function);
  return node;
}
