//===- LowerToLoopsProduct.h - A tile of a product of matrices ------------===//
//
// Functions that all matrix kernels of a program share. A tile of 96 x 240 has
// its totals in memory of the thread's own, as have copies of what is
// multiplied, 256 deep (numerics.md 8), which lie as the innermost loop reads
// them: after Goto & van de Geijn 2008, doi:10.1145/1356052.1356053.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSPRODUCT_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSPRODUCT_H

#include "compiler/Passes/LowerToLoops.h"
#include "compiler/Passes/LowerToLoopsBuilder.h"

namespace updraft::loops {

/// How many k are added up before they meet the others.
constexpr int64_t kDepth = 256;

/// A matrix in memory: element (i, k) lies at i*stride + k if it has lines,
/// else at k*stride + i.
struct Factor {
  Value start, stride, hasLines;
};

/// Rows and columns of a tile, and how many k there are. Elements (i, j) with
/// i + skip >= j + (columns of a register tile) need not be computed.
struct TileExtent {
  Value rows, columns, depth, skip;
};

/// Computes element (i, j) of a tile, the sum of left(i, k)*right(j, k), in
/// `workspace`, at i*UPDRAFT_TILE_COLS + j from its start.
void multiplyTile(Builder &at, mlir::ModuleOp module, const LoopShape &shape,
                  Type type, Value workspace, const Factor &left,
                  const Factor &right, const TileExtent &extent);

/// Bytes of a workspace.
int64_t workspaceBytes(Type type);

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSPRODUCT_H
