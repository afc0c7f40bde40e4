//===- Dialect.h - The updraft dialect in C++ -----------------------------===//
//
// The classes that Ops.td describes, and the two questions that everybody asks
// of a name: which declaration does it mean here, and at which level does that
// live.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_DIALECT_DIALECT_H
#define UPDRAFT_COMPILER_DIALECT_DIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "compiler/Dialect/Dialect.h.inc"
#include "compiler/Dialect/Enums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/Attributes.h.inc"
#define GET_OP_CLASSES
#include "compiler/Dialect/Ops.h.inc"

namespace updraft::ir {

/// The declaration that `name` means in a body or kernel: one of its variant,
/// else one of the program. Null if there is none.
mlir::Operation *lookup(mlir::Operation *user, llvm::StringRef name);

/// Loads the dialects that the stages up to the plan need into `context`.
void loadPlanDialects(mlir::MLIRContext &context);

} // namespace updraft::ir

#endif // UPDRAFT_COMPILER_DIALECT_DIALECT_H
