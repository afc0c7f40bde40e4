//===- GpuCode.cpp - From a plan to code for GPUs -------------------------===//
//
// All passes of the code generator run: what becomes of PTX is made by ptxas,
// or by the driver, in more time than they take. Before them vectors are taken
// apart but where memory is accessed: chips that compute two numbers at once
// would need more registers for it, and wait for memory all the same.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GpuCode.h"

#include "compiler/Passes/LowerToGpu.h"
#include "compiler/Target/ToLlvm.h"
#include "compiler/Target/Tool.h"

#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassInstrumentation.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/Scalarizer.h"

#include <cstdlib>

namespace updraft {

using llvm::Expected;
using llvm::StringRef;

static llvm::Error fail(const char *message) {
  return llvm::createStringError(std::errc::invalid_argument, message);
}

Expected<mlir::OwningOpRef<mlir::ModuleOp>>
lowerCopyToGpu(mlir::ModuleOp plan) {
  mlir::OwningOpRef<mlir::ModuleOp> copy(plan.clone());
  if (failed(lowerToGpu(*copy)))
    return fail("cannot lower the kernels to a GPU");
  return copy;
}

/// Launches are what the driver can call; all else is for their use alone.
static Expected<std::unique_ptr<llvm::Module>>
moduleFor(mlir::ModuleOp kernels, llvm::LLVMContext &context,
          llvm::TargetMachine &machine) {
  std::unique_ptr<llvm::Module> module = translate(kernels, context);
  if (!module)
    return fail("cannot translate the kernels to LLVM");
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : *module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (!function.hasLocalLinkage())
      function.setCallingConv(llvm::CallingConv::PTX_Kernel);
  }
  return module;
}

template <typename Print>
static Expected<std::string> make(mlir::ModuleOp kernels, const Gpu &gpu,
                                  const Print &printTo) {
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(gpu);
  if (!machine)
    return fail("this build of LLVM cannot generate code for a GPU");
  llvm::LLVMContext context;
  auto module = moduleFor(kernels, context, *machine);
  if (!module)
    return module.takeError();
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream out(text);
  printTo(**module, *machine, out);
  return std::string(text.begin(), text.end());
}

Expected<std::string> gpuLlvm(mlir::ModuleOp kernels, const Gpu &gpu) {
  return make(kernels, gpu,
              [](llvm::Module &module, llvm::TargetMachine &,
                 llvm::raw_ostream &out) { module.print(out, nullptr); });
}

static void takeVectorsApart(llvm::Module &module,
                             llvm::TargetMachine &machine) {
  llvm::FunctionAnalysisManager facts;
  facts.registerPass([] { return llvm::PassInstrumentationAnalysis(); });
  facts.registerPass([] { return llvm::DominatorTreeAnalysis(); });
  facts.registerPass([&] { return machine.getTargetIRAnalysis(); });
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      llvm::ScalarizerPass().run(function, facts);
}

Expected<std::string> gpuPtx(mlir::ModuleOp kernels, const Gpu &gpu) {
  return make(kernels, gpu,
              [](llvm::Module &module, llvm::TargetMachine &machine,
                 llvm::raw_pwrite_stream &out) {
                takeVectorsApart(module, machine);
                llvm::legacy::PassManager passes;
                machine.addPassesToEmitFile(passes, out, nullptr,
                                            llvm::CodeGenFileType::AssemblyFile,
                                            /*DisableVerify=*/true);
                passes.run(module);
              });
}

Expected<std::vector<GpuCode>> gpuCodes(mlir::ModuleOp plan,
                                        llvm::ArrayRef<const Gpu *> gpus) {
  std::vector<GpuCode> result;
  if (gpus.empty())
    return result;
  auto kernels = lowerCopyToGpu(plan);
  if (!kernels)
    return kernels.takeError();
  for (const Gpu *gpu : gpus) {
    auto ptx = gpuPtx(**kernels, *gpu);
    if (!ptx)
      return ptx.takeError();
    result.push_back({gpu->arch, std::move(*ptx), {}});
  }
  return result;
}

Expected<std::vector<GpuCode>> gpuCodes(mlir::ModuleOp plan,
                                        llvm::ArrayRef<const Gpu *> gpus,
                                        llvm::ArrayRef<const Gpu *> cubins) {
  auto result = gpuCodes(plan, gpus);
  if (!result)
    return result;
  auto assembled = gpuCodes(plan, cubins);
  if (!assembled)
    return assembled;
  for (auto [code, gpu] : llvm::zip(*assembled, cubins)) {
    auto cubin = assemblePtx(code.ptx, *gpu);
    if (!cubin)
      return cubin.takeError();
    code.cubin = std::move(*cubin);
    result->push_back(std::move(code));
  }
  return result;
}

static llvm::ErrorOr<std::string> findPtxas() {
  if (auto path = llvm::sys::findProgramByName("ptxas"))
    return path;
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char *folder = std::getenv(variable))
      if (auto path = llvm::sys::findProgramByName(
              "ptxas", {std::string(folder) + "/bin"}))
        return path;
  return std::make_error_code(std::errc::no_such_file_or_directory);
}

Expected<llvm::SmallVector<char, 0>> assemblePtx(StringRef ptx,
                                                 const Gpu &gpu) {
  auto ptxas = findPtxas();
  if (!ptxas)
    return llvm::createStringError(
        ptxas.getError(),
        "no 'ptxas' was found, neither on the path nor below CUDA_HOME; "
        "--emit=ptx needs none");
  std::string arch = ("-arch=" + gpu.name).str();
  return runTool(*ptxas, {arch}, ptx, "ptx", "cubin");
}

} // namespace updraft
