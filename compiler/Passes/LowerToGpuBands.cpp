//===- LowerToGpuBands.cpp - Walks along bands and blocks on a GPU --------===//
//
// A block takes a band and each of its warps runs of 512 columns: a thread has
// 16 columns of a run, whose lanes stay in registers from row to row. A warp
// takes a block of n elements, like a chunk.
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

/// Vectors that a thread has of a run.
static constexpr int64_t kRunTurns = UPDRAFT_COL_RUN / (kWarp * kItems);

/// Where a thread begins to add up its lanes.
static Value emptyLanes(Builder &at, ir::PartialOp partial) {
  return loops::emptyLanes(at, partial.getReducer(),
                           partial.getOperand().getType());
}

//===- Bands --------------------------------------------------------------===//

void GpuElements::emitBands(const Slice &slice) {
  at_.loop(at_.integer(0), chunkCount_, 1, [&](Value number) {
    Band band = findBand(at_.add(chunkFirst_, number));
    Value own = at_.multiply(gpu_.thread.warp, at_.integer(UPDRAFT_COL_RUN));
    at_.loop(at_.add(band.left, own), band.right, warps_ * UPDRAFT_COL_RUN,
             [&](Value column) { emitRun(slice, band, column); });
  });
  known_ = {};
}

/// Whole vectors, where rows begin at a multiple of four items and the arrays
/// where a vector may.
void GpuElements::emitRun(const Slice &slice, const Band &band, Value column) {
  Value columns = extents_[walk_.getFolded()].columns;
  Value width =
      at_.least(at_.subtract(band.right, column), at_.integer(UPDRAFT_COL_RUN));
  findPointers(at_.integer(0));
  Value isEven = at_.compare(arith::CmpIPredicate::eq,
                             at_.bitAnd(columns, kItems - 1), at_.integer(0));
  Value isVector =
      arith::AndIOp::create(at_, at_.location, isAligned(slice), isEven);
  at_.when(
      isVector, [&] { emitRows(slice, band, findRun(column, width, true)); },
      [&] { emitRows(slice, band, findRun(column, width, false)); });
}

/// Which columns of the run the thread has, and which of them exist: of whole
/// vectors all items do, or none.
GpuElements::Run GpuElements::findRun(Value column, Value width,
                                      bool isVector) {
  Run run{column, isVector, {}, {}};
  for (int64_t turn = 0; turn < kRunTurns; ++turn) {
    Value index = at_.add(at_.multiply(place_, at_.integer(kItems)),
                          at_.integer(turn * kWarp * kItems));
    run.steps.push_back(index);
    run.masks.push_back(
        isVector ? at_.compare(arith::CmpIPredicate::ult, index, width)
                 : maskOf(index, width));
  }
  isVector_ = isVector;
  end_ = width;
  return run;
}

void GpuElements::emitRows(const Slice &slice, const Band &band,
                           const Run &run) {
  Partials partials = partialsTo(slice, SpaceKind::ColRuns);
  llvm::SmallVector<Value> start;
  for (int64_t turn = 0; turn < kRunTurns; ++turn)
    for (ir::PartialOp partial : partials)
      start.push_back(emptyLanes(at_, partial));
  auto loop = scf::ForOp::create(at_, at_.location, band.first, band.last,
                                 at_.integer(1), start);
  {
    mlir::OpBuilder::InsertionGuard guard(at_);
    at_.setInsertionPointToStart(loop.getBody());
    auto next = emitRow(slice, band, run, loop.getInductionVar(),
                        ValueRange(loop.getRegionIterArgs()));
    if (!next.empty()) // else the loop has its end already
      scf::YieldOp::create(at_, at_.location, next);
  }
  // The scratch may begin anywhere, so items are stored one by one.
  for (auto [number, lanes] : llvm::enumerate(loop.getResults())) {
    size_t turn = number / partials.size();
    ir::PartialOp partial = partials[number % partials.size()];
    Value index = at_.add(at_.add(band.lanes, run.column), run.steps[turn]);
    Value mask = run.isVector ? maskOf(run.steps[turn], end_) : run.masks[turn];
    storeElements(at_, kernel_.placeOf(partial.getList())->format, lanes,
                  entryOf(partial, index), mask);
  }
}

