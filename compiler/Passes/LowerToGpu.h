//===- LowerToGpu.h - From kernels to functions of a GPU's threads --------===//
//
// Before: kernels whose bodies are written for one element, tensor or group.
// After:  a public function `void(frame, first, count, round)`, all i64, for
//         each launch; of the program only the declarations and the kernels'
//         attributes are left.
//
// A warp is the 128 lanes of numerics.md 5: thread l has the lanes 4l to 4l+3,
// which are 16 bytes of f32. So a reduction needs no shared memory and no
// barrier. Which kernels share a launch and how it is cut into blocks follows
// from the kernels' attributes alone.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOGPU_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOGPU_H

#include "compiler/Dialect/Dialect.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace updraft {

/// Kernels that run one after the other in one launch.
struct GpuLaunch {
  std::string entry;
  /// Of a block, and how many items it works on at a time.
  unsigned threads = 0, items = 0;
  std::vector<ir::KernelOp> kernels;
};

/// The launches of a program, in the order of its kernels.
std::vector<GpuLaunch> gpuLaunches(ir::ProgramOp program);

/// Lowers the one program of `module`. Reports and fails on a kernel that no
/// earlier stage makes.
mlir::LogicalResult lowerToGpu(mlir::ModuleOp module);

} // namespace updraft

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOGPU_H
