//===- SplitSchedule.cpp - In which scalar kernel each scalar stands ------===//
//
// Time is a grid: between two passes over memory there are as many rounds of
// tensor, group and model kernels as it takes, and a scalar stands in the first
// of its own level after what it reads. Then a kernel whose work can wait for a
// later one of its level is merged into that, since each kernel costs a walk
// over the tensors or a barrier.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitPlan.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <limits>
#include <map>

using namespace updraft::plan;

namespace {

/// Scalar kernels between two passes; far more than any rule needs.
constexpr int kRegion = 1 << 16;
constexpr int kNever = std::numeric_limits<int>::max();

int elementTime(int pass) { return pass * kRegion + kRegion - 1; }

/// The first time from `base` on at which kernels of `level` run: tensor,
/// group, model in turn, as values go up from tensors to the model.
int firstTime(int base, Level level) {
  int turn = level == Level::Tensor ? 0 : level == Level::Group ? 1 : 2;
  int index = base % kRegion;
  return base + (turn - index % 3 + 3) % 3;
}

using Slot = std::pair<int, int>; // time, variant

struct Scheduler {
  const Graph &graph;
  Plan &plan;
  std::vector<char> isNeeded;             ///< by value
  std::vector<std::vector<int>> users;    ///< items that read an item
  std::vector<int> firstElementUse;       ///< time, by item
  std::vector<int> times;                 ///< by item
  std::map<int, std::vector<int>> totals; ///< list -> its Totals

  void markNeeded(int value);
  void markAllNeeded();
  void gather(int value, std::vector<int> &found) const;
  int addItem(Item item, int after, const std::vector<int> &reads);
  void addTotals(int list);
  void addValue(int value);
  void addPuts();
  void useByElements(int value, int pass, std::vector<char> &seen);
  void useLiterals(const Literals &literals, int pass, std::vector<char> &seen);
  void findElementUses();
  bool canMove(const std::vector<int> &items, int time) const;
  void mergeKernels();
  void sinkItems();
  void makeKernels();
};

} // namespace

//===----------------------------------------------------------------------===//
// What is needed
//===----------------------------------------------------------------------===//

void Scheduler::markNeeded(int value) {
  if (value < 0)
    return;
  value = resolve(plan, value);
  if (isNeeded[value])
    return;
  isNeeded[value] = 1;
  const Value &node = graph.values[value];
  for (int operand : node.operands)
    markNeeded(operand);
  for (Literal literal : plan.reduceWhen[value])
    markNeeded(literal / 2);
  if (node.kind != Value::Kind::Fold)
    return;
  for (auto [index, root] : llvm::enumerate(graph.roots))
    if (root.kind == Root::Kind::Partial && root.target == node.index) {
      markNeeded(root.value);
      markNeeded(root.when);
      for (Literal literal : plan.partialWhen[index])
        markNeeded(literal / 2);
    }
}

void Scheduler::markAllNeeded() {
  isNeeded.assign(graph.values.size(), 0);
  for (const Root &root : graph.roots)
    if (root.kind != Root::Kind::Partial) {
      markNeeded(root.value);
      markNeeded(root.when);
    }
}

/// Adds the items that `value` needs from scalar kernels.
void Scheduler::gather(int value, std::vector<int> &found) const {
  if (value < 0)
    return;
  value = resolve(plan, value);
  const Value &node = graph.values[value];
  if (plan.itemOfValue[value] >= 0)
    found.push_back(plan.itemOfValue[value]);
  else if (node.isCheap)
    for (int operand : node.operands)
      gather(operand, found);
}

//===----------------------------------------------------------------------===//
// Items, each at its first time
//===----------------------------------------------------------------------===//

int Scheduler::addItem(Item item, int after, const std::vector<int> &reads) {
  int index = plan.items.size(), base = after;
  for (int read : reads) {
    const Item &other = plan.items[read];
    base = std::max(base, times[read] + (other.level != item.level));
    users[read].push_back(index);
  }
  plan.items.push_back(item);
  times.push_back(firstTime(base, item.level));
  users.emplace_back();
  return index;
}

