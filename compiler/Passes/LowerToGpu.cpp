//===- LowerToGpu.cpp - From kernels to functions of a GPU's threads ------===//

#include "compiler/Passes/LowerToGpu.h"

#include "compiler/Passes/LowerToGpuElement.h"
#include "compiler/Passes/LowerToGpuMatrix.h"
#include "compiler/Passes/LowerToGpuWarp.h"
#include "compiler/Target/Layout.h"
#include "runtime/abi.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringExtras.h"

#include <cstddef>

namespace updraft {

namespace arith = mlir::arith;
namespace func = mlir::func;
using ir::Level;
using ir::SpaceKind;
using loops::Builder;
using loops::GpuKernel;
using loops::kWarp;
using loops::Value;
using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

/// LLVM's number of the address space of a device's memory.
static constexpr unsigned kGlobal = 1;

//===- Launches -----------------------------------------------------------===//

namespace {

struct Cut {
  unsigned threads, items;
};

} // namespace

/// Blocks of one warp an item are of four or eight warps, so that as many items
/// are on their way on a processor as it has room for threads.
static Cut cutOf(ir::KernelOp kernel) {
  switch (kernel.getLevel()) {
  case Level::Model:
  case Level::Group:
    return {256, UPDRAFT_BLOCK}; // all of them, in one block
  case Level::Tensor:
    return {128, 4};
  case Level::Axis:
    return loops::takesWarps(kernel) ? Cut{128, 4} : Cut{256, 1};
  case Level::Matrix:
    return {loops::kMatrixThreads, 1};
  case Level::Element:
    break;
  }
  if (loops::takesWarps(kernel))
    return kernel.getSpace() ? Cut{128, 4} : Cut{256, 8};
  return kernel.getSpace() ? Cut{128, 1} : Cut{256, 1};
}

/// A name that PTX allows, and that no other has.
static std::string entryOf(ir::KernelOp kernel, size_t number) {
  std::string name = "k" + llvm::utostr(number) + "_";
  for (char c : kernel.getSymName())
    name += llvm::isAlnum(c) ? c : '_';
  return name;
}

/// Kernels of one block can follow one another without a launch each.
static bool isOneBlock(ir::KernelOp kernel) {
  return kernel.getLevel() <= Level::Group;
}

std::vector<GpuLaunch> gpuLaunches(ir::ProgramOp program) {
  std::vector<GpuLaunch> launches;
  size_t number = 0;
  for (auto kernel : program.getBody().getOps<ir::KernelOp>()) {
    ir::KernelOp last =
        launches.empty() ? ir::KernelOp() : launches.back().kernels.back();
    bool joins = last && isOneBlock(last) && isOneBlock(kernel) &&
                 last.getWhen() == kernel.getWhen() &&
                 last.getView() == kernel.getView();
    if (!joins) {
      auto [threads, items] = cutOf(kernel);
      launches.push_back({entryOf(kernel, number), threads, items, {}});
    }
    launches.back().kernels.push_back(kernel);
    ++number;
  }
  return launches;
}

//===- Kernels of model, group and tensor level ---------------------------===//

/// The body, computed by all threads of a warp; one of them stores.
static LogicalResult emitScalars(GpuKernel &kernel) {
  Builder &at = kernel.builder;
  llvm::SmallVector<ir::PutOp> puts;
  for (Operation &operation : kernel.body()) {
    if (auto put = llvm::dyn_cast<ir::PutOp>(operation))
      puts.push_back(put);
    else if (llvm::isa<ir::PartialOp>(operation))
      return operation.emitOpError("stands in a kernel of ")
             << ir::stringifyLevel(kernel.level()) << " level";
    else if (failed(kernel.emitUniform(at, &operation)))
      return failure();
  }
  // What others still have to read is not written before.
  loops::waitForWarp(at);
  LogicalResult result = success();
  Value isFirst =
      at.compare(arith::CmpIPredicate::eq, kernel.thread.lane, at.integer(0));
  at.when(isFirst, [&] {
    for (ir::PutOp put : puts)
      if (failed(kernel.emitPut(at, put)))
        result = failure();
  });
  return result;
}

static LogicalResult lowerScalars(GpuKernel &kernel, const Cut &cut) {
  Builder &at = kernel.builder;
  const loops::Thread &thread = kernel.thread;
  LogicalResult result = success();
  int64_t warps = cut.threads / kWarp;
  if (kernel.level() == Level::Tensor) {
    Value width = at.integer(warps);
    Value first = at.add(kernel.first,
                         at.add(at.multiply(thread.block, width), thread.warp));
    at.loop(first, at.add(kernel.first, kernel.count),
            at.multiply(thread.blocks, width), [&](Value row) {
              kernel.enterRow(at, row);
              kernel.enterGroupOfRow(at);
              result = emitScalars(kernel);
            });
    return result;
  }
  bool isModel = kernel.level() == Level::Model;
  Value count = isModel
                    ? at.integer(1)
                    : kernel.frameMember(offsetof(updraft_frame, group_count),
                                         at.getI64Type());
  at.loop(thread.warp, count, warps, [&](Value group) {
    if (!isModel)
      kernel.enterGroup(at, group);
    result = emitScalars(kernel);
  });
  return result;
}

//===- Functions ----------------------------------------------------------===//

namespace {

/// A launch on its way to a function.
class Launch {
public:
  Launch(const GpuLaunch &launch, const Layout &layout, mlir::ModuleOp module)
      : launch_(launch), layout_(layout), module_(module),
        at_(module.getContext(), ir::KernelOp(launch.kernels.front()).getLoc(),
            kGlobal) {
    shape_.space = kGlobal;
  }

