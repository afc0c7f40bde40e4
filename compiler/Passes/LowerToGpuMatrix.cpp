//===- LowerToGpuMatrix.cpp - Products of matrices on a GPU ---------------===//
//
// A block makes a tile in parts of 96 x 80. Its 16 x 16 threads have 6 x 5
// elements each, 16 rows and columns apart, whose sums and totals stay in
// registers (numerics.md 8). What is multiplied goes through memory that the
// block shares, 16 k at a time.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToGpuMatrix.h"

#include "compiler/Passes/LowerToLoopsMatrix.h"
#include "runtime/abi.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
namespace LLVM = mlir::LLVM;
using ir::Level;
using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

static constexpr int64_t kSide = 16; ///< threads along a row or column
static constexpr int64_t kRows = UPDRAFT_TILE_ROWS / kSide;
static constexpr int64_t kColumns = 5;
static constexpr int64_t kWidth = kSide * kColumns; ///< columns of a part
static constexpr int64_t kStep = 16;                ///< k in shared memory
static_assert(kSide * kSide == kMatrixThreads);
static_assert(UPDRAFT_TILE_COLS % kWidth == 0);

/// LLVM's number of the address space of a block's shared memory.
static constexpr unsigned kShared = 3;

namespace {

using Values = llvm::SmallVector<Value>;

class GpuMatrix : public MatrixKernel {
public:
  explicit GpuMatrix(GpuKernel &kernel);
  LogicalResult build();

private:
  void emitTile(const Tile &tile) override;
  Value sharedMemory(llvm::StringRef name, int64_t items);
  void copy(const Factor &from, Value target, int64_t width, Value first,
            Value count, Value k, Value depth);
  void copyItems(const Factor &from, bool hasLines, Value target, int64_t width,
                 Value first, Value count, Value k, Value depth);
  Values multiply(const Product &product, const Tile &tile, Value column);
  Values addChunk(const Product &product, const Tile &tile, Value column,
                  Value from, Value to);
  Values addSteps(ValueRange sums, Value from, Value to, int64_t step);
  void emitElements(const Tile &tile, Value column, ValueRange totals);
  Value emitBody(Value index, Value total);

  Value row_, column_; ///< of the thread among the block's
  Value number_;
  Value left_, right_; ///< shared: element (i, k) at k*width + i
};

} // namespace

GpuMatrix::GpuMatrix(GpuKernel &kernel)
    : MatrixKernel(kernel), number_(kernel.thread.number) {
  Builder &entry = kernel.entry;
  row_ = entry.divide(number_, entry.integer(kSide));
  column_ = entry.bitAnd(number_, kSide - 1);
  left_ = sharedMemory("left", kStep * UPDRAFT_TILE_ROWS);
  right_ = sharedMemory("right", kStep * kWidth);
}

Value GpuMatrix::sharedMemory(llvm::StringRef name, int64_t items) {
  Builder &entry = kernel_.entry;
  std::string symbol =
      ("updraft_" + name + (type_.isF64() ? "_f64" : "_f32")).str();
  if (!kernel_.module.lookupSymbol(symbol)) {
    mlir::OpBuilder::InsertionGuard guard(entry);
    entry.setInsertionPointToStart(kernel_.module.getBody());
    LLVM::GlobalOp::create(
        entry, entry.location, LLVM::LLVMArrayType::get(type_, items),
        /*isConstant=*/false, LLVM::Linkage::Internal, symbol,
        mlir::Attribute(), /*alignment=*/16, kShared);
  }
  return LLVM::AddressOfOp::create(
      entry, entry.location,
      LLVM::LLVMPointerType::get(entry.getContext(), kShared), symbol);
}

LogicalResult GpuMatrix::build() {
  if (failed(check()) ||
      failed(kernel_.emitUniforms(kernel_.entry, Level::Model)))
    return failure();
  const Thread &thread = static_cast<GpuKernel &>(kernel_).thread;
  LogicalResult result = success();
  at_.loop(at_.add(kernel_.first, thread.block),
           at_.add(kernel_.first, kernel_.count), thread.blocks,
           [&](Value number) { result = emitChunk(number); });
  return result;
}

//===- Products -----------------------------------------------------------===//