/// The body for the thread's items of a row: stores the row's totals. `lanes`
/// are those of its columns, turn by turn; returns them after the row.
llvm::SmallVector<Value> GpuElements::emitRow(const Slice &slice,
                                              const Band &band, const Run &run,
                                              Value row, ValueRange lanes) {
  Value columns = extents_[walk_.getFolded()].columns;
  Partials rowPartials = partialsTo(slice, SpaceKind::RowRuns);
  Partials columnPartials = partialsTo(slice, SpaceKind::ColRuns);
  enterItems(at_.add(at_.multiply(row, columns), run.column));
  known_ = {row, run.column, band.matrix};
  for (ir::PartialOp partial : rowPartials)
    rows_[partial] = emptyLanes(at_, partial);
  llvm::SmallVector<Value> next;
  for (int64_t turn = 0; turn < kRunTurns; ++turn) {
    for (auto [number, partial] : llvm::enumerate(columnPartials))
      rows_[partial] = lanes[next.size() + number];
    isThere_ = run.isVector ? run.masks[turn] : Value();
    Value mask = run.isVector ? Value() : run.masks[turn];
    emitBody(slice, {run.steps[turn], unsigned(kItems), mask, /*isRow=*/true});
    for (ir::PartialOp partial : columnPartials)
      next.push_back(rows_[partial]);
  }
  isThere_ = {};
  llvm::SmallVector<Value> totals;
  for (ir::PartialOp partial : rowPartials)
    totals.push_back(foldLanes(at_, partial.getReducer(), rows_[partial]));
  Value runs = at_.divideUp(columns, UPDRAFT_COL_RUN);
  Value number = at_.divide(run.column, at_.integer(UPDRAFT_COL_RUN));
  Value entry = at_.add(at_.multiply(row, runs), number);
  storeFirst(rowPartials, totals, [&](ir::PartialOp partial, Value total) {
    storeElements(at_, kernel_.placeOf(partial.getList())->format, total,
                  entryOf(partial, entry), Value());
  });
  return next;
}

//===- Blocks -------------------------------------------------------------===//

void GpuElements::emitOwnBlocks(const Slice &slice) {
  Value length = at_.integer(walk_.getBlock());
  Value size =
      kernel_.rowMember(at_, offsetof(updraft_tensor, size), at_.getI64Type());
  Partials partials = partialsTo(slice, SpaceKind::Block);
  at_.loop(at_.integer(0), chunkCount_, 1, [&](Value number) {
    Value block = at_.add(chunkFirst_, number);
    Value first = at_.multiply(block, length);
    Value count = at_.least(at_.subtract(size, first), length);
    llvm::SmallVector<Value> lanes;
    if (walk_.getBlock() > UPDRAFT_BLOCK) {
      lanes = emitLongBlock(slice, first, count, partials);
    } else {
      enterItems(first);
      lanes = emitRange(slice, count, partials);
    }
    llvm::SmallVector<Value> totals;
    for (auto [partial, own] : llvm::zip(partials, lanes))
      totals.push_back(toF64(at_, foldLanes(at_, partial.getReducer(), own)));
    storeFirst(partials, totals, [&](ir::PartialOp partial, Value total) {
      at_.store(total, entryOf(partial, block), 8);
    });
  });
}

/// A block of more than 4096 elements has totals of its own lanes, like a
/// tensor.
llvm::SmallVector<Value> GpuElements::emitLongBlock(const Slice &slice,
                                                    Value first, Value count,
                                                    const Partials &partials) {
  Type f64 = at_.getF64Type();
  llvm::SmallVector<Value> start;
  for (ir::PartialOp partial : partials)
    start.push_back(loops::emptyLanes(at_, partial.getReducer(), f64));
  Value most = at_.integer(UPDRAFT_BLOCK);
  auto loop =
      scf::ForOp::create(at_, at_.location, at_.integer(0), count, most, start);
  mlir::OpBuilder::InsertionGuard guard(at_);
  at_.setInsertionPointToStart(loop.getBody());
  Value from = loop.getInductionVar();
  enterItems(at_.add(first, from));
  auto lanes =
      emitRange(slice, at_.least(at_.subtract(count, from), most), partials);
  llvm::SmallVector<Value> next;
  for (auto [number, own] : llvm::enumerate(lanes)) {
    ir::Reducer reducer = ir::PartialOp(partials[number]).getReducer();
    Value total = toF64(at_, foldLanes(at_, reducer, own));
    next.push_back(addToLane(at_, reducer, gpu_.thread,
                             loop.getRegionIterArg(number),
                             at_.divide(from, most), total));
  }
  if (!next.empty()) // else the loop has its end already
    scf::YieldOp::create(at_, at_.location, next);
  return loop.getResults();
}

} // namespace updraft::loops
