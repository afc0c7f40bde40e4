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

/// More conditions than this stay selections: code doubles with each.
static constexpr unsigned kMaxBranches = 3;

/// Lanes stay in registers where all of them take at most so many bytes, which
/// is half of what there is, and the body, which then becomes that much longer,
/// so many operations.
static constexpr int64_t kRegisterBytes = 1024;
static constexpr size_t kShortBody = 6;

ElementLoops::ElementLoops(Kernel &kernel)
    : kernel_(kernel), at_(kernel.builder) {
  auto program = kernel.op->getParentOfType<ir::ProgramOp>();
  width_ = kernel.shape.vectorBytes * 8 /
           program.getCompute().getIntOrFloatBitWidth();
  if (kernel.level() == Level::Element)
    walk_ = ir::KernelOp(kernel.op).getSpaceAttr();
  // What runs once is made for quick compilation.
  isScalar_ = ir::KernelOp(kernel.op).getWhen() == ir::When::Init;
}

//===- Around the loops ---------------------------------------------------===//

LogicalResult ElementLoops::check() {
  for (Operation &operation : kernel_.body()) {
    llvm::StringRef name;
    Type value;
    if (auto get = llvm::dyn_cast<ir::GetOp>(operation)) {
      if (kernel_.levelOf(&operation) != Level::Element)
        continue;
      name = get.getSource();
      value = get.getType();
    } else if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation)) {
      name = partial.getList();
      value = partial.getOperand().getType();
    } else if (auto fold = llvm::dyn_cast<ir::FoldOp>(operation)) {
      name = fold.getList();
      value = fold.getType();
    } else if (auto put = llvm::dyn_cast<ir::PutOp>(operation)) {
      name = put.getTarget();
      value = put.getValue().getType();
    } else {
      continue;
    }
    auto place = kernel_.placeOf(name);
    if (place && place->kind == Place::Kind::Partial && !walk_ &&
        kernel_.level() == Level::Element &&
        llvm::isa<ir::PartialOp>(operation))
      continue;
    if (!place || place->kind != Place::Kind::Array)
      return operation.emitOpError("reads or writes '")
             << name << "', which is no array of this variant";
    if (failed(checkSpace(&operation, *place)))
      return failure();
    if (!isStorable(place->format, value))
      return operation.emitOpError("cannot convert ")
             << value << " to or from " << place->format;
  }
  return success();
}

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

LogicalResult ElementLoops::emitChunk(Value number) {
  std::tie(chunkFirst_, chunkCount_) = kernel_.enterChunk(at_, number);
  if (failed(kernel_.emitUniforms(at_, Level::Tensor)))
    return failure();
  findExtents();
  Slice whole(kernel_);
  ir::ShapeOp absence = whole.openAbsence();
  if (!absence) {
    emitSlice(whole, 0);
    return success();
  }
  at_.when(
      kernel_.uniforms.lookup(absence.getResult()),
      [&] { emitSlice(whole.assumingAbsent(true), 0); },
      [&] { emitSlice(whole.assumingAbsent(false), 0); });
  return success();
}

/// Values of an axis are few: where a condition only decides which of them are
/// stored, asking at each store costs less than two copies of the loop.
bool ElementLoops::isWorthBranch(const Slice &taken, const Slice &other) const {
  if (kernel_.level() != Level::Axis || taken.isEmpty() || other.isEmpty())
    return true;
  auto isOnly = [](const Slice &here, const Slice &there) {
    auto all = there.operations();
    return llvm::any_of(here.operations(), [&](Operation *operation) {
      return !llvm::isa<ir::PutOp>(operation) &&
             !llvm::is_contained(all, operation);
    });
  };
  return isOnly(taken, other) || isOnly(other, taken);
}

