//===- LowerToLoopsChunk.cpp - What stands around loops over elements -----===//
//
// Which chunk of which tensor, the values of its levels, the branches that
// uniform conditions ask for, and where the arrays begin.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToLoopsElement.h"
#include "compiler/Passes/LowerToLoopsFormat.h"
#include "runtime/abi.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
using ir::Level;
using ir::SpaceKind;
using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

/// More conditions than this stay selections: code doubles with each.
static constexpr unsigned kMaxBranches = 3;

llvm::StringRef nameOf(Operation *operation) {
  if (auto get = llvm::dyn_cast<ir::GetOp>(operation))
    return get.getSource();
  if (auto put = llvm::dyn_cast<ir::PutOp>(operation))
    return put.getTarget();
  if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation))
    return partial.getList();
  if (auto fold = llvm::dyn_cast<ir::FoldOp>(operation))
    return fold.getList();
  return {};
}

ElementKernel::ElementKernel(Kernel &kernel, unsigned width, bool isScalar)
    : kernel_(kernel), at_(kernel.builder), width_(width), isScalar_(isScalar) {
  if (kernel.level() == Level::Element)
    walk_ = ir::KernelOp(kernel.op).getSpaceAttr();
}

//===- Which values a kernel can reach ------------------------------------===//

ir::SpaceAttr ElementKernel::itemSpace() const {
  return kernel_.level() == Level::Axis
             ? ir::KernelOp(kernel_.op).getSpaceAttr()
             : ir::SpaceAttr();
}

bool ElementKernel::isOwn(const Place &place) const {
  return place.kind == Place::Kind::Array && place.space == itemSpace();
}

/// Whether the lanes of `partial` lie in its scratch.
bool ElementKernel::addsToColumns(ir::PartialOp partial) const {
  ir::SpaceAttr space = kernel_.placeOf(partial.getList())->space;
  return space && space.getKind() == SpaceKind::ColRuns;
}

/// Whether `kind` is folded to values of `items`.
static bool foldsTo(SpaceKind kind, SpaceKind items) {
  switch (items) {
  case SpaceKind::Rows:
    return kind == SpaceKind::RowRuns;
  case SpaceKind::Cols:
    return kind == SpaceKind::ColRuns;
  case SpaceKind::Matrix:
    return kind == SpaceKind::Rows || kind == SpaceKind::Cols;
  default:
    return kind == items;
  }
}

LogicalResult ElementKernel::checkSpace(Operation *operation,
                                        const Place &place) const {
  ir::SpaceAttr items = itemSpace(), space = place.space;
  auto isAlike = [space](ir::SpaceAttr other) {
    return space && other && space.getFolded() == other.getFolded() &&
           space.getBlock() == other.getBlock();
  };
  bool fits = isOwn(place);
  if (llvm::isa<ir::GetOp>(operation) && space && !fits)
    fits = items ? isAlike(items) && space.getKind() == SpaceKind::Matrix &&
                       items.getKind() < SpaceKind::Matrix
                 : space.getKind() <= SpaceKind::Block;
  else if (llvm::isa<ir::PartialOp>(operation))
    fits = isAlike(walk_) && (walk_.getKind() == SpaceKind::Block
                                  ? space == walk_
                                  : space.getKind() > SpaceKind::Block);
  else if (llvm::isa<ir::FoldOp>(operation))
    fits = isAlike(items) && foldsTo(space.getKind(), items.getKind());
  if (fits)
    return success();
  auto error = operation->emitOpError("cannot reach '")
               << nameOf(operation) << "' of ";
  if (space)
    error << space;
  else
    error << "elements";
  error << " in a kernel of " << ir::stringifyLevel(kernel_.level())
        << " level along ";
  if (ir::SpaceAttr along = ir::KernelOp(kernel_.op).getSpaceAttr())
    return error << along;
  return error << "nothing";
}

//===- Around the loops ---------------------------------------------------===//

