//===- Schedule.cpp - Where kernels have to wait --------------------------===//
//
// Kernels say what must be finished before them. A wait for the group or the
// model is a barrier of all threads and begins a segment; a wait for the tensor
// joins kernels to a chain that runs tensor by tensor.
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"

#include <algorithm>

using namespace updraft::runtime;

static updraft_entry *entryOf(const updraft_program *program,
                              const updraft_kernel &kernel) {
  uintptr_t address = reinterpret_cast<uintptr_t>(program);
  return reinterpret_cast<updraft_entry *>(address + uintptr_t(kernel.entry));
}

/// Whether all that runs before must be finished before `kernel`.
static bool waitsForAll(const updraft_kernel &kernel, const Segment &before) {
  if (kernel.after == UPDRAFT_NONE)
    return false;
  // A chain only orders what happens to one tensor.
  return kernel.level < UPDRAFT_TENSOR || kernel.after < UPDRAFT_TENSOR ||
         !before.coarse.empty();
}

static Chain &chainOf(Segment &segment, uint32_t variant) {
  for (Chain &chain : segment.chains)
    if (chain.variant == variant)
      return chain;
  segment.chains.push_back({variant, {}});
  return segment.chains.back();
}

uint32_t updraft::runtime::itemsPlace(const updraft_program *program,
                                      const updraft_kernel &kernel) {
  if (!kernel.extent.space)
    return 0;
  auto all = walkedExtents(program, kernel.variant);
  return uint32_t(std::find(all.begin(), all.end(), kernel.extent) -
                  all.begin());
}

Schedule updraft::runtime::schedule(const updraft_program *program,
                                    uint32_t when, uint32_t view) {
  Schedule result;
  auto kernels = items<updraft_kernel>(program, program->kernels);
  for (const updraft_kernel &kernel : kernels) {
    if (kernel.when != when || (when == UPDRAFT_AT_VIEW && kernel.view != view))
      continue;
    if (result.empty() || waitsForAll(kernel, result.back()))
      result.emplace_back();
    Kernel next = {entryOf(program, kernel),
                   uint32_t(&kernel - kernels.data()),
                   kernel.level,
                   itemsPlace(program, kernel),
                   kernel.after == UPDRAFT_TENSOR,
                   std::max(kernel.rounds, 1u)};
    if (kernel.level < UPDRAFT_TENSOR)
      result.back().coarse.push_back(next);
    else
      chainOf(result.back(), kernel.variant).kernels.push_back(next);
  }
  return result;
}