/// The tensors' parts of a list.
void Scheduler::addTotals(int list) {
  if (totals.count(list))
    return;
  std::vector<int> &parts = totals[list];
  for (auto [index, root] : llvm::enumerate(graph.roots)) {
    if (root.kind != Root::Kind::Partial || root.target != list ||
        root.variant < 0)
      continue;
    std::vector<int> reads;
    gather(root.when, reads);
    int after = 0;
    if (root.level == Level::Element)
      after = elementTime(plan.rootPass[index]) + 1;
    else
      gather(root.value, reads);
    parts.push_back(
        addItem({Item::Kind::Total, int(index), Level::Tensor, root.variant},
                after, reads));
  }
}

void Scheduler::addValue(int value) {
  const Value &node = graph.values[value];
  std::vector<int> reads;
  int after = 0;
  if (node.kind == Value::Kind::Reduce) {
    after = elementTime(plan.reducePass[value]) + 1;
  } else if (node.kind == Value::Kind::Fold) {
    addTotals(node.index);
    reads = totals[node.index];
    for (const Root &root : graph.roots)
      if (root.kind == Root::Kind::Partial && root.target == node.index &&
          root.variant < 0)
        gather(root.value, reads);
    if (node.level == Level::Model) {
      int part = addItem({Item::Kind::GroupFold, value, Level::Group, -1},
                         after, reads);
      reads = {part};
    }
  } else {
    for (int operand : node.operands)
      gather(operand, reads);
  }
  plan.itemOfValue[value] = addItem(
      {Item::Kind::Value, value, node.level, node.variant}, after, reads);
}

void Scheduler::addPuts() {
  for (auto [index, root] : llvm::enumerate(graph.roots)) {
    if (root.kind != Root::Kind::Put)
      continue;
    std::vector<int> reads;
    gather(root.value, reads);
    gather(root.when, reads);
    addItem({Item::Kind::Put, int(index), root.level, root.variant}, 0, reads);
  }
}

//===----------------------------------------------------------------------===//
// Uses by element kernels
//===----------------------------------------------------------------------===//

void Scheduler::useByElements(int value, int pass, std::vector<char> &seen) {
  if (value < 0)
    return;
  value = resolve(plan, value);
  if (seen[value])
    return;
  seen[value] = 1;
  const Value &node = graph.values[value];
  if (node.level < Level::Element) {
    std::vector<int> items;
    gather(value, items);
    for (int item : items)
      firstElementUse[item] =
          std::min(firstElementUse[item], elementTime(pass));
    return;
  }
  if (rereadArray(graph, plan, value, pass) < 0)
    for (int operand : node.operands)
      useByElements(operand, pass, seen);
}

void Scheduler::useLiterals(const Literals &literals, int pass,
                            std::vector<char> &seen) {
  for (Literal literal : literals)
    useByElements(literal / 2, pass, seen);
}