/// Lays items [first, first + width) of the factor for kStep k from `k` on at
/// `target`. Those that do not exist (`count` items do, up to `depth`) are 0.
void GpuMatrix::copy(const Factor &from, Value target, int64_t width,
                     Value first, Value count, Value k, Value depth) {
  auto emit = [&](bool hasLines) {
    return [&, hasLines] {
      copyItems(from, hasLines, target, width, first, count, k, depth);
    };
  };
  at_.when(from.hasLines, emit(true), emit(false));
}

/// Threads side by side read what lies side by side: along k in a line.
void GpuMatrix::copyItems(const Factor &from, bool hasLines, Value target,
                          int64_t width, Value first, Value count, Value k,
                          Value depth) {
  at_.loop(
      number_, at_.integer(width * kStep), kMatrixThreads, [&](Value place) {
        Value by = at_.integer(hasLines ? kStep : width);
        Value outer = at_.divide(place, by);
        Value inner = at_.subtract(place, at_.multiply(outer, by));
        Value item = hasLines ? outer : inner;
        Value step = hasLines ? inner : outer;
        Value i = at_.add(first, item), own = at_.add(k, step);
        Value isIn = arith::AndIOp::create(
            at_, at_.location, at_.compare(arith::CmpIPredicate::ult, i, count),
            at_.compare(arith::CmpIPredicate::ult, own, depth));
        Value line = hasLines ? i : own, along = hasLines ? own : i;
        auto branch = scf::IfOp::create(at_, at_.location, type_, isIn,
                                        /*withElseRegion=*/true);
        {
          mlir::OpBuilder::InsertionGuard guard(at_);
          at_.setInsertionPointToStart(branch.thenBlock());
          Value index = at_.add(at_.multiply(line, from.stride), along);
          Value value = at_.load(type_, at_.at(from.start, index, type_), 0,
                                 /*isConstant=*/true);
          scf::YieldOp::create(at_, at_.location, value);
          at_.setInsertionPointToStart(branch.elseBlock());
          scf::YieldOp::create(at_, at_.location, at_.number(0, type_));
        }
        Value there = at_.add(at_.multiply(step, at_.integer(width)), item);
        at_.store(branch.getResult(0), at_.at(target, there, type_));
      });
}

/// The thread's totals for the part of the tile from `column` on: chunks of 256
/// k, added in order.
Values GpuMatrix::multiply(const Product &product, const Tile &tile,
                           Value column) {
  Value none = at_.integer(0), chunk = at_.integer(kDepth);
  Values start(kRows * kColumns, at_.number(0, type_));
  auto loop =
      scf::ForOp::create(at_, at_.location, none, product.depth, chunk, start);
  mlir::OpBuilder::InsertionGuard guard(at_);
  at_.setInsertionPointToStart(loop.getBody());
  Value from = loop.getInductionVar();
  Value to = at_.least(product.depth, at_.add(from, chunk));
  Values sums = addChunk(product, tile, column, from, to);
  Value isFirst = at_.compare(arith::CmpIPredicate::eq, from, none);
  for (auto [sum, total] : llvm::zip(sums, loop.getRegionIterArgs()))
    sum = choose(isFirst, sum,
                 arith::AddFOp::create(at_, at_.location, total, sum));
  scf::YieldOp::create(at_, at_.location, sums);
  return Values(loop.getResults());
}

/// The chain of one chunk, from +0.
Values GpuMatrix::addChunk(const Product &product, const Tile &tile,
                           Value column, Value from, Value to) {
  Values start(kRows * kColumns, at_.number(0, type_));
  auto loop = scf::ForOp::create(at_, at_.location, from, to,
                                 at_.integer(kStep), start);
  mlir::OpBuilder::InsertionGuard guard(at_);
  at_.setInsertionPointToStart(loop.getBody());
  Value k = loop.getInductionVar(), none = at_.integer(0);
  waitForBlock(at_); // for those that still read what was laid before
  copy(product.left, left_, UPDRAFT_TILE_ROWS, none, tile.rows, k, to);
  copy(product.right, right_, kWidth, column, tile.columns, k, to);
  waitForBlock(at_);
  constexpr int64_t kUnrolled = 4;
  Value steps = at_.least(at_.subtract(to, k), at_.integer(kStep));
  Value whole = at_.bitAnd(steps, -kUnrolled);
  Values sums = addSteps(loop.getRegionIterArgs(), none, whole, kUnrolled);
  sums = addSteps(sums, whole, steps, 1);
  scf::YieldOp::create(at_, at_.location, sums);
  return Values(loop.getResults());
}

