//===- LowerToGpuMatrix.h - One matrix kernel on a GPU --------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOGPUMATRIX_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOGPUMATRIX_H

#include "compiler/Passes/LowerToGpuWarp.h"

namespace updraft::loops {

/// Threads of the block that makes a tile.
constexpr unsigned kMatrixThreads = 256;

/// Kernels of matrix level.
mlir::LogicalResult lowerGpuMatrix(GpuKernel &kernel);

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOGPUMATRIX_H
