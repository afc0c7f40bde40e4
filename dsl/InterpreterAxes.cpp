//===- InterpreterAxes.cpp - Rows, columns, matrices and blocks -----------===//

#include "InterpreterAxes.h"

namespace updraft {

static uint64_t product(llvm::ArrayRef<uint64_t> dims) {
  uint64_t result = 1;
  for (uint64_t dim : dims)
    result *= dim;
  return result;
}

Matrices Matrices::of(llvm::ArrayRef<uint64_t> shape, bool isFolded) {
  if (shape.size() < 2)
    return {1, 1, product(shape)};
  if (isFolded)
    return {1, shape[0], product(shape.drop_front())};
  return {product(shape.drop_back(2)), shape[shape.size() - 2], shape.back()};
}

uint64_t countOf(Level level, Axis axis, llvm::ArrayRef<uint64_t> shape) {
  if (level <= Level::Tensor)
    return 1;
  Matrices matrices = Matrices::of(shape, axis.isFolded);
  switch (axis.kind) {
  case AxisKind::Rows:
    return matrices.batch * matrices.rows;
  case AxisKind::Cols:
    return matrices.batch * matrices.cols;
  case AxisKind::Matrix:
    return matrices.batch;
  case AxisKind::Block:
    return (product(shape) + axis.block - 1) / axis.block;
  case AxisKind::None:
    break;
  }
  return product(shape);
}

Spread::Spread(const Expr &from, Level level, Axis axis,
               llvm::ArrayRef<uint64_t> shape)
    : kind_(from.level == Level::Axis &&
                    (level != Level::Axis || from.axis != axis)
                ? from.axis.kind
                : AxisKind::None),
      matrices_(Matrices::of(shape, from.axis.isFolded)) {
  if (kind_ == AxisKind::Block)
    size_ = from.axis.block;
  else if (kind_ == AxisKind::Matrix)
    size_ = level == Level::Element       ? matrices_.rows * matrices_.cols
            : axis.kind == AxisKind::Rows ? matrices_.rows
                                          : matrices_.cols;
}

} // namespace updraft
