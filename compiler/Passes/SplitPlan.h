//===- SplitPlan.h - Where each value of a rule is computed ---------------===//
//
// The decisions of SplitKernels on a plain graph, without MLIR: which reduction
// and which store stands in which pass over memory, and which scalar in which
// scalar kernel. Memory traffic is the cost; the same graph always gives the
// same plan, because compiled programs are found again by their bytes.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_SPLITPLAN_H
#define UPDRAFT_COMPILER_PASSES_SPLITPLAN_H

#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <vector>

namespace updraft::plan {

/// Build: constants. A value is at the highest level of its operands.
enum class Level : int8_t { Build = -1, Model, Group, Tensor, Element };

/// A condition and what it must be: 2 * value + (1 if true).
using Literal = int;
using Literals = llvm::SmallVector<Literal, 4>;

struct Value {
  enum class Kind : uint8_t {
    Compute,
    Array,  ///< arrays[index] before the step
    Scalar, ///< scalars[index] before the step; cheap
    Select, ///< operands: condition, side, side
    And,
    Or,
    Not,
    Reduce, ///< operand: an element value; of tensor level
    Fold,   ///< of list `index`, to group or model level
  };
  Kind kind = Kind::Compute;
  Level level = Level::Build;
  int variant = -1; ///< of tensor and element values
  int index = -1;
  /// Each kernel repeats it for itself, so it is in no scalar kernel.
  bool isCheap = false;
  llvm::SmallVector<int, 3> operands;
};

struct Array {
  int variant = 0;
  int bytes = 4;
  /// Stored in the compute type: what was stored may be read again.
  bool isWide = true;
};

/// What a body is for.
struct Root {
  enum class Kind : uint8_t {
    Store,   ///< of an element value to arrays[target]
    Put,     ///< of a scalar to scalars[target]
    Partial, ///< to list `target`, for its Fold
  };
  Kind kind = Kind::Store;
  Level level = Level::Element; ///< of a Put: the scalar's; else the value's
  int variant = -1;
  int target = -1;
  int value = -1;
  int when = -1; ///< a uniform condition
};

struct Graph {
  std::vector<Value> values; ///< operands before users, but for Folds
  std::vector<Array> arrays;
  std::vector<Root> roots; ///< in source order
  int scalarCount = 0;
  int variantCount = 0;
};

/// The conditions under which a value is needed.
struct Demand {
  bool isLive = false;
  Literals literals; ///< sorted; all must hold
};

/// One thing that a scalar kernel does.
struct Item {
  enum class Kind : uint8_t {
    Value,     ///< computes values[index]
    Put,       ///< performs roots[index]
    Total,     ///< leaves a tensor's part of roots[index], a Partial
    GroupFold, ///< folds a group's part of values[index], a Fold over model
  };
  Kind kind;
  int index;
  Level level;
  int variant;
};

struct Kernel {
  Level level;
  int variant;
  int pass;               ///< of an element kernel; else -1
  std::vector<int> items; ///< scalar kernels: indices of Plan::items, in order
  std::vector<int> roots; ///< element kernels: Stores and Partials
  std::vector<int> reduces; ///< element kernels: Reduce values
};

struct Plan {
  /// A Select whose condition is known wherever it is needed: that side; else
  /// the value itself.
  std::vector<int> alias;
  std::vector<Demand> demands;  ///< of values
  std::vector<char> isRootLive; ///< a Partial is if its Fold is needed
  std::vector<int> rootPass;    ///< of Stores and Partials of elements, else -1
  std::vector<int> reducePass;  ///< by value
  /// Under which conditions a Reduce (by value) or Partial (by root) is needed.
  std::vector<Literals> reduceWhen, partialWhen;
  std::vector<Item> items;
  std::vector<int> itemOfValue; ///< -1: in no scalar kernel
  std::vector<int> kernelOfItem;
  std::vector<Kernel> kernels; ///< in the order in which they run
  /// Of all variants, in the worst case over conditions.
  std::vector<int> passes, bytes;
};

/// Follows aliases.
int resolve(const Plan &plan, int value);

/// Whether all of `literals` hold wherever all of `known` do.
bool implies(const Literals &known, const Literals &literals);

/// What must hold for `condition` to be `wanted`.
Literals literalsOf(const Graph &graph, int condition, bool wanted);

/// Both lists as one.
Literals join(const Literals &a, const Literals &b);

/// The array that holds what `value` is when pass `pass` begins, because an
/// earlier pass stored it in the compute type; else -1.
int rereadArray(const Graph &graph, const Plan &plan, int value, int pass);

/// Plans the whole graph.
Plan makePlan(const Graph &graph);

// The steps of makePlan, in order.

/// Fills alias, demands, reduceWhen and partialWhen.
void planDemand(const Graph &graph, Plan &plan);
/// Fills rootPass, reducePass, passes and bytes.
void planPasses(const Graph &graph, Plan &plan);
/// Fills items and kernels.
void planKernels(const Graph &graph, Plan &plan);

/// Values in an order in which each stands after what it reads, a Fold after
/// what its partials read. Only what the roots need.
std::vector<int> orderValues(const Graph &graph);

/// Whether the partials of a list are reduced over elements first.
inline bool isElementPartial(const Root &root) {
  return root.kind == Root::Kind::Partial && root.level == Level::Element;
}

} // namespace updraft::plan

#endif // UPDRAFT_COMPILER_PASSES_SPLITPLAN_H
