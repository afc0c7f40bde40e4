//===- LowerToLoopsStrips.cpp - Axis values before the innermost loop -----===//
//
// What a body reads of rows, columns, matrices or blocks lies in stack memory,
// a strip of items at a time, before the loop over the strip's vectors.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToLoopsAxis.h"
#include "compiler/Passes/LowerToLoopsElement.h"
#include "runtime/abi.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
using ir::Level;
using ir::SpaceKind;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

static int64_t bytesOf(const Place &place) {
  return place.format.getIntOrFloatBitWidth() / 8;
}

//===- Strips -------------------------------------------------------------===//

void ElementLoops::reserveStrips() {
  for (Operation &operation : kernel_.body()) {
    if (kernel_.levelOf(&operation) != Level::Element ||
        !llvm::isa<ir::GetOp, ir::FoldOp>(operation))
      continue;
    auto place = kernel_.placeOf(nameOf(&operation));
    bool isFold = llvm::isa<ir::FoldOp>(operation);
    if (isFold || !isOwn(*place))
      strips_[&operation] =
          stripMemory(kernel_.entry, isFold ? 8 : bytesOf(*place));
  }
}

void ElementLoops::emitStrips(const Slice &slice, const Strip &range) {
  bool needsStrips =
      llvm::any_of(slice.operations(), [&](Operation *operation) {
        return strips_.contains(operation);
      });
  if (!needsStrips)
    return emitRange(slice, range.from, range.to);
  at_.loop(range.from, range.to, kStrip, [&](Value from) {
    Strip strip = range;
    strip.from = from;
    strip.to = at_.least(range.to, at_.add(from, at_.integer(kStrip)));
    enterStrip(slice, strip);
    emitRange(slice, strip.from, strip.to);
  });
}

/// Lays out what the items of a strip read. Items have numbers from that of
/// the chunk, band or block on, so that pointers begin that much earlier.
void ElementLoops::enterStrip(const Slice &slice, const Strip &strip) {
  for (Operation *operation : slice.operations()) {
    Value memory = strips_.lookup(operation);
    if (!memory)
      continue;
    at_.location = operation->getLoc();
    Value start = memory;
    int64_t bytes = 8;
    if (auto fold = llvm::dyn_cast<ir::FoldOp>(operation)) {
      emitFold(fold, memory, strip);
    } else {
      auto place = kernel_.placeOf(nameOf(operation));
      bytes = bytesOf(*place);
      start = spread(*place, starts_.lookup(nameOf(operation)), memory, strip);
    }
    stripPointers_[operation] =
        at_.at(start, at_.multiply(strip.from, at_.integer(-bytes)));
  }
}

/// Where the values of the array at `start` lie that belong to a strip's items.
Value ElementLoops::spread(const Place &place, Value start, Value memory,
                           const Strip &strip) {
  int64_t bytes = bytesOf(place);
  SpaceKind kind = place.space.getKind();
  const Extents &extents = extents_[place.space.getFolded()];
  Value first = at_.add(strip.first, strip.from);
  Value count = at_.subtract(strip.to, strip.from);
  bool isKnown = strip.row && walk_.getFolded() == place.space.getFolded();
  if (kind == SpaceKind::Cols) {
    if (!isKnown)
      return spreadColumns(kernel_, bytes, memory, start, first, count,
                           extents.rows, extents.columns);
    Value line = at_.multiply(strip.matrix, extents.columns);
    return at_.at(
        start, at_.multiply(at_.add(line, strip.column), at_.integer(bytes)));
  }
  Value value = kind == SpaceKind::Block  ? strip.block
                : !isKnown                ? Value()
                : kind == SpaceKind::Rows ? strip.row
                                          : strip.matrix;
  if (kind == SpaceKind::Block && value && place.space != walk_)
    value = {};
  Value left = count, length = count;
  if (!value) {
    length = lengthOf(place.space);
    value = at_.divide(first, length);
    Value end = at_.multiply(at_.add(value, at_.integer(1)), length);
    left = at_.subtract(end, first);
  }
  Value source = at_.at(start, at_.multiply(value, at_.integer(bytes)));
  spreadRuns(kernel_, bytes, memory, source, left, count, length);
  return memory;
}

//===- Values of blocks, rows, columns and matrices from their parts ------===//

/// Folds what each item of a strip has in scratch, into `memory` as f64.
void ElementLoops::emitFold(ir::FoldOp fold, Value memory, const Strip &strip) {
  auto place = kernel_.placeOf(fold.getList());
  ir::Reducer reducer = fold.getReducer();
  Type type = place->format, f64 = at_.getF64Type();
  const Extents &extents = extents_[place->space.getFolded()];
  Value start = starts_.lookup(fold.getList());
  Value first = at_.add(strip.first, strip.from);
  Value count = at_.subtract(strip.to, strip.from);
  switch (place->space.getKind()) {
  case SpaceKind::RowRuns: {
    Value runs = at_.divideUp(extents.columns, UPDRAFT_COL_RUN);
    Value source = at_.at(start, at_.multiply(first, runs), type);
    return foldRowRuns(kernel_, reducer, type, memory, source, count, runs);
  }
  case SpaceKind::ColRuns: {
    Value runs = at_.divideUp(extents.rows, UPDRAFT_ROW_RUN);
    return foldColumnRuns(kernel_, reducer, type, memory, start, first, count,
                          extents.columns, runs);
  }
  case SpaceKind::Block: // one each
    return foldRowRuns(kernel_, reducer, type, memory,
                       at_.at(start, first, type), count, at_.integer(1));
  default:
    break;
  }
  Value length = place->space.getKind() == SpaceKind::Rows ? extents.rows
                                                           : extents.columns;
  at_.loop(at_.integer(0), count, 1, [&](Value index) {
    Value list = at_.multiply(at_.add(first, index), length);
    Value total = foldNumbers(at_, kernel_, reducer, type,
                              at_.at(start, list, type), length);
    at_.store(total, at_.at(memory, index, f64));
  });
}

/// How many elements the block has that the items belong to: only the last has
/// fewer than all others.
Value ElementLoops::emitBlockSize(ir::ShapeOp shape, const Step &step) {
  Value block = at_.integer(shape.getIndex());
  Value size =
      kernel_.rowMember(at_, offsetof(updraft_tensor, size), at_.getI64Type());
  Value blocks = at_.divide(size, block);
  Value whole = at_.multiply(blocks, block);
  Value end = at_.subtract(itemSpace() ? blocks : whole, base_);
  Value rest = arith::SIToFPOp::create(at_, at_.location, at_.getF64Type(),
                                       at_.subtract(size, whole));
  Value full = at_.number(shape.getIndex(), at_.getF64Type());
  if (step.width == 1) {
    Value isFull = at_.compare(arith::CmpIPredicate::slt, step.index, end);
    return arith::SelectOp::create(at_, at_.location, isFull, full, rest);
  }
  // No further away than a mask can count.
  Value last = at_.add(step.index, at_.integer(step.width));
  end = arith::MaxSIOp::create(at_, at_.location, end, step.index);
  end = arith::MinSIOp::create(at_, at_.location, end, last);
  Type vector = Builder::widened(at_.getF64Type(), step.width);
  auto splat = [&](Value value) {
    return mlir::vector::BroadcastOp::create(at_, at_.location, vector, value);
  };
  return arith::SelectOp::create(at_, at_.location,
                                 maskOf(step.index, end, step.width),
                                 splat(full), splat(rest));
}

} // namespace updraft::loops
