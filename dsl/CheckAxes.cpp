//===- CheckAxes.cpp - Rows, columns, matrices and blocks -----------------===//
//
// What has an axis kind needs of a tensor's shape, and functions of matrices.
//
//===----------------------------------------------------------------------===//

#include "CheckExpr.h"
#include "CheckSettle.h"
#include "Printer.h"

#include <cmath>

using namespace updraft;
using namespace updraft::check;

/// SPEC (D4)
uint64_t check::blockSize(Context &context, const ast::Expr &size) {
  constexpr double kGreatest = 1 << 30;
  Settled settled = settle(context, size);
  if (settled.kind == Settled::Kind::Number && settled.number >= 1 &&
      settled.number <= kGreatest &&
      settled.number == std::floor(settled.number))
    return uint64_t(settled.number);
  context.error(Label::D4, size.range,
                "the size of a block is a whole number from 1, known at "
                "compile time");
  return 0;
}

/// SPEC (V6)
bool check::hasMatrices(Context &context, llvm::SMRange range,
                        const llvm::Twine &what) {
  unsigned rank = context.shapes.leastRank();
  if (rank >= 2)
    return true;
  return context.diagnostics.report(
      Label::V6, range,
      what + " needs a rank of at least 2, but here it may be " +
          llvm::Twine(rank) +
          "; guard it by 'if rank(p) >= 2' or require that");
}

/// The matrix is p's: of rank 2, or folded from any rank above.   SPEC (V6)
static bool isMatrix(Context &context, const ast::Expr &call) {
  if (!hasMatrices(context, call.range, "'" + llvm::Twine(call.name) + "'"))
    return false;
  Question isTwo;
  isTwo.what = Test::What::Rank;
  isTwo.relation = Op::Eq;
  isTwo.value = 2;
  if (call.isFolded || context.shapes.answer(isTwo) == true)
    return true;
  return context.diagnostics.report(
      Label::V6, call.range,
      "'" + llvm::Twine(call.name) +
          "' needs a rank of 2, but here it may be higher; guard it by 'if "
          "rank(p) == 2', or fold p");
}

/// newton_schulz(x, steps, eps, a, b, c)      SPEC (6.1)
const Expr *Elaborator::newtonSchulz(const ast::Expr &call) {
  constexpr double kMostSteps = 1000;
  if (mode_ == Mode::Constant)
    return nullptr;
  context_.hasReadShape = true;
  bool isValid = isMatrix(context_, call);
  Settled steps = settle(context_, *call.args[1]);
  if (steps.kind != Settled::Kind::Number || !(steps.number >= 0) ||
      steps.number > kMostSteps || steps.number != std::floor(steps.number))
    isValid = context_.diagnostics.report(
        Label::D4, call.args[1]->range,
        "the steps of '" + call.name +
            "' are a whole number from 0 to 1000, known at compile time");
  std::vector<const Expr *> args;
  for (unsigned i : {0, 2, 3, 4, 5}) {
    const ast::Expr &written = *call.args[i];
    const Expr *arg = numeric(written);
    isValid &= arg != nullptr;
    args.push_back(arg);
    bool isElement = i == 0;
    if (!arg || isElement == (arg->level == Level::Element) ||
        (!isElement && arg->level <= Level::Tensor))
      continue;
    isValid = context_.diagnostics.report(
        Label::L7, written.range,
        "'" + textOf(written.range) + "' is " + perWhat(arg) + ", but '" +
            call.name + "' wants " +
            (isElement ? "one value per element" : "a single number") +
            " here");
  }
  if (!isValid)
    return nullptr;
  Expr *node = context_.make(Op::NewtonSchulz, Level::Element, call.range);
  node->index = unsigned(steps.number);
  node->axis.isFolded = call.isFolded;
  node->args = std::move(args);
  return node;
}
