//===- LowerToLoopsKernel.cpp - One kernel on its way to a function -------===//

#include "compiler/Passes/LowerToLoopsKernel.h"

#include "compiler/Passes/ExpandMath.h"
#include "compiler/Passes/LowerToLoopsAxis.h"
#include "compiler/Passes/LowerToLoopsFold.h"
#include "runtime/abi.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace func = mlir::func;
using ir::Level;
using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

Kernel::Kernel(ir::KernelOp op, const Layout &layout, const LoopShape &shape,
               mlir::ModuleOp module)
    : op(op), layout(layout), shape(shape), module(module),
      builder(op.getContext(), op.getLoc(), shape.space),
      entry(op.getContext(), op.getLoc(), shape.space) {
  findLevels();
}

llvm::StringRef Kernel::variant() const {
  return ir::KernelOp(op).getVariant().value_or(llvm::StringRef());
}

//===- Levels -------------------------------------------------------------===//

Level Kernel::levelOfLeaf(Operation *operation) const {
  if (auto get = llvm::dyn_cast<ir::GetOp>(operation)) {
    auto place = placeOf(get.getSource());
    return place ? place->level : Level::Model;
  }
  if (auto shape = llvm::dyn_cast<ir::ShapeOp>(operation))
    return shape.getWhat() == ir::Shape::Block ? Level::Element : Level::Tensor;
  if (llvm::isa<ir::ProductOp>(operation))
    return Level::Element;
  if (llvm::isa<ir::FoldOp>(operation))
    return level() == Level::Axis ? Level::Element : level();
  return Level::Model;
}

void Kernel::findLevels() {
  for (Operation &operation : body()) {
    Level level = levelOfLeaf(&operation);
    for (Value operand : operation.getOperands())
      level = std::max(level, levelOf(operand));
    levels_[&operation] = level;
  }
}

Level Kernel::levelOf(Operation *operation) const {
  return levels_.lookup(operation);
}

Level Kernel::levelOf(Value value) const {
  return levelOf(value.getDefiningOp());
}

//===- The function and its frame -----------------------------------------===//

void compileQuickly(mlir::func::FuncOp function) {
  mlir::Builder builder(function.getContext());
  function->setAttr("passthrough",
                    builder.getStrArrayAttr({"noinline", "optnone"}));
}

/// Whether the kernel runs so seldom that it is best compiled quickly: once a
/// call or a group, at creation, or when a hyper is set.
bool Kernel::isRare() const {
  ir::When when = ir::KernelOp(op).getWhen();
  return level() <= Level::Group || when == ir::When::Init ||
         when == ir::When::Check;
}

LogicalResult Kernel::build(llvm::function_ref<LogicalResult()> body) {
  builder.setInsertionPointToEnd(module.getBody());
  Type i64 = builder.getI64Type();
  auto type = builder.getFunctionType({builder.pointer(), i64, i64}, {});
  auto function =
      func::FuncOp::create(builder, op.getLoc(), op.getSymName(), type);
  function.setPrivate();
  if (isRare())
    compileQuickly(function);
  mlir::Block *start = function.addEntryBlock();
  mlir::Block *work = function.addBlock();
  mlir::Block *end = function.addBlock();
  frame = start->getArgument(0);
  first = start->getArgument(1);
  count = start->getArgument(2);
  builder.setInsertionPointToEnd(start);
  Value isEmpty =
      builder.compare(arith::CmpIPredicate::eq, count, builder.integer(0));
  auto branch = mlir::cf::CondBranchOp::create(
      builder, op.getLoc(), isEmpty, end, ValueRange(), work, ValueRange());
  entry.setInsertionPoint(branch);
  builder.setInsertionPointToEnd(work);
  if (failed(body()))
    return failure();
  builder.setInsertionPointToEnd(work);
  mlir::cf::BranchOp::create(builder, op.getLoc(), end);
  builder.setInsertionPointToEnd(end);
  func::ReturnOp::create(builder, op.getLoc());
  return success();
}

Value Kernel::frameMember(int64_t offset, Type type) {
  Value &member = members_[offset];
  if (!member)
    member = entry.load(type, entry.at(frame, offset), 8, shape.space != 0);
  return member;
}

Value Kernel::rowMember(Builder &at, int64_t offset, Type type) {
  return at.load(type, at.at(row, offset), 0, shape.space != 0);
}

Value Kernel::shapeMember(Builder &at, int64_t offset) {
  Type i64 = at.getI64Type();
  Value id = arith::ExtUIOp::create(
      at, at.location, i64,
      rowMember(at, offsetof(updraft_tensor, id), at.getI32Type()));
  Value shapes = frameMember(offsetof(updraft_frame, shapes), at.pointer());
  Value entry =
      at.at(shapes, at.multiply(id, at.integer(sizeof(updraft_shape))));
  return at.load(i64, at.at(entry, offset), 0, shape.space != 0);
}

