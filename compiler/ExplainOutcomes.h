//===- ExplainOutcomes.h - Bytes that depend on conditions ----------------===//

#ifndef UPDRAFT_COMPILER_EXPLAINOUTCOMES_H
#define UPDRAFT_COMPILER_EXPLAINOUTCOMES_H

#include "compiler/Dialect/Dialect.h"
#include "compiler/Explain.h"

namespace updraft {

/// What an element kernel of the plan moves for a tensor with gradient, for
/// each outcome of its uniform conditions; outcomes that move the same without
/// regard to a condition are one. Empty where they all do, or are too many to
/// show.
std::vector<Explanation::Outcome>
outcomesOf(ir::KernelOp kernel, ir::ProgramOp program, mlir::ModuleOp module);

} // namespace updraft

#endif // UPDRAFT_COMPILER_EXPLAINOUTCOMES_H
