//===- LowerToLoopsKernel.h - One kernel on its way to a function ---------===//
//
// What kernels of all levels share: the function, what the frame holds, the
// level of every value, and how values of tensor level and coarser ("uniform"
// to an element loop) are computed.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSKERNEL_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSKERNEL_H

#include "compiler/Passes/LowerToLoops.h"
#include "compiler/Passes/LowerToLoopsBuilder.h"
#include "compiler/Target/Layout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace updraft::loops {

/// One kernel, its function, and what is known of both.
class Kernel {
public:
  Kernel(ir::KernelOp kernel, const Layout &layout, const LoopShape &shape,
         mlir::ModuleOp module);
  virtual ~Kernel() = default;

  /// Builds the function's frame; `body` fills the part that runs when there
  /// is something to do, with `builder` standing in it.
  mlir::LogicalResult build(llvm::function_ref<mlir::LogicalResult()> body);

  ir::KernelOp op;
  const Layout &layout;
  const LoopShape &shape;
  mlir::ModuleOp module;
  Builder builder;
  /// Stands in the function's first block: what a whole call has in common.
  Builder entry;
  Value frame, first, count;
  Value round; ///< of a matrix kernel; null where the frame holds it
  /// Where the values of the level at hand lie.
  Value groupBase, row, span;
  /// Uniform values by the body's value.
  mlir::IRMapping uniforms;

  llvm::StringRef variant() const;
  mlir::Block &body() const { return ir::KernelOp(op).getBody().front(); }
  ir::Level level() const { return ir::KernelOp(op).getLevel(); }
  /// What differs from item to item is of level `Element`, also where the items
  /// are rows, columns, matrices or blocks.
  ir::Level levelOf(Value value) const;
  ir::Level levelOf(mlir::Operation *op) const;
  std::optional<Place> placeOf(llvm::StringRef name) const {
    return layout.find(variant(), name);
  }

  /// A member of updraft_frame, loaded once a call.
  Value frameMember(int64_t offset, Type type);
  /// A member of updraft_tensor, at `row`.
  Value rowMember(Builder &at, int64_t offset, Type type);
  /// A member of updraft_shape, of the tensor at `row`.
  Value shapeMember(Builder &at, int64_t offset);
  /// Sets groupBase from a group's number.
  void enterGroup(Builder &at, Value group);
  /// Sets groupBase to the group of the tensor at `row`.
  void enterGroupOfRow(Builder &at);
  /// Sets row from its number within the variant.
  void enterRow(Builder &at, Value index);
  /// Sets row to a chunk's tensor; returns its first item and how many it has.
  std::pair<Value, Value> enterChunk(Builder &at, Value number);

  /// Emits all uniform operations of a level at `at`.
  mlir::LogicalResult emitUniforms(Builder &at, ir::Level level);
  /// Emits a uniform operation (anything but put and partial) at `at`.
  mlir::LogicalResult emitUniform(Builder &at, mlir::Operation *operation);
  /// Address of a scalar of the level entered.
  Value addressOf(Builder &at, const Place &place);
  /// Stores to a scalar of the kernel's level, or this tensor's total.
  mlir::LogicalResult emitPut(Builder &at, ir::PutOp put);

  /// The total of `count` f64 at `list`, `stride` bytes apart.
  virtual Value foldList(Builder &at, ir::Reducer reducer, Value list,
                         Value count, Value stride);
  /// The same of those items alone, side by side, for which the f64 at the same
  /// place of `members` is not 0: the list is as long as they are many.
  virtual Value foldMembers(Builder &at, ir::Reducer reducer, Value list,
                            Value members, Value count);
  /// The total of a list of `type`: blocks of 4096 in it, their totals in f64.
  virtual Value foldNumbers(Builder &at, ir::Reducer reducer, Type type,
                            Value list, Value count);

private:
  bool isRare() const;
  Value foldScratch(Builder &at, ir::FoldOp fold, const Place &place);
  /// How many values of `space` the tensor at hand has.
  Value countOf(Builder &at, ir::SpaceAttr space);
  void findLevels();
  ir::Level levelOfLeaf(mlir::Operation *operation) const;
  mlir::LogicalResult emitGet(Builder &at, ir::GetOp get);
  void emitShape(Builder &at, ir::ShapeOp shape);
  mlir::LogicalResult emitFold(Builder &at, ir::FoldOp fold);

  llvm::DenseMap<mlir::Operation *, ir::Level> levels_;
  llvm::DenseMap<int64_t, Value> members_;
};

/// Kernels of model, group and tensor level.
mlir::LogicalResult lowerScalarKernel(Kernel &kernel);
/// Kernels of element and axis level.
mlir::LogicalResult lowerElementKernel(Kernel &kernel);
/// Kernels of matrix level.
mlir::LogicalResult lowerMatrixKernel(Kernel &kernel);

/// Asks the code generator to hurry: the function runs seldom, and what it
/// computes does not depend on how well its code is made.
void compileQuickly(mlir::func::FuncOp function);

/// Clones `operation` with `operands`, its results widened to `width` items.
mlir::Operation *cloneWidened(Builder &builder, mlir::Operation *operation,
                              ValueRange operands, unsigned width);

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSKERNEL_H
