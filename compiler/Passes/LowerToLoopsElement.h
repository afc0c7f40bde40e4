//===- LowerToLoopsElement.h - The loops of one element kernel ------------===//
//
// LowerToLoopsChunk.cpp builds what stands around the loops,
// LowerToLoopsElement.cpp the loops, LowerToLoopsWalk.cpp those along
// bands and blocks, LowerToLoopsStrips.cpp what axis values need before the
// innermost, LowerToLoopsBody.cpp what stands in it. Kernels of axis level are
// loops over the values of their space, which lie side by side like elements.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSELEMENT_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSELEMENT_H

#include "compiler/Passes/LowerToLoopsBranches.h"
#include "compiler/Passes/LowerToLoopsFold.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

namespace updraft::loops {

/// What every way of making the loops of an element or axis kernel shares: what
/// stands around them, and the body as a clone on items side by side.
class ElementKernel {
public:
  virtual ~ElementKernel() = default;

protected:
  /// A vector of elements (or one): which, and the lanes that exist. One of
  /// kLanes elements has its sums in registers, one that is a whole row those
  /// of its columns too.
  struct Step {
    Value index;
    unsigned width;
    Value mask;
    bool isRow = false;
  };
  using Partials = llvm::SmallVector<ir::PartialOp>;
  /// Rows and columns of the tensor's matrices.
  struct Extents {
    Value rows, columns;
  };

  /// Rows [first, last) of all, of one matrix, and their columns [left, right);
  /// the lanes of column 0 begin at entry `lanes` of a scratch of colruns.
  struct Band {
    Value matrix, first, last, left, right, lanes;
  };

  /// The body is made for `width` items at a time, or for one.
  ElementKernel(Kernel &kernel, unsigned width, bool isScalar);

  mlir::LogicalResult check();
  mlir::LogicalResult checkSpace(mlir::Operation *operation,
                                 const Place &place) const;
  mlir::LogicalResult emitChunk(Value number);
  bool isWorthBranch(const Slice &taken, const Slice &other) const;
  void emitSlice(const Slice &slice, unsigned depth);
  /// The loops over the chunk at hand.
  virtual void emitLoops(const Slice &slice) = 0;

  void findStarts(const Slice &slice);
  void findPointers(Value first);
  void findExtents();
  void spreadUniforms(const Slice &slice);
  Partials partialsTo(const Slice &slice, ir::SpaceKind kind) const;
  Partials partialsOf(const Slice &slice) const;
  Value entryOf(ir::PartialOp partial, Value index);
  Value blockEntry();
  Band findBand(Value item);
  void storeTotal(ir::PartialOp partial, Value total, Value entry);
  /// The space of the items; null for elements.
  ir::SpaceAttr itemSpace() const;
  bool isOwn(const Place &place) const;
  bool addsToColumns(ir::PartialOp partial) const;
  Value lengthOf(ir::SpaceAttr space);

  void emitBody(const Slice &slice, const Step &step);
  Value emitOperation(const Slice &slice, mlir::Operation *operation,
                      const Step &step);
  Value operandOf(const Slice &slice, Value value, const Step &step);
  virtual Value emitMath(ir::MathOp math, ValueRange operands);
  virtual Value emitGet(const Slice &slice, ir::GetOp get,
                        const Step &step) = 0;
  /// A fold, or how many elements a block has.
  virtual Value emitAxisValue(mlir::Operation *operation, const Step &step) = 0;
  virtual void emitPut(const Slice &slice, ir::PutOp put, const Step &step) = 0;
  virtual void emitPartial(const Slice &slice, ir::PartialOp partial,
                           const Step &step) = 0;

  Kernel &kernel_;
  Builder &at_;
  unsigned width_;
  bool isScalar_;
  bool mixesGroups_ = false; ///< chunks of a call may belong to several groups
  Value chunkFirst_, chunkCount_;
  ir::SpaceAttr walk_; ///< of an element kernel; null: in order
  llvm::MapVector<llvm::StringRef, Value> starts_;
  llvm::StringMap<Value> pointers_;
  Value base_;         ///< the item whose pointers these are
  Extents extents_[2]; ///< [1]: folded; null if nothing asks for them
  llvm::DenseMap<Value, Value> spread_, values_;
  /// What the lanes of a reduction are in registers.
  llvm::DenseMap<mlir::Operation *, Value> rows_;
};

/// Where the name of what an operation reads or writes stands; else empty.
llvm::StringRef nameOf(mlir::Operation *operation);

/// Loops over vectors, for a processor.
class ElementLoops : public ElementKernel {
public:
  explicit ElementLoops(Kernel &kernel);
  mlir::LogicalResult build();

private:
  /// Items [from, to) of a chunk, band or block of which `first` is the number
  /// of item 0 in the tensor. Where the walk knows them: the row, matrix or
  /// block that all of them belong to, and the column of item 0.
  struct Strip {
    Value from, to, first;
    Value row = {}, matrix = {}, column = {}, block = {};
  };
  void emitLoops(const Slice &slice) override;
  void emitBlocks(const Slice &slice, const Partials &partials);
  bool fitsRegisters(const Slice &slice, const Partials &partials) const;
  Value emitRows(const Slice &slice, const Partials &partials, Value from,
                 Value to);
  Value emitFirstRows(const Slice &slice, const Partials &partials, Value from,
                      Value to);
  void emitRange(const Slice &slice, Value from, Value to);
  Value maskOf(Value index, Value end, unsigned width);
  bool masksTails(const Slice &slice) const;
  bool canMask(const Slice &slice) const;
  unsigned tailWidth(const Slice &slice) const;

  void emitBands(const Slice &slice);
  void emitBand(const Slice &slice, Value item);
  void emitWideBand(const Slice &slice, const Band &band);
  void emitNarrowBand(const Slice &slice, const Band &band);
  void emitLine(const Slice &slice, const Band &band, Value row);
  void emitOwnBlocks(const Slice &slice);
  void emitOwnBlock(const Slice &slice, const Strip &range);

  void reserveStrips();
  void emitStrips(const Slice &slice, const Strip &range);
  void enterStrip(const Slice &slice, const Strip &strip);
  Value spread(const Place &place, Value start, Value memory,
               const Strip &strip);
  void emitFold(ir::FoldOp fold, Value memory, const Strip &strip);
  Value emitBlockSize(ir::ShapeOp shape, const Step &step);

  Value emitGet(const Slice &slice, ir::GetOp get, const Step &step) override;
  Value emitAxisValue(mlir::Operation *operation, const Step &step) override;
  void readAhead(Value address, int64_t bytes);
  void emitPut(const Slice &slice, ir::PutOp put, const Step &step) override;
  void emitPartial(const Slice &slice, ir::PartialOp partial,
                   const Step &step) override;

  /// Stack memory of axis values and folds, and where a strip finds them.
  llvm::DenseMap<mlir::Operation *, Value> strips_, stripPointers_;
  llvm::DenseMap<mlir::Operation *, Lanes> lanes_;
  /// Of partials to blocks of more than 4096 elements: of their totals.
  llvm::DenseMap<mlir::Operation *, Lanes> totals_;
};

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSELEMENT_H
