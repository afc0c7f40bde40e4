//===- LowerToLoopsBody.cpp - What stands in an element kernel's loop -----===//
//
// A clone of the body on vectors (or on one element), operation by operation:
// all of them work lane by lane.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/ExpandMath.h"
#include "compiler/Passes/LowerToLoopsElement.h"
#include "compiler/Passes/LowerToLoopsFormat.h"

#include "mlir/IR/Matchers.h"

namespace updraft::loops {

namespace arith = mlir::arith;
using ir::Level;
using mlir::Operation;

/// Whether `condition` only decides about the whole operation.
static bool asksOnce(Operation *operation, Value condition) {
  auto select = llvm::dyn_cast<arith::SelectOp>(operation);
  return condition == conditionOf(operation) ||
         (select && condition == select.getCondition() &&
          condition != select.getTrueValue() &&
          condition != select.getFalseValue());
}

/// Every uniform value that elements meet becomes a vector before the loop.
void ElementKernel::spreadUniforms(const Slice &slice) {
  spread_.clear();
  if (isScalar_)
    return;
  for (Operation *operation : slice.operations())
    for (Value operand : operation->getOperands()) {
      // Uniform conditions are asked once, not lane by lane.
      if (operand.getType().isInteger(1) && asksOnce(operation, operand))
        continue;
      Value source = slice.resolve(operand);
      if (kernel_.levelOf(source) == Level::Element || spread_.count(source))
        continue;
      Value scalar = kernel_.uniforms.lookup(source);
      Type type = Builder::widened(source.getType(), width_);
      mlir::Attribute constant;
      if (mlir::matchPattern(scalar, mlir::m_Constant(&constant)))
        spread_[source] = arith::ConstantOp::create(
            at_, at_.location,
            mlir::DenseElementsAttr::get(mlir::cast<mlir::VectorType>(type),
                                         constant));
      else
        spread_[source] =
            mlir::vector::BroadcastOp::create(at_, at_.location, type, scalar);
    }
}

//===- The body -----------------------------------------------------------===//

Value ElementKernel::operandOf(const Slice &slice, Value value,
                               const Step &step) {
  Value source = slice.resolve(value);
  if (kernel_.levelOf(source) == Level::Element)
    return values_.lookup(source);
  if (step.width == 1)
    return kernel_.uniforms.lookup(source);
  // Null for a condition that is asked once.
  Value spread = spread_.lookup(source);
  if (!spread || step.width == width_)
    return spread;
  // All of its lanes are the same, so the registers stay those it has.
  llvm::SmallVector<int64_t> lanes(step.width);
  for (unsigned lane = 0; lane < step.width; ++lane)
    lanes[lane] = lane % width_;
  return mlir::vector::ShuffleOp::create(at_, at_.location, spread, spread,
                                         lanes);
}

void ElementKernel::emitBody(const Slice &slice, const Step &step) {
  values_.clear();
  for (Operation *operation : slice.operations()) {
    at_.location = operation->getLoc();
    if (auto put = llvm::dyn_cast<ir::PutOp>(operation))
      emitPut(slice, put, step);
    else if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation))
      emitPartial(slice, partial, step);
    else
      values_[operation->getResult(0)] = emitOperation(slice, operation, step);
  }
}

Value ElementKernel::emitOperation(const Slice &slice, Operation *operation,
                                   const Step &step) {
  if (auto get = llvm::dyn_cast<ir::GetOp>(operation))
    return emitGet(slice, get, step);
  if (llvm::isa<ir::FoldOp, ir::ShapeOp>(operation))
    return emitAxisValue(operation, step);
  llvm::SmallVector<Value> operands;
  for (Value operand : operation->getOperands())
    operands.push_back(operandOf(slice, operand, step));
  if (auto math = llvm::dyn_cast<ir::MathOp>(operation))
    return emitMath(math, operands);
  // A condition that is the same for all lanes, maybe only in this slice, is
  // best asked once.
  if (auto select = llvm::dyn_cast<arith::SelectOp>(operation)) {
    Value condition = slice.resolve(select.getCondition());
    if (kernel_.levelOf(condition) != Level::Element)
      operands[0] = kernel_.uniforms.lookup(condition);
  }
  return cloneWidened(at_, operation, operands, step.width)->getResult(0);
}

