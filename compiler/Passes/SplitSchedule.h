//===- SplitSchedule.h - When kernels run ---------------------------------===//
//
// The grid of times that SplitSchedule.cpp puts items on and SplitPlan.cpp
// reads kernels from. Private to both.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_SPLITSCHEDULE_H
#define UPDRAFT_COMPILER_PASSES_SPLITSCHEDULE_H

#include "compiler/Passes/SplitPlan.h"

#include "llvm/ADT/ArrayRef.h"

#include <tuple>

namespace updraft::plan {

/// Kernels between two passes; far more than any rule needs.
constexpr int kRegion = 1 << 16;

inline int elementTime(int pass) { return pass * kRegion + kRegion - 1; }

/// Time, variant, place among the walks of a pass or the products of values,
/// and the space of an axis: what has all in common is one kernel. Kernels run
/// in this order.
using Slot = std::tuple<int, int, int, Space>;

inline Slot slotOf(const Item &item, int time) {
  bool isProduct = item.kind == Item::Kind::Product;
  return {time, item.variant, isProduct ? 3 * item.index + item.part + 1 : 0,
          item.space};
}

/// Fills kernels and kernelOfItem from the passes and the items' `times`.
void gatherKernels(const Graph &graph, Plan &plan, llvm::ArrayRef<int> times);

} // namespace updraft::plan

#endif // UPDRAFT_COMPILER_PASSES_SPLITSCHEDULE_H
