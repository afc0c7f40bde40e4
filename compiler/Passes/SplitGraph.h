//===- SplitGraph.h - Bodies as a plan graph ------------------------------===//
//
// The bridge between the bodies of a program and the plain graph that is
// planned. Values that mean the same are one, across bodies too: a get reads
// what was stored before the step wherever it stands, so equal names are equal
// values.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_SPLITGRAPH_H
#define UPDRAFT_COMPILER_PASSES_SPLITGRAPH_H

#include "compiler/Dialect/Dialect.h"
#include "compiler/Passes/SplitPlan.h"

#include "llvm/ADT/ArrayRef.h"

#include <map>
#include <vector>

namespace updraft {

/// All bodies of one occasion (init, check, step or one view) as one graph.
struct RuleGraph {
  plan::Graph graph;
  std::vector<mlir::Operation *> ops;     ///< of values: one that computes it
  std::vector<mlir::Operation *> rootOps; ///< PutOp or PartialOp
  std::vector<ir::ArrayOp> arrays;        ///< null: scratch that is yet to be
  std::vector<ir::ScalarOp> scalars;
  std::vector<ir::ListOp> lists;
  std::vector<ir::VariantOp> variants; ///< of the program, in order
};

/// Builds the graph of `bodies`, which belong to `program`. Their ops must stay
/// until the kernels are made.
RuleGraph buildGraph(ir::ProgramOp program, llvm::ArrayRef<ir::BodyOp> bodies);

/// Replaces `bodies` by the kernels that `plan` says, after everything that
/// stands in `program`.
void emitKernels(ir::ProgramOp program, llvm::ArrayRef<ir::BodyOp> bodies,
                 RuleGraph &rule, const plan::Plan &plan);

/// The dialect's word for a level of the plan.
ir::Level levelOf(plan::Level level);

/// The words of the rule that `op` stands for: the name of its location.
llvm::StringRef wordsOf(mlir::Operation *op);

/// The name in front of a reduction's words ("norm" of "norm(g over model)"),
/// or a name as it is.
llvm::StringRef slotNameOf(llvm::StringRef words);

/// The dialect's word for a space; null for none.
ir::SpaceAttr spaceOf(mlir::MLIRContext *context, const plan::Space &space);

/// Thousandths of a byte a parameter that an element or axis kernel reads and
/// writes, in the worst case over its conditions.
struct Traffic {
  int reads = 0, writes = 0;
};
Traffic trafficOf(const plan::Graph &graph, const plan::Plan &plan,
                  const plan::Kernel &kernel);

} // namespace updraft

#endif // UPDRAFT_COMPILER_PASSES_SPLITGRAPH_H
