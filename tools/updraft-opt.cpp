//===- updraft-opt.cpp - One pass at a time, for tests --------------------===//
//
// Reads and prints the compiler's intermediate forms and runs passes by name.
//
//===----------------------------------------------------------------------===//

#include "tools/Files.h"

#include "compiler/Dialect/Dialect.h"
#include "compiler/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"

#include <unistd.h>

static int complain(const llvm::Twine &what) {
  llvm::errs() << "updraft-opt: error: " << what << "\n";
  return 1;
}

/// --help is printed by LLVM, whose streams end the process where they fail.
static void tellWhy(void *, const char *reason, bool) {
  complain(reason);
  _exit(1);
}

int main(int argc, char **argv) {
  updraft::tools::ignoreFileSizeSignal();
  llvm::install_fatal_error_handler(tellWhy);
  updraft::registerPasses();
  mlir::DialectRegistry registry;
  registry.insert<updraft::ir::UpdraftDialect, mlir::arith::ArithDialect,
                  mlir::math::MathDialect, mlir::scf::SCFDialect,
                  mlir::cf::ControlFlowDialect, mlir::vector::VectorDialect,
                  mlir::LLVM::LLVMDialect>();
  auto [input, output] = mlir::registerAndParseCLIOptions(
      argc, argv, "updraft optimizer driver\n", registry);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, input, output, registry));
  std::string why, text;
  std::unique_ptr<llvm::MemoryBuffer> source = mlir::openInputFile(input, &why);
  if (!source)
    return complain(why);
  llvm::raw_string_ostream printed(text);
  if (failed(mlir::MlirOptMain(printed, std::move(source), registry, config)))
    return 1;
  if (llvm::Error error = updraft::tools::writeOutput(output, text))
    return complain(llvm::toString(std::move(error)));
  return 0;
}
