//===- ImportReduce.cpp - Reductions and how they finish ------------------===//
//
// Every reduction is a sum, a maximum or a minimum of something, and some
// arithmetic in f64 behind it (numerics.md 5). A reduction over nothing is 0,
// -inf, +inf, false or true.
//
//===----------------------------------------------------------------------===//

#include "compiler/ImportBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace updraft {

bool needsCount(Reducer reducer) {
  return reducer == Reducer::Mean || reducer == Reducer::Rms;
}

static ir::Reducer reducerOf(Reducer reducer) {
  return reducer == Reducer::Max   ? ir::Reducer::Max
         : reducer == Reducer::Min ? ir::Reducer::Min
                                   : ir::Reducer::Sum;
}

Value BodyImporter::summand(Reducer reducer, const Expr *operand) {
  Value value = importAt(operand, operand->level);
  if (value.getType().isInteger(1)) {
    Type type = typeAt(operand->level);
    bool counts = reducer != Reducer::All; // All counts what is false.
    return arith::SelectOp::create(builder_, location_, value,
                                   constant(counts ? 1.0 : 0.0, type),
                                   constant(counts ? 0.0 : 1.0, type));
  }
  if (reducer == Reducer::Norm || reducer == Reducer::Rms)
    return arith::MulFOp::create(builder_, location_, value, value);
  return value;
}

/// The total of what is one number a tensor: a list of one, so it is added to
/// +0.
Value BodyImporter::reduceTensor(Reducer reducer, Value summand) {
  if (reducerOf(reducer) != ir::Reducer::Sum)
    return summand;
  return arith::AddFOp::create(builder_, location_,
                               constant(0.0, summand.getType()), summand);
}

/// The total of elements or axis values.
Value BodyImporter::reduceFine(Reducer reducer, Value summand, const Axis &from,
                               const Axis &to) {
  MLIRContext *context = builder_.getContext();
  return ir::ReduceOp::create(builder_, location_, reducerOf(reducer), summand,
                              spaceOf(context, from), spaceOf(context, to));
}

//===----------------------------------------------------------------------===//
// Counts
//===----------------------------------------------------------------------===//

ir::SpaceAttr spaceOf(MLIRContext *context, const Axis &axis) {
  auto space = [&](ir::SpaceKind kind) {
    return ir::SpaceAttr::get(context, kind, axis.isFolded, axis.block);
  };
  switch (axis.kind) {
  case AxisKind::None:
    return {};
  case AxisKind::Rows:
    return space(ir::SpaceKind::Rows);
  case AxisKind::Cols:
    return space(ir::SpaceKind::Cols);
  case AxisKind::Matrix:
    return space(ir::SpaceKind::Matrix);
  case AxisKind::Block:
    return space(ir::SpaceKind::Block);
  }
  llvm_unreachable("every axis has a space");
}

Value BodyImporter::shape(ir::Shape what, unsigned index) {
  return ir::ShapeOp::create(builder_, location_, typeAt(Level::Tensor), what,
                             index);
}

