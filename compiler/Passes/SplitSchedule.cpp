//===- SplitSchedule.cpp - In which kernel each scalar stands -------------===//
//
// Time is a grid: between two passes over memory there are as many rounds of
// axis, tensor, group and model kernels as it takes, and a scalar or axis value
// stands in the first of its own level and space after what it reads. Then a
// kernel whose work can wait for a later one of its kind is merged into that,
// since each kernel costs a walk over the tensors or a barrier.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitSchedule.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <limits>
#include <map>

using namespace updraft::plan;

namespace {

constexpr int kNever = std::numeric_limits<int>::max();

/// The first time from `base` on at which kernels of `level` run: matrix and
/// axis, tensor, group, model in turn, as values go up to the model.
int firstTime(int base, Level level) {
  int turn = int(Level::Axis) - int(std::min(level, Level::Axis));
  int index = base % kRegion;
  return base + (turn - index % 4 + 4) % 4;
}

/// Whether both stand in the same kernel if their times and variants agree.
bool areAlike(const Item &a, const Item &b) {
  return a.level == b.level && a.space == b.space;
}

struct Scheduler {
  const Graph &graph;
  Plan &plan;
  std::vector<char> isNeeded;                   ///< by value
  std::vector<std::vector<int>> users;          ///< items that read an item
  std::vector<int> firstElementUse;             ///< time, by item
  std::vector<int> times;                       ///< by item
  std::map<int, std::vector<int>> totals;       ///< list -> its Totals
  std::map<std::pair<int, Space>, int> spreads; ///< value -> its Spread

  void markNeeded(int value);
  void markAllNeeded();
  void gather(int value, std::vector<int> &found) const;
  int addItem(Item item, int after, const std::vector<int> &reads);
  void addTotals(int list);
  int listOf(const Value &reduce);
  void addValue(int value);
  void addProducts(int value);
  void addPuts();
  void useByElements(int value, int pass, std::vector<char> &seen);
  void useLiterals(const Literals &literals, int pass, std::vector<char> &seen);
  void findElementUses();
  bool canMove(const std::vector<int> &items, int time) const;
  void mergeKernels();
  void sinkItems();
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
    base = std::max(base, times[read] + !areAlike(other, item));
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

/// The item that leaves the operand of a reduction of axis values as a list,
/// one for each of what is reduced.
int Scheduler::listOf(const Value &reduce) {
  int operand = resolve(plan, reduce.operands[0]);
  int made = plan.itemOfValue[operand];
  if (made >= 0 && plan.items[made].space == reduce.from)
    return made;
  auto [found, isNew] = spreads.try_emplace({operand, reduce.from}, 0);
  if (isNew) {
    std::vector<int> reads;
    gather(operand, reads);
    found->second = addItem(
        {Item::Kind::Spread, operand, Level::Axis, reduce.variant, reduce.from},
        0, reads);
  }
  return found->second;
}

void Scheduler::addValue(int value) {
  const Value &node = graph.values[value];
  std::vector<int> reads;
  int after = 0;
  if (isElementReduce(node)) {
    after = elementTime(plan.reducePass[value]) + 1;
  } else if (node.kind == Value::Kind::Reduce) {
    reads = {listOf(node)};
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
  plan.itemOfValue[value] =
      addItem({Item::Kind::Value, value, node.level, node.variant, node.space},
              after, reads);
}

/// The products of a round, and no other work with them. They read one another
/// and go by turns, so that all of them wait for what any one reads.
void Scheduler::addProducts(int value) {
  const Value &node = graph.values[value];
  std::vector<int> reads;
  for (int operand : llvm::drop_begin(node.operands))
    gather(operand, reads);
  for (Literal literal : plan.reduceWhen[value])
    gather(literal / 2, reads);
  int after = elementTime(plan.reducePass[value]) + 1;
  for (int part = 0; part < 3; ++part) {
    Space space{part < 2 ? Space::Kind::SquareTiles : Space::Kind::Tiles};
    int item = addItem(
        {Item::Kind::Product, value, Level::Matrix, node.variant, space, part},
        after, reads);
    after = times[item];
    plan.itemOfValue[value] = item;
  }
}

void Scheduler::addPuts() {
  for (auto [index, root] : llvm::enumerate(graph.roots)) {
    if (root.kind != Root::Kind::Put)
      continue;
    std::vector<int> reads;
    gather(root.value, reads);
    gather(root.when, reads);
    Item item{Item::Kind::Put, int(index), root.level, root.variant};
    if (root.level == Level::Axis)
      item.space = graph.arrays[root.target].space;
    addItem(item, 0, reads);
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
  if (node.level < Level::Element || node.kind == Value::Kind::Iterate) {
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
      return areAlike(plan.items[user], plan.items[item]) ? times[user] >= time
                                                          : times[user] > time;
    });
  });
}

void Scheduler::mergeKernels() {
  std::map<Slot, std::vector<int>> slots;
  for (auto [index, item] : llvm::enumerate(plan.items))
    slots[slotOf(item, times[index])].push_back(index);
  // Latest first, so that a kernel moves into one that has found its place.
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
    const Item &first = plan.items[slot->second.front()];
    if (first.kind == Item::Kind::Product)
      continue;
    auto later = llvm::find_if(
        llvm::make_range(slot.base(), slots.end()), [&](auto &other) {
          if (other.second.empty())
            return false;
          const Item &item = plan.items[other.second.front()];
          return item.variant == first.variant && areAlike(item, first);
        });
    if (later == slots.end())
      continue;
    int time = std::get<0>(later->first);
    if (!canMove(slot->second, time))
      continue;
    for (int item : slot->second) {
      times[item] = time;
      later->second.push_back(item);
    }
    slot->second.clear();
  }
}

/// What only a later kernel of its kind reads is computed there, which saves
/// the slot between them.
void Scheduler::sinkItems() {
  for (int item = plan.items.size() - 1; item >= 0; --item) {
    int first = firstElementUse[item];
    for (int user : users[item])
      first = std::min(first, times[user]);
    bool isAtLevel = llvm::all_of(users[item], [&](int user) {
      return times[user] > first ||
             areAlike(plan.items[user], plan.items[item]);
    });
    if (first > times[item] && first < firstElementUse[item] && isAtLevel)
      times[item] = first;
  }
}

void updraft::plan::planKernels(const Graph &graph, Plan &plan) {
  plan.itemOfValue.assign(graph.values.size(), -1);
  Scheduler scheduler{graph, plan, {}, {}, {}, {}, {}, {}};
  scheduler.markAllNeeded();
  for (int value : orderValues(graph)) {
    const Value &node = graph.values[value];
    if (!scheduler.isNeeded[value])
      continue;
    if (node.kind == Value::Kind::Iterate)
      scheduler.addProducts(value);
    else if (!node.isCheap && node.level > Level::Build &&
             node.level < Level::Element)
      scheduler.addValue(value);
  }
  scheduler.addPuts();
  scheduler.findElementUses();
  scheduler.mergeKernels();
  scheduler.sinkItems();
  gatherKernels(graph, plan, scheduler.times);
}
