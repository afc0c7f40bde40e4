//===- LowerToLoopsMatrix.cpp - Kernels of matrix level -------------------===//
//
// A loop over tiles: the product that the body asks for, in memory of the
// thread's own, then the body on each row of the tile, by vectors. A square is
// symmetric: what lies on one side of the diagonal is computed, and stored on
// both.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToLoopsKernel.h"
#include "compiler/Passes/LowerToLoopsProduct.h"
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

class MatrixLoops {
public:
  explicit MatrixLoops(Kernel &kernel);
  LogicalResult build();

private:
  /// Where a tile begins, how much there is of it, and how long a row is in
  /// memory of what it is a tile of.
  struct Tile {
    Value row, column, rows, columns, line;
  };

  LogicalResult check();
  LogicalResult emitChunk(Value number);
  void findMatrix();
  Value startOf(llvm::StringRef name);
  Tile findTile(Value index);
  std::pair<Value, Value> findSquareTile(Value index);
  Factor squareFrom(llvm::StringRef name, Value first);
  Value choose(Value condition, Value yes, Value no);
  void multiply(const Tile &tile);
  void emitRows(const Tile &tile);
  void emitBody(const Tile &tile, Value row, Value column, unsigned width);
  void mirror(const Tile &tile);

  Kernel &kernel_;
  Builder &at_;
  Type type_;
  bool isSquare_;
  ir::ProductOp product_;
  ir::PutOp put_;
  Value workspace_;
  Value rows_, columns_, isTall_, side_, depth_; ///< of the tensor at hand
};

} // namespace

MatrixLoops::MatrixLoops(Kernel &kernel)
    : kernel_(kernel), at_(kernel.builder),
      type_(kernel.op->getParentOfType<ir::ProgramOp>().getCompute()),
      isSquare_(kernel.op.getSpace()->getKind() == ir::SpaceKind::SquareTiles) {
}

//===- Around the tiles ---------------------------------------------------===//

/// The body is one product, numbers, and values of the array that it stores to
/// or of its space.
LogicalResult MatrixLoops::check() {
  for (Operation &operation : kernel_.body()) {
    llvm::StringRef name;
    if (auto product = llvm::dyn_cast<ir::ProductOp>(operation)) {
      if (product_)
        return product.emitOpError("is not the only one of its kernel");
      product_ = product;
    } else if (auto put = llvm::dyn_cast<ir::PutOp>(operation)) {
      if (put_)
        return put.emitOpError("is not the only one of its kernel");
      put_ = put;
      name = put.getTarget();
    } else if (auto get = llvm::dyn_cast<ir::GetOp>(operation)) {
      if (kernel_.levelOf(&operation) == Level::Element)
        name = get.getSource();
    } else if (llvm::isa<ir::PartialOp, ir::FoldOp, ir::MathOp>(operation)) {
      return operation.emitOpError("stands in a kernel of matrix level");
    }
    if (name.empty())
      continue;
    auto place = kernel_.placeOf(name);
    bool fits = place && place->kind == Place::Kind::Array &&
                place->format == type_ && bool(place->space) == isSquare_;
    if (!fits ||
        (isSquare_ && place->space.getKind() != ir::SpaceKind::Squares))
      return operation.emitOpError("reads or writes '")
             << name << "', which has no value for each element of the product";
  }
  if (!product_ || !put_)
    return kernel_.op.emitOpError("has no product that it stores");
  return success();
}

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

LogicalResult MatrixLoops::emitChunk(Value number) {
  auto [first, count] = kernel_.enterChunk(at_, number);
  kernel_.enterGroupOfRow(at_);
  if (failed(kernel_.emitUniforms(at_, Level::Group)) ||
      failed(kernel_.emitUniforms(at_, Level::Tensor)))
    return failure();
  findMatrix();
  auto emitTiles = [&] {
    at_.loop(first, at_.add(first, count), 1, [&](Value index) {
      Tile tile = findTile(index);
      multiply(tile);
      emitRows(tile);
      if (isSquare_)
        mirror(tile);
    });
  };
  if (put_.getWhen())
    at_.when(kernel_.uniforms.lookup(put_.getWhen()), emitTiles);
  else
    emitTiles();
  return success();
}

Value MatrixLoops::choose(Value condition, Value yes, Value no) {
  return arith::SelectOp::create(at_, at_.location, condition, yes, no);
}

/// The matrix is the folded one, which of rank 2 is the tensor.
void MatrixLoops::findMatrix() {
  rows_ = kernel_.shapeMember(at_, offsetof(updraft_shape, rows) + 8);
  columns_ = kernel_.shapeMember(at_, offsetof(updraft_shape, cols) + 8);
  isTall_ = at_.compare(arith::CmpIPredicate::ugt, rows_, columns_);
  side_ = at_.least(rows_, columns_);
  depth_ = choose(isTall_, rows_, columns_);
}