Value ElementKernel::emitMath(ir::MathOp math, ValueRange operands) {
  return emitFunction(at_, at_.location, math.getFunction(), operands);
}

//===- For a processor ----------------------------------------------------===//

Value ElementLoops::emitAxisValue(Operation *operation, const Step &step) {
  if (auto shape = llvm::dyn_cast<ir::ShapeOp>(operation))
    return emitBlockSize(shape, step);
  Type f64 = at_.getF64Type();
  return at_.load(Builder::widened(f64, step.width),
                  at_.at(stripPointers_.lookup(operation), step.index, f64), 8);
}

/// Between strips and runs no element is read, and the processor begins again
/// to read ahead: where that happens it is told to, into its second cache.
/// Where it does not, telling costs a tenth of the speed.
void ElementLoops::readAhead(Value address, int64_t bytes) {
  constexpr int64_t kAhead = 8192;
  constexpr int64_t kLine = 64;
  constexpr uint32_t kRead = 0, kSecondCache = 2, kData = 1;
  bool stops =
      kernel_.level() == Level::Element &&
      ((walk_ && walk_.getKind() == ir::SpaceKind::Bands) || !strips_.empty());
  if (!stops)
    return;
  for (int64_t line = 0; line < bytes; line += kLine)
    mlir::LLVM::Prefetch::create(at_, at_.location,
                                 at_.at(address, kAhead + line), kRead,
                                 kSecondCache, kData);
}

Value ElementLoops::emitGet(const Slice &slice, ir::GetOp get,
                            const Step &step) {
  // It has no memory, whatever the conditions are under which it is read.
  if (slice.isAbsent() && readsGradient(get))
    return at_.number(0, Builder::widened(get.getType(), step.width));
  auto place = kernel_.placeOf(get.getSource());
  Type format = place->format;
  Type item = at_.getIntegerType(format.getIntOrFloatBitWidth());
  Value start = isOwn(*place) ? pointers_.lookup(get.getSource())
                              : stripPointers_.lookup(get);
  Value address = at_.at(start, step.index, item);
  if (step.width > 1 && isOwn(*place))
    readAhead(address, step.width * format.getIntOrFloatBitWidth() / 8);
  return loadElements(at_, format, get.getType(), address, step.width,
                      step.mask);
}

void ElementLoops::emitPut(const Slice &slice, ir::PutOp put,
                           const Step &step) {
  Type format = kernel_.placeOf(put.getTarget())->format;
  Value elements = operandOf(slice, put.getValue(), step);
  Type item = at_.getIntegerType(format.getIntOrFloatBitWidth());
  Value address = at_.at(pointers_.lookup(put.getTarget()), step.index, item);
  auto store = [&] {
    storeElements(at_, format, elements, address, step.mask);
  };
  if (put.getWhen() && !slice.truthOf(put.getWhen()))
    at_.when(kernel_.uniforms.lookup(put.getWhen()), store);
  else
    store();
}

/// Lanes of columns lie in the scratch itself, those of all else in the stack,
/// where a loop does not carry them in registers.
/// Lanes that do not exist are set to the identity after the body: their
/// operand need not be 0 where the arrays were read as 0.
void ElementLoops::emitPartial(const Slice &slice, ir::PartialOp partial,
                               const Step &step) {
  Value items = operandOf(slice, partial.getOperand(), step);
  if (addsToColumns(partial) && !step.isRow) {
    auto place = kernel_.placeOf(partial.getList());
    Type type = partial.getOperand().getType();
    Value address =
        at_.at(pointers_.lookup(partial.getList()), step.index, place->format);
    Value old =
        loadElements(at_, place->format, type, address, step.width, step.mask);
    Value sum = combine(at_, partial.getReducer(), old, items);
    return storeElements(at_, place->format, sum, address, step.mask);
  }
  if (step.mask)
    items = arith::SelectOp::create(
        at_, at_.location, step.mask, items,
        at_.number(identityOf(partial.getReducer()), items.getType()));
  if (step.width != kLanes && !step.isRow)
    return lanes_.find(partial)->second.accumulate(at_, step.index, items);
  Value &row = rows_[partial];
  row = combine(at_, partial.getReducer(), row, items);
}

} // namespace updraft::loops
