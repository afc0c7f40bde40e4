//===- SplitMatrix.cpp - The kernels of newton_schulz ---------------------===//
//
// A round is three products, and a product needs all of its operands: each is a
// kernel of its own. The table has them once, however many rounds there are.
// X is read while the next X is made, so there are two of it, which change
// places from round to round.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitEmit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace updraft;

/// What a newton_schulz works on. What it ends with is what elements read.
const Emitter::Matrices &Emitter::matricesOf(int value) {
  Matrices &made = matrices[value];
  if (!made.x.empty())
    return made;
  const plan::Value &node = rule.graph.values[value];
  auto op = cast<ir::NewtonSchulzOp>(rule.ops[value]);
  std::string hint = slotNameOf(wordsOf(op)).str();
  auto declare = [&](StringRef name, bool isSquare) {
    ir::SpaceAttr space;
    if (isSquare)
      space = ir::SpaceAttr::get(program.getContext(), ir::SpaceKind::Squares,
                                 false, 0);
    return declareScratch(hint + (hint.empty() ? "" : ".") + name.str(),
                          node.variant, space, program.getCompute());
  };
  made = {declare("x", false), declare("next", false), declare("square", true),
          declare("factor", true)};
  StringRef last = op.getSteps() % 2 ? made.next : made.x;
  rule.arrays[node.index] = cast<ir::ArrayOp>(
      SymbolTable::lookupSymbolIn(rule.variants[node.variant],
                                  StringAttr::get(program.getContext(), last)));
  return made;
}

/// A = X X^T; B = b A + c (A A); X = a X + B X.
void Emitter::emitProduct(unsigned kernel, const plan::Item &item) {
  OpBuilder &builder = emitted[kernel].builder;
  auto op = cast<ir::NewtonSchulzOp>(rule.ops[item.index]);
  const plan::Value &node = rule.graph.values[item.index];
  Matrices names = matricesOf(item.index);
  Location location = op.getLoc();
  Type type = op.getType();
  Value when = emitWhen(kernel, plan.reduceWhen[item.index]);
  auto multiply = [&](StringRef left, StringRef right) -> Value {
    return ir::ProductOp::create(builder, location, type, left, right);
  };
  auto number = [&](unsigned index) {
    return emit(kernel, node.operands[index]);
  };
  auto put = [&](StringRef target, Value value) {
    ir::PutOp::create(builder, location, target, value, when);
  };
  emitted[kernel].kernel.setRounds(op.getSteps());
  auto swap = [&] {
    auto symbol = [&](StringRef name) -> Attribute {
      return FlatSymbolRefAttr::get(builder.getContext(), name);
    };
    emitted[kernel].kernel.setSwapsAttr(
        builder.getArrayAttr({symbol(names.x), symbol(names.next)}));
  };
  if (item.part == 0) {
    swap();
    return put(names.square, multiply(names.x, names.x));
  }
  Value first = number(item.part == 1 ? 2 : 1);
  Value old =
      getSlot(kernel, item.part == 1 ? names.square : names.x, type, location);
  if (item.part == 1) {
    Value product = arith::MulFOp::create(builder, location, number(3),
                                          multiply(names.square, names.square));
    return put(names.factor,
               math::FmaOp::create(builder, location, first, old, product));
  }
  swap();
  put(names.next, math::FmaOp::create(builder, location, first, old,
                                      multiply(names.factor, names.x)));
}

/// The first kernel of a round waits for what any of them waits for.
void updraft::joinRounds(ArrayRef<ir::KernelOp> kernels) {
  for (size_t i = 0; i < kernels.size();) {
    ir::KernelOp first = kernels[i];
    if (first.getLevel() != ir::Level::Matrix) {
      ++i;
      continue;
    }
    ir::Level after = ir::Level::Tensor;
    for (ir::KernelOp kernel : kernels.slice(i, kProducts))
      after = std::min(after, kernel.getAfter().value_or(after));
    first.setAfter(after);
    for (ir::KernelOp kernel : kernels.slice(i + 1, kProducts - 1))
      kernel.setAfter(ir::Level::Tensor);
    i += kProducts;
  }
}
