//===- InterpreterAxes.h - Rows, columns, matrices and blocks -------------===//
//
// Where in a list of values those of one row, column, matrix or block stand.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_INTERPRETERAXES_H
#define UPDRAFT_DSL_INTERPRETERAXES_H

#include "RuleExpr.h"

#include "llvm/ADT/ArrayRef.h"

namespace updraft {

/// A tensor as `batch` matrices of `rows` x `cols` elements.
struct Matrices {
  uint64_t batch = 1, rows = 1, cols = 1;

  /// The last two axes of a shape; folded, the first one and all others. Of a
  /// rank below 2, where no rule asks, one row.
  static Matrices of(llvm::ArrayRef<uint64_t> shape, bool isFolded);
};

/// Values that there are of this level and axis.
uint64_t countOf(Level level, Axis axis, llvm::ArrayRef<uint64_t> shape);

/// Finds, for each value of one span, the value of a coarser one that goes with
/// it: for an element its row, for a row its matrix.
class Spread {
public:
  Spread(const Expr &from, Level level, Axis axis,
         llvm::ArrayRef<uint64_t> shape);

  /// False: each value goes with itself.
  bool isNeeded() const { return kind_ != AxisKind::None; }

  uint64_t operator()(uint64_t i) const {
    switch (kind_) {
    case AxisKind::Rows:
      return i / matrices_.cols;
    case AxisKind::Cols:
      return i / (matrices_.rows * matrices_.cols) * matrices_.cols +
             i % matrices_.cols;
    case AxisKind::Matrix:
    case AxisKind::Block:
      return i / size_;
    case AxisKind::None:
      break;
    }
    return i;
  }

private:
  AxisKind kind_; ///< of the coarser one; None: the same values
  Matrices matrices_;
  uint64_t size_ = 1; ///< values of the finer one for each coarser one
};

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETERAXES_H
