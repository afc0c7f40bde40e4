//===- LowerToLoopsFold.cpp - Sums, maxima and minima by 128 lanes --------===//

#include "compiler/Passes/LowerToLoopsFold.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace updraft::loops {

namespace arith = mlir::arith;
namespace func = mlir::func;

static unsigned bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

Value Lanes::identity(Builder &builder) const {
  return builder.number(identityOf(reducer), Builder::widened(type, kLanes));
}

// A vector of 512 bytes or more is as many registers as it takes: fewer
// operations on the way there than a vector each, and no loop.
void Lanes::set(Builder &builder, Value row) const {
  builder.store(row, memory, width * bytesOf(type));
}

void Lanes::accumulate(Builder &builder, Value index, Value items) const {
  Value lane = builder.bitAnd(index, kLanes - 1);
  Value address = builder.at(memory, lane, type);
  auto vector = mlir::dyn_cast<mlir::VectorType>(items.getType());
  unsigned alignment = (vector ? vector.getNumElements() : 1) * bytesOf(type);
  Value old = builder.load(items.getType(), address, alignment);
  builder.store(combine(builder, reducer, old, items), address, alignment);
}

/// The first or second half of a vector.
static Value half(Builder &builder, Value vector, unsigned width, bool upper) {
  llvm::SmallVector<int64_t> lanes;
  for (unsigned lane = 0; lane < width / 2; ++lane)
    lanes.push_back(lane + (upper ? width / 2 : 0));
  return mlir::vector::ShuffleOp::create(builder, builder.location, vector,
                                         vector, lanes);
}

/// The function of that name and type, and whether it still has to be filled.
static func::FuncOp functionOf(Builder &builder, mlir::ModuleOp module,
                               llvm::StringRef name, mlir::TypeRange operands,
                               Type result, bool &isNew) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  isNew = !function;
  if (!isNew)
    return function;
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(module.getBody());
  auto type = builder.getFunctionType(operands, result);
  function = func::FuncOp::create(builder, builder.location, name, type);
  function.setPrivate();
  return function;
}

static Value call(Builder &builder, func::FuncOp function,
                  ValueRange operands) {
  return func::CallOp::create(builder, builder.location, function, operands)
      .getResult(0);
}

Value foldVector(Builder &builder, ir::Reducer reducer, Value vector) {
  auto type = mlir::cast<mlir::VectorType>(vector.getType());
  for (unsigned left = type.getNumElements(); left > 1; left /= 2)
    vector = combine(builder, reducer, half(builder, vector, left, false),
                     half(builder, vector, left, true));
  return mlir::vector::ExtractOp::create(builder, builder.location, vector,
                                         llvm::ArrayRef<int64_t>{0});
}

/// a[i] += a[i + h] for i < h, for h = 64, 32, ..., 1: between vectors first,
/// then within one.
static Value foldInMemory(Builder &builder, const Lanes &lanes) {
  Type vector = Builder::widened(lanes.type, lanes.width);
  int64_t bytes = bytesOf(lanes.type);
  llvm::SmallVector<Value> vectors;
  for (int64_t lane = 0; lane < kLanes; lane += lanes.width)
    vectors.push_back(builder.load(
        vector, builder.at(lanes.memory, lane * bytes), lanes.width * bytes));
  for (size_t count = vectors.size() / 2; count > 0; count /= 2)
    for (size_t i = 0; i < count; ++i)
      vectors[i] =
          combine(builder, lanes.reducer, vectors[i], vectors[i + count]);
  return foldVector(builder, lanes.reducer, vectors[0]);
}

Value Lanes::fold(Builder &builder, mlir::ModuleOp module) const {
  std::string name = ("updraft_lanes_" + ir::stringifyReducer(reducer) +
                      (type.isF64() ? "_f64_" : "_f32_") + llvm::Twine(width))
                         .str();
  bool isNew;
  func::FuncOp function =
      functionOf(builder, module, name, memory.getType(), type, isNew);
  if (isNew) {
    Builder inner(builder.getContext(), builder.location);
    mlir::Block *block = function.addEntryBlock();
    inner.setInsertionPointToStart(block);
    Lanes own{block->getArgument(0), type, reducer, width};
    Value result = foldInMemory(inner, own);
    func::ReturnOp::create(inner, inner.location, result);
  }
  return call(builder, function, memory);
}

