//===- LowerToLoops.cpp - From kernels to loops over vectors --------------===//

#include "compiler/Passes/LowerToLoops.h"

#include "compiler/Passes/LowerToLoopsKernel.h"
#include "compiler/Passes/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringSet.h"

namespace updraft {

#define GEN_PASS_DEF_LOWERTOLOOPS
#include "compiler/Passes/Passes.h.inc"

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::success;

/// A kernel reads memory as it was before its own writes.
static LogicalResult checkReadsComeFirst(ir::KernelOp kernel) {
  llvm::StringSet<> written;
  for (mlir::Operation &op : kernel.getBody().front()) {
    if (auto put = llvm::dyn_cast<ir::PutOp>(op))
      written.insert(put.getTarget());
    if (auto get = llvm::dyn_cast<ir::GetOp>(op))
      if (written.contains(get.getSource()))
        return get.emitOpError("reads '")
               << get.getSource() << "' after the kernel has written it";
  }
  return success();
}

static LogicalResult lowerKernel(ir::KernelOp op, const Layout &layout,
                                 const LoopShape &shape,
                                 mlir::ModuleOp module) {
  if (failed(checkReadsComeFirst(op)))
    return failure();
  loops::Kernel kernel(op, layout, shape, module);
  ir::Level level = op.getLevel();
  LogicalResult result =
      level == ir::Level::Matrix ? loops::lowerMatrixKernel(kernel)
      : level >= ir::Level::Axis ? loops::lowerElementKernel(kernel)
                                 : loops::lowerScalarKernel(kernel);
  if (failed(result))
    return failure();
  // The kernel's attributes stay as its row of the program's table. Users come
  // after what they use, so the operations go from the last to the first.
  mlir::Block &body = op.getBody().front();
  while (!body.empty())
    body.back().erase();
  return success();
}

LogicalResult lowerToLoops(mlir::ModuleOp module, const LoopShape &shape) {
  auto programs = module.getOps<ir::ProgramOp>();
  if (programs.empty())
    return module.emitError("holds no updraft.program");
  mlir::MLIRContext *context = module.getContext();
  context->loadDialect<mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                       mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                       mlir::math::MathDialect, mlir::scf::SCFDialect,
                       mlir::vector::VectorDialect>();
  ir::ProgramOp program = *programs.begin();
  Layout layout(program);
  for (auto kernel : program.getBody().getOps<ir::KernelOp>())
    if (failed(lowerKernel(kernel, layout, shape, module)))
      return failure();
  // Functions of scalars in f64 serve the scalar kernels only, once a group or
  // a list, except where elements are f64 themselves.
  if (program.getCompute().isF32())
    for (auto function : module.getOps<mlir::func::FuncOp>())
      if (llvm::equal(
              function.getResultTypes(),
              llvm::ArrayRef<mlir::Type>(mlir::Float64Type::get(context))))
        loops::compileQuickly(function);
  return success();
}

namespace {

struct LowerToLoops : impl::LowerToLoopsBase<LowerToLoops> {
  using LowerToLoopsBase::LowerToLoopsBase;

  void runOnOperation() override {
    LoopShape shape;
    if (tail == "scalar")
      shape.tail = LoopShape::Tail::Scalar;
    else if (tail == "wide")
      shape.tail = LoopShape::Tail::MaskWide;
    if (failed(lowerToLoops(getOperation(), shape)))
      signalPassFailure();
  }
};

} // namespace

} // namespace updraft
