//===- LowerToLoopsWalk.cpp - Element kernels along bands and blocks
//-------===//
//
// A band is a run of up to 64 rows. It is walked row by row, as its elements
// lie in memory, each row in runs of 512 columns: a run is a list in 128 lanes
// for its row and adds a vector to the lanes of its columns, which lie in the
// scratch that they end in. A block is walked like a tensor.
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

ElementLoops::Partials ElementLoops::partialsTo(const Slice &slice,
                                                SpaceKind kind) const {
  Partials result;
  for (Operation *operation : slice.operations())
    if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation))
      if (kernel_.placeOf(partial.getList())->space.getKind() == kind)
        result.push_back(partial);
  return result;
}

/// Where entry `index` of a partial's scratch lies.
Value ElementLoops::entryOf(ir::PartialOp partial, Value index) {
  auto place = kernel_.placeOf(partial.getList());
  return at_.at(starts_.lookup(partial.getList()), index, place->format);
}

//===- Bands --------------------------------------------------------------===//

void ElementLoops::emitBands(const Slice &slice) {
  at_.loop(at_.integer(0), chunkCount_, 1, [&](Value number) {
    emitBand(slice, at_.add(chunkFirst_, number));
  });
}

void ElementLoops::emitBand(const Slice &slice, Value band) {
  auto [rows, columns] = extents_[walk_.getFolded()];
  Value bands = at_.divideUp(rows, UPDRAFT_ROW_RUN);
  Value matrix = at_.divide(band, bands);
  Value run = at_.subtract(band, at_.multiply(matrix, bands));
  Value height = at_.integer(UPDRAFT_ROW_RUN);
  Value row = at_.multiply(run, height);
  Value first = at_.add(at_.multiply(matrix, rows), row);
  Value last = at_.add(first, at_.least(at_.subtract(rows, row), height));
  Value lanes = at_.multiply(band, columns);
  for (ir::PartialOp partial : partialsTo(slice, SpaceKind::ColRuns))
    fillNumbers(kernel_, partial.getOperand().getType(),
                entryOf(partial, lanes), columns,
                identityOf(partial.getReducer()));
  at_.loop(first, last, 1, [&](Value row) {
    emitLine(slice, {{}, {}, {}, row, matrix, {}, {}}, lanes);
  });
}

/// One row: `lanes` is where the column totals of its band begin.
void ElementLoops::emitLine(const Slice &slice, Strip strip, Value lanes) {
  Value columns = extents_[walk_.getFolded()].columns;
  Value width = at_.integer(UPDRAFT_COL_RUN);
  Value elements = at_.multiply(strip.row, columns);
  Value runs = at_.multiply(strip.row, at_.divideUp(columns, UPDRAFT_COL_RUN));
  auto rowPartials = partialsTo(slice, SpaceKind::RowRuns);
  strip.from = at_.integer(0);
  at_.loop(strip.from, columns, UPDRAFT_COL_RUN, [&](Value column) {
    strip.to = at_.least(at_.subtract(columns, column), width);
    strip.first = at_.add(elements, column);
    strip.column = column;
    findPointers(strip.first);
    for (ir::PartialOp partial : partialsTo(slice, SpaceKind::ColRuns))
      pointers_[partial.getList()] = entryOf(partial, at_.add(lanes, column));
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
