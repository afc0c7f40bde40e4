//===- LowerToGpuAxis.cpp - Rows, columns, matrices, blocks on a GPU ------===//
//
// What belongs to an element's row, column, matrix or block is read where it
// lies: neighbours read the same or the next value. Kernels of axis level have
// an item a thread, or a matrix a warp.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToGpuElement.h"
#include "compiler/Passes/LowerToLoopsFormat.h"
#include "runtime/abi.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using ir::SpaceKind;
using mlir::Operation;

//===- Which row, column and matrix ---------------------------------------===//

/// Whether item `item` of the step exists; null if that is certain.
Value GpuElements::exists(const Step &step, unsigned item) {
  if (isVector_ || step.width == 1)
    return {};
  return at_.compare(arith::CmpIPredicate::ult,
                     at_.add(step.index, at_.integer(item)), end_);
}

/// Positions count on from item to item: one division a vector. An item that
/// does not exist has the position of the one before.
llvm::ArrayRef<GpuElements::Position>
GpuElements::positionsOf(int folded, const Step &step) {
  auto &positions = positions_[folded];
  if (positioned_[folded] == step.index)
    return positions;
  positioned_[folded] = step.index;
  positions.clear();
  auto [rows, columns] = extents_[folded];
  Value one = at_.integer(1), none = at_.integer(0);
  Position now;
  Value row; // within the matrix
  bool isKnown = known_.row && walk_.getFolded() == bool(folded);
  if (isKnown) {
    now = {known_.row, at_.add(known_.column, step.index), known_.matrix};
  } else {
    const Base &base = bases_[folded];
    Value rest = at_.add(base.column, step.index);
    Value further = divideNear(rest, columns);
    now.row = at_.add(base.line, further);
    now.column = at_.subtract(rest, at_.multiply(further, columns));
    rest = at_.add(base.row, further);
    further = divideNear(rest, rows);
    now.matrix = at_.add(base.matrix, further);
    row = at_.subtract(rest, at_.multiply(further, rows));
  }
  positions.push_back(now);
  for (unsigned item = 1; item < step.width; ++item) {
    Value isThere = exists(step, item);
    Value by = isThere ? select(at_, isThere, one, none) : one;
    now.column = at_.add(now.column, by);
    if (!isKnown) {
      Value wraps = at_.compare(arith::CmpIPredicate::eq, now.column, columns);
      now.column = select(at_, wraps, none, now.column);
      Value carry = select(at_, wraps, one, none);
      now.row = at_.add(now.row, carry);
      row = at_.add(row, carry);
      wraps = at_.compare(arith::CmpIPredicate::eq, row, rows);
      row = select(at_, wraps, none, row);
      now.matrix = at_.add(now.matrix, select(at_, wraps, one, none));
    }
    positions.push_back(now);
  }
  return positions;
}

/// `sum / by`, where the sum is below `by` plus some thousands. A division of
/// 64 bits is a call of some hundred instructions, which is to be spared where
/// the numbers have 31.
Value GpuElements::divideNear(Value sum, Value by) {
  Type i32 = at_.getI32Type();
  auto narrow = [&](Value value) -> Value {
    return arith::TruncIOp::create(at_, at_.location, i32, value);
  };
  Value quotient = arith::ExtUIOp::create(at_, at_.location, at_.getI64Type(),
                                          at_.divide(narrow(sum), narrow(by)));
  Value isOver = at_.compare(arith::CmpIPredicate::uge, sum, by);
  Value isLong =
      at_.compare(arith::CmpIPredicate::ugt, by, at_.integer(int64_t(1) << 31));
  return select(at_, isLong,
                select(at_, isOver, at_.integer(1), at_.integer(0)), quotient);
}

/// Items are counted from `first` on: finds their pointers, and what item 0
/// belongs to where something asks.
void GpuElements::enterItems(Value first) {
  findPointers(first);
  ir::SpaceAttr items = itemSpace();
  for (int folded = 0; folded < 2; ++folded) {
    auto [rows, columns] = extents_[folded];
    if (!rows)
      continue;
    if (items)
      columns = items.getKind() == SpaceKind::Rows ? rows : columns;
    Base &base = bases_[folded];
    base.line = at_.divide(first, columns);
    base.column = at_.subtract(first, at_.multiply(base.line, columns));
    base.matrix = at_.divide(base.line, rows);
    base.row = at_.subtract(base.line, at_.multiply(base.matrix, rows));
  }
}

/// Which value of an array of `space` belongs to an item of the step.
Value GpuElements::indexOf(ir::SpaceAttr space, const Step &step,
                           unsigned item) {
  SpaceKind kind = space.getKind();
  if (itemSpace()) {
    const Base &base = bases_[space.getFolded()];
    return at_.add(base.line, divideNear(at_.add(base.column, step.index),
                                         lengthOf(space)));
  }
  if (kind == SpaceKind::Block) {
    Value number = at_.add(base_, step.index), by = at_.integer(item);
    if (Value isThere = item > 0 ? exists(step, item) : Value())
      by = select(at_, isThere, by, at_.integer(0));
    return at_.divide(at_.add(number, by), lengthOf(space));
  }
  Position position = positionsOf(space.getFolded(), step)[item];
  if (kind == SpaceKind::Rows)
    return position.row;
  if (kind == SpaceKind::Matrix)
    return position.matrix;
  return at_.add(
      at_.multiply(position.matrix, extents_[space.getFolded()].columns),
      position.column);
}

