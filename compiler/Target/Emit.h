//===- Emit.h - The back half of the compiler -----------------------------===//
//
// From a module whose program holds kernels to any of the forms in which a
// program leaves the compiler. Nothing behind this knows MLIR.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_EMIT_H
#define UPDRAFT_COMPILER_TARGET_EMIT_H

#include "compiler/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <optional>

namespace updraft {

/// The forms behind the plan, in the order in which one becomes the next.
enum class Form : uint8_t {
  Kernels,
  Llvm,
  Asm,
  Object,
  Image,
  Shared,
  Header,
  Ptx,
  Cubin
};

/// The form that `--emit` calls `name`, if there is one.
std::optional<Form> findForm(llvm::StringRef name);

/// Turns a plan into `form`. The module is used up. Complaints about the module
/// go to its context's diagnostics as well. The same plan gives the same bytes.
/// Forms for people, and those that are a GPU's alone, are of its kernels if no
/// processor is named; then there is exactly one GPU in the list.
llvm::Expected<llvm::SmallVector<char, 0>>
emitPlan(mlir::ModuleOp plan, Form form, const TargetList &targets);

/// Whether the form is of one machine's code.
bool isOfOne(Form form);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_EMIT_H
