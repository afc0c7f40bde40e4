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
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>

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

/// A code generator that keeps every rounding the program asks for. Null where
/// LLVM was built without the architecture.
std::unique_ptr<llvm::TargetMachine> createMachine(const Target &target);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_TARGET_H
