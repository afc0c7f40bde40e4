//===- LowerToLoopsFold.h - Sums, maxima and minima by 128 lanes ----------===//
//
// numerics.md 5: item i goes into lane i mod 128, the lanes are put together by
// halves. The lanes lie in memory: a body of many reductions would not find
// registers for them. A pass that only reduces keeps them in registers while it
// walks whole rows of 128 items: 1.15 times as fast from memory on one thread.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSFOLD_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSFOLD_H

#include "compiler/Passes/LowerToLoopsBuilder.h"

#include "mlir/IR/BuiltinOps.h"

namespace updraft::loops {

constexpr int64_t kLanes = 128;

/// 128 accumulators of a float type in stack memory.
struct Lanes {
  Value memory;
  Type type;
  ir::Reducer reducer;
  unsigned width; ///< items of a vector

  /// A vector of kLanes identities.
  Value identity(Builder &builder) const;
  /// Sets all lanes, to the identity or to a vector of kLanes.
  void clear(Builder &builder) const { set(builder, identity(builder)); }
  void set(Builder &builder, Value row) const;
  /// Adds `items` (a vector of at most `width` or a scalar) that begin at
  /// position `index` of the list.
  void accumulate(Builder &builder, Value index, Value items) const;
  /// The one value of all, by a call.
  Value fold(Builder &builder, mlir::ModuleOp module) const;
};

/// One value of all of a vector's, put together by halves.
Value foldVector(Builder &builder, ir::Reducer reducer, Value vector);

/// A call that folds `count` f64 at `list`, `stride` bytes apart. The called
/// functions are made at their first use.
Value foldList(Builder &builder, mlir::ModuleOp module, ir::Reducer reducer,
               Value list, Value count, Value stride);

/// The same of those items alone, side by side, for which the f64 at the same
/// place of `members` is 1 and not 0: the list is as long as they are many.
Value foldMembers(Builder &builder, mlir::ModuleOp module, ir::Reducer reducer,
                  Value list, Value members, Value count);

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSFOLD_H
