//===- GpuCode.h - From a plan to code for GPUs ---------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_GPUCODE_H
#define UPDRAFT_COMPILER_TARGET_GPUCODE_H

#include "compiler/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace updraft {

/// Code for one kind of GPU.
struct GpuCode {
  unsigned arch; ///< 90: compute capability 9.0
  std::string ptx;
  llvm::SmallVector<char, 0> cubin; ///< of that PTX; empty: it is not made
};

/// A copy of the module in which each launch is a function (LowerToGpu.h).
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
lowerCopyToGpu(mlir::ModuleOp plan);

/// The functions of such a copy as LLVM has them, or as PTX.
llvm::Expected<std::string> gpuLlvm(mlir::ModuleOp kernels, const Gpu &gpu);
llvm::Expected<std::string> gpuPtx(mlir::ModuleOp kernels, const Gpu &gpu);

/// PTX of a plan for each of the GPUs.
llvm::Expected<std::vector<GpuCode>> gpuCodes(mlir::ModuleOp plan,
                                              llvm::ArrayRef<const Gpu *> gpus);
/// The same, and after it machine code for others.
llvm::Expected<std::vector<GpuCode>>
gpuCodes(mlir::ModuleOp plan, llvm::ArrayRef<const Gpu *> gpus,
         llvm::ArrayRef<const Gpu *> cubins);

/// Machine code from PTX, by NVIDIA's ptxas, which has to be installed: on the
/// path, or in bin/ of what CUDA_HOME or CUDA_PATH name.
llvm::Expected<llvm::SmallVector<char, 0>> assemblePtx(llvm::StringRef ptx,
                                                       const Gpu &gpu);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_GPUCODE_H
