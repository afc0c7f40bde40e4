//===- LowerToLoopsMatrix.cpp - Kernels of matrix level -------------------===//
//
// A loop over tiles: the product that the body asks for, in memory of the
// thread's own, then the body on each row of the tile, by vectors. A square is
// symmetric: what lies on one side of the diagonal is computed, and stored on
// both.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToLoopsMatrix.h"
#include "runtime/abi.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using ir::Level;
using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

namespace {

class MatrixLoops : public MatrixKernel {
public:
  explicit MatrixLoops(Kernel &kernel) : MatrixKernel(kernel) {}
  LogicalResult build();

private:
  void emitTile(const Tile &tile) override;
  void emitRows(const Tile &tile);
  void emitBody(const Tile &tile, Value row, Value column, unsigned width);
  void mirror(const Tile &tile);

  Value workspace_;
};

} // namespace

LogicalResult MatrixLoops::build() {
  if (failed(check()))
    return failure();
  return kernel_.build([&]() -> LogicalResult {
    if (failed(kernel_.emitUniforms(kernel_.entry, Level::Model)))
      return failure();
    LogicalResult result = success();
    workspace_ =
        kernel_.frameMember(offsetof(updraft_frame, workspace), at_.pointer());
    at_.loop(kernel_.first, at_.add(kernel_.first, kernel_.count), 1,
             [&](Value number) { result = emitChunk(number); });
    return result;
  });
}

void MatrixLoops::emitTile(const Tile &tile) {
  Product product = productOf(tile);
  multiplyTile(at_, kernel_.module, kernel_.shape, type_, workspace_,
               product.left, product.right,
               {tile.rows, tile.columns, product.depth, product.skip});
  emitRows(tile);
  if (isSquare_)
    mirror(tile);
}

/// The body for each row of the tile, of a square from the diagonal on.
void MatrixLoops::emitRows(const Tile &tile) {
  int64_t width = kernel_.shape.vectorBytes * 8 / type_.getIntOrFloatBitWidth();
  at_.loop(at_.integer(0), tile.rows, 1, [&](Value row) {
    Value from = at_.integer(0);
    if (isSquare_)
      from = arith::MaxSIOp::create(
          at_, at_.location, from,
          at_.subtract(at_.add(tile.row, row), tile.column));
    Value left = arith::MaxSIOp::create(at_, at_.location, at_.integer(0),
                                        at_.subtract(tile.columns, from));
    Value whole = at_.add(from, at_.bitAnd(left, -width));
    at_.loop(from, whole, width,
             [&](Value column) { emitBody(tile, row, column, width); });
    at_.loop(whole, tile.columns, 1,
             [&](Value column) { emitBody(tile, row, column, 1); });
  });
}

/// `width` elements of a row of the tile.
void MatrixLoops::emitBody(const Tile &tile, Value row, Value column,
                           unsigned width) {
  unsigned bytes = type_.getIntOrFloatBitWidth() / 8;
  Type vector = Builder::widened(type_, width);
  Value inTile =
      at_.add(at_.multiply(row, at_.integer(UPDRAFT_TILE_COLS)), column);
  Value index = at_.add(at_.multiply(at_.add(tile.row, row), tile.line),
                        at_.add(tile.column, column));
  llvm::DenseMap<Value, Value> values;
  auto operandOf = [&](Value value) -> Value {
    if (kernel_.levelOf(value) == Level::Element)
      return values.lookup(value);
    Value uniform = kernel_.uniforms.lookup(value);
    if (width == 1 || uniform.getType().isInteger(1))
      return uniform;
    return mlir::vector::BroadcastOp::create(at_, at_.location, vector,
                                             uniform);
  };
  for (Operation &operation : kernel_.body()) {
    if (kernel_.levelOf(&operation) != Level::Element)
      continue;
    at_.location = operation.getLoc();
    if (&operation == put_) {
      Value value = operandOf(put_.getValue());
      at_.store(value, at_.at(startOf(put_.getTarget()), index, type_), bytes);
      if (isSquare_) // for the other side
        at_.store(value, at_.at(workspace_, inTile, type_), bytes);
      continue;
    }
    Value &result = values[operation.getResult(0)];
    if (&operation == product_) {
      result = at_.load(vector, at_.at(workspace_, inTile, type_), bytes);
    } else if (auto get = llvm::dyn_cast<ir::GetOp>(operation)) {
      result = at_.load(vector, at_.at(startOf(get.getSource()), index, type_),
                        bytes);
    } else {
      llvm::SmallVector<Value> operands;
      for (Value operand : operation.getOperands())
        operands.push_back(operandOf(operand));
      result = cloneWidened(at_, &operation, operands, width)->getResult(0);
    }
  }
}

/// Stores what the tile has right of the diagonal on the other side.
void MatrixLoops::mirror(const Tile &tile) {
  Value start = startOf(put_.getTarget());
  at_.loop(at_.integer(0), tile.columns, 1, [&](Value column) {
    Value line = at_.add(tile.column, column);
    Value above = arith::MaxSIOp::create(at_, at_.location, at_.integer(0),
                                         at_.subtract(line, tile.row));
    Value target =
        at_.at(start, at_.add(at_.multiply(line, tile.line), tile.row), type_);
    at_.loop(at_.integer(0), at_.least(tile.rows, above), 1, [&](Value row) {
      Value inTile =
          at_.add(at_.multiply(row, at_.integer(UPDRAFT_TILE_COLS)), column);
      at_.store(at_.load(type_, at_.at(workspace_, inTile, type_)),
                at_.at(target, row, type_));
    });
  });
}

LogicalResult lowerMatrixKernel(Kernel &kernel) {
  return MatrixLoops(kernel).build();
}

} // namespace updraft::loops
