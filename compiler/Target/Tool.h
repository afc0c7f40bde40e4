//===- Tool.h - Programs that turn one file into another ------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_TOOL_H
#define UPDRAFT_COMPILER_TARGET_TOOL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace updraft {

/// Runs `tool OPTIONS -o OUTPUT INPUT` on temporary files that end in the
/// suffixes, and returns what it writes. Fails with the system's code, or
/// io_error where the tool does; what it says goes to the standard error.
llvm::Expected<llvm::SmallVector<char, 0>>
runTool(llvm::StringRef tool, llvm::ArrayRef<llvm::StringRef> options,
        llvm::StringRef input, llvm::StringRef inputSuffix,
        llvm::StringRef outputSuffix);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_TOOL_H
