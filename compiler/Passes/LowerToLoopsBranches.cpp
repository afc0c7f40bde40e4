//===- LowerToLoopsBranches.cpp - What of a body a condition leaves -------===//

#include "compiler/Passes/LowerToLoopsBranches.h"

#include "mlir/IR/Matchers.h"

namespace updraft::loops {

namespace arith = mlir::arith;
using ir::Level;
using mlir::Operation;

Value conditionOf(Operation *operation) {
  if (auto put = llvm::dyn_cast<ir::PutOp>(operation))
    return put.getWhen();
  if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation))
    return partial.getWhen();
  return {};
}

Slice::Slice(const Kernel &kernel) : kernel_(&kernel) { findLive(); }

Slice Slice::assuming(Value condition, bool truth) const {
  Slice result = *this;
  result.known_[condition] = truth;
  result.findLive();
  return result;
}

Slice Slice::assumingAbsent(bool isAbsent) const {
  Slice result = *this;
  result.isAbsent_ = isAbsent;
  result.findLive();
  return result;
}

static bool asksForAbsence(Operation *operation) {
  auto shape = llvm::dyn_cast<ir::ShapeOp>(operation);
  return shape && shape.getWhat() == ir::Shape::Absent;
}

bool readsGradient(Operation *operation) {
  auto get = llvm::dyn_cast<ir::GetOp>(operation);
  auto array =
      get ? llvm::dyn_cast<ir::ArrayOp>(ir::lookup(get, get.getSource()))
          : ir::ArrayOp();
  return array && array.getRole() == ir::Role::Grad;
}

ir::ShapeOp Slice::openAbsence() const {
  if (isAbsent_ || llvm::none_of(live_, readsGradient))
    return {};
  for (Operation &operation : kernel_->body())
    if (asksForAbsence(&operation))
      return llvm::cast<ir::ShapeOp>(operation);
  return {};
}

bool Slice::selectsUniformly(Operation *operation) const {
  auto select = llvm::dyn_cast<arith::SelectOp>(operation);
  return select && kernel_->levelOf(operation) == Level::Element &&
         kernel_->levelOf(select.getCondition()) != Level::Element;
}

std::optional<bool> Slice::truthOf(Value condition) const {
  if (auto found = known_.find(condition); found != known_.end())
    return found->second;
  llvm::APInt constant;
  if (mlir::matchPattern(condition, mlir::m_ConstantInt(&constant)))
    return !constant.isZero();
  Operation *operation = condition.getDefiningOp();
  if (asksForAbsence(operation))
    return isAbsent_;
  if (!llvm::isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(operation))
    return std::nullopt;
  auto left = truthOf(operation->getOperand(0));
  auto right = truthOf(operation->getOperand(1));
  if (left && right) {
    if (llvm::isa<arith::AndIOp>(operation))
      return *left && *right;
    return llvm::isa<arith::OrIOp>(operation) ? *left || *right
                                              : *left != *right;
  }
  // One side may be enough: false for and, true for or.
  bool absorbing = llvm::isa<arith::OrIOp>(operation);
  if (!llvm::isa<arith::XOrIOp>(operation) &&
      ((left && *left == absorbing) || (right && *right == absorbing)))
    return absorbing;
  return std::nullopt;
}

Value Slice::resolve(Value value) const {
  Operation *operation = value.getDefiningOp();
  while (selectsUniformly(operation)) {
    auto select = llvm::cast<arith::SelectOp>(operation);
    auto truth = truthOf(select.getCondition());
    if (!truth)
      break;
    value = *truth ? select.getTrueValue() : select.getFalseValue();
    operation = value.getDefiningOp();
  }
  return value;
}

void Slice::findLive() {
  live_.clear();
  for (Operation &operation : llvm::reverse(kernel_->body())) {
    bool isRoot = llvm::isa<ir::PutOp, ir::PartialOp>(operation);
    if (isRoot) {
      Value condition = conditionOf(&operation);
      if (condition && truthOf(condition) == false)
        continue;
      live_.insert(&operation);
    }
    if (!live_.contains(&operation))
      continue;
    for (Value operand : operation.getOperands()) {
      Value source = resolve(operand);
      if (kernel_->levelOf(source) == Level::Element)
        live_.insert(source.getDefiningOp());
    }
  }
}

llvm::SmallVector<Operation *> Slice::operations() const {
  llvm::SmallVector<Operation *> result;
  for (Operation &operation : kernel_->body())
    if (live_.contains(&operation))
      result.push_back(&operation);
  return result;
}

Value Slice::atomOf(Value condition) const {
  Operation *operation = condition.getDefiningOp();
  if (llvm::isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(operation))
    for (Value operand : operation->getOperands())
      if (!truthOf(operand))
        return atomOf(operand);
  return condition;
}

/// A condition that `of` finds on a live operation and that is not settled yet.
template <typename Of> Value Slice::firstOpen(Of of) const {
  for (Operation &operation : kernel_->body()) {
    if (!live_.contains(&operation))
      continue;
    Value condition = of(&operation);
    if (condition && kernel_->levelOf(condition) != Level::Element &&
        !truthOf(condition))
      return atomOf(condition);
  }
  return {};
}

// The number of branches is limited. What is written comes first, because a
// branch there takes whole passes with it.
Value Slice::openCondition() const {
  if (Value condition = firstOpen(conditionOf))
    return condition;
  return firstOpen([&](Operation *operation) {
    return selectsUniformly(operation) ? operation->getOperand(0) : Value();
  });
}

} // namespace updraft::loops
