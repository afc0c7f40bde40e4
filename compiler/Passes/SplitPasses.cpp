//===- SplitPasses.cpp - In which pass each store and reduction stands ----===//
//
// A reduction of elements ends a pass over memory. What is stored may stand in
// its own pass or a later one, and what a later pass needs is either computed
// again from the old values or read back: every choice is tried and the bytes
// are counted. Among equals the later store wins, so that nothing is written
// before all is known wherever that costs nothing. Reductions that walk along
// different things are kernels of their own in one pass.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitPlan.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

using namespace updraft::plan;
using llvm::ArrayRef;

namespace {

constexpr int kNever = std::numeric_limits<int>::max();

/// A store or an element reduction, and the passes in which it may stand.
struct Choice {
  int root = -1;   ///< index of a Store or Partial
  int reduce = -1; ///< or a Reduce value
  int low = 0, high = 0;
};

struct PassPlanner {
  const Graph &graph;
  Plan &plan;
  std::vector<int> order;
  std::vector<int> phases;     ///< of values
  std::vector<int> rootPhases; ///< of Stores and Partials
  std::vector<int> firstUse;   ///< of values: phase of the first element use

  bool isElement(int value) const {
    return graph.values[value].level == Level::Element;
  }
  int phaseOfAll(const Literals &literals) const {
    int phase = 0;
    for (Literal literal : literals)
      phase = std::max(phase, phases[resolve(plan, literal / 2)]);
    return phase;
  }

  void findPhases();
  void findRootPhase(unsigned index);
  void findFirstUses();
  void useAt(int value, int phase);
  int lastPass(int variant) const;
  std::vector<Choice> choicesOf(int variant) const;
  bool collectLoads(int value, int pass, std::vector<char> &seen,
                    std::vector<char> &loads) const;
  std::optional<int> bytesToLoad(ArrayRef<int> values, int pass) const;
  std::optional<int> bytesOfPass(int variant, int pass,
                                 std::vector<Space> &walks) const;
  std::optional<int> bytesOf(int variant, int last, int &used) const;
  void choose(int variant);
};

} // namespace

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

void PassPlanner::findRootPhase(unsigned index) {
  const Root &root = graph.roots[index];
  if (!plan.isRootLive[index])
    return;
  int phase = phases[resolve(plan, root.value)];
  if (root.kind == Root::Kind::Partial)
    phase = std::max(phase, phaseOfAll(plan.partialWhen[index]));
  else if (root.when >= 0)
    phase = std::max(phase, phases[resolve(plan, root.when)]);
  rootPhases[index] = phase;
}

void PassPlanner::findPhases() {
  phases.assign(graph.values.size(), 0);
  rootPhases.assign(graph.roots.size(), 0);
  for (int value : order) {
    const Value &node = graph.values[value];
    int phase = 0;
    if (plan.alias[value] != value)
      phase = phases[resolve(plan, value)];
    else if (node.kind == Value::Kind::Fold) {
      for (auto [index, root] : llvm::enumerate(graph.roots))
        if (root.kind == Root::Kind::Partial && root.target == node.index) {
          findRootPhase(index);
          phase = std::max(phase, rootPhases[index] + isElementPartial(root));
        }
    } else {
      for (int operand : node.operands)
        phase = std::max(phase, phases[resolve(plan, operand)]);
      if (endsPass(node))
        phase = std::max(phase, phaseOfAll(plan.reduceWhen[value])) + 1;
    }
    phases[value] = phase;
  }
  for (auto [index, root] : llvm::enumerate(graph.roots))
    findRootPhase(index);
}

void PassPlanner::useAt(int value, int phase) {
  if (value >= 0)
    firstUse[resolve(plan, value)] =
        std::min(firstUse[resolve(plan, value)], phase);
}

