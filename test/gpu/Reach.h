//===- Reach.h - May this access be? --------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_REACH_H
#define UPDRAFT_TEST_GPU_REACH_H

#include "Lanes.h"

namespace updraft::gpu {

enum class Space { Generic, Global, Shared, Param };
/// Instruction::detail: the space, flags, and a bit a part that is wanted.
constexpr uint32_t kSpace = 3, kConstant = 4, kShort = 8, kParts = 8;

/// The addresses base + offset of the lanes, checked for alignment, bounds,
/// permission and races, as addresses of this process. `access` has lanes,
/// bytes and write.
void reach(Warp &w, const Instruction &i, Operand base, Access &access,
           uint64_t *addresses);

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_REACH_H
