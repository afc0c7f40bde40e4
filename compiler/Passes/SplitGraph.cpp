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
                                   array.getFormat() == program.getCompute()});
    }
    for (auto scalar : declared.getBody().getOps<ir::ScalarOp>())
      addScalar(scalar);
  }
  rule.graph.scalarCount = rule.scalars.size();
  rule.graph.variantCount = rule.variants.size();
}

void GraphBuilder::describeGet(ir::GetOp get, plan::Value &value) {
  Operation *declared = ir::lookup(get, get.getSource());
  if (auto array = dyn_cast<ir::ArrayOp>(declared)) {
    value.kind = plan::Value::Kind::Array;
    value.level = plan::Level::Element;
    value.index = arrayNumbers[array];
    return;
  }
  auto scalar = cast<ir::ScalarOp>(declared);
  value.kind = plan::Value::Kind::Scalar;
  value.level = plan::Level(scalar.getLevel());
  value.index = scalarNumbers[scalar];
  value.isCheap = true;
}

void GraphBuilder::describeCompute(Operation &op, plan::Value &value) {
  using Kind = plan::Value::Kind;
  for (int operand : value.operands)
    value.level = std::max(value.level, rule.graph.values[operand].level);
  bool isRounding = isa<arith::TruncFOp>(op);
  bool isLogic = isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op);
  // What is known when it is compiled, but not folded, is computed once a call.
  if (value.level == plan::Level::Build && !isRounding && !isLogic)
    value.level = plan::Level::Model;
  // Logic is repeated so that a kernel's conditions show how they hang
  // together.
  // Slots are f64, so a narrower scalar stays in the kernel that uses it.
  bool isNarrow = op.getResult(0).getType().isF32();
  value.isCheap =
      value.level < plan::Level::Element && (isRounding || isLogic || isNarrow);
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
  } else if (isa<ir::ShapeOp>(op)) {
    value.level = plan::Level::Tensor;
    value.isCheap = true;
  } else if (isa<arith::ConstantOp>(op)) {
    value.isCheap = true;
  } else if (isa<ir::ReduceOp>(op)) {
    value.kind = plan::Value::Kind::Reduce;
    value.level = plan::Level::Tensor;
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
