//===- Pipeline.h - The stages of the compiler ----------------------------===//
//
// The one table of stages: what each is called, what holds after it, what does
// it and which dialects are legal then. `--emit`, its help and the verification
// between stages read it.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PIPELINE_H
#define UPDRAFT_COMPILER_PIPELINE_H

#include "compiler/Dialect/Dialect.h"

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace updraft {

struct Stage {
  llvm::StringRef name;    ///< of --emit
  llvm::StringRef summary; ///< what holds after it
  bool isText;
  /// Turns the module of the stage before into this one's. Null where the front
  /// end (ast, rule), Import (updraft) or Target/Emit (behind the plan) does.
  mlir::LogicalResult (*run)(mlir::ModuleOp module);
  /// Dialects that may occur, where there is a module; else empty.
  llvm::ArrayRef<llvm::StringRef> legal;
  bool isAvailable = true; ///< in this build
};

/// All stages in order.
llvm::ArrayRef<Stage> allStages();

/// The stage called `name`, or null.
const Stage *findStage(llvm::StringRef name);

struct StageOptions {
  /// Verify the whole module after each stage, not only at its end.
  bool verifiesEach = true;
};

/// Takes the module of stage `updraft` on to `stage`, `updraft` or `plan`.
/// Complaints go to the context's diagnostics.
mlir::LogicalResult runUntil(mlir::ModuleOp module, llvm::StringRef stage,
                             const StageOptions &options = {});

/// Whether only what is legal after `stage` is in `module`, and that is valid.
mlir::LogicalResult verifyStage(mlir::ModuleOp module, const Stage &stage);

} // namespace updraft

#endif // UPDRAFT_COMPILER_PIPELINE_H
