//===- SplitGraph.cpp - From bodies to a plan graph -----------------------===//
//
// Value numbering in one walk. What a value is to the plan (its level, whether
// a kernel repeats it) is read off the op here and nowhere else.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitGraph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/STLExtras.h"

#include <tuple>

using namespace mlir;
using namespace updraft;

StringRef updraft::wordsOf(Operation *op) {
  Location location = op->getLoc();
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName().getValue();
  return {};
}

namespace {

struct GraphBuilder {
  ir::ProgramOp program;
  RuleGraph &rule;
  int variant = -1; ///< of the body that is read
  DenseMap<Value, int> numbers;
  using Key = std::tuple<const void *, const void *, const void *, int,
                         std::vector<int>>;
  std::map<Key, int> known;
  DenseMap<Operation *, int> arrayNumbers, scalarNumbers, listNumbers;

  GraphBuilder(ir::ProgramOp program, RuleGraph &rule)
      : program(program), rule(rule) {}
  void addDeclarations();
  plan::Value describe(Operation &op);
  void describeGet(ir::GetOp get, plan::Value &value);
  void describeCompute(Operation &op, plan::Value &value);
  void addValue(Operation &op);
  void addPut(ir::PutOp put);
  void addPartial(ir::PartialOp partial);
  void addBody(ir::BodyOp body);
};

} // namespace

static plan::Space planSpaceOf(ir::SpaceAttr space) {
  if (!space)
    return {};
  return {plan::Space::Kind(space.getKind()), space.getFolded(),
          space.getBlock()};
}

ir::SpaceAttr updraft::spaceOf(MLIRContext *context, const plan::Space &space) {
  switch (space.kind) {
  case plan::Space::Kind::None:
    return {};
  case plan::Space::Kind::Bands:
    return ir::SpaceAttr::get(context, ir::SpaceKind::Bands, space.isFolded, 0);
  case plan::Space::Kind::Tiles:
    return ir::SpaceAttr::get(context, ir::SpaceKind::Tiles, false, 0);
  case plan::Space::Kind::SquareTiles:
    return ir::SpaceAttr::get(context, ir::SpaceKind::SquareTiles, false, 0);
  default:
    return ir::SpaceAttr::get(context, ir::SpaceKind(space.kind),
                              space.isFolded, space.block);
  }
}

static int bytesOf(Type format) {
  return (format.getIntOrFloatBitWidth() + 7) / 8;
}

void GraphBuilder::addDeclarations() {
  auto addScalar = [&](ir::ScalarOp scalar) {
    scalarNumbers[scalar] = rule.scalars.size();
    rule.scalars.push_back(scalar);
  };
  for (Operation &op : program.getBody().front()) {
    if (auto scalar = dyn_cast<ir::ScalarOp>(op))
      addScalar(scalar);
    if (auto list = dyn_cast<ir::ListOp>(op)) {
      listNumbers[list] = rule.lists.size();
      rule.lists.push_back(list);
    }
    auto declared = dyn_cast<ir::VariantOp>(op);
    if (!declared)
      continue;
    int index = rule.variants.size();
    rule.variants.push_back(declared);
    for (auto array : declared.getBody().getOps<ir::ArrayOp>()) {
      arrayNumbers[array] = rule.arrays.size();
      rule.arrays.push_back(array);
      rule.graph.arrays.push_back({index, bytesOf(array.getFormat()),
                                   array.getFormat() == program.getCompute(),
                                   planSpaceOf(array.getSpaceAttr())});
    }
    for (auto scalar : declared.getBody().getOps<ir::ScalarOp>())
      addScalar(scalar);
  }
  rule.graph.scalarCount = rule.scalars.size();
  rule.graph.variantCount = rule.variants.size();
  rule.graph.computeBytes = bytesOf(program.getCompute());
}