void Kernel::enterGroup(Builder &at, Value group) {
  Value groups =
      frameMember(offsetof(updraft_frame, groups), builder.pointer());
  int64_t bytes = 8 * layout.slots(Level::Group);
  groupBase = at.at(groups, at.multiply(group, at.integer(bytes)));
  if (level() != Level::Group)
    return;
  Value spans = frameMember(offsetof(updraft_frame, spans), builder.pointer());
  span = at.at(spans, at.multiply(group, at.integer(sizeof(updraft_span))));
}

void Kernel::enterRow(Builder &at, Value index) {
  Value rows = frameMember(offsetof(updraft_frame, tensors), builder.pointer());
  int64_t bytes = layout.rowBytes(variant());
  row = at.at(rows, at.multiply(index, at.integer(bytes)));
}

void Kernel::enterGroupOfRow(Builder &at) {
  Value group = rowMember(at, offsetof(updraft_tensor, group), at.getI32Type());
  enterGroup(at,
             arith::ExtUIOp::create(at, at.location, at.getI64Type(), group));
}

std::pair<Value, Value> Kernel::enterChunk(Builder &at, Value number) {
  Value chunks = frameMember(offsetof(updraft_frame, chunks), at.pointer());
  Value chunk =
      at.at(chunks, at.multiply(number, at.integer(sizeof(updraft_chunk))));
  auto load = [&](int64_t offset) -> Value {
    Value narrow =
        at.load(at.getI32Type(), at.at(chunk, offset), 0, shape.space != 0);
    return arith::ExtUIOp::create(at, at.location, at.getI64Type(), narrow);
  };
  Value first = at.load(at.getI64Type(), chunk, 0, shape.space != 0);
  Value count = load(offsetof(updraft_chunk, count));
  enterRow(at, load(offsetof(updraft_chunk, tensor)));
  return {first, count};
}

//===- Uniform values -----------------------------------------------------===//

LogicalResult Kernel::emitUniforms(Builder &at, Level level) {
  for (Operation &operation : body())
    if (operation.getNumResults() != 0 && levelOf(&operation) == level &&
        failed(emitUniform(at, &operation)))
      return failure();
  return success();
}

Value Kernel::addressOf(Builder &at, const Place &place) {
  if (place.level == Level::Tensor)
    return at.at(row, place.offset);
  if (place.level == Level::Group)
    return at.at(groupBase, 8 * int64_t(place.index));
  Value model = frameMember(offsetof(updraft_frame, model), at.pointer());
  return at.at(model, 8 * int64_t(place.index));
}

LogicalResult Kernel::emitGet(Builder &at, ir::GetOp get) {
  auto place = placeOf(get.getSource());
  if (!place || place->kind != Place::Kind::Scalar)
    return get.emitOpError("reads '")
           << get.getSource() << "', which is no scalar of this kernel";
  bool isConstant = shape.space != 0 && level() >= Level::Axis;
  Value value = at.load(at.getF64Type(), addressOf(at, *place), 0, isConstant);
  if (get.getType().isInteger(1))
    value = arith::CmpFOp::create(at, at.location, arith::CmpFPredicate::UNE,
                                  value, at.number(0, at.getF64Type()));
  uniforms.map(get.getResult(), value);
  return success();
}

/// Where updraft_shape says `what`.
static int64_t offsetOf(ir::Shape what, int64_t index) {
  switch (what) {
  case ir::Shape::Dim:
    return offsetof(updraft_shape, dims) + 8 * index;
  case ir::Shape::Batch:
    return offsetof(updraft_shape, batch) + 8 * index;
  case ir::Shape::Rows:
    return offsetof(updraft_shape, rows) + 8 * index;
  case ir::Shape::Cols:
    return offsetof(updraft_shape, cols) + 8 * index;
  default:
    return offsetof(updraft_shape, rank);
  }
}

void Kernel::emitShape(Builder &at, ir::ShapeOp shape) {
  Type i64 = at.getI64Type(), i32 = at.getI32Type();
  Value fact;
  switch (shape.getWhat()) {
  case ir::Shape::Absent:
    fact = rowMember(at, offsetof(updraft_tensor, active), i32);
    uniforms.map(shape.getResult(), at.compare(arith::CmpIPredicate::eq, fact,
                                               at.integer(0, i32)));
    return;
  case ir::Shape::Size:
    fact = rowMember(at, offsetof(updraft_tensor, size), i64);
    break;
  default:
    fact = shapeMember(at, offsetOf(shape.getWhat(), shape.getIndex()));
  }
  // A size is below 2^63, and the signed conversion is one instruction.
  uniforms.map(shape.getResult(),
               arith::SIToFPOp::create(at, at.location, at.getF64Type(), fact));
}

