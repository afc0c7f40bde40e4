//===- States.h - All states of an optimizer, by name ---------------------===//
//
// One list says what exists, in one order, for people, checkpoints and hosts.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_STATES_H
#define UPDRAFT_RUNTIME_STATES_H

#include "Optimizer.h"

namespace updraft::runtime {

/// A state in place: an array of elements or of an axis, or one f64.
struct State {
  const char *name;
  uint32_t format;
  const Shape *shape; ///< null: a scalar
  void *data;

  uint64_t count() const { return shape ? shape->size : 1; }
  uint64_t bytes() const { return count() * bytesOf(format); }
};

/// The states of one tensor: its arrays, then its scalars.
std::vector<State> statesOf(const Optimizer &optimizer, const Param &param);

/// The scalar states of model level, or of one group.
std::vector<State> statesOf(const Optimizer &optimizer, updraft_level level,
                            uint32_t group);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_STATES_H
