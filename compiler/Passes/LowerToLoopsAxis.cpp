//===- LowerToLoopsAxis.cpp - Values of rows, columns, ... ----------------===//

#include "compiler/Passes/LowerToLoopsAxis.h"

#include "compiler/Passes/LowerToLoopsFold.h"

#include <array>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;

static unsigned bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

/// Where a strip remembers the one value that all of it is, by its address.
static Value memoOf(Builder &at, Value strip, int64_t bytes) {
  return at.at(strip, kStrip * bytes + kVectorBytes);
}

Value stripMemory(Builder &builder, int64_t bytes) {
  Value strip =
      builder.stack(builder.getI8Type(), kStrip * bytes + kVectorBytes + 8);
  builder.store(builder.integer(0), memoOf(builder, strip, bytes));
  return strip;
}

void whileBelow(Builder &at, Value end, ValueRange start,
                llvm::function_ref<Values(ValueRange)> body) {
  auto loop = scf::WhileOp::create(at, at.location, start.getTypes(), start);
  mlir::OpBuilder::InsertionGuard guard(at);
  llvm::SmallVector<mlir::Location> places(start.size(), at.location);
  ValueRange before =
      at.createBlock(&loop.getBefore(), {}, start.getTypes(), places)
          ->getArguments();
  Value goesOn = at.compare(arith::CmpIPredicate::ult, before[0], end);
  scf::ConditionOp::create(at, at.location, goesOn, before);
  ValueRange after =
      at.createBlock(&loop.getAfter(), {}, start.getTypes(), places)
          ->getArguments();
  scf::YieldOp::create(at, at.location, body(after));
}

//===- Values for items ---------------------------------------------------===//

/// A strip of one value is laid whole, so that the next strip of a long row
/// finds it there.
static Values fillSpreadRuns(Builder &at, ValueRange arguments, Type item) {
  auto [target, source, left, count, length] = std::array{
      arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]};
  int64_t bytes = bytesOf(item), width = kVectorBytes / bytes;
  Type vector = Builder::widened(item, width);
  Value memo = memoOf(at, target, bytes);
  Value name =
      mlir::LLVM::PtrToIntOp::create(at, at.location, at.getI64Type(), source);
  Value isOne = at.compare(arith::CmpIPredicate::ule, count, left);
  auto ifOne = [&](Value yes, Value no) -> Value {
    return arith::SelectOp::create(at, at.location, isOne, yes, no);
  };
  name = ifOne(name, at.integer(0));
  Value all = ifOne(at.integer(kStrip), count);
  Value first = ifOne(all, left);
  Value isThere = at.compare(arith::CmpIPredicate::eq, name,
                             at.load(at.getI64Type(), memo));
  Value end = arith::SelectOp::create(
      at, at.location, arith::AndIOp::create(at, at.location, isOne, isThere),
      at.integer(0), all);
  at.store(name, memo);
  whileBelow(
      at, end, {at.integer(0), source, first}, [&](ValueRange state) -> Values {
        Value value = at.load(item, state[1], bytes);
        Value items =
            mlir::vector::BroadcastOp::create(at, at.location, vector, value);
        Value next = at.add(state[0], state[2]);
        // What is laid beyond the end of a run, the next one covers.
        at.loop(state[0], at.least(next, all), width, [&](Value index) {
          at.store(items, at.at(target, index, item), bytes);
        });
        return {next, at.at(state[1], bytes), length};
      });
  return {};
}

void spreadRuns(Kernel &kernel, int64_t bytes, Value target, Value source,
                Value left, Value count, Value length) {
  Builder &at = kernel.builder;
  Type item = at.getIntegerType(8 * bytes);
  callShared(at, kernel.module, "updraft_spread_runs_" + llvm::Twine(bytes), {},
             {target, source, left, count, length},
             [&](Builder &inner, ValueRange arguments) {
               return fillSpreadRuns(inner, arguments, item);
             });
}

