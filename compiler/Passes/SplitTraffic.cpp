//===- SplitTraffic.cpp - Bytes that an element kernel moves --------------===//
//
// A side that is not taken is not loaded, so the bytes of a kernel depend on
// its conditions: every outcome is tried and the dearest is what the kernel
// says of itself.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitGraph.h"

#include "runtime/abi.h"

#include "llvm/ADT/STLExtras.h"

using namespace updraft;
using namespace updraft::plan;

namespace {

/// More conditions than this and all sides count.
constexpr unsigned kMaxConditions = 6;

struct Meter {
  const Graph &graph;
  const Plan &plan;
  const Kernel &kernel;
  std::vector<int> conditions; ///< leaves of And, Or and Not
  unsigned outcome = 0;        ///< bit i: conditions[i] is true
  std::vector<char> seen, loads;

  bool isKnown() const { return conditions.size() <= kMaxConditions; }
  void addCondition(int value);
  void addLiterals(const Literals &literals);
  void findConditions(int value);
  bool holds(int value) const;
  bool holdAll(const Literals &literals) const;
  void load(int value);
  Traffic measure();
  Literals literalsOfRoot(int root) const;
};

} // namespace

/// Thousandths of a byte an element of the runs' totals of `reduces`.
static int bytesOfRuns(const Graph &graph, llvm::ArrayRef<int> reduces) {
  double totals = 0; // of an element
  for (int value : reduces) {
    Space::Kind kind = graph.values[value].space.kind;
    if (kind == Space::Kind::Rows)
      totals += 1.0 / UPDRAFT_COL_RUN;
    else if (kind == Space::Kind::Cols)
      totals += 1.0 / UPDRAFT_ROW_RUN;
  }
  return int(1000 * graph.computeBytes * totals + 0.5);
}

Literals Meter::literalsOfRoot(int index) const {
  const Root &root = graph.roots[index];
  if (root.kind == Root::Kind::Partial)
    return plan.partialWhen[index];
  return root.when < 0 ? Literals{} : literalsOf(graph, root.when, true);
}

void Meter::addCondition(int value) {
  value = resolve(plan, value);
  const Value &node = graph.values[value];
  bool isLogic = node.kind == Value::Kind::And ||
                 node.kind == Value::Kind::Or || node.kind == Value::Kind::Not;
  if (!isLogic) {
    if (!llvm::is_contained(conditions, value))
      conditions.push_back(value);
    return;
  }
  addCondition(node.operands[0]);
  if (node.kind != Value::Kind::Not)
    addCondition(node.operands[1]);
}

void Meter::addLiterals(const Literals &literals) {
  for (Literal literal : literals)
    addCondition(literal / 2);
}

void Meter::findConditions(int value) {
  value = resolve(plan, value);
  const Value &node = graph.values[value];
  if (node.level < Level::Element || seen[value])
    return;
  seen[value] = 1;
  if (rereadArray(graph, plan, value, kernel.pass) >= 0 ||
      node.kind == Value::Kind::Iterate)
    return;
  if (node.kind == Value::Kind::Select &&
      graph.values[node.operands[0]].level < Level::Axis)
    addCondition(node.operands[0]);
  for (int operand : node.operands)
    findConditions(operand);
}

bool Meter::holds(int value) const {
  value = resolve(plan, value);
  const Value &node = graph.values[value];
  switch (node.kind) {
  case Value::Kind::And:
    return holds(node.operands[0]) && holds(node.operands[1]);
  case Value::Kind::Or:
    return holds(node.operands[0]) || holds(node.operands[1]);
  case Value::Kind::Not:
    return !holds(node.operands[0]);
  default:
    return outcome >> (llvm::find(conditions, value) - conditions.begin()) & 1;
  }
}

bool Meter::holdAll(const Literals &literals) const {
  return !isKnown() || llvm::all_of(literals, [&](Literal literal) {
    return holds(literal / 2) == bool(literal & 1);
  });
}

void Meter::load(int value) {
  value = resolve(plan, value);
  const Value &node = graph.values[value];
  if (node.level < Level::Element || seen[value])
    return;
  seen[value] = 1;
  int reread = rereadArray(graph, plan, value, kernel.pass);
  if (reread >= 0 || node.kind == Value::Kind::Array ||
      node.kind == Value::Kind::Iterate) {
    loads[reread >= 0 ? reread : node.index] = 1;
    return;
  }
  bool isUniform = node.kind == Value::Kind::Select && isKnown() &&
                   graph.values[node.operands[0]].level < Level::Axis;
  if (isUniform)
    return load(node.operands[holds(node.operands[0]) ? 1 : 2]);
  for (int operand : node.operands)
    load(operand);
}

Traffic Meter::measure() {
  Traffic traffic;
  seen.assign(graph.values.size(), 0);
  loads.assign(graph.arrays.size(), 0);
  for (int index : kernel.roots) {
    const Root &root = graph.roots[index];
    if (!holdAll(literalsOfRoot(index)))
      continue;
    load(root.value);
    if (root.kind == Root::Kind::Store)
      traffic.writes += 1000 * graph.arrays[root.target].bytes;
  }
  std::vector<int> runs;
  for (int value : kernel.reduces)
    if (holdAll(plan.reduceWhen[value])) {
      load(graph.values[value].operands[0]);
      if (graph.values[value].kind == Value::Kind::Iterate)
        traffic.writes += 1000 * graph.computeBytes;
      else
        runs.push_back(value);
    }
  for (auto [index, array] : llvm::enumerate(graph.arrays))
    traffic.reads += loads[index] ? 1000 * array.bytes : 0;
  traffic.writes += bytesOfRuns(graph, runs);
  return traffic;
}

/// An axis kernel reads the totals of runs; what has one value a row, a column
/// or less is not worth counting.
static Traffic trafficOfAxis(const Graph &graph, const Plan &plan,
                             const Kernel &kernel) {
  std::vector<int> runs;
  for (int item : kernel.items)
    if (plan.items[item].kind == Item::Kind::Value &&
        isElementReduce(graph.values[plan.items[item].index]))
      runs.push_back(plan.items[item].index);
  return {bytesOfRuns(graph, runs), 0};
}

Traffic updraft::trafficOf(const Graph &graph, const Plan &plan,
                           const Kernel &kernel) {
  if (kernel.level != Level::Element)
    return trafficOfAxis(graph, plan, kernel);
  Meter meter{graph, plan, kernel, {}, 0, {}, {}};
  meter.seen.assign(graph.values.size(), 0);
  for (int index : kernel.roots) {
    meter.addLiterals(meter.literalsOfRoot(index));
    meter.findConditions(graph.roots[index].value);
  }
  for (int value : kernel.reduces) {
    meter.addLiterals(plan.reduceWhen[value]);
    meter.findConditions(graph.values[value].operands[0]);
  }
  Traffic worst;
  unsigned outcomes = meter.isKnown() ? 1u << meter.conditions.size() : 1;
  for (meter.outcome = 0; meter.outcome < outcomes; ++meter.outcome) {
    Traffic traffic = meter.measure();
    if (traffic.reads + traffic.writes > worst.reads + worst.writes)
      worst = traffic;
  }
  return worst;
}