void ElementLoops::emitSlice(const Slice &slice, unsigned depth) {
  if (slice.isEmpty())
    return;
  Value condition = slice.openCondition();
  if (!condition || depth == kMaxBranches)
    return emitLoops(slice);
  Slice taken = slice.assuming(condition, true);
  Slice other = slice.assuming(condition, false);
  if (!isWorthBranch(taken, other))
    return emitLoops(slice);
  auto emitOther = [&] { emitSlice(other, depth + 1); };
  llvm::function_ref<void()> none = nullptr;
  at_.when(
      kernel_.uniforms.lookup(condition), [&] { emitSlice(taken, depth + 1); },
      other.isEmpty() ? none : llvm::function_ref<void()>(emitOther));
}

//===- The loops over one chunk -------------------------------------------===//

/// Where the arrays begin that a slice asks for.
void ElementLoops::findStarts(const Slice &slice) {
  starts_.clear();
  for (Operation *operation : slice.operations()) {
    llvm::StringRef name;
    if (auto get = llvm::dyn_cast<ir::GetOp>(operation))
      name = get.getSource();
    else if (auto put = llvm::dyn_cast<ir::PutOp>(operation))
      name = put.getTarget();
    else if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation))
      name = partial.getList();
    else if (auto fold = llvm::dyn_cast<ir::FoldOp>(operation))
      name = fold.getList();
    if (name.empty() || starts_.contains(name))
      continue;
    auto place = kernel_.placeOf(name);
    if (place->kind == Place::Kind::Array)
      starts_[name] = kernel_.rowMember(at_, place->offset, at_.pointer());
  }
}

/// Where item `first` of each array lies that has one value an item.
void ElementLoops::findPointers(Value first) {
  base_ = first;
  for (const auto &[name, start] : starts_) {
    auto place = kernel_.placeOf(name);
    if (!isOwn(*place))
      continue;
    int64_t bytes = place->format.getIntOrFloatBitWidth() / 8;
    pointers_[name] = at_.at(start, at_.multiply(first, at_.integer(bytes)));
  }
}

void ElementLoops::emitLoops(const Slice &slice) {
  findStarts(slice);
  spreadUniforms(slice);
  if (walk_)
    return walk_.getKind() == ir::SpaceKind::Bands ? emitBands(slice)
                                                   : emitOwnBlocks(slice);
  findPointers(chunkFirst_);
  Partials partials;
  for (Operation *operation : slice.operations())
    if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation))
      partials.push_back(partial);
  if (partials.empty())
    emitStrips(slice, {at_.integer(0), chunkCount_, chunkFirst_});
  else
    emitBlocks(slice, partials);
}

void ElementLoops::emitBlocks(const Slice &slice, const Partials &partials) {
  Type i64 = at_.getI64Type();
  Value blockSize = at_.integer(UPDRAFT_BLOCK);
  Value firstEntry = at_.add(
      kernel_.rowMember(at_, offsetof(updraft_tensor, first_partial), i64),
      arith::DivUIOp::create(at_, at_.location, chunkFirst_, blockSize));
  at_.loop(at_.integer(0), chunkCount_, UPDRAFT_BLOCK, [&](Value from) {
    Value to = arith::MinUIOp::create(at_, at_.location, chunkCount_,
                                      at_.add(from, blockSize));
    Value rest = emitFirstRows(slice, partials, from, to);
    emitStrips(slice, {rest, to, chunkFirst_});
    Value block = arith::DivUIOp::create(at_, at_.location, from, blockSize);
    Value entry = at_.add(firstEntry, block);
    for (ir::PartialOp partial : partials)
      storeTotal(partial, entry);
  });
}

/// Puts a block's lanes together and the result into its list.
void ElementLoops::storeTotal(ir::PartialOp partial, Value entry) {
  Value total = lanes_.find(partial)->second.fold(at_, kernel_.module);
  if (!total.getType().isF64())
    total = arith::ExtFOp::create(at_, at_.location, at_.getF64Type(), total);
  Value stride = kernel_.frameMember(offsetof(updraft_frame, partial_stride),
                                     at_.getI64Type());
  auto place = kernel_.placeOf(partial.getList());
  Value index = at_.add(at_.multiply(stride, at_.integer(place->index)), entry);
  Value lists =
      kernel_.frameMember(offsetof(updraft_frame, partials), at_.pointer());
  at_.store(total, at_.at(lists, index, at_.getF64Type()));
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