void PassPlanner::findFirstUses() {
  firstUse.assign(graph.values.size(), kNever);
  for (auto [index, root] : llvm::enumerate(graph.roots)) {
    if (root.level != Level::Element || !plan.isRootLive[index])
      continue;
    useAt(root.value, rootPhases[index]);
    useAt(root.when, rootPhases[index]);
    for (Literal literal : plan.partialWhen[index])
      useAt(literal / 2, rootPhases[index]);
  }
  for (int value : llvm::reverse(order)) {
    const Value &node = graph.values[value];
    if (!plan.demands[value].isLive || plan.alias[value] != value)
      continue;
    if (node.kind == Value::Kind::Fold) {
      for (const Root &root : graph.roots)
        if (root.kind == Root::Kind::Partial && root.target == node.index &&
            root.level != Level::Element)
          useAt(root.value, firstUse[value]);
      continue;
    }
    // What a reduction reads is used by elements, in the reduction's pass; what
    // an element reads, where that is used.
    int phase = endsPass(node) ? phases[value] - 1 : firstUse[value];
    for (int operand : node.operands)
      useAt(operand, phase);
    if (endsPass(node))
      for (Literal literal : plan.reduceWhen[value])
        useAt(literal / 2, phase);
  }
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

int PassPlanner::lastPass(int variant) const {
  int last = -1;
  for (auto [index, root] : llvm::enumerate(graph.roots))
    if (root.variant == variant && root.level == Level::Element &&
        plan.isRootLive[index])
      last = std::max(last, rootPhases[index]);
  for (int value : order) {
    const Value &node = graph.values[value];
    if (endsPass(node) && node.variant == variant && plan.demands[value].isLive)
      last = std::max(last, phases[value] - 1);
  }
  return last;
}

std::vector<Choice> PassPlanner::choicesOf(int variant) const {
  int last = lastPass(variant);
  std::vector<Choice> choices;
  auto beforeUse = [&](int use) { return use == kNever ? last : use - 1; };
  for (auto [index, root] : llvm::enumerate(graph.roots)) {
    if (root.variant != variant || root.level != Level::Element ||
        !plan.isRootLive[index])
      continue;
    int high = last;
    if (root.kind == Root::Kind::Partial)
      for (int value : order)
        if (graph.values[value].kind == Value::Kind::Fold &&
            graph.values[value].index == root.target)
          high = std::min(high, beforeUse(firstUse[value]));
    choices.push_back(
        {int(index), -1, rootPhases[index], std::max(high, rootPhases[index])});
  }
  for (int value : order) {
    const Value &node = graph.values[value];
    if (!endsPass(node) || node.variant != variant ||
        !plan.demands[value].isLive)
      continue;
    int low = phases[value] - 1;
    choices.push_back(
        {-1, value, low,
         std::max(low, std::min(last, beforeUse(firstUse[value])))});
  }
  return choices;
}

bool PassPlanner::collectLoads(int value, int pass, std::vector<char> &seen,
                               std::vector<char> &loads) const {
  value = resolve(plan, value);
  if (!isElement(value) || seen[value])
    return true;
  seen[value] = 1;
  const Value &node = graph.values[value];
  int reread = rereadArray(graph, plan, value, pass);
  if (reread >= 0) {
    loads[reread] = 1;
    return true;
  }
  if (node.kind == Value::Kind::Iterate) {
    loads[node.index] = 1;
    return true;
  }
  if (node.kind == Value::Kind::Array) {
    loads[node.index] = 1;
    // An old value is gone once the new one is stored.
    for (auto [index, root] : llvm::enumerate(graph.roots))
      if (root.kind == Root::Kind::Store && root.target == node.index &&
          plan.rootPass[index] < pass)
        return false;
    return true;
  }
  return llvm::all_of(node.operands, [&](int operand) {
    return collectLoads(operand, pass, seen, loads);
  });
}

/// Bytes an element of the arrays that `values` need in `pass`; none if an old
/// value is needed that is gone.
std::optional<int> PassPlanner::bytesToLoad(ArrayRef<int> values,
                                            int pass) const {
  std::vector<char> seen(graph.values.size()), loads(graph.arrays.size());
  for (int value : values)
    if (!collectLoads(value, pass, seen, loads))
      return std::nullopt;
  int bytes = 0;
  for (auto [index, array] : llvm::enumerate(graph.arrays))
    bytes += loads[index] ? array.bytes : 0;
  return bytes;
}

/// Bytes an element that `variant` moves in `pass`, and what its kernels walk
/// along. The stores stand where they cost least, in order if they can, in the
/// last kernel, so that all others see what was stored before.
std::optional<int> PassPlanner::bytesOfPass(int variant, int pass,
                                            std::vector<Space> &walks) const {
  // What walks in order comes last.
  std::map<Space, std::vector<int>, std::greater<>> reduced;
  std::vector<int> stored;
  int bytes = 0;
  for (auto [index, root] : llvm::enumerate(graph.roots)) {
    if (root.variant != variant || root.level != Level::Element ||
        !plan.isRootLive[index] || plan.rootPass[index] != pass)
      continue;
    if (root.kind == Root::Kind::Partial) {
      reduced[{}].push_back(root.value);
      continue;
    }
    stored.push_back(root.value);
    bytes += graph.arrays[root.target].bytes;
  }
  for (int value : order) {
    const Value &node = graph.values[value];
    if (!endsPass(node) || node.variant != variant ||
        !plan.demands[value].isLive || plan.reducePass[value] != pass)
      continue;
    reduced[walkOf(node)].push_back(node.operands[0]);
    bytes += node.kind == Value::Kind::Iterate ? graph.computeBytes : 0;
  }
  if (reduced.empty() && !stored.empty())
    reduced[{}];
  int least = kNever;
  Space host;
  for (auto &[walk, operands] : reduced) {
    walks.push_back(walk);
    std::vector<int> all = operands;
    all.insert(all.end(), stored.begin(), stored.end());
    std::optional<int> both = bytesToLoad(all, pass), alone = 0;
    if (reduced.size() > 1)
      alone = bytesToLoad(operands, pass);
    if (!alone || !both)
      return std::nullopt;
    bytes += *alone;
    if (*both - *alone <= least) {
      least = *both - *alone;
      host = walk;
    }
  }
  if (reduced.empty())
    return 0;
  std::rotate(llvm::find(walks, host), llvm::find(walks, host) + 1,
              walks.end());
  return bytes + least;
}

/// Bytes an element that `variant` moves in all passes up to `last`, and how
/// many kernels that takes.
std::optional<int> PassPlanner::bytesOf(int variant, int last,
                                        int &used) const {
  int total = 0;
  for (int pass = 0; pass <= last; ++pass) {
    std::vector<Space> walks;
    std::optional<int> bytes = bytesOfPass(variant, pass, walks);
    if (!bytes)
      return std::nullopt;
    total += *bytes;
    used += walks.size();
  }
  return total;
}

void PassPlanner::choose(int variant) {
  std::vector<Choice> choices = choicesOf(variant);
  int last = lastPass(variant);
  // Too many to try: reductions stand where they first can.
  int64_t count = 1;
  for (const Choice &choice : choices)
    count = std::min<int64_t>(count * (choice.high - choice.low + 1), 1 << 20);
  if (count > 4096)
    for (Choice &choice : choices)
      if (choice.reduce >= 0 ||
          graph.roots[choice.root].kind == Root::Kind::Partial)
        choice.high = choice.low;

  auto passOf = [&](const Choice &choice) -> int & {
    return choice.root >= 0 ? plan.rootPass[choice.root]
                            : plan.reducePass[choice.reduce];
  };
  auto isStore = [&](const Choice &choice) {
    return choice.root >= 0 &&
           graph.roots[choice.root].kind == Root::Kind::Store;
  };
  // Stores begin with their last pass, reductions with their first.
  for (const Choice &choice : choices)
    passOf(choice) = isStore(choice) ? choice.high : choice.low;
  std::vector<int> best;
  std::tuple<int, int, int> bestCost{kNever, 0, 0};
  for (int64_t tried = 0; tried < 1 << 16; ++tried) {
    int used = 0, late = 0;
    std::optional<int> bytes = bytesOf(variant, last, used);
    for (const Choice &choice : choices)
      late += isStore(choice) ? passOf(choice) : 0;
    std::tuple<int, int, int> cost{bytes.value_or(kNever), used, -late};
    if (cost < bestCost) {
      bestCost = cost;
      best.clear();
      for (const Choice &choice : choices)
        best.push_back(passOf(choice));
    }
    // The next combination, like an odometer.
    auto turned = llvm::find_if(choices, [&](const Choice &choice) {
      int step = isStore(choice) ? -1 : 1;
      passOf(choice) += step;
      if (passOf(choice) >= choice.low && passOf(choice) <= choice.high)
        return true;
      passOf(choice) = isStore(choice) ? choice.high : choice.low;
      return false;
    });
    if (turned == choices.end())
      break;
  }
  for (auto [choice, pass] : llvm::zip(choices, best))
    passOf(choice) = pass;
  for (int pass = 0; pass <= last; ++pass)
    bytesOfPass(variant, pass, plan.walks[variant].emplace_back());
  plan.bytes[variant] = std::get<0>(bestCost);
  plan.passes[variant] = std::get<1>(bestCost);
}

void updraft::plan::planPasses(const Graph &graph, Plan &plan) {
  plan.rootPass.assign(graph.roots.size(), -1);
  plan.reducePass.assign(graph.values.size(), -1);
  plan.walks.assign(graph.variantCount, {});
  plan.passes.assign(graph.variantCount, 0);
  plan.bytes.assign(graph.variantCount, 0);
  PassPlanner planner{graph, plan, orderValues(graph), {}, {}, {}};
  planner.findPhases();
  planner.findFirstUses();
  for (int variant = 0; variant < graph.variantCount; ++variant)
    planner.choose(variant);
}
