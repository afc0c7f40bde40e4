//===- Diagnostics.h - Errors and warnings for the user -------------------===//

#ifndef UPDRAFT_DSL_DIAGNOSTICS_H
#define UPDRAFT_DSL_DIAGNOSTICS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"
#include "llvm/Support/SourceMgr.h"

#include <string>
#include <vector>

namespace updraft {

/// Every message has a label, listed in Diagnostics.def and explained in
/// SPEC.md: Label::N1 prints as "[N1]".
enum class Label : uint16_t {
#define UPDRAFT_DIAGNOSTIC(label, severity, summary) label,
#include "Diagnostics.def"
};

/// Collects messages and owns the buffers they point into. Nothing is printed
/// until print(): errors in source order, each once.
class Diagnostics {
public:
  /// Reports; severity comes from the table. `message` has no final period and
  /// begins in lower case. Returns false, so that `return error(...)` reads well.
  bool report(Label label, llvm::SMRange range, const llvm::Twine &message);
  /// Adds a note to the last message.
  void note(llvm::SMRange range, const llvm::Twine &message);

  bool hasErrors() const { return errors_ != 0; }
  unsigned errorCount() const { return errors_; }

  /// All messages with source lines and carets. `color` only for a terminal.
  void print(llvm::raw_ostream &out, bool color = false) const;

  llvm::SourceMgr &sources() { return sources_; }
  const llvm::SourceMgr &sources() const { return sources_; }

private:
  struct Message {
    llvm::SourceMgr::DiagKind kind;
    Label label;
    llvm::SMRange range;
    std::string text;
    bool isNote;
  };
  llvm::SourceMgr sources_;
  std::vector<Message> messages_;
  unsigned errors_ = 0;
};

} // namespace updraft

#endif // UPDRAFT_DSL_DIAGNOSTICS_H
