//===- LowerToGpuWarp.cpp - What the threads of a warp do together --------===//

#include "compiler/Passes/LowerToGpuWarp.h"

#include "compiler/Passes/LowerToLoopsFold.h"
#include "runtime/abi.h"

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;

Thread Thread::find(Builder &at) {
  Type i32 = at.getI32Type(), i64 = at.getI64Type();
  auto read = [&](llvm::StringRef name) -> Value {
    Value narrow = at.intrinsic(("llvm.nvvm.read.ptx.sreg." + name).str(), i32);
    return arith::ExtUIOp::create(at, at.location, i64, narrow);
  };
  Value number = read("tid.x");
  return {number, at.bitAnd(number, kWarp - 1),
          at.divide(number, at.integer(kWarp)), read("ctaid.x"),
          read("nctaid.x")};
}

//===- Small words --------------------------------------------------------===//

llvm::SmallVector<Value> itemsOf(Builder &at, Value vector) {
  auto type = mlir::cast<mlir::VectorType>(vector.getType());
  llvm::SmallVector<Value> items;
  for (int64_t item = 0; item < type.getNumElements(); ++item)
    items.push_back(
        mlir::vector::ExtractOp::create(at, at.location, vector, item));
  return items;
}

Value vectorOf(Builder &at, ValueRange items) {
  Type type = Builder::widened(items[0].getType(), items.size());
  return mlir::vector::FromElementsOp::create(at, at.location, type, items);
}

Value select(Builder &at, Value condition, Value yes, Value no) {
  return arith::SelectOp::create(at, at.location, condition, yes, no);
}

Value toF64(Builder &at, Value value) {
  if (value.getType().isF64())
    return value;
  return arith::ExtFOp::create(at, at.location, at.getF64Type(), value);
}

void waitForBlock(Builder &at) {
  at.intrinsic("llvm.nvvm.barrier.cta.sync.aligned.all", {},
               at.integer(0, at.getI32Type()));
}

static Value everyThread(Builder &at) {
  return at.integer(-1, at.getI32Type());
}

void waitForWarp(Builder &at) {
  at.intrinsic("llvm.nvvm.bar.warp.sync", {}, everyThread(at));
}

//===- Shuffles -----------------------------------------------------------===//

/// What the thread `by` further on has ("down"), or the thread `by` ("idx").
static Value shuffle(Builder &at, llvm::StringRef mode, Value value, Value by) {
  Type type = value.getType(), i32 = at.getI32Type(), i64 = at.getI64Type();
  if (type.isF64()) {
    Value bits = arith::BitcastOp::create(at, at.location, i64, value);
    return arith::BitcastOp::create(at, at.location, type,
                                    shuffle(at, mode, bits, by));
  }
  if (type.isInteger(64)) {
    Value half = at.integer(32);
    auto low = [&](Value bits) -> Value {
      return arith::TruncIOp::create(at, at.location, i32, bits);
    };
    auto widen = [&](Value bits) -> Value {
      return arith::ExtUIOp::create(at, at.location, i64,
                                    shuffle(at, mode, bits, by));
    };
    Value upper = arith::ShRUIOp::create(at, at.location, value, half);
    Value moved =
        arith::ShLIOp::create(at, at.location, widen(low(upper)), half);
    return arith::OrIOp::create(at, at.location, widen(low(value)), moved);
  }
  llvm::StringRef suffix = type.isF32() ? ".f32" : ".i32";
  return at.intrinsic(("llvm.nvvm.shfl.sync." + mode + suffix).str(), type,
                      {everyThread(at), value, by, at.integer(kWarp - 1, i32)});
}

static Value shuffleDown(Builder &at, Value value, int64_t by) {
  return shuffle(at, "down", value, at.integer(by, at.getI32Type()));
}

//===- Lanes --------------------------------------------------------------===//

Value emptyLanes(Builder &at, ir::Reducer reducer, Type type) {
  return at.number(identityOf(reducer), Builder::widened(type, kItems));
}

Value foldLanes(Builder &at, ir::Reducer reducer, Value lanes) {
  llvm::SmallVector<Value> items = itemsOf(at, lanes);
  for (int64_t half = kWarp / 2; half > 0; half /= 2)
    for (Value &item : items)
      item = combine(at, reducer, item, shuffleDown(at, item, half));
  Value low = combine(at, reducer, items[0], items[2]);
  Value high = combine(at, reducer, items[1], items[3]);
  Value total = combine(at, reducer, low, high);
  return shuffle(at, "idx", total, at.integer(0, at.getI32Type()));
}

Value addToLane(Builder &at, ir::Reducer reducer, const Thread &thread,
                Value lanes, Value index, Value item) {
  Value lane = at.bitAnd(index, kLanes - 1);
  Value own = at.subtract(lane, at.multiply(thread.lane, at.integer(kItems)));
  llvm::SmallVector<Value> items = itemsOf(at, lanes);
  for (auto [number, old] : llvm::enumerate(items)) {
    Value isHere =
        at.compare(arith::CmpIPredicate::eq, own, at.integer(number));
    old = select(at, isHere, combine(at, reducer, old, item), old);
  }
  return vectorOf(at, items);
}

//===- Lists --------------------------------------------------------------===//

namespace {

/// A list that a warp folds: `count` items of `type`, `stride` bytes apart.
struct List {
  ir::Reducer reducer;
  Type type;
  Value start, count, stride;

  Value add(Builder &at, Value lanes, Value index, bool mayEnd) const;
  Value fold(Builder &at, const Thread &thread) const;

private:
  Value loadItem(Builder &at, Value index, bool mayEnd) const;
};

} // namespace

