//===- SplitEmit.cpp - From a plan to kernels -----------------------------===//
//
// Writes each kernel of a plan by cloning the ops of its values. A scalar of
// another kernel is read from a slot, which is declared and filled when its
// first reader asks for it, so that only what crosses kernels is in memory.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitEmit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace updraft;
using plan::Literal;
using plan::Literals;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value Emitter::cloneOp(unsigned kernel, int value) {
  const plan::Value &node = rule.graph.values[value];
  Operation *op = rule.ops[value];
  IRMapping mapping;
  for (auto [operand, number] : llvm::zip(op->getOperands(), node.operands))
    mapping.map(operand, emit(kernel, number));
  return emitted[kernel].builder.clone(*op, mapping)->getResult(0);
}

/// The result of a Fold, or of a Reduce's blocks, runs or list.
Value Emitter::emitFold(unsigned kernel, int value) {
  const plan::Value &node = rule.graph.values[value];
  Operation *op = rule.ops[value];
  std::string list;
  ir::Reducer reducer;
  if (auto reduce = dyn_cast<ir::ReduceOp>(op)) {
    list = listOfReduce(value);
    reducer = reduce.getReducer();
  } else {
    reducer = cast<ir::FoldOp>(op).getReducer();
    list = node.level == plan::Level::Model
               ? groupSlots[value]
               : rule.lists[node.index].getSymName().str();
  }
  return ir::FoldOp::create(emitted[kernel].builder, op->getLoc(), reducer,
                            list, ir::LevelAttr());
}

Value Emitter::emitHere(unsigned kernel, int value) {
  const plan::Value &node = rule.graph.values[value];
  if (node.level == plan::Level::Element) {
    int array =
        plan::rereadArray(rule.graph, plan, value, plan.kernels[kernel].pass);
    if (array < 0 && node.kind == plan::Value::Kind::Iterate)
      array = node.index;
    if (array >= 0)
      return getSlot(kernel, rule.arrays[array].getSymName(),
                     rule.ops[value]->getResult(0).getType(),
                     rule.ops[value]->getLoc());
    return cloneOp(kernel, value);
  }
  if (node.kind == plan::Value::Kind::Scalar ||
      node.kind == plan::Value::Kind::Array)
    return readStored(kernel, value);
  bool isCondition = node.kind == plan::Value::Kind::And ||
                     node.kind == plan::Value::Kind::Not;
  if (isCondition && node.level < plan::Level::Axis)
    return emitWhen(kernel, plan::literalsOf(rule.graph, value, true));
  int item = plan.itemOfValue[value];
  if (item >= 0 && unsigned(plan.kernelOfItem[item]) != kernel)
    return readItem(kernel, item, value);
  if (node.kind == plan::Value::Kind::Reduce ||
      node.kind == plan::Value::Kind::Fold)
    return emitFold(kernel, value);
  return cloneOp(kernel, value);
}

Value Emitter::emit(unsigned kernel, int value) {
  value = plan::resolve(plan, value);
  if (Value known = emitted[kernel].values.lookup(value))
    return known;
  Value made = emitHere(kernel, value);
  emitted[kernel].values[value] = made;
  return made;
}

Value Emitter::emitTrue(unsigned kernel) {
  Value &made = emitted[kernel].yes;
  if (!made) {
    OpBuilder atStart =
        OpBuilder::atBlockBegin(emitted[kernel].builder.getBlock());
    made = arith::ConstantOp::create(atStart, program.getLoc(),
                                     atStart.getBoolAttr(true));
  }
  return made;
}

/// Equal conditions are one value in a kernel, so that its loops are cut along
/// as few as there are. Null: always.
Value Emitter::emitWhen(unsigned kernel, const Literals &literals) {
  if (literals.empty())
    return {};
  std::vector<Literal> key(literals.begin(), literals.end());
  if (Value known = emitted[kernel].conditions.lookup(key))
    return known;
  OpBuilder &builder = emitted[kernel].builder;
  Value made;
  if (key.size() == 1) {
    made = emit(kernel, key[0] / 2);
    if (key[0] % 2 == 0)
      made =
          arith::XOrIOp::create(builder, made.getLoc(), made, emitTrue(kernel));
  } else {
    Value last = emitWhen(kernel, {key.back()});
    Value others =
        emitWhen(kernel, Literals(literals.begin(), literals.end() - 1));
    made = arith::AndIOp::create(builder, last.getLoc(), others, last);
  }
  emitted[kernel].conditions[key] = made;
  return made;
}

