//===- LowerToLoopsTiles.cpp - Which tiles a matrix kernel has ------------===//

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

MatrixKernel::MatrixKernel(Kernel &kernel)
    : kernel_(kernel), at_(kernel.builder),
      type_(kernel.op->getParentOfType<ir::ProgramOp>().getCompute()),
      isSquare_(kernel.op.getSpace()->getKind() == ir::SpaceKind::SquareTiles) {
}

//===- Around the tiles ---------------------------------------------------===//

/// The body is one product, numbers, and values of the array that it stores to
/// or of its space.
LogicalResult MatrixKernel::check() {
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

LogicalResult MatrixKernel::emitChunk(Value number) {
  auto [first, count] = kernel_.enterChunk(at_, number);
  kernel_.enterGroupOfRow(at_);
  if (failed(kernel_.emitUniforms(at_, Level::Group)) ||
      failed(kernel_.emitUniforms(at_, Level::Tensor)))
    return failure();
  findMatrix();
  auto emitTiles = [&] {
    at_.loop(first, at_.add(first, count), 1,
             [&](Value index) { emitTile(findTile(index)); });
  };
  if (put_.getWhen())
    at_.when(kernel_.uniforms.lookup(put_.getWhen()), emitTiles);
  else
    emitTiles();
  return success();
}

Value MatrixKernel::choose(Value condition, Value yes, Value no) {
  return arith::SelectOp::create(at_, at_.location, condition, yes, no);
}

/// The matrix is the folded one, which of rank 2 is the tensor.
void MatrixKernel::findMatrix() {
  rows_ = kernel_.shapeMember(at_, offsetof(updraft_shape, rows) + 8);
  columns_ = kernel_.shapeMember(at_, offsetof(updraft_shape, cols) + 8);
  isTall_ = at_.compare(arith::CmpIPredicate::ugt, rows_, columns_);
  side_ = at_.least(rows_, columns_);
  depth_ = choose(isTall_, rows_, columns_);
}

/// Where an array lies in this round.
Value MatrixKernel::startOf(llvm::StringRef name) {
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
  Value round = kernel_.round
                    ? kernel_.round
                    : kernel_.frameMember(offsetof(updraft_frame, round),
                                          at_.getI64Type());
  Value isEven = at_.compare(arith::CmpIPredicate::eq, at_.bitAnd(round, 1),
                             at_.integer(0));
  return choose(isEven, load(name), load(nameOf(name == nameOf(0))));
}

//===- Tiles --------------------------------------------------------------===//

/// Which tile of a square, by rows and columns of tiles: those that end left of
/// the diagonal are left out.
std::pair<Value, Value> MatrixKernel::findSquareTile(Value index) {
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

MatrixKernel::Tile MatrixKernel::findTile(Value index) {
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
Factor MatrixKernel::squareFrom(llvm::StringRef name, Value first) {
  return {at_.at(startOf(name), first, type_), side_,
          at_.integer(0, at_.getI1Type())};
}

/// X is the matrix, or its transpose if that is tall. Row i of S X is in a tall
/// one column i of its transpose times S.
MatrixKernel::Product MatrixKernel::productOf(const Tile &tile) {
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
  return {left, right, depth, skip};
}

} // namespace updraft::loops
