//===- Compiler.h - From a checked rule to any form of a program ----------===//
//
// The compiler as a library: one call that runs the stages (Pipeline.h) and the
// back half (Target/Emit.h) as far as the caller wants to see.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_COMPILER_H
#define UPDRAFT_COMPILER_COMPILER_H

#include "dsl/Rule.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace updraft {

/// How a rule is compiled. What it computes is in the rule.
struct CompileOptions {
  /// Names of Target.h, separated by commas; without a processor's among them:
  /// this machine's best.
  std::string target;
  /// Where the rule's text is, for locations; may be null.
  const llvm::SourceMgr *sources = nullptr;
  /// Verify after each stage, not only at the end.
  bool verifiesEach = false;
};

/// Why nothing came out. User errors were found before there was a Rule; what
/// is left is a name that does not exist, or a bug of the compiler.
class CompileError : public llvm::ErrorInfo<CompileError> {
public:
  static char ID;
  enum class Kind : uint8_t { Usage, Unsupported, Internal };

  CompileError(Kind kind, std::string text)
      : kind(kind), text(std::move(text)) {}
  void log(llvm::raw_ostream &out) const override;
  std::error_code convertToErrorCode() const override;

  Kind kind;
  std::string text;
};

/// Compiles `rule` to the output of a stage (Pipeline.h), from `updraft` on.
/// The same rule and options give the same bytes. Each thread keeps its own
/// state warm between calls.
llvm::Expected<llvm::SmallVector<char, 0>>
compileRule(const Rule &rule, llvm::StringRef stage,
            const CompileOptions &options = {});

} // namespace updraft

#endif // UPDRAFT_COMPILER_COMPILER_H