LogicalResult ElementKernel::check() {
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

LogicalResult ElementKernel::emitChunk(Value number) {
  std::tie(chunkFirst_, chunkCount_) = kernel_.enterChunk(at_, number);
  if (mixesGroups_) {
    kernel_.enterGroupOfRow(at_);
    if (failed(kernel_.emitUniforms(at_, Level::Group)))
      return failure();
  }
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
bool ElementKernel::isWorthBranch(const Slice &taken,
                                  const Slice &other) const {
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

void ElementKernel::emitSlice(const Slice &slice, unsigned depth) {
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

/// Where the arrays begin that a slice asks for.
void ElementKernel::findStarts(const Slice &slice) {
  starts_.clear();
  for (Operation *operation : slice.operations()) {
    llvm::StringRef name = nameOf(operation);
    if (name.empty() || starts_.contains(name))
      continue;
    auto place = kernel_.placeOf(name);
    if (place->kind == Place::Kind::Array)
      starts_[name] = kernel_.rowMember(at_, place->offset, at_.pointer());
  }
}

/// Where item `first` of each array lies that has one value an item.
void ElementKernel::findPointers(Value first) {
  base_ = first;
  for (const auto &[name, start] : starts_) {
    auto place = kernel_.placeOf(name);
    if (!isOwn(*place))
      continue;
    int64_t bytes = place->format.getIntOrFloatBitWidth() / 8;
    pointers_[name] = at_.at(start, at_.multiply(first, at_.integer(bytes)));
  }
}

ElementKernel::Partials ElementKernel::partialsTo(const Slice &slice,
                                                  SpaceKind kind) const {
  Partials result;
  for (Operation *operation : slice.operations())
    if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation))
      if (ir::SpaceAttr space = kernel_.placeOf(partial.getList())->space;
          space && space.getKind() == kind)
        result.push_back(partial);
  return result;
}

ElementKernel::Partials ElementKernel::partialsOf(const Slice &slice) const {
  Partials result;
  for (Operation *operation : slice.operations())
    if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation))
      result.push_back(partial);
  return result;
}

/// Where entry `index` of a partial's scratch lies.
Value ElementKernel::entryOf(ir::PartialOp partial, Value index) {
  auto place = kernel_.placeOf(partial.getList());
  return at_.at(starts_.lookup(partial.getList()), index, place->format);
}

/// Which part of the tensor a band is.
ElementKernel::Band ElementKernel::findBand(Value item) {
  auto [rows, columns] = extents_[walk_.getFolded()];
  Value parts = at_.divideUp(columns, UPDRAFT_BAND_COLS);
  Value number = at_.divide(item, parts);
  Value bands = at_.divideUp(rows, UPDRAFT_ROW_RUN);
  Band band;
  band.matrix = at_.divide(number, bands);
  Value run = at_.subtract(number, at_.multiply(band.matrix, bands));
  Value height = at_.integer(UPDRAFT_ROW_RUN);
  Value row = at_.multiply(run, height);
  band.first = at_.add(at_.multiply(band.matrix, rows), row);
  band.last = at_.add(band.first, at_.least(at_.subtract(rows, row), height));
  Value part = at_.subtract(item, at_.multiply(number, parts));
  band.left = at_.multiply(part, at_.integer(UPDRAFT_BAND_COLS));
  band.right =
      at_.least(columns, at_.add(band.left, at_.integer(UPDRAFT_BAND_COLS)));
  band.lanes = at_.multiply(number, columns);
  return band;
}

/// The entry of the chunk's first block in lists of partials.
Value ElementKernel::blockEntry() {
  Type i64 = at_.getI64Type();
  return at_.add(
      kernel_.rowMember(at_, offsetof(updraft_tensor, first_partial), i64),
      at_.divide(chunkFirst_, at_.integer(UPDRAFT_BLOCK)));
}

/// Puts a block's total into its list.
void ElementKernel::storeTotal(ir::PartialOp partial, Value total,
                               Value entry) {
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

/// The tensor's rows and columns, where something in the kernel asks for them.
void ElementKernel::findExtents() {
  bool asks[2] = {};
  if (walk_)
    asks[walk_.getFolded()] = true;
  for (Operation &operation : kernel_.body())
    if (auto place = kernel_.placeOf(nameOf(&operation)))
      if (place->space)
        asks[place->space.getFolded()] = true;
  for (int folded = 0; folded < 2; ++folded)
    if (asks[folded])
      extents_[folded] = {
          kernel_.shapeMember(at_, offsetof(updraft_shape, rows) + 8 * folded),
          kernel_.shapeMember(at_, offsetof(updraft_shape, cols) + 8 * folded)};
}

/// How many items side by side have one value of `space`.
Value ElementKernel::lengthOf(ir::SpaceAttr space) {
  const Extents &extents = extents_[space.getFolded()];
  if (ir::SpaceAttr items = itemSpace())
    return items.getKind() == SpaceKind::Rows ? extents.rows : extents.columns;
  if (space.getKind() == SpaceKind::Block)
    return at_.integer(space.getBlock());
  return space.getKind() == SpaceKind::Rows
             ? extents.columns
             : at_.multiply(extents.rows, extents.columns);
}

} // namespace updraft::loops
