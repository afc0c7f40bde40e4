//===- SplitPlan.h - Where each value of a rule is computed ---------------===//
//
// The decisions of SplitKernels on a plain graph, without MLIR: which reduction
// and which store stands in which pass over memory, and which scalar or axis
// value in which kernel between passes. Memory traffic is the cost; the same
// graph always gives the same plan, because compiled programs are found again
// by their bytes.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_SPLITPLAN_H
#define UPDRAFT_COMPILER_PASSES_SPLITPLAN_H

#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <vector>

namespace updraft::plan {

/// Build: constants. A value is at the highest level of its operands.
/// Matrix: of kernels and what they do; a matrix's values are of level Element.
enum class Level : int8_t {
  Build = -1,
  Model,
  Group,
  Tensor,
  Axis,
  Element,
  Matrix
};

/// Of what there is one value each, and what an element kernel walks along.
struct Space {
  /// None: of no axis level; an element kernel walks its elements in order.
  enum class Kind : uint8_t {
    None,
    Rows,
    Cols,
    Matrix,
    Block,
    Bands,
    Tiles,      ///< of matrix kernels: of the matrix,
    SquareTiles ///< of a square with its shorter side
  };
  Kind kind = Kind::None;
  bool isFolded = false;
  int64_t block = 0; ///< elements of a Block

  auto operator<=>(const Space &other) const = default;
};

/// A condition and what it must be: 2 * value + (1 if true).
using Literal = int;
using Literals = llvm::SmallVector<Literal, 4>;

struct Value {
  enum class Kind : uint8_t {
    Compute,
    Array,  ///< arrays[index] before the step; of axis level: cheap
    Scalar, ///< scalars[index] before the step; cheap
    Select, ///< operands: condition, side, side
    And,
    Or,
    Not,
    Reduce,  ///< of values of `from` within the tensor
    Fold,    ///< of list `index`, to group or model level
    Iterate, ///< newton_schulz of the first operand, an element value, by the
             ///< others; what it made is in arrays[index], which is scratch
  };
  Kind kind = Kind::Compute;
  Level level = Level::Build;
  int variant = -1; ///< of tensor values and finer
  int index = -1;
  /// Each kernel repeats it for itself, so it is in no scalar kernel.
  bool isCheap = false;
  llvm::SmallVector<int, 3> operands;
  Space space = {}; ///< of axis values
  Space from = {};  ///< Reduce: what it takes one value of each; none: elements
};

/// With `space`: one value each of that, which costs no bytes.
struct Array {
  int variant = 0;
  int bytes = 4;
  /// Stored in the compute type: what was stored may be read again.
  bool isWide = true;
  Space space = {};
};

/// What a body is for.
struct Root {
  enum class Kind : uint8_t {
    Store,   ///< of an element value to arrays[target]
    Put,     ///< of a scalar to scalars[target]; level Axis: to arrays[target]
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
  int computeBytes = 4;
};

/// The conditions under which a value is needed.
struct Demand {
  bool isLive = false;
  Literals literals; ///< sorted; all must hold
};

/// One thing that a scalar or axis kernel does.
struct Item {
  enum class Kind : uint8_t {
    Value,     ///< computes values[index]
    Put,       ///< performs roots[index]
    Total,     ///< leaves a tensor's part of roots[index], a Partial
    GroupFold, ///< folds a group's part of values[index], a Fold over model
    Spread,    ///< leaves an operand of a Reduce, values[index], as a list
    Product,   ///< one of the three products of a round of values[index]
  };
  Kind kind;
  int index;
  Level level;
  int variant;
  Space space = {};
  int part = 0; ///< of a Product: which
};

struct Kernel {
  Level level;
  int variant;
  int pass;                 ///< of an element kernel; else -1
  Space space;              ///< what it has one item of each; or walks along
  std::vector<int> items;   ///< but element kernels: indices of Plan::items
  std::vector<int> roots;   ///< element kernels: Stores and Partials
  std::vector<int> reduces; ///< element kernels: Reduce and Iterate values
};

struct Plan {
  /// A Select whose condition is known wherever it is needed: that side; else
  /// the value itself.
  std::vector<int> alias;
  std::vector<Demand> demands;  ///< of values
  std::vector<char> isRootLive; ///< a Partial is if its Fold is needed
  std::vector<int> rootPass;    ///< of Stores and Partials of elements, else -1
  /// By value: where an element reduction is made, or what is iterated stored;
  /// -1: ends no pass.
  std::vector<int> reducePass;
  /// By variant and pass: what its kernels walk along, in the order in which
  /// they run. Stores stand in the last.
  std::vector<std::vector<std::vector<Space>>> walks;
  /// Under which conditions a Reduce or Iterate (by value) or a Partial (by
  /// root) is needed.
  std::vector<Literals> reduceWhen, partialWhen;
  std::vector<Item> items;
  std::vector<int> itemOfValue; ///< -1: in no scalar kernel
  std::vector<int> kernelOfItem;
  std::vector<Kernel> kernels; ///< in the order in which they run
  /// Of all variants, in the worst case over conditions: element kernels, and
  /// bytes an element of what has one value an element.
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
/// Fills rootPass, reducePass, walks, passes and bytes.
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

/// Whether `value` is a reduction over elements, which ends a pass.
inline bool isElementReduce(const Value &value) {
  return value.kind == Value::Kind::Reduce &&
         value.from.kind == Space::Kind::None;
}

/// Whether `value` is of all elements of its operand: it belongs to a later
/// pass.
inline bool endsPass(const Value &value) {
  return isElementReduce(value) || value.kind == Value::Kind::Iterate;
}

/// What the kernel that makes an element reduction walks along.
inline Space walkOf(const Value &reduce) {
  Space walk = reduce.space;
  if (walk.kind == Space::Kind::Rows || walk.kind == Space::Kind::Cols)
    walk.kind = Space::Kind::Bands;
  return walk;
}

} // namespace updraft::plan

#endif // UPDRAFT_COMPILER_PASSES_SPLITPLAN_H
