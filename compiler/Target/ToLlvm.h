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
/// table is left out. Null, with an error at the operation, where one has no
/// counterpart.
std::unique_ptr<llvm::Module> translate(mlir::ModuleOp module,
                                        llvm::LLVMContext &context);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_TOLLVM_H
