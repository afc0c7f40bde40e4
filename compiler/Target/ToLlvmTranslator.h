//===- ToLlvmTranslator.h - From loops to an LLVM module ------------------===//
//
// ToLlvm.cpp translates functions and their blocks, ToLlvmOps.cpp what stands
// in them.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_TOLLVMTRANSLATOR_H
#define UPDRAFT_COMPILER_TARGET_TOLLVMTRANSLATOR_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace updraft::tollvm {

using Values = llvm::SmallVector<llvm::Value *>;

/// An operation whose instruction follows from its operands and result type.
struct Plain {
  enum Kind { Binary, Cast, Intrinsic } kind;
  unsigned code;
};

class Translator {
public:
  Translator(mlir::ModuleOp source, llvm::Module &module, llvm::StringRef ready)
      : source_(source), module_(module), ready_(ready),
        at_(module.getContext()) {}

  mlir::LogicalResult run();

private:
  llvm::Type *typeOf(mlir::Type type);
  llvm::Type *makeType(mlir::Type type);
  llvm::Constant *constantOf(mlir::Attribute value, llvm::Type *type);
  llvm::Value *valueOf(mlir::Value value) { return values_.lookup(value); }
  Values valuesOf(mlir::ValueRange values);
  void bind(mlir::ValueRange values, llvm::ArrayRef<llvm::Value *> to);

  void declare(mlir::LLVM::GlobalOp global);
  void declare(mlir::func::FuncOp function);
  mlir::LogicalResult fill(mlir::func::FuncOp function);
  void fillWith(llvm::ArrayRef<uint8_t> code);
  llvm::BasicBlock *makeBlock();
  void beginBlock(llvm::BasicBlock *block);
  Values phisFor(mlir::ValueRange like, unsigned sources);
  void addIncoming(llvm::ArrayRef<llvm::Value *> phis,
                   llvm::ArrayRef<llvm::Value *> from);

  mlir::LogicalResult emit(mlir::Block &block);
  mlir::LogicalResult emit(mlir::Operation &operation);
  /// What the operation computes, or the store; null if it is neither.
  llvm::Value *emitLeaf(mlir::Operation &operation);
  llvm::Value *emitPlain(const Plain &plain, mlir::Operation &operation);
  llvm::Value *emitOther(mlir::Operation &operation);
  llvm::Value *emitMemory(mlir::Operation &operation);
  llvm::Value *emitAddress(mlir::LLVM::GEPOp address);
  llvm::Value *emitCall(mlir::func::CallOp call);
  mlir::LogicalResult emitControl(mlir::Operation &operation);
  mlir::LogicalResult emitFor(mlir::scf::ForOp loop);
  mlir::LogicalResult emitWhile(mlir::scf::WhileOp loop);
  mlir::LogicalResult emitIf(mlir::scf::IfOp branch);

  mlir::ModuleOp source_;
  llvm::Module &module_;
  llvm::StringRef ready_;
  llvm::IRBuilder<> at_;
  llvm::Function *function_ = nullptr;
  llvm::DenseMap<mlir::Value, llvm::Value *> values_;
  llvm::DenseMap<mlir::Block *, llvm::BasicBlock *> blocks_;
  llvm::DenseMap<mlir::Type, llvm::Type *> types_;
};

} // namespace updraft::tollvm

#endif // UPDRAFT_COMPILER_TARGET_TOLLVMTRANSLATOR_H