void GraphBuilder::describeGet(ir::GetOp get, plan::Value &value) {
  Operation *declared = ir::lookup(get, get.getSource());
  if (auto array = dyn_cast<ir::ArrayOp>(declared)) {
    value.kind = plan::Value::Kind::Array;
    value.index = arrayNumbers[array];
    value.space = rule.graph.arrays[value.index].space;
    value.isCheap = value.space != plan::Space{};
    value.level = value.isCheap ? plan::Level::Axis : plan::Level::Element;
    return;
  }
  auto scalar = cast<ir::ScalarOp>(declared);
  value.kind = plan::Value::Kind::Scalar;
  value.level = plan::Level(scalar.getLevel());
  value.index = scalarNumbers[scalar];
  value.isCheap = true;
}

/// Lets `value` be of what it has until now and of `other`: rows and columns
/// meet in elements, a matrix value is one of each of its rows.
static void join(plan::Value &value, const plan::Value &other) {
  using Kind = plan::Space::Kind;
  if (value.level != plan::Level::Axis || other.level != plan::Level::Axis) {
    if (other.level > value.level)
      value.space = other.space;
    value.level = std::max(value.level, other.level);
    return;
  }
  auto isWithin = [](const plan::Space &fine, const plan::Space &coarse) {
    return coarse.kind == Kind::Matrix && fine.kind <= Kind::Matrix &&
           fine.isFolded == coarse.isFolded;
  };
  if (value.space == other.space || isWithin(value.space, other.space))
    return;
  bool isFiner = isWithin(other.space, value.space);
  value.level = isFiner ? plan::Level::Axis : plan::Level::Element;
  value.space = isFiner ? other.space : plan::Space{};
}

/// Whether `op` makes a number of shapes alone with one or two operations, as
/// counts of means are: a slot would cost as much.
static bool isCount(Operation &op) {
  return isa<arith::MaximumFOp, arith::MulFOp>(op) &&
         llvm::all_of(op.getOperands(), [](Value operand) {
           Operation *made = operand.getDefiningOp();
           return isa<ir::ShapeOp, arith::ConstantOp>(made) ||
                  (isa<arith::MulFOp>(made) && isCount(*made));
         });
}

void GraphBuilder::describeCompute(Operation &op, plan::Value &value) {
  using Kind = plan::Value::Kind;
  for (int operand : value.operands)
    join(value, rule.graph.values[operand]);
  bool isRounding = isa<arith::TruncFOp>(op);
  bool isLogic = isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op);
  // What is known when it is compiled, but not folded, is computed once a call.
  if (value.level == plan::Level::Build && !isRounding && !isLogic)
    value.level = plan::Level::Model;
  // Logic is repeated so that a kernel's conditions show how they hang
  // together.
  // Slots are f64, so a narrower scalar stays in the kernel that uses it.
  bool isNarrow = op.getResult(0).getType().isF32();
  value.isCheap = value.level < plan::Level::Axis &&
                  (isRounding || isLogic || isNarrow || isCount(op));
  if (isa<arith::SelectOp>(op))
    value.kind = Kind::Select;
  else if (isa<arith::AndIOp>(op))
    value.kind = Kind::And;
  else if (isa<arith::OrIOp>(op))
    value.kind = Kind::Or;
  else if (isa<arith::XOrIOp>(op) && matchPattern(op.getOperand(1), m_One()))
    value.kind = Kind::Not;
}

plan::Value GraphBuilder::describe(Operation &op) {
  plan::Value value;
  for (Value operand : op.getOperands())
    value.operands.push_back(numbers.lookup(operand));
  if (auto get = dyn_cast<ir::GetOp>(op)) {
    describeGet(get, value);
  } else if (auto shape = dyn_cast<ir::ShapeOp>(op)) {
    value.level = plan::Level::Tensor;
    value.isCheap = true;
    if (shape.getWhat() == ir::Shape::Block) {
      value.level = plan::Level::Axis;
      value.space = {plan::Space::Kind::Block, false, shape.getIndex()};
    }
  } else if (isa<arith::ConstantOp>(op)) {
    value.isCheap = true;
  } else if (auto reduce = dyn_cast<ir::ReduceOp>(op)) {
    value.kind = plan::Value::Kind::Reduce;
    value.level = reduce.getSpace() ? plan::Level::Axis : plan::Level::Tensor;
    value.space = planSpaceOf(reduce.getSpaceAttr());
    value.from = planSpaceOf(reduce.getOfAttr());
  } else if (isa<ir::NewtonSchulzOp>(op)) {
    value.kind = plan::Value::Kind::Iterate;
    value.level = plan::Level::Element;
    value.index = rule.arrays.size();
  } else if (auto fold = dyn_cast<ir::FoldOp>(op)) {
    value.kind = plan::Value::Kind::Fold;
    value.level = plan::Level(*fold.getOver());
    value.index = listNumbers[ir::lookup(fold, fold.getList())];
  } else {
    describeCompute(op, value);
  }
  if (value.level >= plan::Level::Tensor)
    value.variant = variant;
  return value;
}

