#include "compiler/Passes/Passes.h"
namespace updraft {
#define GEN_PASS_DEF_SPLITKERNELS
#include "compiler/Passes/Passes.h.inc"
} // namespace updraft
using namespace mlir;
using namespace updraft;
mlir::LogicalResult updraft::splitKernels(ir::ProgramOp) { return success(); }
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
