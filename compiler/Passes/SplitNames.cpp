//===- SplitNames.cpp - What a kernel is called and what it waits for -----===//
//
// People see kernels in tables and profiles, so each is named after what it is
// there for: the reduction that ends its pass, or the update of p.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitEmit.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace updraft;

StringRef updraft::slotNameOf(StringRef words) {
  return words.take_while(
      [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
}

/// Adds `words` to a list for people, once.
static void mention(std::string &list, StringRef words) {
  if (words.empty())
    return;
  SmallVector<StringRef> known;
  StringRef(list).split(known, "; ");
  if (llvm::is_contained(known, words))
    return;
  if (!list.empty())
    list += "; ";
  list += words;
}

/// Adds the words of what `item` folds to `reductions`, of what else it makes
/// to `others`.
void Emitter::mentionItem(const plan::Item &item, std::string &reductions,
                          std::string &others) const {
  using Kind = plan::Item::Kind;
  switch (item.kind) {
  case Kind::Value: {
    Operation *op = rule.ops[item.index];
    bool isFold = isa<ir::FoldOp, ir::ReduceOp>(op);
    return mention(isFold ? reductions : others, wordsOf(op));
  }
  case Kind::GroupFold:
    return mention(reductions, wordsOf(rule.ops[item.index]));
  case Kind::Total:
    return mention(reductions, wordsOf(rule.rootOps[item.index]));
  case Kind::Product:
    return mention(reductions, wordsOf(rule.ops[item.index]));
  case Kind::Put: {
    auto put = cast<ir::PutOp>(rule.rootOps[item.index]);
    return mention(others, (put.getTarget() + "'").str());
  }
  case Kind::Spread:
    for (auto [value, node] : llvm::enumerate(rule.graph.values))
      if (node.kind == plan::Value::Kind::Reduce && node.from == item.space &&
          plan::resolve(plan, node.operands[0]) == item.index)
        mention(reductions, wordsOf(rule.ops[value]));
  }
}

/// Adds the words of what first reads what an item makes, by way of values that
/// have none: the reason for a value that nobody gave a name.
void Emitter::mentionReaders(const plan::Item &item, std::string &list) const {
  if (item.kind != plan::Item::Kind::Value &&
      item.kind != plan::Item::Kind::Spread)
    return;
  std::vector<int> open{item.index};
  llvm::DenseSet<int> seen{item.index};
  auto isOpen = [&](int value) {
    return value >= 0 && plan::resolve(plan, value) == open.back();
  };
  while (!open.empty()) {
    std::vector<int> next;
    for (auto [user, node] : llvm::enumerate(rule.graph.values))
      if (llvm::any_of(node.operands, isOpen)) {
        mention(list, wordsOf(rule.ops[user]));
        if (wordsOf(rule.ops[user]).empty() && seen.insert(user).second)
          next.push_back(user);
      }
    for (auto [index, root] : llvm::enumerate(rule.graph.roots)) {
      if (!isOpen(root.value) && !isOpen(root.when))
        continue;
      Operation *op = rule.rootOps[index];
      if (auto put = dyn_cast<ir::PutOp>(op))
        mention(list, (put.getTarget() + "'").str());
      else
        mention(list, wordsOf(op));
    }
    open.pop_back();
    llvm::append_range(open, next);
  }
}

/// Of what a scalar or axis kernel has one item each.
static StringRef wordOf(const plan::Kernel &kernel, const plan::Plan &plan) {
  static constexpr StringRef kParts[kProducts] = {"square", "factor", "next"};
  if (kernel.level == plan::Level::Matrix)
    return kParts[plan.items[kernel.items.front()].part];
  return kernel.level == plan::Level::Axis
             ? stringifySpaceKind(ir::SpaceKind(kernel.space.kind))
             : stringifyLevel(levelOf(kernel.level));
}

Emitter::Words Emitter::wordsOfKernel(const plan::Kernel &kernel,
                                      ir::BodyOp body) const {
  std::string reductions, stores, puts;
  bool storesParam = false;
  for (int value : kernel.reduces)
    mention(reductions, wordsOf(rule.ops[value]));
  for (int index : kernel.roots) {
    auto put = dyn_cast<ir::PutOp>(rule.rootOps[index]);
    if (!put) {
      mention(reductions, wordsOf(rule.rootOps[index]));
      continue;
    }
    mention(stores, (put.getTarget() + "'").str());
    storesParam |= rule.arrays[rule.graph.roots[index].target].getRole() ==
                   ir::Role::Param;
  }
  for (int index : kernel.items)
    mentionItem(plan.items[index], reductions, puts);
  std::string name, why;
  if (body.getWhen() != ir::When::Step) {
    name = stringifyWhen(body.getWhen()).str();
    why = stores.empty() ? puts : stores;
    if (kernel.level != plan::Level::Element)
      name += "." + wordOf(kernel, plan).str();
  } else if (kernel.level == plan::Level::Element) {
    name = storesParam           ? "update"
           : !reductions.empty() ? slotNameOf(reductions).str()
                                 : "store";
    why = storesParam || reductions.empty() ? stores : reductions;
    if (storesParam)
      why = "p'";
  } else {
    StringRef level = wordOf(kernel, plan);
    name = reductions.empty() ? level.str()
                              : (slotNameOf(reductions) + "." + level).str();
    why = reductions.empty() ? puts : reductions;
  }
  if (why.empty()) {
    for (int index : kernel.items)
      mentionReaders(plan.items[index], why);
    if (!why.empty())
      why = "for " + why;
  }
  if (kernel.variant >= 0 && rule.variants.size() > 1) {
    ir::VariantOp variant = rule.variants[kernel.variant];
    name += "." + variant.getSymName().str();
  }
  return {name, why};
}

//===----------------------------------------------------------------------===//
// Waiting
//===----------------------------------------------------------------------===//

namespace {
/// What a kernel touches: declarations that it reads and writes.
struct Touched {
  llvm::SmallPtrSet<Operation *, 8> reads, writes;
};
} // namespace

/// What is touched in one round is in the next the other one.
static void addSwapped(ir::KernelOp kernel, Touched &touched) {
  if (!kernel.getSwaps())
    return;
  SmallVector<Operation *> both;
  auto add = [&](auto &set) {
    if (llvm::any_of(both, [&](Operation *op) { return set.contains(op); }))
      set.insert(both.begin(), both.end());
  };
  for (Attribute name : kernel.getSwapsAttr())
    both.push_back(ir::lookup(&kernel.getBody().front().front(),
                              cast<FlatSymbolRefAttr>(name).getValue()));
  add(touched.reads);
  add(touched.writes);
}

static Touched touchedBy(ir::KernelOp kernel) {
  Touched touched;
  for (Operation &op : kernel.getBody().front()) {
    if (auto get = dyn_cast<ir::GetOp>(op))
      touched.reads.insert(ir::lookup(get, get.getSource()));
    else if (auto fold = dyn_cast<ir::FoldOp>(op))
      touched.reads.insert(ir::lookup(fold, fold.getList()));
    else if (auto product = dyn_cast<ir::ProductOp>(op))
      touched.reads.insert({ir::lookup(product, product.getLeft()),
                            ir::lookup(product, product.getRight())});
    else if (auto put = dyn_cast<ir::PutOp>(op))
      touched.writes.insert(ir::lookup(put, put.getTarget()));
    else if (auto partial = dyn_cast<ir::PartialOp>(op))
      touched.writes.insert(ir::lookup(partial, partial.getList()));
  }
  addSwapped(kernel, touched);
  return touched;
}

static bool conflict(const Touched &earlier, const Touched &later) {
  auto meets = [](auto &a, auto &b) {
    return llvm::any_of(a, [&](Operation *op) { return b.contains(op); });
  };
  return meets(earlier.writes, later.reads) ||
         meets(earlier.reads, later.writes) ||
         meets(earlier.writes, later.writes);
}

/// What must have finished between two kernels that touch the same things: the
/// coarser of both levels; nothing between tensors of different variants.
static std::optional<ir::Level> levelBetween(ir::KernelOp earlier,
                                             ir::KernelOp later) {
  auto coarse = [](ir::KernelOp kernel) {
    return std::min(kernel.getLevel(), ir::Level::Tensor);
  };
  ir::Level level = std::min(coarse(earlier), coarse(later));
  if (level == ir::Level::Tensor && earlier.getVariant() != later.getVariant())
    return std::nullopt;
  return level;
}

void updraft::sayWhatMustBeFinished(ArrayRef<ir::KernelOp> kernels) {
  std::vector<Touched> touched;
  for (ir::KernelOp kernel : kernels) {
    touched.push_back(touchedBy(kernel));
    std::optional<ir::Level> after;
    for (unsigned i = 0; i + 1 < touched.size(); ++i) {
      if (!conflict(touched[i], touched.back()))
        continue;
      std::optional<ir::Level> level = levelBetween(kernels[i], kernel);
      if (level && (!after || *level < *after))
        after = level;
    }
    if (after)
      kernel.setAfter(*after);
  }
  joinRounds(kernels);
}