/// Where an array lies in this round.
Value MatrixLoops::startOf(llvm::StringRef name) {
  auto load = [&](llvm::StringRef name) {
    auto place = kernel_.placeOf(name);
    return kernel_.rowMember(at_, place->offset, at_.pointer());
  };
  std::optional<mlir::ArrayAttr> swaps = kernel_.op.getSwaps();
  if (!swaps)
    return load(name);
  auto nameOf = [&](unsigned index) {
    return mlir::cast<mlir::FlatSymbolRefAttr>((*swaps)[index]).getValue();
  };
  if (name != nameOf(0) && name != nameOf(1))
    return load(name);
  Value round =
      kernel_.frameMember(offsetof(updraft_frame, round), at_.getI64Type());
  Value isEven = at_.compare(arith::CmpIPredicate::eq, at_.bitAnd(round, 1),
                             at_.integer(0));
  return choose(isEven, load(name), load(nameOf(name == nameOf(0))));
}

//===- Tiles --------------------------------------------------------------===//

/// Which tile of a square, by rows and columns of tiles: those that end left of
/// the diagonal are left out.
std::pair<Value, Value> MatrixLoops::findSquareTile(Value index) {
  Value blocks = at_.divideUp(side_, UPDRAFT_TILE_COLS);
  auto leftOut = [&](Value row) {
    return at_.divide(at_.multiply(row, at_.integer(UPDRAFT_TILE_ROWS)),
                      at_.integer(UPDRAFT_TILE_COLS));
  };
  Type i64 = at_.getI64Type();
  llvm::SmallVector<Type> types{i64, i64};
  llvm::SmallVector<mlir::Location> places(2, at_.location);
  Value start[] = {at_.integer(0), index};
  auto loop = scf::WhileOp::create(at_, at_.location, types, start);
  {
    mlir::OpBuilder::InsertionGuard guard(at_);
    ValueRange state =
        at_.createBlock(&loop.getBefore(), {}, types, places)->getArguments();
    Value here = at_.subtract(blocks, leftOut(state[0]));
    scf::ConditionOp::create(
        at_, at_.location,
        at_.compare(arith::CmpIPredicate::uge, state[1], here), state);
    state =
        at_.createBlock(&loop.getAfter(), {}, types, places)->getArguments();
    here = at_.subtract(blocks, leftOut(state[0]));
    Value next[] = {at_.add(state[0], at_.integer(1)),
                    at_.subtract(state[1], here)};
    scf::YieldOp::create(at_, at_.location, next);
  }
  Value row = loop.getResult(0);
  return {row, at_.add(leftOut(row), loop.getResult(1))};
}

MatrixLoops::Tile MatrixLoops::findTile(Value index) {
  Value row, column, height = rows_, width = columns_;
  if (isSquare_) {
    std::tie(row, column) = findSquareTile(index);
    height = width = side_;
  } else {
    Value across = at_.divideUp(columns_, UPDRAFT_TILE_COLS);
    row = at_.divide(index, across);
    column = at_.subtract(index, at_.multiply(row, across));
  }
  Value tileRows = at_.integer(UPDRAFT_TILE_ROWS);
  Value tileColumns = at_.integer(UPDRAFT_TILE_COLS);
  row = at_.multiply(row, tileRows);
  column = at_.multiply(column, tileColumns);
  return {row, column, at_.least(at_.subtract(height, row), tileRows),
          at_.least(at_.subtract(width, column), tileColumns), width};
}

/// A square is symmetric, so it can be read by columns, which need no turning.
Factor MatrixLoops::squareFrom(llvm::StringRef name, Value first) {
  return {at_.at(startOf(name), first, type_), side_,
          at_.integer(0, at_.getI1Type())};
}

/// X is the matrix, or its transpose if that is tall. Row i of S X is in a tall
/// one column i of its transpose times S.
void MatrixLoops::multiply(const Tile &tile) {
  bool ofSquares = kernel_.placeOf(product_.getRight())->space != nullptr;
  Value isWide = at_.compare(arith::CmpIPredicate::ule, rows_, columns_);
  Value skip = at_.subtract(tile.row, tile.column);
  auto matrix = [&](Value first, Value hasLines) -> Factor {
    Value offset = choose(hasLines, at_.multiply(first, columns_), first);
    return {at_.at(startOf(product_.getRight()), offset, type_), columns_,
            hasLines};
  };
  Factor left, right;
  Value depth = side_;
  if (ofSquares) {
    left = squareFrom(product_.getLeft(), tile.row);
    right = squareFrom(product_.getRight(), tile.column);
  } else if (isSquare_) {
    left = matrix(tile.row, isWide);
    right = matrix(tile.column, isWide);
    depth = depth_;
  } else {
    // Everything is left of this diagonal.
    skip = at_.integer(-UPDRAFT_TILE_ROWS);
    Factor square =
        squareFrom(product_.getLeft(), choose(isTall_, tile.column, tile.row));
    Factor x = matrix(choose(isTall_, tile.row, tile.column), isTall_);
    auto pick = [&](const Factor &tall, const Factor &wide) -> Factor {
      return {choose(isTall_, tall.start, wide.start),
              choose(isTall_, tall.stride, wide.stride),
              choose(isTall_, tall.hasLines, wide.hasLines)};
    };
    left = pick(x, square);
    right = pick(square, x);
  }
  multiplyTile(at_, kernel_.module, kernel_.shape, type_, workspace_, left,
               right, {tile.rows, tile.columns, depth, skip});
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
