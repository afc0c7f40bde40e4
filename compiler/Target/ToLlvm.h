//===- ToLlvm.h - From loops to an LLVM module ----------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_TOLLVM_H
#define UPDRAFT_COMPILER_TARGET_TOLLVM_H

#include "mlir/IR/BuiltinOps.h"

#include <memory>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace updraft {

/// An LLVM module of the functions of `module` (LowerToLoops.h); the program's
/// table is left out. Functions that are prebuilt for the target `ready`
/// (Prebuilt.h; empty: none) are their code. Null, with an error at the
/// operation, where one has no counterpart.
std::unique_ptr<llvm::Module> translate(mlir::ModuleOp module,
                                        llvm::LLVMContext &context,
                                        llvm::StringRef ready = {});

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_TOLLVM_H
