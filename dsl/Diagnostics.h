//===- Diagnostics.h - Errors and warnings for the user -------------------===//

#ifndef UPDRAFT_DSL_DIAGNOSTICS_H
#define UPDRAFT_DSL_DIAGNOSTICS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"
#include "llvm/Support/SourceMgr.h"

#include <cstdint>
#include <string>
#include <vector>

namespace updraft {

/// Every message has a label, listed in Diagnostics.def and explained in
/// SPEC.md: Label::N1 prints as "[N1]".
enum class Label : uint16_t {
#define UPDRAFT_DIAGNOSTIC(label, severity, summary) label,
#include "Diagnostics.def"
};

/// The name of a label as it is printed: "N1".
llvm::StringRef labelName(Label label);

/// The candidate that `name` was probably meant to be, empty if none is close
/// enough to be worth saying.
std::string closest(llvm::StringRef name,
                    llvm::ArrayRef<std::string> candidates);

/// "; did you mean 'beta2'?" or nothing: the tail of a message about `name`.
std::string didYouMean(llvm::StringRef name,
                       llvm::ArrayRef<std::string> candidates);

/// Collects messages and owns the buffers they point into. Nothing is printed
/// until print(): errors in source order, each once.
class Diagnostics {
public:
  /// Reports; severity comes from the table. `message` has no final period and
  /// begins in lower case. Returns false, so that `return error(...)` reads
  /// well.
  bool report(Label label, llvm::SMRange range, const llvm::Twine &message);
  /// Adds a note to the last message that was reported. A message that was
  /// dropped because it stands there already drops its notes too.
  void note(llvm::SMRange range, const llvm::Twine &message);

  /// Whether so much has gone wrong that nobody would read on.
  bool isFull() const { return errors_ >= kMaxErrors; }
  static constexpr unsigned kMaxErrors = 100;

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
  bool dropsNotes_ = false;
};

} // namespace updraft

#endif // UPDRAFT_DSL_DIAGNOSTICS_H