/// What a step's items read of rows, columns, matrices or blocks.
Value GpuElements::emitAxisGet(ir::GetOp get, const Place &place,
                               const Step &step) {
  Value start = starts_.lookup(get.getSource());
  Type type = Builder::widened(get.getType(), step.width);
  return whenThere(isThere_, type, [&]() -> Value {
    llvm::SmallVector<Value> items;
    for (unsigned item = 0; item < step.width; ++item) {
      Value address =
          at_.at(start, indexOf(place.space, step, item), place.format);
      items.push_back(loadElements(at_, place.format, get.getType(), address, 1,
                                   Value(),
                                   {0, !written_.contains(get.getSource())}));
    }
    return step.width == 1 ? items[0] : vectorOf(at_, items);
  });
}

//===- Kernels of axis level ----------------------------------------------===//

/// One item a thread; of matrices, one a warp, of which one thread stores.
void GpuElements::emitItems(const Slice &slice) {
  enterItems(chunkFirst_);
  isVector_ = false;
  if (!takesWarps_)
    return at_.loop(place_, chunkCount_, team_,
                    [&](Value index) { emitBody(slice, {index, 1, Value()}); });
  at_.loop(at_.integer(0), chunkCount_, 1, [&](Value index) {
    isThere_ = at_.compare(arith::CmpIPredicate::eq, place_, at_.integer(0));
    emitBody(slice, {index, 1, Value()});
    isThere_ = {};
  });
}

Value GpuElements::emitAxisValue(Operation *operation, const Step &step) {
  if (auto shape = llvm::dyn_cast<ir::ShapeOp>(operation))
    return emitBlockSize(shape, step);
  return emitFold(llvm::cast<ir::FoldOp>(operation), step);
}

/// `count` numbers, `stride` of them apart, in order, in f64.
Value GpuElements::foldRuns(ir::Reducer reducer, Type type, Value start,
                            Value stride, Value count) {
  Value identity = at_.number(identityOf(reducer), at_.getF64Type());
  auto loop = scf::ForOp::create(at_, at_.location, at_.integer(0), count,
                                 at_.integer(1), identity);
  mlir::OpBuilder::InsertionGuard guard(at_);
  at_.setInsertionPointToStart(loop.getBody());
  Value index = at_.multiply(loop.getInductionVar(), stride);
  Value run = toF64(at_, at_.load(type, at_.at(start, index, type), 0, true));
  scf::YieldOp::create(at_, at_.location,
                       combine(at_, reducer, loop.getRegionIterArg(0), run));
  return loop.getResult(0);
}

Value GpuElements::emitFold(ir::FoldOp fold, const Step &step) {
  auto place = kernel_.placeOf(fold.getList());
  ir::Reducer reducer = fold.getReducer();
  Type type = place->format;
  auto [rows, columns] = extents_[place->space.getFolded()];
  Value start = starts_.lookup(fold.getList());
  Value item = at_.add(chunkFirst_, step.index), one = at_.integer(1);
  switch (place->space.getKind()) {
  case SpaceKind::RowRuns: {
    Value runs = at_.divideUp(columns, UPDRAFT_COL_RUN);
    return foldRuns(reducer, type,
                    at_.at(start, at_.multiply(item, runs), type), one, runs);
  }
  case SpaceKind::ColRuns: {
    Value runs = at_.divideUp(rows, UPDRAFT_ROW_RUN);
    Value matrix = at_.divide(item, columns);
    Value column = at_.subtract(item, at_.multiply(matrix, columns));
    Value line = at_.multiply(at_.multiply(matrix, runs), columns);
    return foldRuns(reducer, type, at_.at(start, at_.add(line, column), type),
                    columns, runs);
  }
  case SpaceKind::Block: // one each
    return foldRuns(reducer, type, at_.at(start, item, type), one, one);
  default:
    break;
  }
  Value length = place->space.getKind() == SpaceKind::Rows ? rows : columns;
  return gpu_.foldNumbers(at_, reducer, type,
                          at_.at(start, at_.multiply(item, length), type),
                          length);
}

/// How many elements the block has that the items belong to: only the last has
/// fewer than all others.
Value GpuElements::emitBlockSize(ir::ShapeOp shape, const Step &step) {
  Type f64 = at_.getF64Type();
  Value block = at_.integer(shape.getIndex());
  Value size =
      kernel_.rowMember(at_, offsetof(updraft_tensor, size), at_.getI64Type());
  Value blocks = at_.divide(size, block);
  Value whole = at_.multiply(blocks, block);
  Value end = itemSpace() ? blocks : whole;
  Value rest = arith::SIToFPOp::create(at_, at_.location, f64,
                                       at_.subtract(size, whole));
  Value full = at_.number(shape.getIndex(), f64);
  llvm::SmallVector<Value> items;
  for (unsigned item = 0; item < step.width; ++item) {
    Value number = at_.add(at_.add(base_, step.index), at_.integer(item));
    Value isFull = at_.compare(arith::CmpIPredicate::ult, number, end);
    items.push_back(select(at_, isFull, full, rest));
  }
  return step.width == 1 ? items[0] : vectorOf(at_, items);
}

} // namespace updraft::loops
