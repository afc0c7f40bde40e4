//===- Diagnostics.cpp - Errors and warnings for the user -----------------===//
//
// Messages are kept until the end, so that they can be put into source order
// whoever found them first. The text of a message is the project's; the source
// line and the caret are SourceMgr's.
//
//===----------------------------------------------------------------------===//

#include "Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <tuple>

namespace updraft {

namespace {
struct LabelRow {
  const char *name;
  llvm::SourceMgr::DiagKind kind;
};

constexpr auto Error = llvm::SourceMgr::DK_Error;
constexpr auto Warning = llvm::SourceMgr::DK_Warning;

const LabelRow kLabels[] = {
#define UPDRAFT_DIAGNOSTIC(label, severity, summary) {#label, severity},
#include "Diagnostics.def"
};

/// Longer lines are not shown: nobody reads them, and a hundred messages about
/// one line of a megabyte are a hundred megabytes.
constexpr size_t kMaxShownLine = 400;

/// Warnings beyond this many messages are not kept; errors have a limit of
/// their own.
constexpr size_t kMaxMessages = 300;
} // namespace

llvm::StringRef labelName(Label label) {
  return kLabels[static_cast<size_t>(label)].name;
}

std::string closest(llvm::StringRef name,
                    llvm::ArrayRef<std::string> candidates) {
  unsigned best = (name.size() + 2) / 3 + 1;
  std::string found;
  for (const std::string &candidate : candidates) {
    if (candidate == name || candidate.empty())
      continue;
    unsigned distance =
        name.edit_distance(candidate, /*AllowReplacements=*/true, best);
    if (distance < best && distance < candidate.size()) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string didYouMean(llvm::StringRef name,
                       llvm::ArrayRef<std::string> candidates) {
  std::string found = closest(name, candidates);
  return found.empty() ? found : "; did you mean '" + found + "'?";
}

bool Diagnostics::report(Label label, llvm::SMRange range,
                         const llvm::Twine &message) {
  llvm::SourceMgr::DiagKind kind = kLabels[static_cast<size_t>(label)].kind;
  std::string text = message.str();
  bool isWarning = kind == llvm::SourceMgr::DK_Warning;
  dropsNotes_ = isFull() || (isWarning && messages_.size() >= kMaxMessages) ||
                llvm::any_of(messages_, [&](const Message &m) {
                  return !m.isNote && m.label == label &&
                         m.range.Start == range.Start && m.text == text;
                });
  if (dropsNotes_)
    return false;
  messages_.push_back({kind, label, range, std::move(text), /*isNote=*/false});
  if (kind == llvm::SourceMgr::DK_Error)
    ++errors_;
  return false;
}

void Diagnostics::note(llvm::SMRange range, const llvm::Twine &message) {
  if (!dropsNotes_ && !messages_.empty())
    messages_.push_back({llvm::SourceMgr::DK_Note, messages_.back().label,
                         range, message.str(), /*isNote=*/true});
}

/// Prints one message at a place that SourceMgr knows.
static void printAt(const llvm::SourceMgr &sources, llvm::SMRange range,
                    llvm::SourceMgr::DiagKind kind, const std::string &text,
                    llvm::raw_ostream &out, bool color) {
  llvm::SmallVector<llvm::SMRange, 1> ranges;
  if (range.End.isValid())
    ranges.push_back(range);
  llvm::SMDiagnostic message =
      sources.GetMessage(range.Start, kind, text, ranges);
  if (message.getLineContents().size() <= kMaxShownLine) {
    message.print(nullptr, out, color);
    return;
  }
  static const char *const kKinds[] = {"error", "warning", "remark", "note"};
  out << message.getFilename() << ':' << message.getLineNo() << ':'
      << message.getColumnNo() + 1 << ": " << kKinds[kind] << ": " << text
      << '\n';
}

void Diagnostics::print(llvm::raw_ostream &out, bool color) const {
  // A message and its notes move together; files stand in the order in which
  // they were read.
  struct Group {
    size_t first;
    std::pair<unsigned, const char *> place;
  };
  std::vector<Group> groups;
  for (size_t i = 0; i < messages_.size(); ++i) {
    if (messages_[i].isNote)
      continue;
    llvm::SMLoc start = messages_[i].range.Start;
    unsigned buffer =
        start.isValid() ? sources_.FindBufferContainingLoc(start) : 0;
    groups.push_back({i, {buffer, start.getPointer()}});
  }
  llvm::sort(groups, [](const Group &a, const Group &b) {
    return std::tie(a.place, a.first) < std::tie(b.place, b.first);
  });
  for (const Group &group : groups) {
    size_t i = group.first;
    do {
      const Message &m = messages_[i];
      std::string text =
          m.isNote ? m.text : m.text + " [" + labelName(m.label).str() + "]";
      if (m.range.Start.isValid())
        printAt(sources_, m.range, m.kind, text, out, color);
      else
        out << (m.isNote ? "note: "
                         : (m.kind == Error ? "error: " : "warning: "))
            << text << '\n';
    } while (++i < messages_.size() && messages_[i].isNote);
  }
  if (isFull())
    out << "error: more than " << kMaxErrors - 1
        << " errors; the rest is not shown\n";
}

} // namespace updraft
