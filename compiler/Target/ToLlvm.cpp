//===- ToLlvm.cpp - From loops to an LLVM module --------------------------===//
//
// One walk. An operation of a body is one instruction, in the same order; a
// loop or a branch is the few blocks it takes. Upstream's conversions reach
// the same module through the llvm dialect in eight times the time.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/ToLlvm.h"

#include "compiler/Target/Prebuilt.h"
#include "compiler/Target/ToLlvmTranslator.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace updraft {

namespace cf = mlir::cf;
namespace func = mlir::func;
namespace scf = mlir::scf;
using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::success;

namespace tollvm {

//===- Blocks -------------------------------------------------------------===//

llvm::BasicBlock *Translator::makeBlock() {
  return llvm::BasicBlock::Create(module_.getContext());
}

/// Blocks stand in the order in which they are filled.
void Translator::beginBlock(llvm::BasicBlock *block) {
  function_->insert(function_->end(), block);
  at_.SetInsertPoint(block);
}

/// What arrives here from `sources` other blocks, one for each of `like`.
Values Translator::phisFor(mlir::ValueRange like, unsigned sources) {
  Values phis;
  for (mlir::Value value : like)
    phis.push_back(at_.CreatePHI(typeOf(value.getType()), sources));
  return phis;
}

/// `from` arrives at `phis` from the block at hand.
void Translator::addIncoming(llvm::ArrayRef<llvm::Value *> phis,
                             llvm::ArrayRef<llvm::Value *> from) {
  for (auto [phi, value] : llvm::zip(phis, from))
    llvm::cast<llvm::PHINode>(phi)->addIncoming(value, at_.GetInsertBlock());
}

LogicalResult Translator::emitFor(scf::ForOp loop) {
  llvm::BasicBlock *head = makeBlock(), *body = makeBlock(), *end = makeBlock();
  llvm::BasicBlock *before = at_.GetInsertBlock();
  at_.CreateBr(head);
  beginBlock(head);
  Values state = phisFor(loop.getBody()->getArguments(), 2);
  llvm::Value *number = state[0];
  at_.CreateCondBr(at_.CreateICmpSLT(number, valueOf(loop.getUpperBound())),
                   body, end);
  Values start{valueOf(loop.getLowerBound())};
  llvm::append_range(start, valuesOf(loop.getInitArgs()));
  for (auto [phi, value] : llvm::zip(state, start))
    llvm::cast<llvm::PHINode>(phi)->addIncoming(value, before);
  bind(loop.getBody()->getArguments(), state);
  beginBlock(body);
  if (failed(emit(*loop.getBody())))
    return failure();
  Values next{at_.CreateAdd(number, valueOf(loop.getStep()))};
  llvm::append_range(next,
                     valuesOf(loop.getBody()->getTerminator()->getOperands()));
  addIncoming(state, next);
  at_.CreateBr(head);
  beginBlock(end);
  bind(loop.getResults(), llvm::ArrayRef(state).drop_front());
  return success();
}

LogicalResult Translator::emitWhile(scf::WhileOp loop) {
  llvm::BasicBlock *head = makeBlock(), *body = makeBlock(), *end = makeBlock();
  Values start = valuesOf(loop.getInits());
  llvm::BasicBlock *before = at_.GetInsertBlock();
  at_.CreateBr(head);
  beginBlock(head);
  Values state = phisFor(loop.getBeforeArguments(), 2);
  for (auto [phi, value] : llvm::zip(state, start))
    llvm::cast<llvm::PHINode>(phi)->addIncoming(value, before);
  bind(loop.getBeforeArguments(), state);
  if (failed(emit(*loop.getBeforeBody())))
    return failure();
  scf::ConditionOp condition = loop.getConditionOp();
  Values passed = valuesOf(condition.getArgs());
  at_.CreateCondBr(valueOf(condition.getCondition()), body, end);
  bind(loop.getAfterArguments(), passed);
  beginBlock(body);
  if (failed(emit(*loop.getAfterBody())))
    return failure();
  addIncoming(state, valuesOf(loop.getYieldOp().getOperands()));
  at_.CreateBr(head);
  beginBlock(end);
  bind(loop.getResults(), passed);
  return success();
}

LogicalResult Translator::emitIf(scf::IfOp branch) {
  bool hasElse = !branch.getElseRegion().empty();
  llvm::BasicBlock *then = makeBlock(), *end = makeBlock();
  llvm::BasicBlock *otherwise = hasElse ? makeBlock() : end;
  at_.CreateCondBr(valueOf(branch.getCondition()), then, otherwise);
  llvm::SmallVector<std::pair<llvm::BasicBlock *, Values>> sides;
  auto emitSide = [&](llvm::BasicBlock *start, mlir::Block *block) {
    beginBlock(start);
    if (failed(emit(*block)))
      return failure();
    sides.emplace_back(at_.GetInsertBlock(),
                       valuesOf(block->getTerminator()->getOperands()));
    at_.CreateBr(end);
    return success();
  };
  if (failed(emitSide(then, branch.thenBlock())) ||
      (hasElse && failed(emitSide(otherwise, branch.elseBlock()))))
    return failure();
  beginBlock(end);
  Values results = phisFor(branch.getResults(), 2);
  for (auto &[block, values] : sides)
    for (auto [phi, value] : llvm::zip(results, values))
      llvm::cast<llvm::PHINode>(phi)->addIncoming(value, block);
  bind(branch.getResults(), results);
  return success();
}

/// Loops and branches, and what ends a block. Ends of regions are read by what
/// holds them.
LogicalResult Translator::emitControl(mlir::Operation &operation) {
  return llvm::TypeSwitch<mlir::Operation *, LogicalResult>(&operation)
      .Case([&](scf::ForOp op) { return emitFor(op); })
      .Case([&](scf::WhileOp op) { return emitWhile(op); })
      .Case([&](scf::IfOp op) { return emitIf(op); })
      .Case<scf::YieldOp, scf::ConditionOp>([](auto) { return success(); })
      .Case([&](cf::BranchOp op) {
        at_.CreateBr(blocks_.lookup(op.getDest()));
        return success();
      })
      .Case([&](cf::CondBranchOp op) {
        at_.CreateCondBr(valueOf(op.getCondition()),
                         blocks_.lookup(op.getTrueDest()),
                         blocks_.lookup(op.getFalseDest()));
        return success();
      })
      .Case([&](func::ReturnOp op) {
        if (op.getNumOperands() == 0)
          at_.CreateRetVoid();
        else
          at_.CreateRet(valueOf(op.getOperand(0)));
        return success();
      })
      .Default([](mlir::Operation *op) {
        return op->emitOpError("has no counterpart in LLVM");
      });
}

LogicalResult Translator::emit(mlir::Operation &operation) {
  llvm::Value *value = emitLeaf(operation);
  if (!value)
    return emitControl(operation);
  if (operation.getNumResults() != 0)
    values_[operation.getResult(0)] = value;
  return success();
}

LogicalResult Translator::emit(mlir::Block &block) {
  for (mlir::Operation &operation : block)
    if (failed(emit(operation)))
      return failure();
  return success();
}

//===- Functions ----------------------------------------------------------===//

void Translator::declare(func::FuncOp function) {
  llvm::SmallVector<llvm::Type *> operands;
  for (mlir::Type type : function.getArgumentTypes())
    operands.push_back(typeOf(type));
  llvm::Type *result = function.getNumResults() == 0
                           ? llvm::Type::getVoidTy(module_.getContext())
                           : typeOf(function.getResultTypes()[0]);
  auto linkage = function.isPrivate() ? llvm::GlobalValue::InternalLinkage
                                      : llvm::GlobalValue::ExternalLinkage;
  auto *made = llvm::Function::Create(
      llvm::FunctionType::get(result, operands, /*isVarArg=*/false), linkage,
      function.getName(), module_);
  if (auto names = function->getAttrOfType<mlir::ArrayAttr>("passthrough"))
    for (auto name : names.getAsRange<mlir::StringAttr>())
      made->addFnAttr(llvm::Attribute::getAttrKindFromName(name.getValue()));
}

LogicalResult Translator::fill(func::FuncOp function) {
  function_ = module_.getFunction(function.getName());
  if (llvm::ArrayRef<uint8_t> code = findPrebuilt(ready_, function.getName());
      !code.empty()) {
    fillWith(code);
    return success();
  }
  values_.clear();
  blocks_.clear();
  for (mlir::Block &block : function.getBody())
    blocks_[&block] = makeBlock();
  for (auto [argument, value] :
       llvm::zip(function.getArguments(), function_->args()))
    values_[argument] = &value;
  for (mlir::Block &block : function.getBody()) {
    beginBlock(blocks_.lookup(&block));
    if (failed(emit(block)))
      return failure();
  }
  return success();
}

/// The code stands before the body, which is never reached.
void Translator::fillWith(llvm::ArrayRef<uint8_t> code) {
  function_->setPrologueData(
      llvm::ConstantDataArray::get(module_.getContext(), code));
  function_->setAlignment(llvm::Align(kPrebuiltAlignment));
  beginBlock(makeBlock());
  at_.CreateUnreachable();
}

/// Memory that a block of a GPU's threads shares begins with anything.
void Translator::declare(mlir::LLVM::GlobalOp global) {
  llvm::Type *type = typeOf(global.getGlobalType());
  auto *made = new llvm::GlobalVariable(
      module_, type, /*isConstant=*/false, llvm::GlobalValue::InternalLinkage,
      llvm::UndefValue::get(type), global.getSymName(), nullptr,
      llvm::GlobalValue::NotThreadLocal, global.getAddrSpace());
  made->setAlignment(llvm::MaybeAlign(global.getAlignment().value_or(0)));
}

LogicalResult Translator::run() {
  for (auto global : source_.getOps<mlir::LLVM::GlobalOp>())
    declare(global);
  for (auto function : source_.getOps<func::FuncOp>())
    declare(function);
  for (auto function : source_.getOps<func::FuncOp>())
    if (failed(fill(function)))
      return failure();
  // What they call is in their code.
  for (auto function : source_.getOps<func::FuncOp>())
    if (llvm::Function *made = module_.getFunction(function.getName());
        made->hasPrologueData() && made->use_empty())
      made->eraseFromParent();
  return success();
}

} // namespace tollvm

std::unique_ptr<llvm::Module> translate(mlir::ModuleOp module,
                                        llvm::LLVMContext &context,
                                        llvm::StringRef ready) {
  auto result = std::make_unique<llvm::Module>("updraft", context);
  if (failed(tollvm::Translator(module, *result, ready).run()))
    return nullptr;
  return result;
}

} // namespace updraft