void Scheduler::findElementUses() {
  firstElementUse.assign(plan.items.size(), kNever);
  int passes = 0;
  for (int pass : plan.rootPass)
    passes = std::max(passes, pass + 1);
  for (int pass : plan.reducePass)
    passes = std::max(passes, pass + 1);
  for (int pass = 0; pass < passes; ++pass) {
    std::vector<char> seen(graph.values.size());
    for (auto [index, root] : llvm::enumerate(graph.roots))
      if (plan.rootPass[index] == pass) {
        useByElements(root.value, pass, seen);
        useByElements(root.when, pass, seen);
        useLiterals(plan.partialWhen[index], pass, seen);
      }
    for (auto [value, node] : llvm::enumerate(graph.values))
      if (plan.reducePass[value] == pass) {
        useByElements(node.operands[0], pass, seen);
        useLiterals(plan.reduceWhen[value], pass, seen);
      }
  }
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Whether all of `items`, one kernel's, can wait until `time`.
bool Scheduler::canMove(const std::vector<int> &items, int time) const {
  return llvm::all_of(items, [&](int item) {
    if (firstElementUse[item] <= time)
      return false;
    return llvm::all_of(users[item], [&](int user) {
      if (llvm::is_contained(items, user))
        return true;
      bool sameLevel = plan.items[user].level == plan.items[item].level;
      return sameLevel ? times[user] >= time : times[user] > time;
    });
  });
}

void Scheduler::mergeKernels() {
  std::map<Slot, std::vector<int>> slots;
  for (auto [index, item] : llvm::enumerate(plan.items))
    slots[{times[index], item.variant}].push_back(index);
  // Latest first, so that a kernel moves into one that has found its place.
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
    Level level = plan.items[slot->second.front()].level;
    auto later = llvm::find_if(
        llvm::make_range(slot.base(), slots.end()), [&](auto &other) {
          return !other.second.empty() &&
                 other.first.second == slot->first.second &&
                 plan.items[other.second.front()].level == level;
        });
    if (later == slots.end() || !canMove(slot->second, later->first.first))
      continue;
    for (int item : slot->second) {
      times[item] = later->first.first;
      later->second.push_back(item);
    }
    slot->second.clear();
  }
}

/// What only a later kernel of its level reads is computed there, which saves
/// the slot between them.
void Scheduler::sinkItems() {
  for (int item = plan.items.size() - 1; item >= 0; --item) {
    int first = firstElementUse[item];
    for (int user : users[item])
      first = std::min(first, times[user]);
    bool isAtLevel = llvm::all_of(users[item], [&](int user) {
      return times[user] > first ||
             plan.items[user].level == plan.items[item].level;
    });
    if (first > times[item] && first < firstElementUse[item] && isAtLevel)
      times[item] = first;
  }
}

void Scheduler::makeKernels() {
  std::map<Slot, Kernel> kernels;
  auto elementKernel = [&](int variant, int pass) -> Kernel & {
    Kernel &kernel = kernels[{elementTime(pass), variant}];
    kernel.level = Level::Element;
    kernel.variant = variant;
    kernel.pass = pass;
    return kernel;
  };
  for (auto [index, item] : llvm::enumerate(plan.items)) {
    Kernel &kernel = kernels[{times[index], item.variant}];
    kernel.level = item.level;
    kernel.variant = item.variant;
    kernel.pass = -1;
    kernel.items.push_back(index);
  }
  for (auto [index, root] : llvm::enumerate(graph.roots))
    if (plan.rootPass[index] >= 0)
      elementKernel(root.variant, plan.rootPass[index]).roots.push_back(index);
  for (auto [value, node] : llvm::enumerate(graph.values))
    if (plan.reducePass[value] >= 0)
      elementKernel(node.variant, plan.reducePass[value])
          .reduces.push_back(value);
  plan.kernelOfItem.assign(plan.items.size(), -1);
  for (auto &[slot, kernel] : kernels) {
    for (int item : kernel.items)
      plan.kernelOfItem[item] = plan.kernels.size();
    plan.kernels.push_back(std::move(kernel));
  }
}

void updraft::plan::planKernels(const Graph &graph, Plan &plan) {
  plan.itemOfValue.assign(graph.values.size(), -1);
  Scheduler scheduler{graph, plan, {}, {}, {}, {}, {}};
  scheduler.markAllNeeded();
  for (int value : orderValues(graph)) {
    const Value &node = graph.values[value];
    if (scheduler.isNeeded[value] && !node.isCheap &&
        node.level > Level::Build && node.level < Level::Element)
      scheduler.addValue(value);
  }
  scheduler.addPuts();
  scheduler.findElementUses();
  scheduler.mergeKernels();
  scheduler.sinkItems();
  scheduler.makeKernels();
}

Plan updraft::plan::makePlan(const Graph &graph) {
  Plan plan;
  planDemand(graph, plan);
  planPasses(graph, plan);
  planKernels(graph, plan);
  return plan;
}
