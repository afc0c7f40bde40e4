//===- InterpreterMemory.h - What lives from call to call -----------------===//
//
// Parameters, states, counters and hypers of an interpreted rule, and for each
// variant the equations by what they define.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_INTERPRETERMEMORY_H
#define UPDRAFT_DSL_INTERPRETERMEMORY_H

#include "Interpreter.h"

#include "llvm/ADT/Twine.h"

#include <map>

namespace updraft {

/// Says why something is refused; `return fail(...)` reads well.
inline bool fail(std::string &error, const llvm::Twine &message) {
  error = message.str();
  return false;
}

/// The equation of each let and state, null if there is none.
struct Definitions {
  std::vector<const Equation *> lets, states;
  const Equation *param = nullptr;

  Definitions(const Rule &rule, const std::vector<Equation> &equations);
};

/// States by the rule's index; one that does not exist here is empty.
using States = std::vector<std::vector<double>>;

struct TensorMemory {
  TensorSetup setup; ///< its values have become `param`
  uint64_t size = 1;
  const Variant *variant = nullptr;
  const Definitions *definitions = nullptr;
  std::vector<double> param;
  States states;
  std::vector<std::optional<std::vector<double>>> inputs; ///< of the rule
  uint64_t step = 1;                                      ///< the counter t
};

struct GroupMemory {
  std::vector<double> hypers; ///< model level ones are the same in all groups
  States states;
  std::vector<unsigned> tensors; ///< in creation order
};

struct InterpreterMemory {
  explicit InterpreterMemory(const Rule &rule)
      : rule(rule), shared(rule, rule.shared) {}

  const Rule &rule;
  Definitions shared;
  std::map<const Variant *, Definitions> variants;
  std::vector<GroupMemory> groups; ///< at least one
  std::vector<TensorMemory> tensors;
  States states;                             ///< of model level
  std::vector<std::optional<double>> inputs; ///< scalar ones
  uint64_t step = 1;

  /// The format in which a state of this rule is stored.
  Format formatOf(const State &state) const {
    if (state.level < Level::Axis)
      return Format::F64;
    return state.format.value_or(rule.compute == Compute::F32 ? Format::F32
                                                              : Format::F64);
  }
};

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETERMEMORY_H
