//===- Pipeline.cpp - The stages of the compiler --------------------------===//
//
// Data flows one way and each stage adds one kind of fact. A stage's line
// stands where it stands because it needs what the line before it ensures.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipeline.h"
#include "compiler/Passes/Passes.h"

#include "mlir/IR/Verifier.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace updraft;

static LogicalResult plan(ModuleOp module) {
  for (auto program : module.getOps<ir::ProgramOp>())
    if (failed(splitKernels(program)))
      return failure();
  return success();
}

static constexpr llvm::StringRef kRule[] = {"builtin", "updraft", "arith",
                                            "math"};
static constexpr llvm::StringRef kLoops[] = {"builtin", "updraft", "arith",
                                             "math",    "func",    "scf",
                                             "vector",  "llvm",    "ub"};
static constexpr llvm::StringRef kLlvm[] = {"builtin", "llvm"};

static const Stage kStages[] = {
    // name, what holds after it, text?, how, legal
    {"ast", "the text as a tree", true, nullptr, {}},
    {"rule", "one flat rule: every user error is reported", true, nullptr, {}},
    {"updraft", "the rule in the updraft dialect", true, nullptr, kRule},
    // Before any loop: the cut decides which loops there are.
    {"plan", "the rule cut into kernels", true, plan, kRule},
    {"kernels", "vectorised loops, one function a kernel", true, nullptr,
     kLoops},
    {"llvm", "ready to be machine code", true, nullptr, kLlvm},
    {"asm", "machine code as text", true, nullptr, {}},
    {"object",
     "a relocatable object with one constant, the program",
     false,
     nullptr,
     {}},
    {"image", "the program laid out to be mapped and run", false, nullptr, {}},
    {"shared", "a shared object", false, nullptr, {}},
    {"header", "a C header for the object", true, nullptr, {}},
    {"ptx", "kernels for one GPU", true, nullptr, {}},
    {"cubin", "the same as machine code, by ptxas", false, nullptr, {}},
};

llvm::ArrayRef<Stage> updraft::allStages() { return kStages; }

const Stage *updraft::findStage(llvm::StringRef name) {
  const Stage *found = llvm::find_if(
      kStages, [&](const Stage &stage) { return stage.name == name; });
  return found == std::end(kStages) ? nullptr : found;
}

LogicalResult updraft::verifyStage(ModuleOp module, const Stage &stage) {
  WalkResult walked = module.walk([&](Operation *op) {
    if (llvm::is_contained(stage.legal, op->getName().getDialectNamespace()))
      return WalkResult::advance();
    op->emitError() << "'" << op->getName() << "' is left after stage '"
                    << stage.name << "'";
    return WalkResult::interrupt();
  });
  return success(!walked.wasInterrupted() && succeeded(verify(module)));
}

LogicalResult updraft::runUntil(ModuleOp module, llvm::StringRef name,
                                const StageOptions &options) {
  const Stage *last = findStage(name);
  if (!last || last > findStage("plan") || last < findStage("updraft"))
    return module.emitError() << "no pass leads to stage '" << name << "'";
  for (const Stage *stage = findStage("updraft"); stage <= last; ++stage) {
    if (stage->run && failed(stage->run(module)))
      return failure();
    if ((options.verifiesEach || stage == last) &&
        failed(verifyStage(module, *stage)))
      return failure();
  }
  return success();
}