void GraphBuilder::addValue(Operation &op) {
  plan::Value value = describe(op);
  Key key{op.getName().getAsOpaquePointer(),
          op.getAttrDictionary().getAsOpaquePointer(),
          op.getResult(0).getType().getAsOpaquePointer(), value.variant,
          std::vector<int>(value.operands.begin(), value.operands.end())};
  auto [entry, isNew] = known.try_emplace(key, rule.graph.values.size());
  numbers[op.getResult(0)] = entry->second;
  if (!isNew)
    return;
  if (value.kind == plan::Value::Kind::Iterate) {
    rule.arrays.push_back({}); // declared when its kernels are written
    rule.graph.arrays.push_back({variant, rule.graph.computeBytes, true, {}});
  }
  rule.graph.values.push_back(value);
  rule.ops.push_back(&op);
}

void GraphBuilder::addPut(ir::PutOp put) {
  Operation *declared = ir::lookup(put, put.getTarget());
  plan::Root root;
  root.value = numbers.lookup(put.getValue());
  root.when = put.getWhen() ? numbers.lookup(put.getWhen()) : -1;
  root.variant = variant;
  if (auto array = dyn_cast<ir::ArrayOp>(declared)) {
    root.target = arrayNumbers[array];
    if (array.getSpace()) {
      root.kind = plan::Root::Kind::Put;
      root.level = plan::Level::Axis;
    }
  } else {
    auto scalar = cast<ir::ScalarOp>(declared);
    root.kind = plan::Root::Kind::Put;
    root.level = plan::Level(scalar.getLevel());
    root.target = scalarNumbers[scalar];
  }
  rule.graph.roots.push_back(root);
  rule.rootOps.push_back(put);
}

void GraphBuilder::addPartial(ir::PartialOp partial) {
  plan::Root root;
  root.kind = plan::Root::Kind::Partial;
  root.value = numbers.lookup(partial.getOperand());
  root.when = partial.getWhen() ? numbers.lookup(partial.getWhen()) : -1;
  root.target = listNumbers[ir::lookup(partial, partial.getList())];
  root.variant = variant;
  if (rule.graph.values[root.value].level < plan::Level::Element)
    root.level = variant < 0 ? plan::Level::Group : plan::Level::Tensor;
  rule.graph.roots.push_back(root);
  rule.rootOps.push_back(partial);
}

void GraphBuilder::addBody(ir::BodyOp body) {
  variant = -1;
  if (auto name = body.getVariant())
    for (auto [index, declared] : llvm::enumerate(rule.variants))
      if (declared.getSymName() == *name)
        variant = index;
  for (Operation &op : body.getBody().front()) {
    if (auto put = dyn_cast<ir::PutOp>(op))
      addPut(put);
    else if (auto partial = dyn_cast<ir::PartialOp>(op))
      addPartial(partial);
    else
      addValue(op);
  }
}

RuleGraph updraft::buildGraph(ir::ProgramOp program,
                              ArrayRef<ir::BodyOp> bodies) {
  RuleGraph rule;
  GraphBuilder builder(program, rule);
  builder.addDeclarations();
  for (ir::BodyOp body : bodies)
    builder.addBody(body);
  return rule;
}
