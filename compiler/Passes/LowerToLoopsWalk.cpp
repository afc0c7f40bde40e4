//===- LowerToLoopsWalk.cpp - Element kernels along bands and blocks ------===//
//
// A band is a run of up to 64 rows and 4096 columns. It is walked row by row,
// as its elements lie in memory, each row in runs of 512 columns: a run is a
// list in 128 lanes for its row and adds a vector to the lanes of its columns,
// which lie in the scratch that they end in. Where a row is no longer than a
// vector, all lanes stay in registers. A block is walked like a tensor.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToLoopsAxis.h"
#include "compiler/Passes/LowerToLoopsElement.h"
#include "compiler/Passes/LowerToLoopsFormat.h"
#include "runtime/abi.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
using ir::SpaceKind;
using mlir::Operation;

//===- Bands --------------------------------------------------------------===//

void ElementLoops::emitBands(const Slice &slice) {
  at_.loop(at_.integer(0), chunkCount_, 1, [&](Value number) {
    emitBand(slice, at_.add(chunkFirst_, number));
  });
}

void ElementLoops::emitBand(const Slice &slice, Value item) {
  Band band = findBand(item);
  if (!canMask(slice))
    return emitWideBand(slice, band);
  Value isNarrow =
      at_.compare(arith::CmpIPredicate::ule,
                  extents_[walk_.getFolded()].columns, at_.integer(width_));
  at_.when(
      isNarrow, [&] { emitNarrowBand(slice, band); },
      [&] { emitWideBand(slice, band); });
}

void ElementLoops::emitWideBand(const Slice &slice, const Band &band) {
  for (ir::PartialOp partial : partialsTo(slice, SpaceKind::ColRuns))
    fillNumbers(kernel_, partial.getOperand().getType(),
                entryOf(partial, at_.add(band.lanes, band.left)),
                at_.subtract(band.right, band.left),
                identityOf(partial.getReducer()));
  at_.loop(band.first, band.last, 1,
           [&](Value row) { emitLine(slice, band, row); });
}

/// A band whose rows are at most a vector: its columns' lanes stay in registers
/// from row to row. Lanes that a row does not have are left out of its fold:
/// they are the identity, which changes nothing.
void ElementLoops::emitNarrowBand(const Slice &slice, const Band &band) {
  Partials rows = partialsTo(slice, SpaceKind::RowRuns);
  Partials columns = partialsTo(slice, SpaceKind::ColRuns);
  auto identity = [&](ir::PartialOp partial) {
    Type type = partial.getOperand().getType();
    return at_.number(identityOf(partial.getReducer()),
                      Builder::widened(type, width_));
  };
  llvm::SmallVector<Value> carried;
  for (ir::PartialOp partial : columns)
    carried.push_back(identity(partial));
  Value none = at_.integer(0), mask = maskOf(none, band.right, width_);
  auto loop = mlir::scf::ForOp::create(at_, at_.location, band.first, band.last,
                                       at_.integer(1), carried);
  {
    mlir::OpBuilder::InsertionGuard guard(at_);
    at_.setInsertionPointToStart(loop.getBody());
    Value row = loop.getInductionVar();
    Value first = at_.multiply(row, band.right);
    findPointers(first);
    enterStrip(slice, {none, band.right, first, row, band.matrix, none, {}});
    for (auto [partial, lanes] : llvm::zip(columns, loop.getRegionIterArgs()))
      rows_[partial] = lanes;
    for (ir::PartialOp partial : rows)
      rows_[partial] = identity(partial);
    emitBody(slice, {none, width_, mask, /*isRow=*/true});
    for (ir::PartialOp partial : rows)
      storeElements(at_, kernel_.placeOf(partial.getList())->format,
                    foldVector(at_, partial.getReducer(), rows_[partial]),
                    entryOf(partial, row), Value());
    for (auto [partial, lanes] : llvm::zip(columns, carried))
      lanes = rows_[partial];
    if (!carried.empty()) // else the loop has its end already
      mlir::scf::YieldOp::create(at_, at_.location, carried);
  }
  for (auto [partial, lanes] : llvm::zip(columns, loop.getResults()))
    storeElements(at_, kernel_.placeOf(partial.getList())->format, lanes,
                  entryOf(partial, band.lanes), mask);
}