Value List::loadItem(Builder &at, Value index, bool mayEnd) const {
  auto load = [&]() -> Value {
    return at.load(type, at.at(start, at.multiply(index, stride)));
  };
  if (!mayEnd)
    return load();
  Value exists = at.compare(arith::CmpIPredicate::ult, index, count);
  auto branch = scf::IfOp::create(at, at.location, type, exists,
                                  /*withElseRegion=*/true);
  mlir::OpBuilder::InsertionGuard guard(at);
  at.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(at, at.location, load());
  at.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(at, at.location, at.number(identityOf(reducer), type));
  return branch.getResult(0);
}

/// Items [index, index + 4) added to the thread's lanes.
Value List::add(Builder &at, Value lanes, Value index, bool mayEnd) const {
  llvm::SmallVector<Value> items;
  for (int64_t item = 0; item < kItems; ++item)
    items.push_back(loadItem(at, at.add(index, at.integer(item)), mayEnd));
  return combine(at, reducer, lanes, vectorOf(at, items));
}

/// Turns of 128 items: several at a time, so that as many loads are on their
/// way, while all of them exist; then one by one.
Value List::fold(Builder &at, const Thread &thread) const {
  constexpr int64_t kTurns = 8;
  Value first = at.multiply(thread.lane, at.integer(kItems));
  Value whole = at.bitAnd(count, -kTurns * kLanes);
  Value lanes = emptyLanes(at, reducer, type);
  for (int64_t turns : {kTurns, int64_t(1)}) {
    bool isLast = turns == 1;
    Value from = isLast ? at.add(whole, first) : first;
    auto loop =
        scf::ForOp::create(at, at.location, from, isLast ? count : whole,
                           at.integer(turns * kLanes), lanes);
    mlir::OpBuilder::InsertionGuard guard(at);
    at.setInsertionPointToStart(loop.getBody());
    Value sum = loop.getRegionIterArg(0);
    for (int64_t turn = 0; turn < turns; ++turn)
      sum = add(at, sum,
                at.add(loop.getInductionVar(), at.integer(turn * kLanes)),
                isLast);
    scf::YieldOp::create(at, at.location, sum);
    lanes = loop.getResult(0);
  }
  return foldLanes(at, reducer, lanes);
}

Value GpuKernel::foldList(Builder &at, ir::Reducer reducer, Value list,
                          Value count, Value stride) {
  return List{reducer, at.getF64Type(), list, count, stride}.fold(at, thread);
}

Value GpuKernel::foldNumbers(Builder &at, ir::Reducer reducer, Type type,
                             Value list, Value count) {
  Type f64 = at.getF64Type();
  Value block = at.integer(UPDRAFT_BLOCK);
  Value stride = at.integer(type.getIntOrFloatBitWidth() / 8);
  auto loop = scf::ForOp::create(at, at.location, at.integer(0), count, block,
                                 emptyLanes(at, reducer, f64));
  {
    mlir::OpBuilder::InsertionGuard guard(at);
    at.setInsertionPointToStart(loop.getBody());
    Value from = loop.getInductionVar();
    Value left = at.least(at.subtract(count, from), block);
    Value total = toF64(
        at, List{reducer, type, at.at(list, from, type), left, stride}.fold(
                at, thread));
    Value lanes = addToLane(at, reducer, thread, loop.getRegionIterArg(0),
                            at.divide(from, block), total);
    scf::YieldOp::create(at, at.location, lanes);
  }
  return foldLanes(at, reducer, loop.getResult(0));
}

/// 32 items at a time, one a thread; then each is handed to all, and the one
/// that has the lane of its place adds it.
Value GpuKernel::foldMembers(Builder &at, ir::Reducer reducer, Value list,
                             Value members, Value count) {
  Type f64 = at.getF64Type();
  Value none = at.integer(0), one = at.integer(1), warp = at.integer(kWarp);
  Value start[] = {emptyLanes(at, reducer, f64), none};
  auto loop = scf::ForOp::create(at, at.location, none, count, warp, start);
  mlir::OpBuilder::InsertionGuard guard(at);
  at.setInsertionPointToStart(loop.getBody());
  Value index = at.add(loop.getInductionVar(), thread.lane);
  auto loadOr0 = [&](Value from) -> Value {
    Value exists = at.compare(arith::CmpIPredicate::ult, index, count);
    Value safe = select(at, exists, index, none);
    return select(at, exists, at.load(f64, at.at(from, safe, f64)),
                  at.number(0, f64));
  };
  Value item = loadOr0(list), member = loadOr0(members);
  Value left = at.least(at.subtract(count, loop.getInductionVar()), warp);
  auto each = scf::ForOp::create(at, at.location, none, left, one,
                                 loop.getRegionIterArgs());
  {
    mlir::OpBuilder::InsertionGuard inner(at);
    at.setInsertionPointToStart(each.getBody());
    Value from = arith::TruncIOp::create(at, at.location, at.getI32Type(),
                                         each.getInductionVar());
    Value lanes = each.getRegionIterArg(0), place = each.getRegionIterArg(1);
    Value isMember = arith::CmpFOp::create(
        at, at.location, arith::CmpFPredicate::UNE,
        shuffle(at, "idx", member, from), at.number(0, f64));
    Value added = addToLane(at, reducer, thread, lanes, place,
                            shuffle(at, "idx", item, from));
    Value next[] = {select(at, isMember, added, lanes),
                    select(at, isMember, at.add(place, one), place)};
    scf::YieldOp::create(at, at.location, next);
  }
  scf::YieldOp::create(at, at.location, each.getResults());
  at.setInsertionPointAfter(loop);
  return foldLanes(at, reducer, loop.getResult(0));
}

} // namespace updraft::loops
