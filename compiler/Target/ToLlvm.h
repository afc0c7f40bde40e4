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

/// Makes known to `context` what a module needs to be translated.
void registerTranslations(mlir::MLIRContext &context);

/// Converts the functions of `module` (LowerToLoops.h) to the llvm dialect in
/// one go and drops the program's table. Fails on an operation that no target
/// can do.
mlir::LogicalResult convertToLlvm(mlir::ModuleOp module);

/// Translates the converted module. Null on failure.
std::unique_ptr<llvm::Module> translate(mlir::ModuleOp module,
                                        llvm::LLVMContext &context);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_TOLLVM_H