/// Accumulates a whole list: whole vectors first where the items lie side by
/// side, then one by one.
static Value foldAll(Builder &builder, mlir::ModuleOp module,
                     const Lanes &lanes, Value list, Value count,
                     Value stride) {
  lanes.clear(builder);
  Type f64 = builder.getF64Type();
  Value start = builder.integer(0);
  Value isDense =
      builder.compare(arith::CmpIPredicate::eq, stride, builder.integer(8));
  Value whole = arith::SelectOp::create(
      builder, builder.location, isDense,
      builder.bitAnd(count, -int64_t(lanes.width)), start);
  builder.loop(start, whole, lanes.width, [&](Value index) {
    Value items = builder.load(Builder::widened(f64, lanes.width),
                               builder.at(list, index, f64), 8);
    lanes.accumulate(builder, index, items);
  });
  builder.loop(whole, count, 1, [&](Value index) {
    Value address = builder.at(list, builder.multiply(index, stride));
    lanes.accumulate(builder, index, builder.load(f64, address));
  });
  return lanes.fold(builder, module);
}

/// Most lists have one entry: a tensor of at most one block, one group.
static void fillFold(Builder &builder, mlir::ModuleOp module,
                     func::FuncOp function, ir::Reducer reducer) {
  mlir::Block *block = function.addEntryBlock();
  builder.setInsertionPointToStart(block);
  Type f64 = builder.getF64Type();
  Value list = block->getArgument(0), count = block->getArgument(1);
  Lanes lanes{builder.stack(f64, kLanes), f64, reducer, 8};
  Value isOne =
      builder.compare(arith::CmpIPredicate::eq, count, builder.integer(1));
  auto branch = mlir::scf::IfOp::create(builder, builder.location,
                                        mlir::TypeRange{f64}, isOne, true);
  builder.setInsertionPointToStart(branch.thenBlock());
  Value one =
      combine(builder, reducer, builder.number(identityOf(reducer), f64),
              builder.load(f64, list));
  mlir::scf::YieldOp::create(builder, builder.location, one);
  builder.setInsertionPointToStart(branch.elseBlock());
  Value all =
      foldAll(builder, module, lanes, list, count, block->getArgument(2));
  mlir::scf::YieldOp::create(builder, builder.location, all);
  builder.setInsertionPointToEnd(block);
  func::ReturnOp::create(builder, builder.location, branch.getResults());
}

Value foldMembers(Builder &builder, mlir::ModuleOp module, ir::Reducer reducer,
                  Value list, Value members, Value count) {
  Type f64 = builder.getF64Type();
  auto fill = [&](Builder &at, ValueRange given) -> llvm::SmallVector<Value> {
    Lanes lanes{at.stack(f64, kLanes), f64, reducer, 8};
    lanes.clear(at);
    Value zero = at.integer(0);
    auto loop = mlir::scf::ForOp::create(at, at.location, zero, given[2],
                                         at.integer(1), ValueRange(zero));
    mlir::OpBuilder::InsertionGuard guard(at);
    at.setInsertionPointToStart(loop.getBody());
    Value index = loop.getInductionVar(), place = loop.getRegionIterArg(0);
    Value isMember = arith::CmpFOp::create(
        at, at.location, arith::CmpFPredicate::UNE,
        at.load(f64, at.at(given[1], index, f64)), at.number(0, f64));
    at.when(isMember, [&] {
      lanes.accumulate(at, place, at.load(f64, at.at(given[0], index, f64)));
    });
    Value one =
        arith::ExtUIOp::create(at, at.location, at.getI64Type(), isMember);
    mlir::scf::YieldOp::create(at, at.location, at.add(place, one));
    at.setInsertionPointAfter(loop);
    return {lanes.fold(at, module)};
  };
  return callShared(builder, module,
                    "updraft_fold_members_" + ir::stringifyReducer(reducer),
                    f64, {list, members, count}, fill)[0];
}

Value foldList(Builder &builder, mlir::ModuleOp module, ir::Reducer reducer,
               Value list, Value count, Value stride) {
  std::string name = ("updraft_fold_" + ir::stringifyReducer(reducer)).str();
  llvm::SmallVector<Value> operands{list, count, stride};
  bool isNew;
  func::FuncOp function =
      functionOf(builder, module, name, ValueRange(operands).getTypes(),
                 builder.getF64Type(), isNew);
  if (isNew) {
    Builder inner(builder.getContext(), builder.location);
    fillFold(inner, module, function, reducer);
  }
  return call(builder, function, operands);
}

} // namespace updraft::loops