Value BodyImporter::countOf(const Axis &from, const Axis &to) {
  bool isFolded = from.isFolded || to.isFolded;
  auto rows = [&] { return shape(ir::Shape::Rows, isFolded); };
  auto cols = [&] { return shape(ir::Shape::Cols, isFolded); };
  switch (to.kind) {
  case AxisKind::Rows:
    return cols();
  case AxisKind::Cols:
    return rows();
  case AxisKind::Matrix:
    return from.kind == AxisKind::Rows ? rows() : cols();
  case AxisKind::Block:
    return shape(ir::Shape::Block, to.block);
  case AxisKind::None:
    break;
  }
  auto times = [&](Value a, Value b) -> Value {
    return arith::MulFOp::create(builder_, location_, a, b);
  };
  switch (from.kind) {
  case AxisKind::Rows:
    return times(shape(ir::Shape::Batch, isFolded), rows());
  case AxisKind::Cols:
    return times(shape(ir::Shape::Batch, isFolded), cols());
  case AxisKind::Matrix:
    return shape(ir::Shape::Batch, isFolded);
  case AxisKind::Block: { // The quotient of whole numbers rounds to none below.
    Value size = shape(ir::Shape::Size);
    Value block = constant(double(from.block), size.getType());
    return math::CeilOp::create(
        builder_, location_,
        arith::DivFOp::create(builder_, location_, size, block));
  }
  case AxisKind::None:
    break;
  }
  return shape(ir::Shape::Size);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

Value BodyImporter::finish(Reducer reducer, Value total,
                           llvm::function_ref<Value()> count) {
  Type type = total.getType();
  if (reducer == Reducer::Any || reducer == Reducer::All)
    return arith::CmpFOp::create(builder_, location_,
                                 reducer == Reducer::Any
                                     ? arith::CmpFPredicate::UNE
                                     : arith::CmpFPredicate::OEQ,
                                 total, constant(0.0, type));
  // Of nothing the total is +0, and so is the mean: there is no need to ask.
  if (needsCount(reducer))
    total = arith::DivFOp::create(
        builder_, location_, total,
        arith::MaximumFOp::create(builder_, location_, count(),
                                  constant(1.0, type)));
  if (reducer == Reducer::Norm || reducer == Reducer::Rms)
    total = math::SqrtOp::create(builder_, location_, total);
  return total;
}

Value BodyImporter::importReduce(const Expr *expr) {
  const Expr *operand = expr->args[0];
  Value value = summand(expr->reducer, operand);
  location_ = context_.quote(builder_.getContext(), expr->range);
  Value total = reduceFine(expr->reducer, value, operand->axis, expr->axis);
  Value result = finish(expr->reducer, total,
                        [&] { return countOf(operand->axis, expr->axis); });
  return round(result, expr->level);
}

Value BodyImporter::foldCross(unsigned index) {
  const Reduction &reduction = rule_.reductions[index];
  const ImportContext::Lists &lists = context_.lists[index];
  auto over =
      reduction.over == Level::Group ? ir::Level::Group : ir::Level::Model;
  auto fold = [&](ir::Reducer how, llvm::StringRef list) -> Value {
    return ir::FoldOp::create(builder_, location_, how, list,
                              ir::LevelAttr::get(builder_.getContext(), over));
  };
  return finish(reduction.reducer,
                fold(reducerOf(reduction.reducer), lists.total),
                [&] { return fold(ir::Reducer::Sum, lists.count); });
}

Value BodyImporter::importCross(const Expr *expr) {
  const Reduction &reduction = rule_.reductions[expr->index];
  location_ = context_.quote(builder_.getContext(), reduction.range);
  // One number a group, over the group: a list of one.
  if (reduction.shared && reduction.over == Level::Group) {
    Value value = summand(reduction.reducer, reduction.shared);
    return finish(reduction.reducer, reduceTensor(reduction.reducer, value),
                  [&] { return constant(1.0, typeAt(Level::Group)); });
  }
  usedReductions_.insert(expr->index);
  return foldCross(expr->index);
}

/// x/(norm(x) + eps) and the steps. Of a matrix, folded or of rank 2, there is
/// one in the tensor.
Value BodyImporter::importNewtonSchulz(const Expr *expr) {
  Value x = importAt(expr->args[0], Level::Element);
  Value eps = importAt(expr->args[1], Level::Tensor);
  Value numbers[3];
  for (unsigned i = 0; i < 3; ++i)
    numbers[i] = importAt(expr->args[i + 2], Level::Element);
  location_ = context_.quote(builder_.getContext(), expr->range);
  Value square = arith::MulFOp::create(builder_, location_, x, x);
  Value norm =
      finish(Reducer::Norm, reduceFine(Reducer::Norm, square, Axis(), Axis()),
             [] { return Value(); });
  Value divisor = round(arith::AddFOp::create(builder_, location_, norm, eps),
                        Level::Element);
  Value start = arith::DivFOp::create(builder_, location_, x, divisor);
  if (expr->index == 0)
    return start;
  return ir::NewtonSchulzOp::create(builder_, location_, start, numbers[0],
                                    numbers[1], numbers[2], expr->index);
}

/// Whether a value comes from an array of elements, and so is one value each.
static bool readsElements(Value value) {
  llvm::SmallPtrSet<Operation *, 16> seen;
  llvm::SmallVector<Value> left{value};
  while (!left.empty()) {
    Operation *op = left.pop_back_val().getDefiningOp();
    if (!op || isa<ir::ReduceOp>(op) || !seen.insert(op).second)
      continue;
    if (auto get = dyn_cast<ir::GetOp>(op)) {
      auto array = dyn_cast<ir::ArrayOp>(ir::lookup(get, get.getSource()));
      if (array && !array.getSpace())
        return true;
    }
    llvm::append_range(left, op->getOperands());
  }
  return false;
}

void BodyImporter::importPartial(unsigned index) {
  const Reduction &reduction = rule_.reductions[index];
  const Expr *operand = variant_ ? variant_->operands[index] : reduction.shared;
  if (!operand)
    return;
  Value value = summand(reduction.reducer, operand);
  location_ = context_.quote(builder_.getContext(), reduction.range);
  // A coarser value that is written to an array is as many numbers as elements,
  // which nothing would say of it but a reduction over the tensor.
  bool isSpread = operand->level == Level::Element && !readsElements(value);
  if (isSpread || operand->level == Level::Axis)
    value = reduceFine(reduction.reducer, value, operand->axis, Axis());
  // Absent tensors take part between steps, where there is no gradient at all.
  Value when;
  if (variant_ && when_ == ir::When::Step)
    when = present();
  const ImportContext::Lists &lists = context_.lists[index];
  ir::PartialOp::create(builder_, location_, reducerOf(reduction.reducer),
                        lists.total, value, when);
  if (!needsCount(reduction.reducer))
    return;
  Value count = operand->level >= Level::Axis
                    ? countOf(operand->axis, Axis())
                    : constant(1.0, typeAt(Level::Tensor));
  ir::PartialOp::create(builder_, location_, ir::Reducer::Sum, lists.count,
                        count, when);
}

} // namespace updraft
