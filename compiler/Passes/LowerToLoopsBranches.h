//===- LowerToLoopsBranches.h - What of a body a condition leaves ---------===//
//
// An element body holds both sides of every uniform condition. Its loops are
// made once for each outcome: a Slice is what is left of the body when some
// conditions are known, down to the loads.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSBRANCHES_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSBRANCHES_H

#include "compiler/Passes/LowerToLoopsKernel.h"

#include <optional>

namespace updraft::loops {

/// Whether it loads from the gradient's memory.
bool readsGradient(mlir::Operation *operation);

/// The condition under which a put or partial acts, if it has one.
Value conditionOf(mlir::Operation *operation);

class Slice {
public:
  explicit Slice(const Kernel &kernel);

  /// The slice in which, in addition, `condition` has the value `truth`.
  Slice assuming(Value condition, bool truth) const;
  /// The slice of tensors that have no gradient, or one.
  Slice assumingAbsent(bool isAbsent) const;

  /// What tells whether there is a gradient, if this slice reads it and that is
  /// not settled; else null. Then no condition but this one may come first: an
  /// absent gradient has no memory.
  ir::ShapeOp openAbsence() const;
  /// Whether it is known that there is no gradient.
  bool isAbsent() const { return isAbsent_ == true; }

  /// Whether something is written at all.
  bool isEmpty() const { return live_.empty(); }
  bool isLive(mlir::Operation *operation) const {
    return live_.contains(operation);
  }
  /// The element operations left, in order.
  llvm::SmallVector<mlir::Operation *> operations() const;

  /// What is known of a uniform condition.
  std::optional<bool> truthOf(Value condition) const;
  /// `value`, or the side of a settled selection that it is.
  Value resolve(Value value) const;
  /// A condition that this slice still depends on and that, once known, tells
  /// more; null if there is none.
  Value openCondition() const;

private:
  void findLive();
  bool selectsUniformly(mlir::Operation *operation) const;
  Value atomOf(Value condition) const;
  template <typename Of> Value firstOpen(Of of) const;

  const Kernel *kernel_;
  llvm::DenseMap<Value, bool> known_;
  std::optional<bool> isAbsent_; ///< all that ask for it are settled by this
  llvm::DenseSet<mlir::Operation *> live_;
};

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSBRANCHES_H
