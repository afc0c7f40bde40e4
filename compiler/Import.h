//===- Import.h - From a checked rule to the updraft dialect --------------===//
//
// A change of clothes: what the checker knows is said in MLIR, and nothing is
// decided. The last place that knows the rule as the front end does.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_IMPORT_H
#define UPDRAFT_COMPILER_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace updraft {

struct Rule;

/// A module with one program for `rule`. Locations are found in `sources`,
/// which may be null. Loads the dialects it needs into `context`.
mlir::OwningOpRef<mlir::ModuleOp> importRule(const Rule &rule,
                                             const llvm::SourceMgr *sources,
                                             mlir::MLIRContext &context);

} // namespace updraft

#endif // UPDRAFT_COMPILER_IMPORT_H
