//===- SplitPlan.cpp - The whole plan and what reads it -------------------===//
//
// What the steps of a plan have in common: what memory holds when a pass
// begins, and the kernels that passes and times come down to.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitPlan.h"

#include "compiler/Passes/SplitSchedule.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace updraft::plan;

int updraft::plan::rereadArray(const Graph &graph, const Plan &plan, int value,
                               int pass) {
  for (auto [index, root] : llvm::enumerate(graph.roots)) {
    if (root.kind != Root::Kind::Store || plan.rootPass[index] >= pass ||
        !graph.arrays[root.target].isWide)
      continue;
    if (resolve(plan, root.value) == value &&
        (root.when < 0 || implies(plan.demands[value].literals,
                                  literalsOf(graph, root.when, true))))
      return root.target;
    // `when ? new : old`: what the array holds after a store that may not be.
    const Value &node = graph.values[value];
    if (node.kind != Value::Kind::Select || root.when < 0 ||
        literalsOf(graph, node.operands[0], true) !=
            literalsOf(graph, root.when, true))
      continue;
    const Value &old = graph.values[resolve(plan, node.operands[2])];
    if (resolve(plan, node.operands[1]) == resolve(plan, root.value) &&
        old.kind == Value::Kind::Array && old.index == root.target)
      return root.target;
  }
  return -1;
}

void updraft::plan::gatherKernels(const Graph &graph, Plan &plan,
                                  llvm::ArrayRef<int> times) {
  std::map<Slot, Kernel> kernels;
  auto elementKernel = [&](int variant, int pass, Space walk) -> Kernel & {
    const std::vector<Space> &walks = plan.walks[variant][pass];
    int place = llvm::find(walks, walk) - walks.begin();
    Kernel &kernel = kernels[{elementTime(pass), variant, place, {}}];
    kernel.level = Level::Element;
    kernel.variant = variant;
    kernel.pass = pass;
    kernel.space = walk;
    return kernel;
  };
  for (auto [index, item] : llvm::enumerate(plan.items)) {
    Kernel &kernel = kernels[slotOf(item, times[index])];
    kernel.level = item.level;
    kernel.variant = item.variant;
    kernel.pass = -1;
    kernel.space = item.space;
    kernel.items.push_back(index);
  }
  for (auto [index, root] : llvm::enumerate(graph.roots)) {
    int pass = plan.rootPass[index];
    if (pass < 0)
      continue;
    Space walk; // of what is reduced for a list
    if (root.kind == Root::Kind::Store)
      walk = plan.walks[root.variant][pass].back();
    elementKernel(root.variant, pass, walk).roots.push_back(index);
  }
  for (auto [value, node] : llvm::enumerate(graph.values))
    if (plan.reducePass[value] >= 0)
      elementKernel(node.variant, plan.reducePass[value], walkOf(node))
          .reduces.push_back(value);
  plan.kernelOfItem.assign(plan.items.size(), -1);
  for (auto &[slot, kernel] : kernels) {
    for (int item : kernel.items)
      plan.kernelOfItem[item] = plan.kernels.size();
    plan.kernels.push_back(std::move(kernel));
  }
}

Plan updraft::plan::makePlan(const Graph &graph) {
  Plan plan;
  planDemand(graph, plan);
  planPasses(graph, plan);
  planKernels(graph, plan);
  return plan;
}
