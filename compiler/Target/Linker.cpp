//===- Linker.cpp - A shared object by the system's linker ----------------===//

#include "compiler/Target/Linker.h"

#include "compiler/Target/Tool.h"

#include "llvm/Support/Program.h"

namespace updraft {

using llvm::Expected;
using llvm::StringRef;

/// lld links for every architecture, the system's own linker only for its own.
static llvm::ErrorOr<std::string> findLinker() {
  for (StringRef name : {"ld.lld", "ld.lld-22"})
    if (auto path = llvm::sys::findProgramByName(name))
      return path;
  return llvm::sys::findProgramByName("ld");
}

Expected<llvm::SmallVector<char, 0>> linkShared(StringRef object) {
  auto linker = findLinker();
  if (!linker)
    return llvm::createStringError(
        linker.getError(), "no linker was found: neither 'ld.lld' nor 'ld'");
  return runTool(*linker, {"-shared", "--hash-style=gnu", "-z", "noexecstack"},
                 object, "o", "so");
}

} // namespace updraft
