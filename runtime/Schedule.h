//===- Schedule.h - Kernels in the order in which they run ----------------===//

#ifndef UPDRAFT_RUNTIME_SCHEDULE_H
#define UPDRAFT_RUNTIME_SCHEDULE_H

#include "Program.h"

#include <vector>

namespace updraft::runtime {

struct Kernel {
  updraft_entry *entry;
  uint32_t index; ///< among the program's
  uint32_t level;
  uint32_t items;  ///< of the variant: the extent that it walks
  bool joined;     ///< waits for what runs before it on the same tensor
  uint32_t rounds; ///< how often it runs, by turns with its neighbours
};

/// Kernels of one variant that may run tensor by tensor.
struct Chain {
  uint32_t variant;
  std::vector<Kernel> kernels;
};

/// Kernels between two points where everybody waits for everybody. The coarse
/// ones are of model and group level.
struct Segment {
  std::vector<Kernel> coarse;
  std::vector<Chain> chains;
};
using Schedule = std::vector<Segment>;

/// On whose behalf a kernel is called, and which of its rounds it is.
struct Turn {
  uint32_t share = 0, round = 0;
};

/// The end of the kernels from `first` on that run by turns.
size_t endOfTurns(const std::vector<Kernel> &kernels, size_t first);

/// The place of a kernel's extent among those of its variant.
uint32_t itemsPlace(const updraft_program *program,
                    const updraft_kernel &kernel);

/// The kernels of one time, and for views of one view, cut where all must wait.
Schedule schedule(const updraft_program *program, uint32_t when,
                  uint32_t view = UPDRAFT_NONE);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_SCHEDULE_H
