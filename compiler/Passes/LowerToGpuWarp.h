//===- LowerToGpuWarp.h - What the threads of a warp do together ----------===//
//
// Reductions by the 128 lanes of a warp, and kernels whose folds are made so.
// All threads of the warp run what is built here.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOGPUWARP_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOGPUWARP_H

#include "compiler/Passes/LowerToLoopsKernel.h"

namespace updraft::loops {

constexpr int64_t kWarp = 32;
/// Lanes of a thread, which it works on at once.
constexpr int64_t kItems = 4;

/// Where a thread stands, as i64.
struct Thread {
  Value number, lane, warp; ///< within the block, its warp; of the block
  Value block, blocks;      ///< of the launch

  static Thread find(Builder &at);
};

/// A kernel of which several threads compute the same.
class GpuKernel : public Kernel {
public:
  using Kernel::Kernel;

  Value foldList(Builder &at, ir::Reducer reducer, Value list, Value count,
                 Value stride) override;
  Value foldMembers(Builder &at, ir::Reducer reducer, Value list, Value members,
                    Value count) override;
  Value foldNumbers(Builder &at, ir::Reducer reducer, Type type, Value list,
                    Value count) override;

  Thread thread;
};

/// Four identities, where a thread begins to add up its lanes.
Value emptyLanes(Builder &at, ir::Reducer reducer, Type type);
/// a[i] += a[i + h] for h = 64, 32, ..., 1 of the lanes that the warp's threads
/// have, four each. All of them get the result.
Value foldLanes(Builder &at, ir::Reducer reducer, Value lanes);
/// `lanes` with `item` added to the lane `index` mod 128, if the thread has it.
Value addToLane(Builder &at, ir::Reducer reducer, const Thread &thread,
                Value lanes, Value index, Value item);

/// Waits for the block's threads; all that they have written is seen then.
void waitForBlock(Builder &at);
/// The same of the warp.
void waitForWarp(Builder &at);

/// `vector`'s items, and a vector of items.
llvm::SmallVector<Value> itemsOf(Builder &at, Value vector);
Value vectorOf(Builder &at, ValueRange items);
Value select(Builder &at, Value condition, Value yes, Value no);
Value toF64(Builder &at, Value value);

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOGPUWARP_H
