//===- LowerToLoopsScalar.cpp - Kernels of model, group and tensor level --===//
//
// A loop over tensors or groups whose body is the kernel's. What depends on
// the model only stands before the loop.
//
// A tensor kernel repeats its last results while its inputs stay the same: the
// bias corrections of ten thousand tensors that have all seen the same number
// of steps are computed once. See `Memory` below.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToLoopsKernel.h"

#include "runtime/abi.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/SetVector.h"

#include <cstddef>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using ir::Level;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

LogicalResult Kernel::emitPut(Builder &at, ir::PutOp put) {
  at.location = put.getLoc();
  auto place = placeOf(put.getTarget());
  bool isTotal =
      place && place->kind == Place::Kind::Total && level() == Level::Tensor;
  bool isScalar =
      place && place->kind == Place::Kind::Scalar && place->level == level();
  if (!isTotal && !isScalar)
    return put.emitOpError("cannot write '")
           << put.getTarget() << "' in a kernel of "
           << ir::stringifyLevel(level()) << " level";
  Value value = uniforms.lookup(put.getValue());
  if (value.getType().isInteger(1))
    value = arith::UIToFPOp::create(at, at.location, at.getF64Type(), value);
  auto write = [&] {
    if (isScalar)
      return at.store(value, addressOf(at, *place));
    Type i64 = at.getI64Type();
    Value stride = frameMember(offsetof(updraft_frame, total_stride), i64);
    Value id = arith::ExtUIOp::create(
        at, at.location, i64,
        rowMember(at, offsetof(updraft_tensor, id), at.getI32Type()));
    Value totals = frameMember(offsetof(updraft_frame, totals), at.pointer());
    auto entryOf = [&](unsigned list) {
      Value index = at.add(at.multiply(stride, at.integer(list)), id);
      return at.at(totals, index, at.getF64Type());
    };
    at.store(value, entryOf(place->index));
    if (place->isRouted)
      at.store(at.number(1, at.getF64Type()), entryOf(place->index + 1));
  };
  if (put.getWhen())
    at.when(uniforms.lookup(put.getWhen()), write);
  else
    write();
  return success();
}

namespace {

/// The part of a tensor kernel that only reads scalars: its inputs, what it
/// computes, and what the rest of the kernel takes from it. It is worth
/// remembering only if something in it is slow.
struct Memory {
  llvm::SmallVector<Operation *> inputs, computed;
  llvm::SetVector<Value> results;
  bool isWorthIt = false;
};

} // namespace

static bool isSlow(Operation *operation) {
  return llvm::isa<ir::MathOp, mlir::math::SqrtOp, arith::DivFOp>(operation);
}

static Memory memoryOf(const Kernel &kernel) {
  Memory memory;
  llvm::DenseSet<Operation *> inside;
  auto isInside = [&](Value value) {
    Operation *definition = value.getDefiningOp();
    return kernel.levelOf(definition) == Level::Model ||
           inside.contains(definition);
  };
  for (Operation &operation : kernel.body()) {
    if (kernel.levelOf(&operation) == Level::Model)
      continue;
    bool isInput = kernel.levelOf(&operation) == Level::Tensor &&
                   llvm::isa<ir::GetOp, ir::ShapeOp>(operation);
    bool isAction = llvm::isa<ir::PutOp, ir::PartialOp, ir::FoldOp>(operation);
    if (isInput) {
      memory.inputs.push_back(&operation);
      inside.insert(&operation);
    } else if (!isAction && llvm::all_of(operation.getOperands(), isInside)) {
      memory.computed.push_back(&operation);
      inside.insert(&operation);
      memory.isWorthIt |= isSlow(&operation);
    }
  }
  llvm::DenseSet<Operation *> computed(memory.computed.begin(),
                                       memory.computed.end());
  for (Operation &operation : kernel.body())
    for (Value operand : operation.getOperands())
      if (computed.contains(operand.getDefiningOp()) &&
          !computed.contains(&operation))
        memory.results.insert(operand);
  return memory;
}

/// Emits what is not yet known of the kernel's body, in its order.
static LogicalResult emitRest(Kernel &kernel, Builder &at) {
  for (Operation &operation : kernel.body()) {
    if (auto put = llvm::dyn_cast<ir::PutOp>(operation)) {
      if (failed(kernel.emitPut(at, put)))
        return failure();
      continue;
    }
    if (llvm::isa<ir::PartialOp>(operation))
      return operation.emitOpError("stands in a kernel of ")
             << ir::stringifyLevel(kernel.level()) << " level";
    if (!kernel.uniforms.contains(operation.getResult(0)) &&
        failed(kernel.emitUniform(at, &operation)))
      return failure();
  }
  return success();
}

