//===- updraft-opt.cpp - One pass at a time, for tests --------------------===//
//
// Reads and prints the compiler's intermediate forms and runs passes by name.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Dialect.h"
#include "compiler/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  updraft::registerPasses();
  mlir::DialectRegistry registry;
  registry.insert<updraft::ir::UpdraftDialect, mlir::arith::ArithDialect,
                  mlir::math::MathDialect, mlir::scf::SCFDialect,
                  mlir::cf::ControlFlowDialect, mlir::vector::VectorDialect,
                  mlir::LLVM::LLVMDialect>();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "updraft optimizer driver\n", registry));
}
