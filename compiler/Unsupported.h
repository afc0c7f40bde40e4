//===- Unsupported.h - What the compiler cannot do yet --------------------===//

#ifndef UPDRAFT_COMPILER_UNSUPPORTED_H
#define UPDRAFT_COMPILER_UNSUPPORTED_H

#include <string>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace updraft {

struct Rule;

/// A message about the first thing in a checked rule that only the interpreter
/// can run, empty if there is none. It has its label and, if `sources` has the
/// text, its place.
std::string findUnsupported(const Rule &rule, const llvm::SourceMgr *sources);

} // namespace updraft

#endif // UPDRAFT_COMPILER_UNSUPPORTED_H
