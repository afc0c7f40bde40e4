//===- SplitSlots.cpp - What crosses from one kernel to the next ----------===//
//
// Slots and lists are declared when the first kernel asks for them, and the
// kernel that makes the value is told to leave it there.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitEmit.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace updraft;

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

static bool isTaken(Operation *table, StringRef name) {
  return SymbolTable::lookupSymbolIn(
      table, StringAttr::get(table->getContext(), name));
}

/// `name`, or with a number behind it if that is a name already. Names of
/// variants and of the program are kept apart, since a kernel sees both.
std::string Emitter::freeName(StringRef name) {
  std::string base = name.empty() ? "value" : name.str(), free = base;
  auto isUsed = [&] {
    return isTaken(program, free) ||
           llvm::any_of(rule.variants, [&](ir::VariantOp variant) {
             return isTaken(variant, free);
           });
  };
  for (unsigned number = 1; isUsed(); ++number)
    free = base + "." + std::to_string(number);
  return free;
}

std::string Emitter::declareSlot(StringRef hint, plan::Level level,
                                 int variant) {
  std::string name = freeName(hint);
  OpBuilder declare(program.getContext());
  if (level == plan::Level::Tensor)
    declare.setInsertionPointToEnd(&rule.variants[variant].getBody().front());
  else
    declare.setInsertionPoint(firstBody);
  ir::ScalarOp::create(declare, program.getLoc(), name, levelOf(level),
                       ir::ScalarKind::Slot, DictionaryAttr(), StringAttr());
  return name;
}

std::string Emitter::declareList(StringRef hint, bool isPartial) {
  std::string name = freeName(hint);
  OpBuilder declare(firstBody);
  ir::ListOp::create(declare, program.getLoc(), name, isPartial);
  return name;
}

/// The list of a tensor's blocks for a Reduce; variants share them, since a
/// tensor is of one variant.
std::string Emitter::blocksOfReduce(int value) {
  std::string &name = reduceLists[value];
  if (!name.empty())
    return name;
  int variant = rule.graph.values[value].variant;
  unsigned number = 0;
  for (auto &[other, list] : reduceLists)
    number += other != value && !list.empty() &&
              rule.graph.values[other].variant == variant;
  while (sharedBlocks.size() <= number)
    sharedBlocks.push_back(declareList("blocks", true));
  return name = sharedBlocks[number];
}

StringRef updraft::stemOf(ir::ListOp list) {
  StringRef name = list.getSymName();
  name.consume_back(".total");
  return name;
}

std::string Emitter::blocksOfList(int list) {
  std::string &name = blockLists[list];
  if (name.empty())
    name = declareList((stemOf(rule.lists[list]) + ".blocks").str(), true);
  return name;
}

//===----------------------------------------------------------------------===//
// Values of other kernels
//===----------------------------------------------------------------------===//

Value Emitter::getSlot(unsigned kernel, StringRef name, Type type,
                       Location location) {
  return ir::GetOp::create(emitted[kernel].builder, location, type, name);
}

/// What an item of another kernel left for this one.
Value Emitter::readItem(unsigned kernel, int item, int value) {
  Operation *op = rule.ops[value];
  std::string &name = itemSlots[item];
  if (name.empty()) {
    const plan::Item &made = plan.items[item];
    name = declareSlot(slotNameOf(wordsOf(op)), made.level, made.variant);
    Emitted &maker = emitted[plan.kernelOfItem[item]];
    ir::PutOp::create(maker.builder, op->getLoc(), name, maker.values[value],
                      Value());
  }
  return getSlot(kernel, name, op->getResult(0).getType(), op->getLoc());
}

/// The kernel that writes scalar `index` in this plan, or -1.
int Emitter::writerOf(int scalar) const {
  for (auto [index, item] : llvm::enumerate(plan.items))
    if (item.kind == plan::Item::Kind::Put &&
        rule.graph.roots[item.index].target == scalar)
      return plan.kernelOfItem[index];
  return -1;
}

/// The value before the step of a scalar; where it is written earlier, that
/// kernel leaves the old value in a slot.
Value Emitter::readScalar(unsigned kernel, int value) {
  const plan::Value &node = rule.graph.values[value];
  auto get = cast<ir::GetOp>(rule.ops[value]);
  int writer = writerOf(node.index);
  if (writer < 0 || unsigned(writer) >= kernel)
    return getSlot(kernel, get.getSource(), get.getType(), get.getLoc());
  std::string &name = oldSlots[value];
  if (name.empty()) {
    name =
        declareSlot((get.getSource() + ".old").str(), node.level, node.variant);
    Emitted &maker = emitted[writer];
    Value &old = maker.values[value];
    OpBuilder atStart = OpBuilder::atBlockBegin(maker.builder.getBlock());
    if (!old)
      old = ir::GetOp::create(atStart, get.getLoc(), get.getType(),
                              get.getSource());
    ir::PutOp::create(maker.builder, get.getLoc(), name, old, Value());
  }
  return getSlot(kernel, name, get.getType(), get.getLoc());
}
