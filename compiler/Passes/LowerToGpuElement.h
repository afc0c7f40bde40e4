//===- LowerToGpuElement.h - One element or axis kernel on a GPU ----------===//
//
// LowerToGpuElement.cpp builds the loops over elements in order and what stands
// in them, LowerToGpuBands.cpp those along bands and blocks, LowerToGpuAxis.cpp
// what needs values of rows, columns, matrices and blocks, or has them as
// items.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOGPUELEMENT_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOGPUELEMENT_H

#include "compiler/Passes/LowerToGpuWarp.h"
#include "compiler/Passes/LowerToLoopsElement.h"

#include "llvm/ADT/StringSet.h"

namespace updraft::loops {

/// Whether a warp works on an item (a chunk, if that is of elements) by itself:
/// where it is a list of one total. Else a block does.
bool takesWarps(ir::KernelOp kernel);

/// Kernels of element and axis level; `threads` are those of a block.
mlir::LogicalResult lowerGpuElements(GpuKernel &kernel, unsigned threads);

/// Loops of a thread over every so many vectors of four.
class GpuElements : public ElementKernel {
public:
  GpuElements(GpuKernel &kernel, unsigned threads);
  mlir::LogicalResult build();

private:
  /// What an element belongs to, by number: its row and matrix of all, and its
  /// column.
  struct Position {
    Value row, column, matrix;
  };

  /// Up to 512 columns of a band: the thread's vectors of them, and which
  /// exist.
  struct Run {
    Value column;
    bool isVector;
    llvm::SmallVector<Value, kItems> steps, masks;
  };

  void emitLoops(const Slice &slice) override;
  Value emitMath(ir::MathOp math, ValueRange operands) override;
  Value emitGet(const Slice &slice, ir::GetOp get, const Step &step) override;
  Value emitAxisValue(mlir::Operation *operation, const Step &step) override;
  void emitPut(const Slice &slice, ir::PutOp put, const Step &step) override;
  void emitPartial(const Slice &slice, ir::PartialOp partial,
                   const Step &step) override;

  Value isAligned(const Slice &slice);
  Value maskOf(Value index, Value end);
  llvm::SmallVector<Value> emitRange(const Slice &slice, Value count,
                                     const Partials &partials);
  llvm::SmallVector<Value> emitTurns(const Slice &slice, Value from, Value to,
                                     int64_t turns, Value end,
                                     const Partials &partials,
                                     ValueRange start);
  bool isShort(const Slice &slice) const;
  Value whenThere(Value isThere, Type type, llvm::function_ref<Value()> make);

  void storeFirst(const Partials &partials, ValueRange totals,
                  llvm::function_ref<void(ir::PartialOp, Value)> store);

  void emitBands(const Slice &slice);
  void emitRun(const Slice &slice, const Band &band, Value column);
  Run findRun(Value column, Value width, bool isVector);
  void emitRows(const Slice &slice, const Band &band, const Run &run);
  llvm::SmallVector<Value> emitRow(const Slice &slice, const Band &band,
                                   const Run &run, Value row, ValueRange lanes);
  void emitOwnBlocks(const Slice &slice);
  llvm::SmallVector<Value> emitLongBlock(const Slice &slice, Value first,
                                         Value count, const Partials &partials);
  void emitItems(const Slice &slice);

  Value emitAxisGet(ir::GetOp get, const Place &place, const Step &step);
  Value indexOf(ir::SpaceAttr space, const Step &step, unsigned item);
  llvm::ArrayRef<Position> positionsOf(int folded, const Step &step);
  void enterItems(Value first);
  Value divideNear(Value sum, Value by);
  Value exists(const Step &step, unsigned item);
  Value emitFold(ir::FoldOp fold, const Step &step);
  Value foldRuns(ir::Reducer reducer, Type type, Value start, Value stride,
                 Value count);
  Value emitBlockSize(ir::ShapeOp shape, const Step &step);

  GpuKernel &gpu_;
  bool takesWarps_;
  Value place_;   ///< of the thread among those that share an item
  int64_t team_;  ///< how many these are
  int64_t warps_; ///< of a block
  Value end_;     ///< of the range at hand: items from there on do not exist
  /// Whether all items of a step exist, if they all do or none; else null.
  Value isThere_;
  bool isVector_ = false; ///< the step's items are accessed at once
  llvm::StringSet<> written_;
  /// Of a step's items, by folded, for the step that begins at `positioned_`.
  llvm::SmallVector<Position, kItems> positions_[2];
  Value positioned_[2];
  /// Where item 0 of the pointers lies: its line of all, column, matrix and row
  /// in that, by folded; and of those kernels whose items are rows or columns
  /// the matrix, as line, and what is left.
  struct Base {
    Value line, column, matrix, row;
  };
  Base bases_[2];
  /// Where a walk along bands stands, if it does.
  Position known_;
};

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOGPUELEMENT_H
