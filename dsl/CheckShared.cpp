//===- CheckShared.cpp - The order of equations that variants share -------===//
//
// Within one variant CheckOrder has put everything in order. But a reduction
// over group or model takes values from tensors of every variant, and what
// these read stands in the shared part again: so a shared equation that reads
// a reduction needs what any variant's operand needs. Only here can a cycle
// show that runs through tensors of different shapes.
//
//===----------------------------------------------------------------------===//

#include "CheckContext.h"

using namespace updraft;
using namespace updraft::check;

namespace {
class SharedOrder {
public:
  explicit SharedOrder(Context &context)
      : context_(context), rule_(context.rule) {
    addEquations(rule_.shared, kShared);
    for (unsigned v = 0; v < rule_.variants.size(); ++v)
      addEquations(rule_.variants[v].equations, v);
  }

  void run() {
    for (unsigned i = 0; i < rule_.shared.size() && !hasCycle_; ++i)
      visit(i);
    if (hasCycle_)
      return;
    std::vector<Equation> ordered;
    for (unsigned index : order_)
      ordered.push_back(rule_.shared[index]);
    rule_.shared = std::move(ordered);
  }

private:
  static constexpr unsigned kShared = kNone;
  /// A node of the graph: an equation, and the variant it stands in.
  struct Node {
    const Equation *equation;
    unsigned variant;
    enum : uint8_t { Waiting, Open, Done } status = Waiting;
  };

  static uint64_t key(unsigned variant, Equation::Target target,
                      unsigned index) {
    return uint64_t(variant) << 34 | uint64_t(target) << 32 | index;
  }
  void addEquations(const std::vector<Equation> &equations, unsigned variant) {
    for (const Equation &equation : equations) {
      unsigned index =
          equation.target == Equation::Target::Param ? 0 : equation.index;
      nodes_[key(variant, equation.target, index)] = list_.size();
      list_.push_back({&equation, variant});
    }
  }
  void need(Equation::Target target, unsigned index, unsigned variant);
  void collect(const Expr *node, unsigned variant);
  void visit(unsigned root);

  Context &context_;
  Rule &rule_;
  std::vector<Node> list_; ///< the shared ones first, in their order
  llvm::DenseMap<uint64_t, unsigned> nodes_;
  std::vector<unsigned> needs_, order_;
  bool hasCycle_ = false;
};
} // namespace

void SharedOrder::need(Equation::Target target, unsigned index,
                       unsigned variant) {
  for (unsigned place : {variant, kShared}) {
    auto found = nodes_.find(key(place, target, index));
    if (found == nodes_.end())
      continue;
    needs_.push_back(found->second);
    return;
  }
}

/// Appends what an expression needs, the operands of its reductions in all
/// variants included.
void SharedOrder::collect(const Expr *node, unsigned variant) {
  if (!node)
    return;
  switch (node->op) {
  case Op::Let:
    need(Equation::Target::Let, node->index, variant);
    return;
  case Op::New:
    need(Equation::Target::State, node->index, variant);
    return;
  case Op::NewParam:
    need(Equation::Target::Param, 0, variant);
    return;
  case Op::Cross:
    collect(rule_.reductions[node->index].shared, kShared);
    for (unsigned v = 0; v < rule_.variants.size(); ++v)
      collect(rule_.variants[v].operands[node->index], v);
    return;
  default:
    for (const Expr *arg : node->args)
      collect(arg, variant);
  }
}

void SharedOrder::visit(unsigned root) {
  std::vector<unsigned> stack = {root};
  while (!stack.empty() && !hasCycle_) {
    unsigned index = stack.back();
    Node &node = list_[index];
    if (node.status != Node::Waiting) {
      if (node.status == Node::Open && node.variant == kShared)
        order_.push_back(index);
      node.status = Node::Done;
      stack.pop_back();
      continue;
    }
    node.status = Node::Open;
    needs_.clear();
    collect(node.equation->value, node.variant);
    collect(node.equation->commit, node.variant);
    for (unsigned need : needs_) {
      if (list_[need].status == Node::Open) {
        hasCycle_ = true;
        context_.error(Label::S3, list_[need].equation->range,
                       "this value needs itself, by way of reductions over "
                       "tensors of other shapes");
        break;
      }
      if (list_[need].status == Node::Waiting)
        stack.push_back(need);
    }
  }
}

void check::orderShared(Context &context) {
  if (context.rule.variants.size() > 1 && !context.rule.reductions.empty())
    SharedOrder(context).run();
}