  LogicalResult lower();

private:
  LogicalResult lowerKernel(ir::KernelOp op, mlir::Block *work);

  const GpuLaunch &launch_;
  const Layout &layout_;
  mlir::ModuleOp module_;
  Builder at_;
  LoopShape shape_;
  Operation *end_ = nullptr; ///< of the block that holds what kernels share
  Value frame_, first_, count_, round_;
};

} // namespace

LogicalResult Launch::lowerKernel(ir::KernelOp op, mlir::Block *work) {
  GpuKernel kernel(op, layout_, shape_, module_);
  kernel.entry.setInsertionPoint(end_);
  kernel.builder.setInsertionPointToEnd(work);
  kernel.frame = frame_;
  kernel.first = first_;
  kernel.count = count_;
  kernel.round = round_;
  kernel.thread = loops::Thread::find(kernel.entry);
  switch (op.getLevel()) {
  case Level::Matrix:
    return loops::lowerGpuMatrix(kernel);
  case Level::Axis:
  case Level::Element:
    return loops::lowerGpuElements(kernel, launch_.threads);
  default:
    return lowerScalars(kernel, {launch_.threads, launch_.items});
  }
}

LogicalResult Launch::lower() {
  at_.setInsertionPointToEnd(module_.getBody());
  mlir::Type i64 = at_.getI64Type();
  auto function =
      func::FuncOp::create(at_, at_.location, launch_.entry,
                           at_.getFunctionType({i64, i64, i64, i64}, {}));
  mlir::Block *start = function.addEntryBlock(), *work = function.addBlock();
  at_.setInsertionPointToEnd(start);
  frame_ = mlir::LLVM::IntToPtrOp::create(at_, at_.location, at_.pointer(),
                                          start->getArgument(0));
  first_ = start->getArgument(1);
  count_ = start->getArgument(2);
  round_ = start->getArgument(3);
  end_ = mlir::cf::BranchOp::create(at_, at_.location, work);
  for (ir::KernelOp kernel : launch_.kernels) {
    if (kernel != launch_.kernels.front()) {
      at_.setInsertionPointToEnd(work);
      loops::waitForBlock(at_);
    }
    if (failed(lowerKernel(kernel, work)))
      return failure();
  }
  at_.setInsertionPointToEnd(work);
  func::ReturnOp::create(at_, at_.location);
  return success();
}

LogicalResult lowerToGpu(mlir::ModuleOp module) {
  auto programs = module.getOps<ir::ProgramOp>();
  if (programs.empty())
    return module.emitError("holds no updraft.program");
  module.getContext()
      ->loadDialect<arith::ArithDialect, mlir::cf::ControlFlowDialect,
                    func::FuncDialect, mlir::LLVM::LLVMDialect,
                    mlir::math::MathDialect, mlir::scf::SCFDialect,
                    mlir::vector::VectorDialect>();
  ir::ProgramOp program = *programs.begin();
  Layout layout(program);
  for (const GpuLaunch &launch : gpuLaunches(program))
    if (failed(Launch(launch, layout, module).lower()))
      return failure();
  for (auto kernel : program.getBody().getOps<ir::KernelOp>()) {
    mlir::Block &body = kernel.getBody().front();
    while (!body.empty())
      body.back().erase();
  }
  return success();
}

} // namespace updraft