/// Adds the products of k [from, to) in shared memory, `step` of them a turn.
Values GpuMatrix::addSteps(ValueRange sums, Value from, Value to,
                           int64_t step) {
  auto loop =
      scf::ForOp::create(at_, at_.location, from, to, at_.integer(step), sums);
  mlir::OpBuilder::InsertionGuard guard(at_);
  at_.setInsertionPointToStart(loop.getBody());
  Values next(loop.getRegionIterArgs());
  auto load = [&](Value shared, int64_t width, Value own, Value k,
                  int64_t part) {
    Value index = at_.add(at_.multiply(k, at_.integer(width)),
                          at_.add(own, at_.integer(part * kSide)));
    return at_.load(type_, at_.at(shared, index, type_));
  };
  for (int64_t turn = 0; turn < step; ++turn) {
    Value k = at_.add(loop.getInductionVar(), at_.integer(turn));
    Values columns;
    for (int64_t j = 0; j < kColumns; ++j)
      columns.push_back(load(right_, kWidth, column_, k, j));
    for (int64_t i = 0; i < kRows; ++i) {
      Value row = load(left_, UPDRAFT_TILE_ROWS, row_, k, i);
      for (int64_t j = 0; j < kColumns; ++j) {
        Value &sum = next[i * kColumns + j];
        sum =
            mlir::math::FmaOp::create(at_, at_.location, row, columns[j], sum);
      }
    }
  }
  scf::YieldOp::create(at_, at_.location, next);
  return Values(loop.getResults());
}

//===- Tiles --------------------------------------------------------------===//

void GpuMatrix::emitTile(const Tile &tile) {
  Product product = productOf(tile);
  at_.loop(at_.integer(0), tile.columns, kWidth, [&](Value column) {
    Values totals = multiply(product, tile, column);
    emitElements(tile, column, totals);
  });
}

/// The body for the thread's elements; of a square those from the diagonal on,
/// which are stored on both sides.
void GpuMatrix::emitElements(const Tile &tile, Value column,
                             ValueRange totals) {
  for (int64_t i = 0; i < kRows; ++i)
    for (int64_t j = 0; j < kColumns; ++j) {
      Value row = at_.add(row_, at_.integer(i * kSide));
      Value own = at_.add(column, at_.add(column_, at_.integer(j * kSide)));
      Value line = at_.add(tile.row, row), place = at_.add(tile.column, own);
      auto both = [&](Value left, Value right) -> Value {
        return arith::AndIOp::create(at_, at_.location, left, right);
      };
      Value exists =
          both(at_.compare(arith::CmpIPredicate::ult, row, tile.rows),
               at_.compare(arith::CmpIPredicate::ult, own, tile.columns));
      if (isSquare_)
        exists =
            both(exists, at_.compare(arith::CmpIPredicate::ule, line, place));
      at_.when(exists, [&] {
        auto indexOf = [&](Value line, Value place) {
          return at_.add(at_.multiply(line, tile.line), place);
        };
        Value index = indexOf(line, place);
        Value value = emitBody(index, totals[i * kColumns + j]);
        Value start = startOf(put_.getTarget());
        at_.store(value, at_.at(start, index, type_));
        if (isSquare_)
          at_.store(value, at_.at(start, indexOf(place, line), type_));
      });
    }
}

/// What is stored for one element.
Value GpuMatrix::emitBody(Value index, Value total) {
  llvm::DenseMap<Value, Value> values;
  auto operandOf = [&](Value value) -> Value {
    return kernel_.levelOf(value) == Level::Element
               ? values.lookup(value)
               : kernel_.uniforms.lookup(value);
  };
  for (Operation &operation : kernel_.body()) {
    if (kernel_.levelOf(&operation) != Level::Element || &operation == put_)
      continue;
    at_.location = operation.getLoc();
    Value &result = values[operation.getResult(0)];
    if (&operation == product_) {
      result = total;
    } else if (auto get = llvm::dyn_cast<ir::GetOp>(operation)) {
      result = at_.load(type_, at_.at(startOf(get.getSource()), index, type_));
    } else {
      Values operands;
      for (Value operand : operation.getOperands())
        operands.push_back(operandOf(operand));
      result = cloneWidened(at_, &operation, operands, 1)->getResult(0);
    }
  }
  return operandOf(put_.getValue());
}

LogicalResult lowerGpuMatrix(GpuKernel &kernel) {
  return GpuMatrix(kernel).build();
}

} // namespace updraft::loops
