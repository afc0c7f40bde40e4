//===- Prebuilt.h - Machine code of the functions that programs share -----===//
//
// Powers, totals of lists and the like are the same in every program that has
// them: a name stands for one body. Half of the code of a small program is
// theirs, so it is generated when the compiler is built (MakePrebuilt.cpp) and
// put into programs as bytes. The bytes are what the code generator would make
// of the body; constants stand behind the code, and nothing refers to anything
// else.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_PREBUILT_H
#define UPDRAFT_COMPILER_TARGET_PREBUILT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstddef>
#include <cstdint>

namespace updraft {

/// Its code may be run at any multiple of so many bytes.
constexpr uint64_t kPrebuiltAlignment = 64;

struct PrebuiltFunction {
  const char *target, *name;
  const uint8_t *code; ///< begins with the function's first instruction
  size_t bytes;
};

/// In order of target and name.
struct PrebuiltTable {
  const PrebuiltFunction *functions;
  size_t count;
};

/// The code of `function` for `target`; empty where it has to be generated.
llvm::ArrayRef<uint8_t> findPrebuilt(llvm::StringRef target,
                                     llvm::StringRef function);

} // namespace updraft

/// Written by MakePrebuilt.cpp. A tool that is linked without it generates all
/// code itself.
extern const updraft::PrebuiltTable updraft_prebuilt_table
    __attribute__((weak));

#endif // UPDRAFT_COMPILER_TARGET_PREBUILT_H
