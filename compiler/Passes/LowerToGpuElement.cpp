//===- LowerToGpuElement.cpp - Elements in order, on a GPU ----------------===//
//
// A block, or a warp where the kernel reduces, takes a chunk, and each of its
// threads every so many vectors of four elements. Which elements are a
// thread's depends on their numbers alone: where arrays do not begin at 16
// bytes, or a vector reaches beyond the end, it accesses them one by one.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToGpuElement.h"

#include "compiler/Passes/ExpandMath.h"
#include "compiler/Passes/LowerToLoopsFormat.h"
#include "runtime/abi.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using ir::Level;
using ir::SpaceKind;
using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

/// Turns whose loads are on their way together, where a body only reduces, and
/// how many operations that may have.
static constexpr int64_t kTurns = 4;
static constexpr size_t kShortBody = 12;

bool takesWarps(ir::KernelOp kernel) {
  std::optional<ir::SpaceAttr> space = kernel.getSpace();
  if (kernel.getLevel() == Level::Axis)
    return space->getKind() == SpaceKind::Matrix;
  if (space)
    return space->getKind() == SpaceKind::Block;
  return !kernel.getBody().getOps<ir::PartialOp>().empty();
}

GpuElements::GpuElements(GpuKernel &kernel, unsigned threads)
    : ElementKernel(kernel, kItems, kernel.level() == Level::Axis),
      gpu_(kernel), takesWarps_(takesWarps(kernel.op)),
      warps_(threads / kWarp) {
  mixesGroups_ = true;
  bool isOfWarp = takesWarps_ || walk_; // of a band, a warp has a run
  place_ = isOfWarp ? kernel.thread.lane : kernel.thread.number;
  team_ = takesWarps_ ? kWarp : threads;
  for (auto put : kernel.op.getBody().getOps<ir::PutOp>())
    written_.insert(put.getTarget());
}

LogicalResult GpuElements::build() {
  if (failed(check()) || failed(gpu_.emitUniforms(gpu_.entry, Level::Model)))
    return failure();
  const Thread &thread = gpu_.thread;
  Value own = thread.block, step = thread.blocks;
  if (takesWarps_) {
    Value warps = at_.integer(warps_);
    own = at_.add(at_.multiply(own, warps), thread.warp);
    step = at_.multiply(step, warps);
  }
  LogicalResult result = success();
  at_.loop(at_.add(kernel_.first, own), at_.add(kernel_.first, kernel_.count),
           step, [&](Value number) { result = emitChunk(number); });
  return result;
}

void GpuElements::emitLoops(const Slice &slice) {
  findStarts(slice);
  spreadUniforms(slice);
  if (kernel_.level() == Level::Axis)
    return emitItems(slice);
  if (walk_)
    return walk_.getKind() == SpaceKind::Bands ? emitBands(slice)
                                               : emitOwnBlocks(slice);
  enterItems(chunkFirst_);
  Partials partials = partialsOf(slice);
  auto lanes = emitRange(slice, chunkCount_, partials);
  if (partials.empty())
    return;
  Value entry = blockEntry();
  llvm::SmallVector<Value> totals;
  for (auto [partial, own] : llvm::zip(partials, lanes))
    totals.push_back(foldLanes(at_, partial.getReducer(), own));
  storeFirst(partials, totals, [&](ir::PartialOp partial, Value total) {
    storeTotal(partial, total, entry);
  });
}

/// One thread stores what all of a warp have.
void GpuElements::storeFirst(
    const Partials &partials, ValueRange totals,
    llvm::function_ref<void(ir::PartialOp, Value)> store) {
  if (partials.empty())
    return;
  Value isFirst = at_.compare(arith::CmpIPredicate::eq, place_, at_.integer(0));
  at_.when(isFirst, [&] {
    for (auto [partial, total] : llvm::zip(partials, totals))
      store(partial, total);
  });
}

//===- Ranges -------------------------------------------------------------===//

/// Bytes of a vector of `format` in memory, if it is accessed at once: of f64,
/// two accesses make one.
static unsigned alignmentOf(Type format) {
  return std::min(16u, unsigned(kItems) * format.getIntOrFloatBitWidth() / 8);
}

