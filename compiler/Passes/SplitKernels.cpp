//===- SplitKernels.cpp - Cut bodies into kernels -------------------------===//
//
// A rule is written as if all of it happened at once; memory is the cost. This
// pass decides how often each array is walked over and which scalar is computed
// where. The decisions are SplitPlan's, on a graph without MLIR; here bodies
// are read, planned and written. What it promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/Passes.h"
#include "compiler/Passes/SplitGraph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace updraft {
#define GEN_PASS_DEF_SPLITKERNELS
#include "compiler/Passes/Passes.h.inc"
} // namespace updraft

using namespace mlir;
using namespace updraft;

/// A reduction of a group's own value needs no list.
static void dropUnusedLists(ir::ProgramOp program) {
  llvm::StringSet<> used;
  program.walk([&](Operation *op) {
    if (auto put = dyn_cast<ir::PutOp>(op))
      used.insert(put.getTarget());
    if (auto partial = dyn_cast<ir::PartialOp>(op))
      used.insert(partial.getList());
  });
  for (auto list :
       llvm::make_early_inc_range(program.getBody().getOps<ir::ListOp>()))
    if (!used.contains(list.getSymName()))
      list.erase();
}

LogicalResult updraft::splitKernels(ir::ProgramOp program) {
  llvm::MapVector<std::pair<unsigned, int>, SmallVector<ir::BodyOp>> occasions;
  for (auto body : program.getBody().getOps<ir::BodyOp>())
    occasions[{unsigned(body.getWhen()), body.getView().value_or(-1)}]
        .push_back(body);
  for (auto &[occasion, bodies] : occasions) {
    RuleGraph rule = buildGraph(program, bodies);
    emitKernels(program, bodies, rule, plan::makePlan(rule.graph));
  }
  dropUnusedLists(program);
  return success();
}

namespace {
struct SplitKernels : updraft::impl::SplitKernelsBase<SplitKernels> {
  void runOnOperation() override {
    getOperation()->walk([&](ir::ProgramOp program) {
      if (failed(splitKernels(program)))
        signalPassFailure();
    });
  }
};
} // namespace
