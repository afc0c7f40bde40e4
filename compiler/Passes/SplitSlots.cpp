//===- SplitSlots.cpp - What crosses from one kernel to the next ----------===//
//
// Slots and lists are declared when the first kernel asks for them, and the
// kernel that makes the value is told to leave it there.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitEmit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

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

/// Scratch of `variant`: what stays within a tensor, as slots do.
std::string Emitter::declareScratch(StringRef hint, int variant,
                                    ir::SpaceAttr space, Type format) {
  std::string name = freeName(hint);
  OpBuilder declare =
      OpBuilder::atBlockEnd(&rule.variants[variant].getBody().front());
  ir::ArrayOp::create(declare, program.getLoc(), name, ir::Role::Scratch,
                      format, space, StringAttr(), false);
  return name;
}

/// What carries a value of `type` to a later kernel.
std::string Emitter::declareHandedOn(StringRef hint, int variant,
                                     plan::Level level,
                                     const plan::Space &space, Type type) {
  if (level < plan::Level::Axis)
    return declareSlot(hint, level, variant);
  return declareScratch(hint, variant, spaceOf(program.getContext(), space),
                        type.isInteger(1) ? program.getCompute() : type);
}

std::string Emitter::declareList(StringRef hint, bool isPartial) {
  std::string name = freeName(hint);
  OpBuilder declare(firstBody);
  ir::ListOp::create(declare, program.getLoc(), name, isPartial, false);
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

/// The totals of the runs that rows or columns are cut into, or of the blocks.
std::string Emitter::totalsOfReduce(int value) {
  std::string &name = runTotals[value];
  if (!name.empty())
    return name;
  const plan::Value &node = rule.graph.values[value];
  std::string hint = slotNameOf(wordsOf(rule.ops[value])).str();
  Type format = program.getCompute();
  ir::SpaceAttr space = spaceOf(program.getContext(), node.space);
  if (node.space.kind == plan::Space::Kind::Block) {
    format = Float64Type::get(program.getContext());
  } else {
    bool isRows = node.space.kind == plan::Space::Kind::Rows;
    space = ir::SpaceAttr::get(program.getContext(),
                               isRows ? ir::SpaceKind::RowRuns
                                      : ir::SpaceKind::ColRuns,
                               node.space.isFolded, 0);
  }
  hint += hint.empty() ? "runs" : ".runs";
  return name = declareScratch(hint, node.variant, space, format);
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

/// The same of what a kernel left: scratch has no i1, so it holds 1 or 0.
Value Emitter::getHandedOn(unsigned kernel, StringRef name, plan::Level level,
                           Type type, Location location) {
  if (level != plan::Level::Axis || !type.isInteger(1))
    return getSlot(kernel, name, type, location);
  OpBuilder &builder = emitted[kernel].builder;
  Value number = getSlot(kernel, name, program.getCompute(), location);
  Value zero = arith::ConstantOp::create(
      builder, location, builder.getFloatAttr(number.getType(), 0.0));
  return arith::CmpFOp::create(builder, location, arith::CmpFPredicate::UNE,
                               number, zero);
}

void Emitter::handOn(unsigned kernel, StringRef name, plan::Level level,
                     Value value, Location location) {
  OpBuilder &builder = emitted[kernel].builder;
  if (level == plan::Level::Axis && value.getType().isInteger(1)) {
    auto constant = [&](double number) -> Value {
      return arith::ConstantOp::create(
          builder, location,
          builder.getFloatAttr(program.getCompute(), number));
    };
    value = arith::SelectOp::create(builder, location, value, constant(1.0),
                                    constant(0.0));
  }
  ir::PutOp::create(builder, location, name, value, Value());
}

/// Where the kernel of `item` leaves what it makes of `value`.
const std::string &Emitter::slotOfItem(int item, int value) {
  std::string &name = itemSlots[item];
  if (!name.empty())
    return name;
  const plan::Item &made = plan.items[item];
  Operation *op = rule.ops[value];
  Value result = emitted[plan.kernelOfItem[item]].values[value];
  name = declareHandedOn(slotNameOf(wordsOf(op)), made.variant, made.level,
                         made.space, result.getType());
  handOn(plan.kernelOfItem[item], name, made.level, result, op->getLoc());
  return name;
}

/// What an item of another kernel left for this one.
Value Emitter::readItem(unsigned kernel, int item, int value) {
  Operation *op = rule.ops[value];
  return getHandedOn(kernel, slotOfItem(item, value), plan.items[item].level,
                     op->getResult(0).getType(), op->getLoc());
}

/// What a Reduce folds: a list of its tensor's blocks, the totals of runs or
/// blocks, or axis values that were left.
std::string Emitter::listOfReduce(int value) {
  const plan::Value &node = rule.graph.values[value];
  if (plan::isElementReduce(node))
    return node.level == plan::Level::Axis ? totalsOfReduce(value)
                                           : blocksOfReduce(value);
  int operand = plan::resolve(plan, node.operands[0]);
  for (auto [index, item] : llvm::enumerate(plan.items))
    if (item.index == operand && item.space == node.from &&
        (item.kind == plan::Item::Kind::Spread ||
         item.kind == plan::Item::Kind::Value))
      return slotOfItem(index, operand);
  llvm_unreachable("the scheduler leaves a list");
}

/// The kernel that writes what `old` reads in this plan, or -1.
int Emitter::writerOf(const plan::Value &old) const {
  bool isArray = old.kind == plan::Value::Kind::Array;
  for (auto [index, item] : llvm::enumerate(plan.items))
    if (item.kind == plan::Item::Kind::Put &&
        rule.graph.roots[item.index].target == old.index &&
        (item.level == plan::Level::Axis) == isArray)
      return plan.kernelOfItem[index];
  return -1;
}

/// The value before the step of a scalar or axis array; where it is written
/// earlier, that kernel leaves the old value in a slot.
Value Emitter::readStored(unsigned kernel, int value) {
  const plan::Value &node = rule.graph.values[value];
  auto get = cast<ir::GetOp>(rule.ops[value]);
  int writer = writerOf(node);
  if (writer < 0 || unsigned(writer) >= kernel)
    return getSlot(kernel, get.getSource(), get.getType(), get.getLoc());
  std::string &name = oldSlots[value];
  if (name.empty()) {
    name = declareHandedOn((get.getSource() + ".old").str(), node.variant,
                           node.level, node.space, get.getType());
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
