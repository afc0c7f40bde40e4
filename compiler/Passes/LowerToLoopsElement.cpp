//===- LowerToLoopsElement.cpp - Kernels of element level -----------------===//
//
// A loop over chunks around a loop over vectors; elements here are the items of
// the kernel, also if those are rows or blocks. Values of model and group
// level stand before the first, those of tensor level before the second; each
// is spread over a vector once. Where a kernel reduces, a chunk is walked in
// blocks of 4096 elements.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToLoopsElement.h"

#include "compiler/Passes/LowerToLoopsFormat.h"
#include "runtime/abi.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
using ir::Level;
using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

/// Lanes stay in registers where all of them take at most so many bytes, which
/// is half of what there is, and the body, which then becomes that much longer,
/// so many operations.
static constexpr int64_t kRegisterBytes = 1024;
static constexpr size_t kShortBody = 6;

/// Items of a vector of the compute type.
static unsigned widthOf(const Kernel &kernel) {
  auto program = ir::KernelOp(kernel.op)->getParentOfType<ir::ProgramOp>();
  return kernel.shape.vectorBytes * 8 /
         program.getCompute().getIntOrFloatBitWidth();
}

// What runs once is made for quick compilation.
ElementLoops::ElementLoops(Kernel &kernel)
    : ElementKernel(kernel, widthOf(kernel),
                    kernel.op.getWhen() == ir::When::Init) {}

//===- Around the loops ---------------------------------------------------===//

LogicalResult ElementLoops::build() {
  if (failed(check()))
    return failure();
  return kernel_.build([&]() -> LogicalResult {
    if (failed(kernel_.emitUniforms(kernel_.entry, Level::Model)))
      return failure();
    bool readsGroup = llvm::any_of(kernel_.body(), [&](Operation &operation) {
      return kernel_.levelOf(&operation) == Level::Group;
    });
    // All chunks of a call belong to one group, so the first tells it.
    if (readsGroup) {
      kernel_.enterChunk(at_, kernel_.first);
      kernel_.enterGroupOfRow(at_);
    }
    if (failed(kernel_.emitUniforms(at_, Level::Group)))
      return failure();
    reserveStrips();
    Type f64 = at_.getF64Type();
    for (auto partial : kernel_.op.getBody().getOps<ir::PartialOp>()) {
      if (addsToColumns(partial))
        continue;
      Type type = partial.getOperand().getType();
      Value memory = kernel_.entry.stack(type, kLanes);
      lanes_.try_emplace(partial,
                         Lanes{memory, type, partial.getReducer(), width_});
      if (walk_ && walk_.getBlock() > UPDRAFT_BLOCK)
        totals_.try_emplace(partial, Lanes{kernel_.entry.stack(f64, kLanes),
                                           f64, partial.getReducer(),
                                           kernel_.shape.vectorBytes / 8});
    }
    LogicalResult result = success();
    Value end = at_.add(kernel_.first, kernel_.count);
    at_.loop(kernel_.first, end, 1,
             [&](Value number) { result = emitChunk(number); });
    return result;
  });
}

//===- The loops over one chunk -------------------------------------------===//

void ElementLoops::emitLoops(const Slice &slice) {
  findStarts(slice);
  spreadUniforms(slice);
  if (walk_)
    return walk_.getKind() == ir::SpaceKind::Bands ? emitBands(slice)
                                                   : emitOwnBlocks(slice);
  findPointers(chunkFirst_);
  Partials partials = partialsOf(slice);
  if (partials.empty())
    emitStrips(slice, {at_.integer(0), chunkCount_, chunkFirst_});
  else
    emitBlocks(slice, partials);
}

void ElementLoops::emitBlocks(const Slice &slice, const Partials &partials) {
  Value blockSize = at_.integer(UPDRAFT_BLOCK);
  Value firstEntry = blockEntry();
  at_.loop(at_.integer(0), chunkCount_, UPDRAFT_BLOCK, [&](Value from) {
    Value to = arith::MinUIOp::create(at_, at_.location, chunkCount_,
                                      at_.add(from, blockSize));
    Value rest = emitFirstRows(slice, partials, from, to);
    emitStrips(slice, {rest, to, chunkFirst_});
    Value block = arith::DivUIOp::create(at_, at_.location, from, blockSize);
    Value entry = at_.add(firstEntry, block);
    for (ir::PartialOp partial : partials)
      storeTotal(partial,
                 lanes_.find(partial)->second.fold(at_, kernel_.module), entry);
  });
}

/// Whether the pass only reduces, and shortly, and the target has registers for
/// it. A call would put them back into memory.
bool ElementLoops::fitsRegisters(const Slice &slice,
                                 const Partials &partials) const {
  int64_t bytes = 0;
  for (ir::PartialOp partial : partials)
    bytes +=
        kLanes * (partial.getOperand().getType().getIntOrFloatBitWidth() / 8);
  llvm::SmallVector<Operation *> body = slice.operations();
  return kernel_.shape.tail == LoopShape::Tail::MaskLoop && !isScalar_ &&
         bytes <= kRegisterBytes && body.size() <= kShortBody &&
         llvm::none_of(body, [&](Operation *operation) {
           return llvm::isa<ir::PutOp, ir::MathOp>(operation) ||
                  strips_.contains(operation);
         });
}

/// Begins a list of elements [from, to): says from where on they are added to
/// lanes in memory.
Value ElementLoops::emitFirstRows(const Slice &slice, const Partials &partials,
                                  Value from, Value to) {
  if (!partials.empty() && fitsRegisters(slice, partials))
    return emitRows(slice, partials, from, to);
  for (ir::PartialOp partial : partials)
    lanes_.find(partial)->second.clear(at_);
  return from;
}

/// Whole rows of kLanes elements from `from` on, with the lanes in registers;
/// in memory afterwards. Returns where the rows end.
Value ElementLoops::emitRows(const Slice &slice, const Partials &partials,
                             Value from, Value to) {
  Value end = at_.bitAnd(to, -kLanes);
  llvm::SmallVector<Value> carried;
  for (ir::PartialOp partial : partials)
    carried.push_back(lanes_.find(partial)->second.identity(at_));
  auto loop = mlir::scf::ForOp::create(at_, at_.location, from, end,
                                       at_.integer(kLanes), carried);
  {
    mlir::OpBuilder::InsertionGuard guard(at_);
    at_.setInsertionPointToStart(loop.getBody());
    for (auto [partial, row] : llvm::zip(partials, loop.getRegionIterArgs()))
      rows_[partial] = row;
    emitBody(slice, {loop.getInductionVar(), unsigned(kLanes), Value()});
    for (auto [partial, row] : llvm::zip(partials, carried))
      row = rows_.lookup(partial);
    mlir::scf::YieldOp::create(at_, at_.location, carried);
  }
  for (auto [partial, row] : llvm::zip(partials, loop.getResults()))
    lanes_.find(partial)->second.set(at_, row);
  return end;
}

LogicalResult lowerElementKernel(Kernel &kernel) {
  return ElementLoops(kernel).build();
}

} // namespace updraft::loops