LogicalResult Kernel::emitFold(Builder &at, ir::FoldOp fold) {
  auto place = placeOf(fold.getList());
  if (!place)
    return fold.emitOpError("folds '")
           << fold.getList() << "', which is not declared";
  Type i64 = at.getI64Type();
  auto listAt = [&](int64_t lists, int64_t stride, Value start) {
    Value entries =
        at.multiply(frameMember(stride, i64), at.integer(place->index));
    Value base = frameMember(lists, at.pointer());
    return at.at(base, at.add(entries, start), at.getF64Type());
  };
  Value list, items, stride = at.integer(8);
  if (place->kind == Place::Kind::Partial && level() == Level::Tensor) {
    list = listAt(offsetof(updraft_frame, partials),
                  offsetof(updraft_frame, partial_stride),
                  rowMember(at, offsetof(updraft_tensor, first_partial), i64));
    Value size = rowMember(at, offsetof(updraft_tensor, size), i64);
    items = arith::DivUIOp::create(at, at.location,
                                   at.add(size, at.integer(UPDRAFT_BLOCK - 1)),
                                   at.integer(UPDRAFT_BLOCK));
  } else if (place->kind == Place::Kind::Total && level() == Level::Group) {
    list = listAt(offsetof(updraft_frame, totals),
                  offsetof(updraft_frame, total_stride), at.load(i64, span));
    items = at.load(i64, at.at(span, offsetof(updraft_span, count)));
    if (place->isRouted) {
      Value bytes = at.multiply(
          frameMember(offsetof(updraft_frame, total_stride), i64), stride);
      uniforms.map(fold.getResult(), foldMembers(at, fold.getReducer(), list,
                                                 at.at(list, bytes), items));
      return success();
    }
  } else if (place->kind == Place::Kind::Scalar &&
             place->level == Level::Group && level() == Level::Model) {
    list = at.at(frameMember(offsetof(updraft_frame, groups), at.pointer()),
                 8 * int64_t(place->index));
    items = frameMember(offsetof(updraft_frame, group_count), i64);
    stride = at.integer(8 * int64_t(layout.slots(Level::Group)));
  } else if (place->kind == Place::Kind::Array && level() == Level::Tensor) {
    uniforms.map(fold.getResult(), foldScratch(at, fold, *place));
    return success();
  } else {
    return fold.emitOpError("cannot fold '")
           << fold.getList() << "' in a kernel of "
           << ir::stringifyLevel(level()) << " level";
  }
  uniforms.map(fold.getResult(),
               foldList(at, fold.getReducer(), list, items, stride));
  return success();
}

Value Kernel::foldList(Builder &at, ir::Reducer reducer, Value list,
                       Value count, Value stride) {
  return loops::foldList(at, module, reducer, list, count, stride);
}

Value Kernel::foldMembers(Builder &at, ir::Reducer reducer, Value list,
                          Value members, Value count) {
  return loops::foldMembers(at, module, reducer, list, members, count);
}

Value Kernel::foldNumbers(Builder &at, ir::Reducer reducer, Type type,
                          Value list, Value count) {
  return loops::foldNumbers(at, *this, reducer, type, list, count);
}

Value Kernel::countOf(Builder &at, ir::SpaceAttr space) {
  if (space.getKind() == ir::SpaceKind::Block) {
    Value size = rowMember(at, offsetof(updraft_tensor, size), at.getI64Type());
    return at.divideUp(size, space.getBlock());
  }
  int64_t which = 8 * int64_t(space.getFolded());
  Value batch = shapeMember(at, offsetof(updraft_shape, batch) + which);
  if (space.getKind() == ir::SpaceKind::Matrix)
    return batch;
  int64_t extent = space.getKind() == ir::SpaceKind::Rows
                       ? offsetof(updraft_shape, rows)
                       : offsetof(updraft_shape, cols);
  return at.multiply(batch, shapeMember(at, extent + which));
}

/// All values of the tensor's scratch at `place`, as one list.
Value Kernel::foldScratch(Builder &at, ir::FoldOp fold, const Place &place) {
  Value list = rowMember(at, place.offset, at.pointer());
  return foldNumbers(at, fold.getReducer(), place.format, list,
                     countOf(at, place.space));
}

LogicalResult Kernel::emitUniform(Builder &at, Operation *operation) {
  at.location = operation->getLoc();
  if (auto get = llvm::dyn_cast<ir::GetOp>(operation))
    return emitGet(at, get);
  if (auto shape = llvm::dyn_cast<ir::ShapeOp>(operation)) {
    if (shape.getWhat() == ir::Shape::Block)
      return shape.emitOpError("asks for a block in a kernel of ")
             << ir::stringifyLevel(level()) << " level";
    emitShape(at, shape);
    return success();
  }
  if (auto fold = llvm::dyn_cast<ir::FoldOp>(operation))
    return emitFold(at, fold);
  if (auto math = llvm::dyn_cast<ir::MathOp>(operation)) {
    llvm::SmallVector<Value> operands;
    for (Value operand : math.getOperands())
      operands.push_back(uniforms.lookup(operand));
    uniforms.map(math.getResult(),
                 emitFunction(at, at.location, math.getFunction(), operands));
    return success();
  }
  at.clone(*operation, uniforms);
  return success();
}

Operation *cloneWidened(Builder &builder, Operation *operation,
                        ValueRange operands, unsigned width) {
  mlir::OperationState state(operation->getLoc(), operation->getName());
  state.addOperands(operands);
  for (Type type : operation->getResultTypes())
    state.addTypes(Builder::widened(type, width));
  state.addAttributes(llvm::to_vector(operation->getDiscardableAttrs()));
  state.propertiesAttr = operation->getPropertiesAsAttribute();
  return builder.create(state);
}

} // namespace updraft::loops