static void copy(Builder &at, Type item, Value target, Value source,
                 Value count) {
  int64_t bytes = bytesOf(item), width = kVectorBytes / bytes;
  auto copyAs = [&](Type type) {
    return [&at, item, bytes, target, source, type](Value index) {
      at.store(at.load(type, at.at(source, index, item), bytes),
               at.at(target, index, item), bytes);
    };
  };
  Value whole = at.bitAnd(count, -width);
  at.loop(at.integer(0), whole, width, copyAs(Builder::widened(item, width)));
  at.loop(whole, count, 1, copyAs(item));
}

/// Lays `count` items at `target`: `period` ones from `source` on, again and
/// again, beginning with the one at `column`. Whole periods of a vector and
/// more are laid one by one, and the rest is a copy of what lies there already,
/// twice as much each time. What is written beyond the end does not count.
static void repeat(Builder &at, Type item, Value target, Value source,
                   Value column, Value period, Value count) {
  int64_t bytes = bytesOf(item), width = kVectorBytes / bytes;
  Type vector = Builder::widened(item, width);
  Value none = at.integer(0);
  Value periods = at.divide(at.add(period, at.integer(width - 1)), period);
  Value first = at.least(at.multiply(periods, period), count);
  whileBelow(at, first, {none, column}, [&](ValueRange state) -> Values {
    Value length =
        at.least(at.subtract(period, state[1]), at.subtract(first, state[0]));
    copy(at, item, at.at(target, state[0], item), at.at(source, state[1], item),
         length);
    return {at.add(state[0], length), none};
  });
  whileBelow(at, count, {first}, [&](ValueRange state) -> Values {
    Value length = at.least(state[0], at.subtract(count, state[0]));
    Value end = at.at(target, state[0], item);
    at.loop(none, length, width, [&](Value index) {
      Value items = at.load(vector, at.at(target, index, item), bytes);
      at.store(items, at.at(end, index, item), bytes);
    });
    return {at.add(state[0], length)};
  });
}

static Values fillSpreadColumns(Builder &at, ValueRange arguments, Type item) {
  Value target = arguments[0], first = arguments[2], count = arguments[3];
  Value rows = arguments[4], columns = arguments[5];
  Value line = at.divide(first, columns);
  Value column = at.subtract(first, at.multiply(line, columns));
  Value matrix = at.divide(line, rows);
  Value row = at.subtract(line, at.multiply(matrix, rows));
  Value values = at.at(arguments[1], at.multiply(matrix, columns), item);
  Value isOneRow =
      at.compare(arith::CmpIPredicate::ule, at.add(column, count), columns);
  auto branch = scf::IfOp::create(at, at.location, at.pointer(), isOneRow,
                                  /*withElseRegion=*/true);
  mlir::OpBuilder::InsertionGuard guard(at);
  at.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(at, at.location, at.at(values, column, item));
  at.setInsertionPointToStart(branch.elseBlock());
  Value none = at.integer(0), size = at.multiply(rows, columns);
  Value begin = at.add(at.multiply(row, columns), column);
  whileBelow(at, count, {none, begin, column, values},
             [&](ValueRange state) -> Values {
               auto [done, begin, column, values] =
                   std::array{state[0], state[1], state[2], state[3]};
               Value length =
                   at.least(at.subtract(size, begin), at.subtract(count, done));
               repeat(at, item, at.at(target, done, item), values, column,
                      columns, length);
               return {at.add(done, length), none, none,
                       at.at(values, columns, item)};
             });
  scf::YieldOp::create(at, at.location, target);
  return {branch.getResult(0)};
}

Value spreadColumns(Kernel &kernel, int64_t bytes, Value target, Value source,
                    Value first, Value count, Value rows, Value columns) {
  Builder &at = kernel.builder;
  Type item = at.getIntegerType(8 * bytes);
  return callShared(at, kernel.module,
                    "updraft_spread_columns_" + llvm::Twine(bytes),
                    at.pointer(), {target, source, first, count, rows, columns},
                    [&](Builder &inner, ValueRange arguments) {
                      return fillSpreadColumns(inner, arguments, item);
                    })
      .front();
}

} // namespace updraft::loops
