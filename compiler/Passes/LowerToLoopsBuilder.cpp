//===- LowerToLoopsBuilder.cpp - Short names for what loops are made of ---===//

#include "compiler/Passes/LowerToLoopsBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

#include <limits>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

Type Builder::widened(Type type, unsigned width) {
  return width == 1 ? type : mlir::VectorType::get({width}, type);
}

Value Builder::integer(int64_t value, Type type) {
  Type wanted = type ? type : getI64Type();
  return arith::ConstantOp::create(*this, location, wanted,
                                   getIntegerAttr(wanted, value));
}

Value Builder::number(double value, Type type) {
  mlir::TypedAttr attribute;
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    attribute = mlir::DenseElementsAttr::get(
        vector, mlir::Attribute(getFloatAttr(vector.getElementType(), value)));
  else
    attribute = getFloatAttr(type, value);
  return arith::ConstantOp::create(*this, location, attribute);
}

Value Builder::at(Value base, int64_t bytes) {
  if (bytes == 0)
    return base;
  return LLVM::GEPOp::create(*this, location, base.getType(), getI8Type(), base,
                             llvm::ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
}

Value Builder::at(Value base, Value bytes) {
  return at(base, bytes, getI8Type());
}

Value Builder::at(Value base, Value index, Type item) {
  if (mlir::matchPattern(index, mlir::m_Zero()))
    return base;
  return LLVM::GEPOp::create(*this, location, base.getType(), item, base,
                             llvm::ArrayRef<LLVM::GEPArg>{index});
}

Value Builder::load(Type type, Value address, unsigned alignment,
                    bool isConstant) {
  auto load = LLVM::LoadOp::create(*this, location, type, address, alignment);
  load.setInvariant(isConstant);
  return load;
}

void Builder::store(Value value, Value address, unsigned alignment) {
  LLVM::StoreOp::create(*this, location, value, address, alignment);
}

Value Builder::intrinsic(llvm::StringRef name, Type type, ValueRange operands) {
  mlir::StringAttr symbol = getStringAttr(name);
  if (type)
    return LLVM::CallIntrinsicOp::create(*this, location, type, symbol,
                                         operands)
        .getResult(0);
  LLVM::CallIntrinsicOp::create(*this, location, symbol, operands);
  return {};
}

Value Builder::stack(Type item, int64_t count) {
  return LLVM::AllocaOp::create(*this, location,
                                LLVM::LLVMPointerType::get(getContext()), item,
                                integer(count), /*alignment=*/64);
}

Value Builder::add(Value left, Value right) {
  if (mlir::matchPattern(right, mlir::m_Zero()))
    return left;
  if (mlir::matchPattern(left, mlir::m_Zero()))
    return right;
  return arith::AddIOp::create(*this, location, left, right);
}

Value Builder::multiply(Value left, Value right) {
  if (mlir::matchPattern(right, mlir::m_Zero()))
    return right;
  if (mlir::matchPattern(right, mlir::m_One()))
    return left;
  return arith::MulIOp::create(*this, location, left, right);
}

Value Builder::bitAnd(Value left, int64_t mask) {
  return arith::AndIOp::create(*this, location, left,
                               integer(mask, left.getType()));
}

Value Builder::compare(arith::CmpIPredicate predicate, Value left,
                       Value right) {
  return arith::CmpIOp::create(*this, location, predicate, left, right);
}

void Builder::loop(Value from, Value to, Value step,
                   llvm::function_ref<void(Value)> body) {
  auto loop = mlir::scf::ForOp::create(*this, location, from, to, step);
  InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void Builder::when(Value condition, llvm::function_ref<void()> then,
                   llvm::function_ref<void()> otherwise) {
  auto branch = mlir::scf::IfOp::create(*this, location, condition,
                                        /*withElseRegion=*/bool(otherwise));
  InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  then();
  if (!otherwise)
    return;
  setInsertionPointToStart(branch.elseBlock());
  otherwise();
}

Value Builder::subtract(Value left, Value right) {
  return arith::SubIOp::create(*this, location, left, right);
}

Value Builder::divide(Value left, Value right) {
  return arith::DivUIOp::create(*this, location, left, right);
}

Value Builder::divideUp(Value left, int64_t right) {
  return divide(add(left, integer(right - 1)), integer(right));
}

Value Builder::least(Value left, Value right) {
  return arith::MinUIOp::create(*this, location, left, right);
}

ValueRange callShared(
    Builder &builder, mlir::ModuleOp module, const llvm::Twine &name,
    mlir::TypeRange results, ValueRange operands,
    llvm::function_ref<llvm::SmallVector<Value>(Builder &, ValueRange)> fill) {
  std::string symbol = name.str();
  auto function = module.lookupSymbol<mlir::func::FuncOp>(symbol);
  if (!function) {
    Builder inner(builder.getContext(), builder.location, builder.space);
    inner.setInsertionPointToEnd(module.getBody());
    auto type = builder.getFunctionType(operands.getTypes(), results);
    function = mlir::func::FuncOp::create(inner, inner.location, symbol, type);
    function.setPrivate();
    mlir::Block *block = function.addEntryBlock();
    inner.setInsertionPointToStart(block);
    auto values = fill(inner, block->getArguments());
    mlir::func::ReturnOp::create(inner, inner.location, values);
  }
  return mlir::func::CallOp::create(builder, builder.location, function,
                                    operands)
      .getResults();
}

Value combine(Builder &builder, ir::Reducer reducer, Value left, Value right) {
  switch (reducer) {
  case ir::Reducer::Sum:
    return arith::AddFOp::create(builder, builder.location, left, right);
  case ir::Reducer::Max:
    return arith::MaximumFOp::create(builder, builder.location, left, right);
  case ir::Reducer::Min:
    return arith::MinimumFOp::create(builder, builder.location, left, right);
  }
  llvm_unreachable("an unknown reducer");
}

double identityOf(ir::Reducer reducer) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return reducer == ir::Reducer::Sum   ? 0.0
         : reducer == ir::Reducer::Max ? -infinity
                                       : infinity;
}

} // namespace updraft::loops
