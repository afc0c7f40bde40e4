//===- LowerToLoopsRuns.cpp - Folding rows, columns and numbers -----------===//

#include "compiler/Passes/LowerToLoopsAxis.h"

#include "compiler/Passes/LowerToLoopsFold.h"
#include "runtime/abi.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;

static unsigned bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

static std::string nameOf(llvm::StringRef what, ir::Reducer reducer,
                          Type type) {
  return ("updraft_" + what + "_" + ir::stringifyReducer(reducer) +
          (type.isF64() ? "_f64" : "_f32"))
      .str();
}

static Value toF64(Builder &at, Value value) {
  auto vector = mlir::dyn_cast<mlir::VectorType>(value.getType());
  Type wanted =
      Builder::widened(at.getF64Type(), vector ? vector.getNumElements() : 1);
  if (value.getType() == wanted)
    return value;
  return arith::ExtFOp::create(at, at.location, wanted, value);
}

void fillNumbers(Kernel &kernel, Type type, Value target, Value count,
                 double number) {
  Builder &at = kernel.builder;
  unsigned width = kernel.shape.vectorBytes / bytesOf(type);
  callShared(at, kernel.module,
             llvm::Twine("updraft_fill_") + (type.isF64() ? "f64" : "f32"), {},
             {target, count, at.number(number, type)},
             [&](Builder &inner, ValueRange arguments) -> Values {
               Value target = arguments[0], value = arguments[2];
               Value items = mlir::vector::BroadcastOp::create(
                   inner, inner.location, Builder::widened(type, width), value);
               Value whole = inner.bitAnd(arguments[1], -int64_t(width));
               auto store = [&](Value number) {
                 return [&inner, number, target, type](Value index) {
                   inner.store(number, inner.at(target, index, type),
                               bytesOf(type));
                 };
               };
               inner.loop(inner.integer(0), whole, width, store(items));
               inner.loop(whole, arguments[1], 1, store(value));
               return {};
             });
}

void foldRowRuns(Kernel &kernel, ir::Reducer reducer, Type type, Value target,
                 Value source, Value count, Value runs) {
  Builder &at = kernel.builder;
  callShared(
      at, kernel.module, nameOf("rows", reducer, type), {},
      {target, source, count, runs},
      [&](Builder &inner, ValueRange arguments) -> Values {
        Type f64 = inner.getF64Type();
        Value none = inner.integer(0), one = inner.integer(1);
        inner.loop(none, arguments[2], 1, [&](Value row) {
          Value line =
              inner.at(arguments[1], inner.multiply(row, arguments[3]), type);
          Value start = inner.number(identityOf(reducer), f64);
          auto loop = scf::ForOp::create(inner, inner.location, none,
                                         arguments[3], one, start);
          {
            mlir::OpBuilder::InsertionGuard guard(inner);
            inner.setInsertionPointToStart(loop.getBody());
            Value run =
                inner.load(type, inner.at(line, loop.getInductionVar(), type));
            Value sum = combine(inner, reducer, loop.getRegionIterArg(0),
                                toF64(inner, run));
            scf::YieldOp::create(inner, inner.location, sum);
          }
          inner.store(loop.getResult(0), inner.at(arguments[0], row, f64));
        });
        return {};
      });
}

namespace {

/// The columns of one matrix within a strip of columns: their totals at
/// `target`, their runs from `source` on.
struct ColumnRuns {
  ir::Reducer reducer;
  Type type;
  Value target, source, count, columns, runs;

  void fold(Builder &at) const;

private:
  void addLine(Builder &at, Value line, Value index, unsigned width) const;
};

} // namespace

void ColumnRuns::addLine(Builder &at, Value line, Value index,
                         unsigned width) const {
  Type f64 = at.getF64Type();
  Value run = at.load(Builder::widened(type, width), at.at(line, index, type),
                      bytesOf(type));
  Value total = at.at(target, index, f64);
  Value old = at.load(Builder::widened(f64, width), total, 8);
  at.store(combine(at, reducer, old, toF64(at, run)), total, 8);
}

