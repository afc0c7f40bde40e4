//===- LowerToLoopsBuilder.h - Short names for what loops are made of -----===//
//
// Address arithmetic, constants and loops in one word each, so that the
// lowering reads as the code it makes.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSBUILDER_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSBUILDER_H

#include "compiler/Dialect/Dialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace updraft::loops {

using mlir::Location;
using mlir::Type;
using mlir::Value;
using mlir::ValueRange;

/// A builder that knows the place in the rule that its code comes from.
class Builder : public mlir::OpBuilder {
public:
  Builder(mlir::MLIRContext *context, Location location, unsigned space = 0)
      : OpBuilder(context), location(location), space(space) {}

  Location location;
  unsigned space; ///< in which memory lies what the frame points to

  Type pointer() {
    return mlir::LLVM::LLVMPointerType::get(getContext(), space);
  }
  /// `type` itself for width 1, else a vector of it.
  static Type widened(Type type, unsigned width);

  Value integer(int64_t value, Type type = {});
  Value number(double value, Type type);

  /// `base` plus bytes, or plus `index` items of `item`.
  Value at(Value base, int64_t bytes);
  Value at(Value base, Value bytes);
  Value at(Value base, Value index, Type item);
  /// `isConstant`: nobody writes there while the kernel runs.
  Value load(Type type, Value address, unsigned alignment = 0,
             bool isConstant = false);
  void store(Value value, Value address, unsigned alignment = 0);
  /// A call of one of LLVM's intrinsics; no result if `type` is null.
  Value intrinsic(llvm::StringRef name, Type type, ValueRange operands = {});
  /// Stack memory; the insertion point must be in the function's first block.
  Value stack(Type item, int64_t count);

  Value add(Value left, Value right);
  Value multiply(Value left, Value right);
  Value bitAnd(Value left, int64_t mask);
  Value compare(mlir::arith::CmpIPredicate predicate, Value left, Value right);

  /// for (i = from; i < to; i += step) body(i)
  void loop(Value from, Value to, int64_t step,
            llvm::function_ref<void(Value)> body) {
    loop(from, to, integer(step), body);
  }
  void loop(Value from, Value to, Value step,
            llvm::function_ref<void(Value)> body);
  /// if (condition) body(); an empty `otherwise` is none.
  void when(Value condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise = nullptr);

  Value subtract(Value left, Value right);
  Value divide(Value left, Value right); ///< unsigned
  Value divideUp(Value left, int64_t right);
  Value least(Value left, Value right); ///< of two unsigned
};

/// A call of the function `name`, which all kernels share. It is made at its
/// first use: `fill` stands in it, takes its arguments and says its results.
ValueRange callShared(
    Builder &builder, mlir::ModuleOp module, const llvm::Twine &name,
    mlir::TypeRange results, ValueRange operands,
    llvm::function_ref<llvm::SmallVector<Value>(Builder &, ValueRange)> fill);

/// left (op) right as `reducer` puts values together (numerics.md 5, 6).
Value combine(Builder &builder, ir::Reducer reducer, Value left, Value right);
/// What changes nothing when combined: +0, -inf, +inf.
double identityOf(ir::Reducer reducer);

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSBUILDER_H
