//===- SplitDemand.cpp - Under which conditions a value is needed ---------===//
//
// A side of `c ? a : b` is needed only where c is true. Followed backwards
// through a whole rule this says which reductions a held box can leave out, and
// it settles selects: where everything that reads `c ? a : b` is itself needed
// only under c, a is all there is.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitPlan.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace updraft::plan;

int updraft::plan::resolve(const Plan &plan, int value) {
  while (plan.alias[value] != value)
    value = plan.alias[value];
  return value;
}

bool updraft::plan::implies(const Literals &known, const Literals &literals) {
  return std::includes(known.begin(), known.end(), literals.begin(),
                       literals.end());
}

Literals updraft::plan::join(const Literals &a, const Literals &b) {
  Literals all;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(),
                 std::back_inserter(all));
  return all;
}

static Literals meet(const Literals &a, const Literals &b) {
  Literals common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                        std::back_inserter(common));
  return common;
}

Literals updraft::plan::literalsOf(const Graph &graph, int condition,
                                   bool wanted) {
  const Value &value = graph.values[condition];
  if (value.kind == Value::Kind::Not)
    return literalsOf(graph, value.operands[0], !wanted);
  bool splits = (value.kind == Value::Kind::And && wanted) ||
                (value.kind == Value::Kind::Or && !wanted);
  if (splits)
    return join(literalsOf(graph, value.operands[0], wanted),
                literalsOf(graph, value.operands[1], wanted));
  return {2 * condition + wanted};
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

namespace {
struct Orderer {
  const Graph &graph;
  std::vector<char> isDone;
  std::vector<int> order;

  void visit(int value) {
    if (value < 0 || isDone[value])
      return;
    isDone[value] = 1;
    const Value &node = graph.values[value];
    for (int operand : node.operands)
      visit(operand);
    if (node.kind == Value::Kind::Fold)
      for (const Root &root : graph.roots)
        if (root.kind == Root::Kind::Partial && root.target == node.index) {
          visit(root.value);
          visit(root.when);
        }
    order.push_back(value);
  }
};
} // namespace

std::vector<int> updraft::plan::orderValues(const Graph &graph) {
  Orderer orderer{graph, std::vector<char>(graph.values.size()), {}};
  for (const Root &root : graph.roots)
    if (root.kind != Root::Kind::Partial) {
      orderer.visit(root.value);
      orderer.visit(root.when);
    }
  return std::move(orderer.order);
}

//===----------------------------------------------------------------------===//
// Demand
//===----------------------------------------------------------------------===//

/// The pass after which a value can be known, were all conditions evaluated.
static std::vector<int> earliestPhases(const Graph &graph,
                                       const std::vector<int> &order) {
  std::vector<int> phases(graph.values.size(), 0);
  auto phaseOf = [&](int value) { return value < 0 ? 0 : phases[value]; };
  for (int value : order) {
    const Value &node = graph.values[value];
    int phase = 0;
    for (int operand : node.operands)
      phase = std::max(phase, phases[operand]);
    phase += endsPass(node);
    if (node.kind == Value::Kind::Fold)
      for (const Root &root : graph.roots)
        if (root.kind == Root::Kind::Partial && root.target == node.index)
          phase = std::max(phase,
                           std::max(phaseOf(root.value), phaseOf(root.when)) +
                               isElementPartial(root));
    phases[value] = phase;
  }
  return phases;
}

namespace {
struct DemandAnalysis {
  const Graph &graph;
  Plan &plan;
  const std::vector<int> &order;
  std::vector<int> phases;

  void need(int value, const Literals &literals) {
    Demand &demand = plan.demands[value];
    demand.literals =
        demand.isLive ? meet(demand.literals, literals) : literals;
    demand.isLive = true;
  }

  /// Those conditions that can be asked where `operand` is reduced: known by
  /// then, and one value for all that is reduced.
  Literals askable(const Literals &literals, Level level, int operand) const {
    Literals kept;
    for (Literal literal : literals)
      if (graph.values[literal / 2].level <= level &&
          phases[literal / 2] <= phases[operand])
        kept.push_back(literal);
    return kept;
  }

  void needSides(int value) {
    const Value &node = graph.values[value];
    Literals literals = plan.demands[value].literals;
    int condition = node.operands[0], side = plan.alias[value];
    need(condition, literals);
    bool isUniform = graph.values[condition].level < Level::Axis;
    for (int i : {1, 2}) {
      if (side != value && side != node.operands[i])
        continue;
      need(node.operands[i],
           isUniform ? join(literals, literalsOf(graph, condition, i == 1))
                     : literals);
    }
  }

  void needPartials(int fold) {
    const Value &node = graph.values[fold];
    for (auto [index, root] : llvm::enumerate(graph.roots)) {
      if (root.kind != Root::Kind::Partial || root.target != node.index)
        continue;
      Literals literals =
          askable(plan.demands[fold].literals, node.level, root.value);
      if (root.when >= 0) {
        literals = join(literals, literalsOf(graph, root.when, true));
        need(root.when, {});
      }
      plan.partialWhen[index] = literals;
      plan.isRootLive[index] = true;
      need(root.value, literals);
    }
  }

  void visit(int value) {
    const Value &node = graph.values[value];
    const Literals literals = plan.demands[value].literals;
    switch (node.kind) {
    case Value::Kind::Select:
      return needSides(value);
    case Value::Kind::Fold:
      return needPartials(value);
    case Value::Kind::Reduce:
    case Value::Kind::Iterate:
      plan.reduceWhen[value] =
          askable(literals, Level::Tensor, node.operands[0]);
      for (int operand : node.operands)
        need(operand, plan.reduceWhen[value]);
      return;
    case Value::Kind::And:
    case Value::Kind::Or:
      if (node.level < Level::Axis) {
        need(node.operands[0], literals);
        return need(node.operands[1],
                    join(literals, literalsOf(graph, node.operands[0],
                                              node.kind == Value::Kind::And)));
      }
      [[fallthrough]];
    default:
      for (int operand : node.operands)
        need(operand, literals);
    }
  }

  void run() {
    plan.demands.assign(graph.values.size(), {});
    plan.isRootLive.assign(graph.roots.size(), false);
    for (auto [index, root] : llvm::enumerate(graph.roots)) {
      if (root.kind == Root::Kind::Partial)
        continue;
      plan.isRootLive[index] = true;
      Literals literals;
      if (root.when >= 0) {
        need(root.when, {});
        literals = literalsOf(graph, root.when, true);
      }
      need(root.value, literals);
    }
    for (int value : llvm::reverse(order))
      if (plan.demands[value].isLive)
        visit(value);
  }

  /// Settles selects; false if there was none to settle.
  bool settle() {
    bool changed = false;
    for (int value : order) {
      const Value &node = graph.values[value];
      if (node.kind != Value::Kind::Select || plan.alias[value] != value ||
          graph.values[node.operands[0]].level >= Level::Axis)
        continue;
      for (int i : {1, 2})
        if (plan.alias[value] == value &&
            implies(plan.demands[value].literals,
                    literalsOf(graph, node.operands[0], i == 1))) {
          plan.alias[value] = node.operands[i];
          changed = true;
        }
    }
    return changed;
  }
};
} // namespace

void updraft::plan::planDemand(const Graph &graph, Plan &plan) {
  std::vector<int> order = orderValues(graph);
  plan.alias.resize(graph.values.size());
  for (auto [index, alias] : llvm::enumerate(plan.alias))
    alias = index;
  plan.reduceWhen.resize(graph.values.size());
  plan.partialWhen.resize(graph.roots.size());
  DemandAnalysis analysis{graph, plan, order, earliestPhases(graph, order)};
  // A settled select needs one side only, which may settle others.
  do
    analysis.run();
  while (analysis.settle());
}
