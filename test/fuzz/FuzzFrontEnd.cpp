//===- FuzzFrontEnd.cpp - Any text, no crash ------------------------------===//
//
// Takes any bytes as a rule file and as a pipe. Whatever they are, the front
// end must come back with a rule or with messages, and what it prints must
// parse to the same text.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "dsl/FrontEnd.h"
#include "dsl/Printer.h"

#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace updraft;

static void require(bool holds, const char *what, llvm::StringRef text) {
  if (holds)
    return;
  llvm::errs() << what << ":\n" << text << '\n';
  std::abort();
}

/// Prints the messages, as a user would have them printed.
static void printMessages(const Diagnostics &diagnostics) {
  std::string text;
  llvm::raw_string_ostream out(text);
  diagnostics.print(out);
}

/// print(parse(print(x))) == print(x).
static void checkPrinting(llvm::StringRef text) {
  Library library;
  Diagnostics first, second;
  const ast::File *file = library.readSource(text, "first", first);
  printMessages(first);
  if (first.hasErrors())
    return;
  std::string printed = print(*file);
  const ast::File *again = library.readSource(printed, "second", second);
  require(!second.hasErrors(), "the printed text does not parse", printed);
  require(print(*again) == printed, "the printed text prints differently",
          printed);
}

/// Text to a checked rule; the flat rule's text must give the same rule.
static void checkBuilding(Request::Kind kind, llvm::StringRef text) {
  Library library;
  Diagnostics diagnostics;
  Request request;
  request.kind = kind;
  request.text = text.str();
  std::unique_ptr<Rule> rule = buildRule(request, library, diagnostics);
  printMessages(diagnostics);
  require((rule != nullptr) != diagnostics.hasErrors(),
          "no rule and no error, or both", text);
  if (!rule)
    return;
  Library otherLibrary;
  Diagnostics flat;
  Request again;
  again.kind = Request::Kind::Source;
  again.text = rule->source;
  std::unique_ptr<Rule> same = buildRule(again, otherLibrary, flat);
  if (!same)
    flat.print(llvm::errs());
  require(same != nullptr, "the flat rule does not check", rule->source);
  require(same->source == rule->source, "the flat rule prints differently",
          rule->source);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  checkPrinting(text);
  checkBuilding(Request::Kind::Source, text);
  checkBuilding(Request::Kind::Pipe, text);
  return 0;
}

bool fuzz::isSatisfied() { return true; }