void ColumnRuns::fold(Builder &at) const {
  constexpr unsigned kWidth = kVectorBytes / 8;
  Type f64 = at.getF64Type();
  Value none = at.integer(0);
  Value start = at.number(identityOf(reducer), Builder::widened(f64, kWidth));
  at.loop(none, count, kWidth,
          [&](Value index) { at.store(start, at.at(target, index, f64), 8); });
  Value whole = at.bitAnd(count, -int64_t(kWidth));
  at.loop(none, runs, 1, [&](Value run) {
    Value line = at.at(source, at.multiply(run, columns), type);
    at.loop(none, whole, kWidth,
            [&](Value index) { addLine(at, line, index, kWidth); });
    at.loop(whole, count, 1, [&](Value index) { addLine(at, line, index, 1); });
  });
}

void foldColumnRuns(Kernel &kernel, ir::Reducer reducer, Type type,
                    Value target, Value source, Value first, Value count,
                    Value columns, Value runs) {
  Builder &at = kernel.builder;
  callShared(
      at, kernel.module, nameOf("columns", reducer, type), {},
      {target, source, first, count, columns, runs},
      [&](Builder &inner, ValueRange arguments) -> Values {
        Value target = arguments[0], first = arguments[2], count = arguments[3];
        Value columns = arguments[4], runs = arguments[5];
        Value matrix = inner.divide(first, columns);
        Value column = inner.subtract(first, inner.multiply(matrix, columns));
        Value lines = inner.multiply(matrix, inner.multiply(runs, columns));
        Value source = inner.at(arguments[1], lines, type);
        Value none = inner.integer(0);
        whileBelow(inner, count, {none, column, source},
                   [&](ValueRange state) -> Values {
                     Value length =
                         inner.least(inner.subtract(columns, state[1]),
                                     inner.subtract(count, state[0]));
                     ColumnRuns{reducer,
                                type,
                                inner.at(target, state[0], inner.getF64Type()),
                                inner.at(state[2], state[1], type),
                                length,
                                columns,
                                runs}
                         .fold(inner);
                     Value next = inner.at(state[2],
                                           inner.multiply(runs, columns), type);
                     return {inner.add(state[0], length), none, next};
                   });
        return {};
      });
}

//===- Lists --------------------------------------------------------------===//

static Value fillFoldNumbers(Builder &at, Kernel &kernel, ir::Reducer reducer,
                             Type type, ValueRange arguments) {
  Type f64 = at.getF64Type();
  unsigned width = kernel.shape.vectorBytes / bytesOf(type);
  Lanes items{at.stack(type, kLanes), type, reducer, width};
  Lanes totals{at.stack(f64, kLanes), f64, reducer,
               kernel.shape.vectorBytes / 8};
  totals.clear(at);
  Value none = at.integer(0);
  at.loop(none, arguments[1], UPDRAFT_BLOCK, [&](Value from) {
    Value list = at.at(arguments[0], from, type);
    Value count =
        at.least(at.subtract(arguments[1], from), at.integer(UPDRAFT_BLOCK));
    Value whole = at.bitAnd(count, -int64_t(width));
    auto add = [&](unsigned lanes) {
      return [&, lanes](Value index) {
        Value loaded = at.load(Builder::widened(type, lanes),
                               at.at(list, index, type), bytesOf(type));
        items.accumulate(at, index, loaded);
      };
    };
    items.clear(at);
    at.loop(none, whole, width, add(width));
    at.loop(whole, count, 1, add(1));
    totals.accumulate(at, at.divide(from, at.integer(UPDRAFT_BLOCK)),
                      toF64(at, items.fold(at, kernel.module)));
  });
  return totals.fold(at, kernel.module);
}

Value foldNumbers(Builder &at, Kernel &kernel, ir::Reducer reducer, Type type,
                  Value list, Value count) {
  return callShared(at, kernel.module, nameOf("list", reducer, type),
                    at.getF64Type(), {list, count},
                    [&](Builder &inner, ValueRange arguments) -> Values {
                      return {fillFoldNumbers(inner, kernel, reducer, type,
                                              arguments)};
                    })
      .front();
}

} // namespace updraft::loops
