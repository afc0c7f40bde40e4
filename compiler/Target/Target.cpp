//===- Target.cpp - The machines that programs are compiled for -----------===//

#include "compiler/Target/Target.h"

#include "runtime/abi.h"

#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

namespace updraft {

// x86-64-v3 is the least with fma in hardware. AVX2 has no masked access to 16
// bits, AdvSIMD none at all: what LLVM makes of one there is slower than a
// scalar loop. With AVX-512 a mask costs nothing, and one loop instead of two
// halves the code; a masked store of AVX2 is slow on some processors. Of 16
// registers 12 hold sums of a product, of 32 24: the others are for what is
// multiplied.
static constexpr Target kTargets[] = {
    {"x86-64-v3", UPDRAFT_X86_64_V3, "x86_64-unknown-linux-gnu", "x86-64-v3",
     "", LoopShape::Tail::MaskWide, "256", 32, 4},
    {"x86-64-v4", UPDRAFT_X86_64_V4, "x86_64-unknown-linux-gnu", "x86-64-v4",
     "", LoopShape::Tail::MaskLoop, "512", 64, 8},
    {"aarch64", UPDRAFT_AARCH64, "aarch64-unknown-linux-gnu", "generic", "",
     LoopShape::Tail::Scalar, "", 16, 8},
};

llvm::ArrayRef<Target> allTargets() { return kTargets; }

/// What x86-64-v4 asks for beyond v3, and v3 beyond what every processor has.
static llvm::StringRef hostName() {
  if (llvm::Triple(llvm::sys::getProcessTriple()).isAArch64())
    return "aarch64";
  llvm::StringMap<bool> has = llvm::sys::getHostCPUFeatures();
  auto hasAll = [&](llvm::ArrayRef<llvm::StringRef> names) {
    return llvm::all_of(names,
                        [&](llvm::StringRef name) { return has.lookup(name); });
  };
  if (!hasAll({"avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "movbe"}))
    return "none";
  if (hasAll({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    return "x86-64-v4";
  return "x86-64-v3";
}

const Target *findTarget(llvm::StringRef name) {
  if (name.empty())
    name = hostName();
  for (const Target &target : kTargets)
    if (target.name == name)
      return &target;
  return nullptr;
}

// What a later chip can do more does not show in what we ask of it, except for
// minima and maxima, which the code generator knows. PTX for one runs on all
// that are later.
static constexpr Gpu kGpus[] = {
    {"sm_75", 75},   {"sm_80", 80},   {"sm_86", 86},
    {"sm_89", 89},   {"sm_90", 90},   {"sm_100", 100},
    {"sm_103", 103}, {"sm_120", 120}, {"sm_121", 121},
};

llvm::ArrayRef<Gpu> allGpus() { return kGpus; }

std::optional<TargetList> findTargets(llvm::StringRef names) {
  const Target *cpu = nullptr;
  bool isGpu[std::size(kGpus)] = {}, isCubin[std::size(kGpus)] = {};
  llvm::SmallVector<llvm::StringRef> parts;
  if (!names.empty())
    names.split(parts, ',');
  for (llvm::StringRef name : parts) {
    llvm::StringRef chip = name;
    bool *which = chip.consume_back(":cubin") ? isCubin : isGpu;
    const Gpu *gpu = llvm::find_if(
        kGpus, [&](const Gpu &known) { return known.name == chip; });
    if (gpu != std::end(kGpus)) {
      which[gpu - kGpus] = true;
      continue;
    }
    if (cpu || name.empty())
      return std::nullopt;
    cpu = findTarget(name);
    if (!cpu)
      return std::nullopt;
  }
  const Target *host = cpu ? cpu : findTarget("");
  if (!host)
    return std::nullopt;
  TargetList result(*host);
  result.namesCpu = cpu || parts.empty();
  for (const Gpu &gpu : kGpus) {
    if (isGpu[&gpu - kGpus])
      result.gpus.push_back(&gpu);
    if (isCubin[&gpu - kGpus])
      result.cubins.push_back(&gpu);
  }
  return result;
}

static void initializeBackEnds() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
  });
}

static void initializeGpuBackEnd() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
}

static std::unique_ptr<llvm::TargetMachine>
makeMachine(llvm::StringRef tripleName, llvm::StringRef cpu,
            llvm::StringRef features) {
  llvm::Triple triple(tripleName);
  std::string error;
  const llvm::Target *found = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!found)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(found->createTargetMachine(
      triple, cpu, features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Default));
}

std::unique_ptr<llvm::TargetMachine> createMachine(const Target &target) {
  initializeBackEnds();
  return makeMachine(target.triple, target.cpu, target.features);
}

std::unique_ptr<llvm::TargetMachine> createMachine(const Gpu &gpu) {
  initializeGpuBackEnd();
  return makeMachine("nvptx64-nvidia-cuda", gpu.name, "");
}

} // namespace updraft
