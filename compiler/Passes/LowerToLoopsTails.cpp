//===- LowerToLoopsTails.cpp - Elements that fill no vector ---------------===//

#include "compiler/Passes/LowerToLoopsElement.h"

namespace updraft::loops {

namespace arith = mlir::arith;
using mlir::Operation;

bool ElementLoops::masksTails(const Slice &slice) const {
  if (kernel_.shape.tail == LoopShape::Tail::Scalar)
    return false;
  return llvm::all_of(slice.operations(), [&](Operation *operation) {
    llvm::StringRef name;
    if (auto get = llvm::dyn_cast<ir::GetOp>(operation))
      name = get.getSource();
    else if (auto put = llvm::dyn_cast<ir::PutOp>(operation))
      name = put.getTarget();
    return name.empty() ||
           kernel_.placeOf(name)->format.getIntOrFloatBitWidth() > 16;
  });
}

/// Whether a vector of any number of elements is one step.
bool ElementLoops::canMask(const Slice &slice) const {
  return !isScalar_ &&
         (kernel_.shape.tail == LoopShape::Tail::MaskLoop || masksTails(slice));
}

/// Elements [from, to) of the chunk; `from` is a multiple of the width.
void ElementLoops::emitRange(const Slice &slice, Value from, Value to) {
  auto emitOne = [&](Value index) { emitBody(slice, {index, 1, Value()}); };
  auto emitMasked = [&](unsigned width) {
    return [&, width](Value index) {
      emitBody(slice, {index, width, maskOf(index, to, width)});
    };
  };
  if (isScalar_)
    return at_.loop(from, to, 1, emitOne);
  if (kernel_.shape.tail == LoopShape::Tail::MaskLoop)
    return at_.loop(from, to, width_, emitMasked(width_));
  Value whole = at_.bitAnd(to, -int64_t(width_));
  at_.loop(from, whole, width_,
           [&](Value index) { emitBody(slice, {index, width_, Value()}); });
  if (!masksTails(slice))
    return at_.loop(whole, to, 1, emitOne);
  unsigned width = tailWidth(slice);
  at_.loop(whole, to, width, emitMasked(width));
}

/// Half a vector is one register of AVX2: half the code, and half the work for
/// a short tail. Functions are made for one width.
unsigned ElementLoops::tailWidth(const Slice &slice) const {
  bool calls = llvm::any_of(slice.operations(), [](Operation *operation) {
    return llvm::isa<ir::MathOp>(operation);
  });
  return calls ? width_ : width_ / 2;
}

/// The lanes of `width` from `index` on that lie before `end`.
Value ElementLoops::maskOf(Value index, Value end, unsigned width) {
  auto type = mlir::VectorType::get({width}, at_.getI32Type());
  llvm::SmallVector<int32_t> lanes(width);
  for (unsigned lane = 0; lane < width; ++lane)
    lanes[lane] = lane;
  Value numbers = arith::ConstantOp::create(
      at_, at_.location,
      mlir::DenseElementsAttr::get(type, llvm::ArrayRef<int32_t>(lanes)));
  Value left = arith::SubIOp::create(at_, at_.location, end, index);
  Value count =
      arith::TruncIOp::create(at_, at_.location, at_.getI32Type(), left);
  Value limit =
      mlir::vector::BroadcastOp::create(at_, at_.location, type, count);
  return at_.compare(arith::CmpIPredicate::sgt, limit, numbers);
}

} // namespace updraft::loops
