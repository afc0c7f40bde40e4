//===- ExpandMath.cpp - Functions in terms of exact arithmetic ------------===//
//
// Every function is one internal function for each type, not inlined at each
// use: a rule that takes twenty powers has one copy, and code generation costs
// what one costs. All of them work in f64: f32 operands are widened, and
// vectors cut to the eight lanes that fill a register, at the call.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/ExpandMath.h"

#include "compiler/Dialect/Dialect.h"
#include "compiler/Passes/ExpandMathFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <numeric>

namespace func = mlir::func;

namespace updraft {

/// Lanes of f64 that one call computes.
static constexpr int64_t kLanes = 8;

static int64_t lanesOf(mlir::Type type) {
  auto vector = mlir::dyn_cast<mlir::VectorType>(type);
  return vector ? vector.getNumElements() : 1;
}

static expand::Number emitBody(ir::Function function,
                               llvm::ArrayRef<expand::Number> args) {
  switch (function) {
  case ir::Function::Exp:
    return expand::exp(args[0]);
  case ir::Function::Log:
    return expand::log(args[0]);
  case ir::Function::Expm1:
    return expand::expm1(args[0]);
  case ir::Function::Log1p:
    return expand::log1p(args[0]);
  case ir::Function::Tanh:
    return expand::tanh(args[0]);
  case ir::Function::Sigmoid:
    return expand::sigmoid(args[0]);
  case ir::Function::Atan2:
    return expand::atan2(args[0], args[1]);
  case ir::Function::Cos:
    return expand::cos(args[0]);
  case ir::Function::Pow:
    return expand::pow(args[0], args[1]);
  case ir::Function::Mod:
    return expand::mod(args[0], args[1]);
  }
  llvm_unreachable("no such function");
}

static func::FuncOp makeFunction(mlir::ModuleOp module, llvm::StringRef name,
                                 ir::Function function,
                                 mlir::ValueRange operands) {
  mlir::MLIRContext *context = module.getContext();
  mlir::Location location = mlir::UnknownLoc::get(context);
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockBegin(module.getBody());
  mlir::Type type = operands[0].getType();
  auto result = func::FuncOp::create(
      builder, location, name,
      builder.getFunctionType(
          llvm::SmallVector<mlir::Type>(operands.getTypes().begin(),
                                        operands.getTypes().end()),
          type));
  result.setPrivate();
  result->setAttr("llvm.linkage", mlir::LLVM::LinkageAttr::get(
                                      context, mlir::LLVM::Linkage::Internal));
  mlir::Block *entry = result.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  expand::Emitter emitter(builder, location, type, entry);
  llvm::SmallVector<expand::Number> args;
  for (mlir::Value argument : entry->getArguments())
    args.push_back(emitter.wrap(argument));
  func::ReturnOp::create(builder, location, emitBody(function, args).value);
  return result;
}

/// A call on f64, scalar or in at most kLanes lanes.
static mlir::Value emitCall(mlir::OpBuilder &builder, mlir::Location location,
                            ir::Function function, mlir::ValueRange operands) {
  auto module = builder.getInsertionBlock()
                    ->getParentOp()
                    ->getParentOfType<mlir::ModuleOp>();
  mlir::Type type = operands[0].getType();
  std::string name = "updraft_" + ir::stringifyFunction(function).str();
  if (mlir::isa<mlir::VectorType>(type))
    name += "_x" + std::to_string(lanesOf(type));
  auto callee = module.lookupSymbol<func::FuncOp>(name);
  if (!callee)
    callee = makeFunction(module, name, function, operands);
  return func::CallOp::create(builder, location, callee, operands).getResult(0);
}

/// The lanes of `operands` from `begin` on, half of them.
static llvm::SmallVector<mlir::Value> halfOf(mlir::OpBuilder &builder,
                                             mlir::Location location,
                                             mlir::ValueRange operands,
                                             int64_t begin) {
  llvm::SmallVector<int64_t> lanes(lanesOf(operands[0].getType()) / 2);
  std::iota(lanes.begin(), lanes.end(), begin);
  llvm::SmallVector<mlir::Value> half;
  for (mlir::Value operand : operands)
    half.push_back(mlir::vector::ShuffleOp::create(builder, location, operand,
                                                   operand, lanes));
  return half;
}

mlir::Value emitFunction(mlir::OpBuilder &builder, mlir::Location location,
                         ir::Function function, mlir::ValueRange operands) {
  mlir::Type type = operands[0].getType();
  int64_t lanes = lanesOf(type);
  if (lanes > kLanes) {
    mlir::Value low = emitFunction(builder, location, function,
                                   halfOf(builder, location, operands, 0));
    mlir::Value high =
        emitFunction(builder, location, function,
                     halfOf(builder, location, operands, lanes / 2));
    llvm::SmallVector<int64_t> all(lanes);
    std::iota(all.begin(), all.end(), 0);
    return mlir::vector::ShuffleOp::create(builder, location, low, high, all);
  }
  if (mlir::getElementTypeOrSelf(type).isF64())
    return emitCall(builder, location, function, operands);
  mlir::Type wide = builder.getF64Type();
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    wide = mlir::VectorType::get(vector.getShape(), wide);
  llvm::SmallVector<mlir::Value> widened;
  for (mlir::Value operand : operands)
    widened.push_back(
        mlir::arith::ExtFOp::create(builder, location, wide, operand));
  return mlir::arith::TruncFOp::create(
      builder, location, type, emitCall(builder, location, function, widened));
}

} // namespace updraft