/// Whether vectors can be accessed at once wherever the items' arrays are read
/// or written. The same for all threads that share an item.
Value GpuElements::isAligned(const Slice &slice) {
  Value low;
  llvm::StringSet<> seen;
  for (Operation *operation : slice.operations()) {
    llvm::StringRef name = nameOf(operation);
    if (!llvm::isa<ir::GetOp, ir::PutOp>(operation) ||
        (slice.isAbsent() && readsGradient(operation)) ||
        !isOwn(*kernel_.placeOf(name)) || !seen.insert(name).second)
      continue;
    Value address = mlir::LLVM::PtrToIntOp::create(
        at_, at_.location, at_.getI64Type(), pointers_.lookup(name));
    address =
        at_.bitAnd(address, alignmentOf(kernel_.placeOf(name)->format) - 1);
    low = low ? arith::OrIOp::create(at_, at_.location, low, address) : address;
  }
  if (!low)
    return at_.integer(1, at_.getI1Type());
  return at_.compare(arith::CmpIPredicate::eq, low, at_.integer(0));
}

Value GpuElements::maskOf(Value index, Value end) {
  llvm::SmallVector<Value> items;
  for (int64_t item = 0; item < kItems; ++item)
    items.push_back(at_.compare(arith::CmpIPredicate::ult,
                                at_.add(index, at_.integer(item)), end));
  return vectorOf(at_, items);
}

bool GpuElements::isShort(const Slice &slice) const {
  auto operations = slice.operations();
  return operations.size() <= kShortBody &&
         llvm::none_of(operations, [](Operation *operation) {
           return llvm::isa<ir::PutOp, ir::MathOp, arith::DivFOp>(operation);
         });
}

/// The thread's vectors from `from` on that begin before `to`, `turns` of them
/// at a time; `end` is null where all of their items exist. Returns the lanes
/// of `partials`.
llvm::SmallVector<Value>
GpuElements::emitTurns(const Slice &slice, Value from, Value to, int64_t turns,
                       Value end, const Partials &partials, ValueRange start) {
  int64_t stride = team_ * kItems;
  auto loop = scf::ForOp::create(at_, at_.location, from, to,
                                 at_.integer(turns * stride), start);
  mlir::OpBuilder::InsertionGuard guard(at_);
  at_.setInsertionPointToStart(loop.getBody());
  for (auto [partial, lanes] : llvm::zip(partials, loop.getRegionIterArgs()))
    rows_[partial] = lanes;
  isVector_ = !end;
  end_ = end;
  for (int64_t turn = 0; turn < turns; ++turn) {
    Value index = at_.add(loop.getInductionVar(), at_.integer(turn * stride));
    emitBody(slice,
             {index, unsigned(kItems), end ? maskOf(index, end) : Value()});
  }
  llvm::SmallVector<Value> lanes;
  for (ir::PartialOp partial : partials)
    lanes.push_back(rows_.lookup(partial));
  if (!lanes.empty()) // else the loop has its end already
    scf::YieldOp::create(at_, at_.location, lanes);
  return loop.getResults();
}

/// Items [0, count) from `pointers_` on. Returns the lanes of `partials`.
llvm::SmallVector<Value> GpuElements::emitRange(const Slice &slice, Value count,
                                                const Partials &partials) {
  int64_t stride = team_ * kItems;
  Value own = at_.multiply(place_, at_.integer(kItems));
  Value whole =
      select(at_, isAligned(slice), at_.bitAnd(count, -kItems), at_.integer(0));
  llvm::SmallVector<Value> lanes;
  for (ir::PartialOp partial : partials)
    lanes.push_back(
        emptyLanes(at_, partial.getReducer(), partial.getOperand().getType()));
  Value from = own;
  if (!partials.empty() && isShort(slice)) {
    Value most = at_.bitAnd(whole, -kTurns * stride);
    lanes = emitTurns(slice, from, most, kTurns, {}, partials, lanes);
    from = at_.add(most, own);
  }
  lanes = emitTurns(slice, from, whole, 1, {}, partials, lanes);
  // The first of the thread's vectors that does not end before `whole`.
  Value rest = at_.bitAnd(at_.subtract(own, whole), stride - 1);
  return emitTurns(slice, at_.add(whole, rest), count, 1, count, partials,
                   lanes);
}

