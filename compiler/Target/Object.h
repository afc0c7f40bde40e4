//===- Object.h - From an LLVM module to machine code ---------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_OBJECT_H
#define UPDRAFT_COMPILER_TARGET_OBJECT_H

#include "compiler/Target/Descriptor.h"
#include "compiler/Target/Target.h"

#include "llvm/ADT/SmallVector.h"

namespace llvm {
class Module;
} // namespace llvm

namespace updraft {

/// Fits the module to the machine and makes its functions internal.
void fitToMachine(llvm::Module &module, const Target &target,
                  llvm::TargetMachine &machine);

/// Adds the program as an exported constant.
void addProgram(llvm::Module &module, const Descriptor &descriptor);

/// Generates code as an ELF object, or as assembly.
llvm::SmallVector<char, 0> generateCode(llvm::Module &module,
                                        llvm::TargetMachine &machine,
                                        bool asAssembly);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_OBJECT_H