/// Bits compare: NaN equals itself, and -0 is not +0.
static Value sameBits(Builder &at, Value left, Value right) {
  if (left.getType().isF64()) {
    left = arith::BitcastOp::create(at, at.location, at.getI64Type(), left);
    right = arith::BitcastOp::create(at, at.location, at.getI64Type(), right);
  }
  return at.compare(arith::CmpIPredicate::eq, left, right);
}

/// One item of the loop with memory. `last` holds group, inputs and results of
/// the item before; returns those of this one.
static mlir::FailureOr<llvm::SmallVector<Value>>
emitRemembered(Kernel &kernel, Builder &at, const Memory &memory, Value group,
               ValueRange last) {
  llvm::SmallVector<Value> now{group};
  Value same = at.compare(arith::CmpIPredicate::eq, group, last[0]);
  for (auto [index, input] : llvm::enumerate(memory.inputs)) {
    if (failed(kernel.emitUniform(at, input)))
      return failure();
    now.push_back(kernel.uniforms.lookup(input->getResult(0)));
    same = arith::AndIOp::create(at, at.location, same,
                                 sameBits(at, now.back(), last[index + 1]));
  }
  ValueRange lastResults = last.drop_front(now.size());
  auto branch = scf::IfOp::create(at, at.location, lastResults.getTypes(), same,
                                  /*withElseRegion=*/true);
  mlir::OpBuilder::InsertionGuard guard(at);
  at.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(at, at.location, lastResults);
  at.setInsertionPointToStart(branch.elseBlock());
  for (Operation *operation : memory.computed)
    if (failed(kernel.emitUniform(at, operation)))
      return failure();
  llvm::SmallVector<Value> results;
  for (Value result : memory.results)
    results.push_back(kernel.uniforms.lookup(result));
  scf::YieldOp::create(at, at.location, results);
  for (auto [result, value] : llvm::zip(memory.results, branch.getResults()))
    kernel.uniforms.map(result, value);
  llvm::append_range(now, branch.getResults());
  return now;
}

/// Nothing has been computed yet: no group has the number -1.
static llvm::SmallVector<Value> emptyMemory(Kernel &kernel,
                                            const Memory &memory) {
  Builder &at = kernel.builder;
  llvm::SmallVector<Value> values{at.integer(-1, at.getI32Type())};
  auto addZero = [&](Type type) {
    values.push_back(type.isInteger(1) ? at.integer(0, type)
                                       : at.number(0, type));
  };
  for (Operation *input : memory.inputs)
    addZero(input->getResult(0).getType());
  for (Value result : memory.results)
    addZero(result.getType());
  return values;
}

static LogicalResult emitTensorLoop(Kernel &kernel, const Memory &memory,
                                    Value begin, Value end) {
  Builder &at = kernel.builder;
  llvm::SmallVector<Value> carried;
  if (memory.isWorthIt)
    carried = emptyMemory(kernel, memory);
  auto loop =
      scf::ForOp::create(at, at.location, begin, end, at.integer(1), carried);
  mlir::OpBuilder::InsertionGuard guard(at);
  at.setInsertionPointToStart(loop.getBody());
  kernel.enterRow(at, loop.getInductionVar());
  Value group =
      kernel.rowMember(at, offsetof(updraft_tensor, group), at.getI32Type());
  kernel.enterGroup(
      at, arith::ExtUIOp::create(at, at.location, at.getI64Type(), group));
  if (!memory.isWorthIt)
    return emitRest(kernel, at);
  auto next = emitRemembered(kernel, at, memory, group,
                             ValueRange(loop.getRegionIterArgs()));
  // What is inside the branch is known only there.
  if (failed(next))
    return failure();
  if (failed(emitRest(kernel, at)))
    return failure();
  scf::YieldOp::create(at, at.location, *next);
  return success();
}

LogicalResult lowerScalarKernel(Kernel &kernel) {
  return kernel.build([&]() -> LogicalResult {
    Builder &at = kernel.builder;
    for (Operation &operation : kernel.body())
      if (operation.getNumResults() != 0 && !llvm::isa<ir::FoldOp>(operation) &&
          kernel.levelOf(&operation) == Level::Model &&
          kernel.level() != Level::Model &&
          failed(kernel.emitUniform(kernel.entry, &operation)))
        return failure();
    Value end = at.add(kernel.first, kernel.count);
    if (kernel.level() == Level::Model)
      return emitRest(kernel, at);
    if (kernel.level() == Level::Tensor)
      return emitTensorLoop(kernel, memoryOf(kernel), kernel.first, end);
    LogicalResult result = success();
    at.loop(kernel.first, end, 1, [&](Value group) {
      kernel.enterGroup(at, group);
      result = emitRest(kernel, at);
    });
    return result;
  });
}

} // namespace updraft::loops