//===- The body -----------------------------------------------------------===//

/// Item by item: all of a vector's at once would need four times the registers.
Value GpuElements::emitMath(ir::MathOp math, ValueRange operands) {
  if (!mlir::isa<mlir::VectorType>(operands[0].getType()))
    return emitFunction(at_, at_.location, math.getFunction(), operands);
  llvm::SmallVector<llvm::SmallVector<Value>> parts;
  for (Value operand : operands)
    parts.push_back(itemsOf(at_, operand));
  llvm::SmallVector<Value> results;
  for (size_t item = 0; item < parts[0].size(); ++item) {
    llvm::SmallVector<Value> own;
    for (auto &part : parts)
      own.push_back(part[item]);
    results.push_back(emitFunction(at_, at_.location, math.getFunction(), own));
  }
  return vectorOf(at_, results);
}

/// What `make` makes where `isThere`, else 0; simply that if it is null.
Value GpuElements::whenThere(Value isThere, Type type,
                             llvm::function_ref<Value()> make) {
  if (!isThere)
    return make();
  auto branch = scf::IfOp::create(at_, at_.location, type, isThere,
                                  /*withElseRegion=*/true);
  mlir::OpBuilder::InsertionGuard guard(at_);
  at_.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(at_, at_.location, make());
  at_.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(at_, at_.location, at_.number(0, type));
  return branch.getResult(0);
}

Value GpuElements::emitGet(const Slice &slice, ir::GetOp get,
                           const Step &step) {
  // It has no memory, whatever the conditions are under which it is read.
  if (slice.isAbsent() && readsGradient(get))
    return at_.number(0, Builder::widened(get.getType(), step.width));
  auto place = kernel_.placeOf(get.getSource());
  if (!isOwn(*place))
    return emitAxisGet(get, *place, step);
  Type format = place->format;
  Type item = at_.getIntegerType(format.getIntOrFloatBitWidth());
  Value start = pointers_.lookup(get.getSource());
  Access access{isVector_ ? alignmentOf(format) : 0,
                !written_.contains(get.getSource())};
  return whenThere(isThere_, Builder::widened(get.getType(), step.width), [&] {
    return loadElements(at_, format, get.getType(),
                        at_.at(start, step.index, item), step.width, step.mask,
                        access);
  });
}

void GpuElements::emitPut(const Slice &slice, ir::PutOp put, const Step &step) {
  Type format = kernel_.placeOf(put.getTarget())->format;
  Value elements = operandOf(slice, put.getValue(), step);
  Type item = at_.getIntegerType(format.getIntOrFloatBitWidth());
  Value address = at_.at(pointers_.lookup(put.getTarget()), step.index, item);
  auto store = [&] {
    storeElements(at_, format, elements, address, step.mask,
                  {isVector_ ? alignmentOf(format) : 0});
  };
  Value condition = isThere_;
  if (put.getWhen() && !slice.truthOf(put.getWhen())) {
    Value asked = kernel_.uniforms.lookup(put.getWhen());
    condition = condition
                    ? arith::AndIOp::create(at_, at_.location, condition, asked)
                    : asked;
  }
  if (condition)
    at_.when(condition, store);
  else
    store();
}

/// Items that do not exist add the identity, whatever the body makes of the 0
/// that was read for them.
void GpuElements::emitPartial(const Slice &slice, ir::PartialOp partial,
                              const Step &step) {
  Value items = operandOf(slice, partial.getOperand(), step);
  Value condition = step.mask ? step.mask : isThere_;
  if (condition)
    items =
        select(at_, condition, items,
               at_.number(identityOf(partial.getReducer()), items.getType()));
  Value &lanes = rows_[partial];
  lanes = combine(at_, partial.getReducer(), lanes, items);
}

LogicalResult lowerGpuElements(GpuKernel &kernel, unsigned threads) {
  return GpuElements(kernel, threads).build();
}

} // namespace updraft::loops
