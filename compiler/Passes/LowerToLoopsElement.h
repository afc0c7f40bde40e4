//===- LowerToLoopsElement.h - The loops of one element kernel ------------===//
//
// LowerToLoopsElement.cpp builds the loops, LowerToLoopsBody.cpp what stands in
// them.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSELEMENT_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSELEMENT_H

#include "compiler/Passes/LowerToLoopsBranches.h"
#include "compiler/Passes/LowerToLoopsFold.h"

#include "llvm/ADT/StringMap.h"

namespace updraft::loops {

class ElementLoops {
public:
  explicit ElementLoops(Kernel &kernel);
  mlir::LogicalResult build();

private:
  /// A vector of elements (or one): which, and the lanes that exist. One of
  /// kLanes elements has its sums in registers.
  struct Step {
    Value index;
    unsigned width;
    Value mask;
  };
  using Partials = llvm::SmallVector<ir::PartialOp>;

  mlir::LogicalResult check();
  mlir::LogicalResult emitUniforms(Builder &builder, ir::Level level);
  void enterFirstGroup();
  mlir::LogicalResult emitChunk(Value number);
  void emitSlice(const Slice &slice, unsigned depth);
  void emitLoops(const Slice &slice);
  void findPointers(const Slice &slice);
  void spreadUniforms(const Slice &slice);
  void emitBlocks(const Slice &slice, const Partials &partials);
  void storeTotal(ir::PartialOp partial, Value entry);
  bool fitsRegisters(const Slice &slice, const Partials &partials) const;
  Value emitRows(const Slice &slice, const Partials &partials, Value from,
                 Value to);
  void emitRange(const Slice &slice, Value from, Value to);
  Value maskOf(Value index, Value end, unsigned width);
  bool masksTails(const Slice &slice) const;
  unsigned tailWidth(const Slice &slice) const;

  void emitBody(const Slice &slice, const Step &step);
  Value emitOperation(const Slice &slice, mlir::Operation *operation,
                      const Step &step);
  Value operandOf(const Slice &slice, Value value, const Step &step);
  Value emitGet(ir::GetOp get, const Step &step);
  void emitPut(const Slice &slice, ir::PutOp put, const Step &step);
  void emitPartial(const Slice &slice, ir::PartialOp partial, const Step &step);

  Kernel &kernel_;
  Builder &at_;
  unsigned width_;
  bool isScalar_;
  Value chunkFirst_, chunkCount_;
  llvm::StringMap<Value> pointers_;
  llvm::DenseMap<Value, Value> spread_, values_;
  /// What the lanes of a reduction are in registers.
  llvm::DenseMap<mlir::Operation *, Value> rows_;
  llvm::DenseMap<mlir::Operation *, Lanes> lanes_;
};

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSELEMENT_H
