//===- Linker.h - A shared object by the system's linker ------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_LINKER_H
#define UPDRAFT_COMPILER_TARGET_LINKER_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace updraft {

/// Links `object` alone to a shared object with a linker that is installed
/// (for people with debuggers: a program needs no linker to run).
llvm::Expected<llvm::SmallVector<char, 0>> linkShared(llvm::StringRef object);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_LINKER_H
