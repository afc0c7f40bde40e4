//===- Target.h - The machines that programs are compiled for -------------===//
//
// One table: what the user calls a machine, what LLVM calls it, what its loops
// look like. Nothing else in the compiler asks which machine it is.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_TARGET_H
#define UPDRAFT_COMPILER_TARGET_TARGET_H

#include "compiler/Passes/LowerToLoops.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace updraft {

struct Target {
  llvm::StringRef name; ///< "x86-64-v3"
  uint32_t abi;         ///< enum updraft_target
  llvm::StringRef triple, cpu, features;
  LoopShape::Tail tail;
  /// Value of the function attribute prefer-vector-width; empty: none.
  llvm::StringRef vectorBits;
  unsigned registerBytes, tileRows; ///< as LoopShape has them
};

/// All targets, the least demanding of each architecture first.
llvm::ArrayRef<Target> allTargets();
/// The target of that name; empty: the best one that this machine can run.
/// Null if there is none.
const Target *findTarget(llvm::StringRef name);

/// A GPU that code can be made for beside that of a processor.
struct Gpu {
  llvm::StringRef name; ///< "sm_90"
  unsigned arch;        ///< 90: compute capability 9.0
};

/// All of them, the least demanding first.
llvm::ArrayRef<Gpu> allGpus();

/// What one program is compiled for.
struct TargetList {
  TargetList(const Target &cpu) : cpu(&cpu) {}

  const Target *cpu;
  llvm::SmallVector<const Gpu *> gpus;   ///< as PTX; in order, each once
  llvm::SmallVector<const Gpu *> cubins; ///< as machine code, likewise
  bool namesCpu = true; ///< else it is what this machine can run
};

/// The targets that `names`, separated by commas, say; at most one processor is
/// among them, and "sm_90:cubin" is machine code for that GPU. None if there is
/// another name, or nothing that this machine can run and no processor named.
std::optional<TargetList> findTargets(llvm::StringRef names);

/// A code generator that keeps every rounding the program asks for. Null where
/// LLVM was built without the architecture.
std::unique_ptr<llvm::TargetMachine> createMachine(const Target &target);
std::unique_ptr<llvm::TargetMachine> createMachine(const Gpu &gpu);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_TARGET_H
