//===- Passes.h - The passes of the middle --------------------------------===//
//
// Each pass is a function, which the pipeline calls, and is registered under
// its name for updraft-opt.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_PASSES_H
#define UPDRAFT_COMPILER_PASSES_PASSES_H

#include "compiler/Dialect/Dialect.h"

#include "mlir/Pass/Pass.h"

namespace updraft {

/// Cuts the bodies of `program` into kernels. See Passes.td.
mlir::LogicalResult splitKernels(ir::ProgramOp program);

#define GEN_PASS_DECL
#include "compiler/Passes/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/Passes/Passes.h.inc"

/// Makes all passes known to the command line of updraft-opt.
inline void registerPasses() { registerUpdraftPasses(); }

} // namespace updraft

#endif // UPDRAFT_COMPILER_PASSES_PASSES_H
