//===- CheckOrder.cpp - Equations in the order of what they read ----------===//

#include "CheckOrder.h"
#include "CheckSettle.h"

#include "llvm/ADT/STLExtras.h"

using namespace updraft;
using namespace updraft::check;

using Kind = ast::Expr::Kind;
using Status = Definition::Status;

/// Appends the definitions that an expression reads. Sides that are settled
/// away are not read.
void Orderer::scan(const ast::Expr &expression) {
  const ast::Expr &node = strip(context_, expression);
  if (node.kind == Kind::Ref) {
    unsigned index = context_.definitionOf(node.name, node.primed);
    if (index != kNone && context_.definitions[index].exists)
      needs_.push_back(index);
    return;
  }
  if (node.kind == Kind::Binary &&
      (node.op == ast::Operator::And || node.op == ast::Operator::Or)) {
    Settled left = settle(context_, *node.args[0]);
    context_.hasReadShape |= left.readsShape;
    if (left.kind == Settled::Kind::Boolean) {
      if ((left.number != 0) == (node.op == ast::Operator::And))
        scan(*node.args[1]);
      return;
    }
  }
  if (node.isFiltered && !guardHolds(context_, node.args.back()))
    return; // of other tensors
  for (const ast::ExprPtr &arg : node.args)
    scan(*arg);
}

static std::string shownName(const Definition &definition) {
  return definition.ast->target.text + (definition.ast->primed ? "'" : "");
}

void Orderer::reportCycle(unsigned index) {
  constexpr size_t kMostShown = 8;
  auto start = llvm::find(path_, index);
  std::vector<unsigned> cycle(start, path_.end());
  std::string chain;
  for (size_t i = 0; i < cycle.size(); ++i) {
    context_.definitions[cycle[i]].hasFailed = true;
    if (i < kMostShown)
      chain += shownName(context_.definitions[cycle[i]]) + " -> ";
  }
  if (cycle.size() > kMostShown)
    chain += "... -> ";
  const Definition &first = context_.definitions[index];
  context_.error(Label::S3, first.ast->target.range,
                 "'" + shownName(first) + "' needs itself: " + chain +
                     shownName(first));
  for (size_t i = 1; i < std::min(cycle.size(), kMostShown); ++i) {
    const Definition &other = context_.definitions[cycle[i]];
    context_.diagnostics.note(other.ast->target.range,
                              "'" + shownName(other) + "' is defined here");
  }
}

void Orderer::finish(Definition &definition, Variant *out) {
  bool isKnown = definition.wasDone && !definition.varies;
  if (!isKnown && !definition.hasFailed)
    elaborate(context_, definition);
  definition.status = Status::Done;
  definition.wasDone = true;
  if (!definition.hasFailed)
    place(context_, definition, out);
}

void Orderer::complete(unsigned root, Variant *out) {
  std::vector<unsigned> stack = {root};
  while (!stack.empty()) {
    unsigned index = stack.back();
    Definition &definition = context_.definitions[index];
    if (definition.status == Status::Done || !definition.exists) {
      stack.pop_back();
      continue;
    }
    if (definition.status == Status::Open) {
      stack.pop_back();
      path_.pop_back();
      finish(definition, out);
      continue;
    }
    definition.status = Status::Open;
    path_.push_back(index);
    if (!definition.wasDone || definition.varies) {
      needs_.clear();
      scan(*definition.ast->value);
      definition.needs = needs_;
    }
    for (unsigned need : definition.needs) {
      if (context_.definitions[need].status == Status::Open)
        reportCycle(need);
      else
        stack.push_back(need);
    }
  }
}

void Orderer::completeAll(const ast::Expr &expression, Variant *out) {
  needs_.clear();
  scan(expression);
  for (unsigned need : std::vector<unsigned>(needs_))
    complete(need, out);
}