Literals Emitter::literalsOfWhen(int condition) const {
  return condition < 0 ? Literals{}
                       : plan::literalsOf(rule.graph, condition, true);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// What a tensor adds to its list where it takes no part.
static double identityOf(ir::Reducer reducer) {
  double infinity = std::numeric_limits<double>::infinity();
  return reducer == ir::Reducer::Sum   ? 0.0
         : reducer == ir::Reducer::Max ? -infinity
                                       : infinity;
}

void Emitter::emitTotal(unsigned kernel, int index) {
  const plan::Root &root = rule.graph.roots[index];
  auto partial = cast<ir::PartialOp>(rule.rootOps[index]);
  OpBuilder &builder = emitted[kernel].builder;
  Location location = partial.getLoc();
  Value total =
      root.level == plan::Level::Element
          ? ir::FoldOp::create(builder, location, partial.getReducer(),
                               blocksOfList(root.target), ir::LevelAttr())
                .getResult()
          : emit(kernel, root.value);
  if (Value when = emitWhen(kernel, literalsOfWhen(root.when))) {
    Value none = arith::ConstantOp::create(
        builder, location,
        builder.getF64FloatAttr(identityOf(partial.getReducer())));
    total = arith::SelectOp::create(builder, location, when, total, none);
  }
  ir::PutOp::create(builder, location, partial.getList(), total, Value());
}

void Emitter::emitSpread(unsigned kernel, int item) {
  const plan::Item &planned = plan.items[item];
  Value value = emit(kernel, planned.index);
  Operation *op = rule.ops[planned.index];
  itemSlots[item] =
      declareHandedOn(slotNameOf(wordsOf(op)), planned.variant, planned.level,
                      planned.space, value.getType());
  handOn(kernel, itemSlots[item], planned.level, value, op->getLoc());
}

void Emitter::emitGroupFold(unsigned kernel, int value) {
  auto fold = cast<ir::FoldOp>(rule.ops[value]);
  OpBuilder &builder = emitted[kernel].builder;
  int list = rule.graph.values[value].index;
  Value part;
  for (const plan::Root &root : rule.graph.roots)
    if (root.kind == plan::Root::Kind::Partial && root.target == list &&
        root.variant < 0)
      part = emit(kernel, root.value);
  if (!part)
    part = ir::FoldOp::create(builder, fold.getLoc(), fold.getReducer(),
                              fold.getList(), ir::LevelAttr());
  std::string &slot = groupSlots[value];
  slot = declareSlot((stemOf(rule.lists[list]) + ".part").str(),
                     plan::Level::Group, -1);
  ir::PutOp::create(builder, fold.getLoc(), slot, part, Value());
}

/// Puts come last, so that all reads see what was stored before the kernel.
void Emitter::emitPuts(unsigned kernel, ArrayRef<int> roots) {
  SmallVector<std::pair<Value, Value>> operands;
  for (int index : roots) {
    const plan::Root &root = rule.graph.roots[index];
    operands.push_back({emit(kernel, root.value),
                        emitWhen(kernel, literalsOfWhen(root.when))});
  }
  for (auto [index, pair] : llvm::zip(roots, operands)) {
    auto put = cast<ir::PutOp>(rule.rootOps[index]);
    ir::PutOp::create(emitted[kernel].builder, put.getLoc(), put.getTarget(),
                      pair.first, pair.second);
  }
}

void Emitter::emitScalarKernel(unsigned kernel) {
  SmallVector<int> puts;
  for (int index : plan.kernels[kernel].items) {
    const plan::Item &item = plan.items[index];
    switch (item.kind) {
    case plan::Item::Kind::Value:
      emit(kernel, item.index);
      break;
    case plan::Item::Kind::Put:
      puts.push_back(item.index);
      break;
    case plan::Item::Kind::Total:
      emitTotal(kernel, item.index);
      break;
    case plan::Item::Kind::GroupFold:
      emitGroupFold(kernel, item.index);
      break;
    case plan::Item::Kind::Spread:
      emitSpread(kernel, index);
      break;
    case plan::Item::Kind::Product:
      emitProduct(kernel, item);
      break;
    }
  }
  emitPuts(kernel, puts);
}

void Emitter::emitElementKernel(unsigned kernel) {
  const plan::Kernel &planned = plan.kernels[kernel];
  OpBuilder &builder = emitted[kernel].builder;
  SmallVector<int> stores;
  SmallVector<std::tuple<int, Value, Value>> starts;
  for (int value : planned.reduces) {
    Value operand = emit(kernel, rule.graph.values[value].operands[0]);
    Value when = emitWhen(kernel, plan.reduceWhen[value]);
    auto reduce = dyn_cast<ir::ReduceOp>(rule.ops[value]);
    if (!reduce) {
      starts.push_back({value, operand, when});
      continue;
    }
    ir::PartialOp::create(builder, reduce.getLoc(), reduce.getReducer(),
                          listOfReduce(value), operand, when);
  }
  for (int index : planned.roots) {
    auto partial = dyn_cast<ir::PartialOp>(rule.rootOps[index]);
    if (!partial) {
      stores.push_back(index);
      continue;
    }
    Value operand = emit(kernel, rule.graph.roots[index].value);
    Value when = emitWhen(kernel, plan.partialWhen[index]);
    ir::PartialOp::create(builder, partial.getLoc(), partial.getReducer(),
                          blocksOfList(rule.graph.roots[index].target), operand,
                          when);
  }
  emitPuts(kernel, stores);
  for (auto [value, operand, when] : starts)
    ir::PutOp::create(builder, rule.ops[value]->getLoc(), matricesOf(value).x,
                      operand, when);
}

ir::Level updraft::levelOf(plan::Level level) { return ir::Level(level); }

void Emitter::declareKernel(const plan::Kernel &kernel, ir::BodyOp body) {
  OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
  FlatSymbolRefAttr variant;
  if (kernel.variant >= 0)
    variant = FlatSymbolRefAttr::get(rule.variants[kernel.variant]);
  auto [name, why] = wordsOfKernel(kernel, body);
  auto made = ir::KernelOp::create(builder, program.getLoc(), freeName(name),
                                   body.getWhen(), body.getViewAttr(),
                                   levelOf(kernel.level), variant,
                                   spaceOf(builder.getContext(), kernel.space),
                                   ir::LevelAttr(), 0, 0, why, 1, ArrayAttr());
  if (kernel.level >= plan::Level::Axis) {
    Traffic traffic = trafficOf(rule.graph, plan, kernel);
    made.setReads(traffic.reads);
    made.setWrites(traffic.writes);
  }
  Block *block = &made.getBody().emplaceBlock();
  emitted.emplace_back(made, OpBuilder::atBlockEnd(block));
}

void Emitter::run(ArrayRef<ir::BodyOp> bodies) {
  firstBody = bodies.front();
  for (const plan::Kernel &kernel : plan.kernels)
    declareKernel(kernel, bodies.front());
  for (unsigned kernel = 0; kernel < plan.kernels.size(); ++kernel) {
    if (plan.kernels[kernel].level == plan::Level::Element)
      emitElementKernel(kernel);
    else
      emitScalarKernel(kernel);
  }
  SmallVector<ir::KernelOp> kernels;
  for (Emitted &made : emitted)
    kernels.push_back(made.kernel);
  sayWhatMustBeFinished(kernels);
}

void updraft::emitKernels(ir::ProgramOp program, ArrayRef<ir::BodyOp> bodies,
                          RuleGraph &rule, const plan::Plan &plan) {
  Emitter(program, rule, plan).run(bodies);
  for (ir::BodyOp body : bodies)
    body.erase();
}
