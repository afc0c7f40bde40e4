//===- LowerToLoopsMatrix.h - One matrix kernel ---------------------------===//
//
// What every way of making a kernel of matrix level shares: which tiles there
// are, and what is multiplied for each.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSMATRIX_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSMATRIX_H

#include "compiler/Passes/LowerToLoopsKernel.h"
#include "compiler/Passes/LowerToLoopsProduct.h"

namespace updraft::loops {

class MatrixKernel {
public:
  virtual ~MatrixKernel() = default;

protected:
  /// Where a tile begins, how much there is of it, and how long a row is in
  /// memory of what it is a tile of.
  struct Tile {
    Value row, column, rows, columns, line;
  };
  /// Element (i, j) of a tile is the sum of left(i, k)*right(j, k), for so many
  /// k; those with i + skip >= j are left of a square's diagonal.
  struct Product {
    Factor left, right;
    Value depth, skip;
  };

  explicit MatrixKernel(Kernel &kernel);

  mlir::LogicalResult check();
  mlir::LogicalResult emitChunk(Value number);
  virtual void emitTile(const Tile &tile) = 0;

  Value startOf(llvm::StringRef name);
  Product productOf(const Tile &tile);
  Value choose(Value condition, Value yes, Value no);

  Kernel &kernel_;
  Builder &at_;
  Type type_;
  bool isSquare_;
  ir::ProductOp product_;
  ir::PutOp put_;

private:
  void findMatrix();
  Tile findTile(Value index);
  std::pair<Value, Value> findSquareTile(Value index);
  Factor squareFrom(llvm::StringRef name, Value first);

  Value rows_, columns_, isTall_, side_, depth_; ///< of the tensor at hand
};

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSMATRIX_H
