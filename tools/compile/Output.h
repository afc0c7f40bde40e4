//===- Output.h - What updraftc prints and writes -------------------------===//

#ifndef UPDRAFT_TOOLS_COMPILE_OUTPUT_H
#define UPDRAFT_TOOLS_COMPILE_OUTPUT_H

#include "CommandLine.h"

namespace updraft::compile {

/// What a call of the tool ends with.
enum ExitCode { kDone = 0, kBadInput = 1, kBadUsage = 2, kBug = 70 };

/// Writes to `path`, to standard output if that is empty or "-", and returns
/// the exit code.
int writeText(llvm::StringRef path, llvm::StringRef bytes);

/// Does what the line says and returns the exit code. Messages go to stderr. A
/// file is written whole or not at all.
int runCommand(const CommandLine &line);

} // namespace updraft::compile

#endif // UPDRAFT_TOOLS_COMPILE_OUTPUT_H