void ElementLoops::emitLine(const Slice &slice, const Band &band, Value row) {
  Value columns = extents_[walk_.getFolded()].columns;
  Value width = at_.integer(UPDRAFT_COL_RUN), none = at_.integer(0);
  Value elements = at_.multiply(row, columns);
  Value runs = at_.multiply(row, at_.divideUp(columns, UPDRAFT_COL_RUN));
  auto rowPartials = partialsTo(slice, SpaceKind::RowRuns);
  at_.loop(band.left, band.right, UPDRAFT_COL_RUN, [&](Value column) {
    Strip strip{none,
                at_.least(at_.subtract(band.right, column), width),
                at_.add(elements, column),
                row,
                band.matrix,
                column,
                {}};
    findPointers(strip.first);
    for (ir::PartialOp partial : partialsTo(slice, SpaceKind::ColRuns))
      pointers_[partial.getList()] =
          entryOf(partial, at_.add(band.lanes, column));
    enterStrip(slice, strip);
    Value rest = emitFirstRows(slice, rowPartials, strip.from, strip.to);
    emitRange(slice, rest, strip.to);
    for (ir::PartialOp partial : rowPartials) {
      Value total = lanes_.find(partial)->second.fold(at_, kernel_.module);
      Value run = at_.add(runs, at_.divide(column, width));
      storeElements(at_, kernel_.placeOf(partial.getList())->format, total,
                    entryOf(partial, run), Value());
    }
  });
}

//===- Blocks -------------------------------------------------------------===//

void ElementLoops::emitOwnBlocks(const Slice &slice) {
  Value length = at_.integer(walk_.getBlock());
  Value size =
      kernel_.rowMember(at_, offsetof(updraft_tensor, size), at_.getI64Type());
  at_.loop(at_.integer(0), chunkCount_, 1, [&](Value number) {
    Value block = at_.add(chunkFirst_, number);
    Value first = at_.multiply(block, length);
    Value count = at_.least(at_.subtract(size, first), length);
    findPointers(first);
    emitOwnBlock(slice, {at_.integer(0), count, first, {}, {}, {}, block});
  });
}

/// A block of more than 4096 elements has totals of its own lanes, like a
/// tensor; of one with fewer the only total is that of the block.
void ElementLoops::emitOwnBlock(const Slice &slice, const Strip &range) {
  auto partials = partialsTo(slice, SpaceKind::Block);
  auto addAll = [&](Strip strip) {
    strip.from = emitFirstRows(slice, partials, strip.from, strip.to);
    emitStrips(slice, strip);
  };
  auto totalOf = [&](ir::PartialOp partial) -> Value {
    Value total = lanes_.find(partial)->second.fold(at_, kernel_.module);
    return total.getType().isF64()
               ? total
               : arith::ExtFOp::create(at_, at_.location, at_.getF64Type(),
                                       total);
  };
  if (walk_.getBlock() <= UPDRAFT_BLOCK) {
    addAll(range);
    for (ir::PartialOp partial : partials)
      at_.store(totalOf(partial), entryOf(partial, range.block), 8);
    return;
  }
  for (ir::PartialOp partial : partials)
    totals_.find(partial)->second.clear(at_);
  Value most = at_.integer(UPDRAFT_BLOCK);
  at_.loop(range.from, range.to, UPDRAFT_BLOCK, [&](Value from) {
    Strip strip = range;
    strip.from = from;
    strip.to = at_.least(range.to, at_.add(from, most));
    addAll(strip);
    for (ir::PartialOp partial : partials)
      totals_.find(partial)->second.accumulate(at_, at_.divide(from, most),
                                               totalOf(partial));
  });
  for (ir::PartialOp partial : partials)
    at_.store(totals_.find(partial)->second.fold(at_, kernel_.module),
              entryOf(partial, range.block), 8);
}

} // namespace updraft::loops
