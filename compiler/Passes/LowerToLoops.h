//===- LowerToLoops.h - From kernels to loops over vectors ----------------===//
//
// Before: kernels whose bodies are written for one element, tensor or group.
// After:  a function `void(frame, first, count)` for each (runtime/abi.h), in
//         func, scf, arith, math, vector and llvm; of the program only the
//         declarations and the kernels' attributes are left, as a table.
//
// Nothing behind this pass moves code out of loops: every value is computed at
// its own level here.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPS_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPS_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace updraft {

/// What of a loop depends on the machine.
struct LoopShape {
  /// How the last elements of a chunk that fill no vector are done.
  enum class Tail : uint8_t {
    Scalar,   ///< one by one
    MaskWide, ///< by masks, in kernels whose arrays are all f32 or f64
    MaskLoop  ///< as all others: every vector is masked, there is one loop
  };
  unsigned vectorBytes = 64; ///< of the compute type: 16 f32 or 8 f64
  /// Bytes of a register, and rows of three that sums of products fit in.
  unsigned registerBytes = 64, tileRows = 8;
  Tail tail = Tail::MaskLoop;
  unsigned space = 0; ///< the address space of all that the frame points to
};

/// Lowers the one program of `module`. Reports and fails on a kernel that no
/// earlier stage makes.
mlir::LogicalResult lowerToLoops(mlir::ModuleOp module, const LoopShape &shape);

} // namespace updraft

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPS_H
