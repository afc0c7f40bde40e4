//===- LowerToLoopsFold.cpp - Sums, maxima and minima by 128 lanes --------===//

#include "compiler/Passes/LowerToLoopsFold.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace updraft::loops {

namespace arith = mlir::arith;
namespace func = mlir::func;

void Lanes::clear(Builder &builder) const {
  Value identity =
      builder.number(identityOf(reducer), Builder::widened(type, width));
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  for (int64_t lane = 0; lane < kLanes; lane += width)
    builder.store(identity, builder.at(memory, lane * bytes), width * bytes);
}

void Lanes::accumulate(Builder &builder, Value index, Value items) const {
  Value lane = builder.bitAnd(index, kLanes - 1);
  Value address = builder.at(memory, lane, type);
  unsigned bytes = type.getIntOrFloatBitWidth() / 8;
  bool isVector = mlir::isa<mlir::VectorType>(items.getType());
  unsigned alignment = isVector ? width * bytes : bytes;
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

Value Lanes::fold(Builder &builder) const {
  unsigned bytes = type.getIntOrFloatBitWidth() / 8;
  Type vectorType = Builder::widened(type, width);
  llvm::SmallVector<Value> vectors;
  for (int64_t lane = 0; lane < kLanes; lane += width)
    vectors.push_back(builder.load(vectorType, builder.at(memory, lane * bytes),
                                   width * bytes));
  for (unsigned count = vectors.size() / 2; count > 0; count /= 2)
    for (unsigned i = 0; i < count; ++i)
      vectors[i] = combine(builder, reducer, vectors[i], vectors[i + count]);
  Value rest = vectors[0];
  for (unsigned left = width; left > 1; left /= 2)
    rest = combine(builder, reducer, half(builder, rest, left, false),
                   half(builder, rest, left, true));
  return mlir::vector::ExtractOp::create(builder, builder.location, rest,
                                         llvm::ArrayRef<int64_t>{0});
}

/// Accumulates a whole list: whole vectors first where the items lie side by
/// side, then one by one.
static Value foldAll(Builder &builder, const Lanes &lanes, Value list,
                     Value count, Value stride) {
  lanes.clear(builder);
  Type f64 = builder.getF64Type();
  Value start = builder.integer(0);
  if (!stride) {
    Value whole = builder.bitAnd(count, -int64_t(lanes.width));
    builder.loop(start, whole, lanes.width, [&](Value index) {
      Value items = builder.load(Builder::widened(f64, lanes.width),
                                 builder.at(list, index, f64), 8);
      lanes.accumulate(builder, index, items);
    });
    start = whole;
  }
  builder.loop(start, count, 1, [&](Value index) {
    Value address = stride ? builder.at(list, builder.multiply(index, stride))
                           : builder.at(list, index, f64);
    lanes.accumulate(builder, index, builder.load(f64, address));
  });
  return lanes.fold(builder);
}

/// Most lists have one entry: a tensor of at most one block, one group.
static void buildFold(Builder &builder, func::FuncOp function,
                      ir::Reducer reducer, bool isStrided) {
  mlir::Block *block = function.addEntryBlock();
  builder.setInsertionPointToStart(block);
  Type f64 = builder.getF64Type();
  Value list = block->getArgument(0), count = block->getArgument(1);
  Value stride = isStrided ? block->getArgument(2) : Value();
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
  Value all = foldAll(builder, lanes, list, count, stride);
  mlir::scf::YieldOp::create(builder, builder.location, all);
  builder.setInsertionPointToEnd(block);
  func::ReturnOp::create(builder, builder.location, branch.getResults());
}

Value foldList(Builder &builder, mlir::ModuleOp module, ir::Reducer reducer,
               Value list, Value count, Value stride) {
  std::string name = ("updraft_fold_" + ir::stringifyReducer(reducer) +
                      (stride ? "_strided" : ""))
                         .str();
  llvm::SmallVector<Value> operands{list, count};
  if (stride)
    operands.push_back(stride);
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function) {
    Builder inner(builder.getContext(), builder.location);
    inner.setInsertionPointToEnd(module.getBody());
    auto type = inner.getFunctionType(ValueRange(operands).getTypes(),
                                      inner.getF64Type());
    function = func::FuncOp::create(inner, inner.location, name, type);
    function.setPrivate();
    buildFold(inner, function, reducer, bool(stride));
  }
  return func::CallOp::create(builder, builder.location, function, operands)
      .getResult(0);
}

} // namespace updraft::loops
