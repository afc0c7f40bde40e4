//===- Output.cpp - What updraftc prints and writes -----------------------===//
//
// One rule, built once, and everything that was asked of it. Nothing about the
// language or the stages is decided here.
//
//===----------------------------------------------------------------------===//

#include "Output.h"
#include "tools/Files.h"

#include "compiler/Compiler.h"
#include "compiler/Explain.h"
#include "compiler/Pipeline.h"
#include "compiler/Target/Target.h"
#include "dsl/Printer.h"
#include "dsl/RuleDump.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace updraft;
using namespace updraft::compile;

static int complain(const llvm::Twine &what, int code) {
  llvm::errs() << "updraftc: error: " << what << "\n";
  return code;
}

static int complainOfBug(const llvm::Twine &what) {
  return complain("internal error: " + what +
                      "; this is a bug of updraftc, please report it with the "
                      "rule",
                  kBug);
}

int compile::writeText(llvm::StringRef path, llvm::StringRef bytes) {
  llvm::Error error = tools::writeOutput(path, bytes);
  return error ? complain(llvm::toString(std::move(error)), kBadInput) : kDone;
}

/// Text or bytes of a stage behind the front end.
static int writeStage(const Rule &rule, llvm::StringRef stage,
                      llvm::StringRef path, const CommandLine &line,
                      const llvm::SourceMgr &sources) {
  CompileOptions options;
  options.target = line.target;
  options.sources = &sources;
  options.verifiesEach = true;
  auto bytes = compileRule(rule, stage, options);
  if (bytes)
    return writeText(path, {bytes->data(), bytes->size()});
  int code = kDone;
  llvm::handleAllErrors(
      bytes.takeError(),
      [&](const CompileError &error) {
        code = error.kind == CompileError::Kind::Internal
                   ? complainOfBug(error.text)
                   : complain(error.text, kBadInput);
      },
      [&](const llvm::ErrorInfoBase &error) {
        code = complain(error.message(), kBadInput);
      });
  return code;
}

static int writeExplanation(const Rule &rule, const CommandLine &line) {
  llvm::SmallVector<const Gpu *> gpus;
  if (!line.target.empty())
    gpus = findTargets(line.target)->gpus;
  std::optional<Explanation> explanation = explainRule(rule, gpus);
  if (!explanation)
    return complainOfBug("the rule could not be planned");
  std::string text;
  llvm::raw_string_ostream out(text);
  (line.asJson ? printJson : printTable)(*explanation, line.bandwidth, out);
  return writeText("", text);
}

/// What a line of the list says: the doc up to its first full stop.
static std::string firstSentence(llvm::StringRef doc) {
  std::string text = doc.substr(0, doc.find("\n\n")).str();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, text.find(". "));
}

static int writeList(Library &library, const CommandLine &line,
                     Diagnostics &diagnostics) {
  if (!llvm::sys::fs::is_directory(library.folder()))
    return complain("the library's folder '" + library.folder() +
                        "' does not exist",
                    kBadInput);
  std::vector<Library::Entry> entries = library.list(diagnostics);
  if (diagnostics.hasErrors())
    return kBadInput;
  size_t width = 0;
  llvm::json::Array array;
  for (const Library::Entry &entry : entries) {
    width = std::max(width, entry.name.size());
    array.push_back(llvm::json::Object{
        {"name", entry.name}, {"kind", entry.kind}, {"doc", entry.doc}});
  }
  std::string text;
  llvm::raw_string_ostream out(text);
  if (line.asJson)
    out << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(array)));
  else
    for (const Library::Entry &entry : entries) {
      std::string summary = firstSentence(entry.doc);
      out << llvm::left_justify(entry.name, width) << "  "
          << llvm::left_justify(entry.kind, 9) << "  " << summary << "\n";
    }
  return writeText("", text);
}

/// Everything that needs the checked rule.
static int writeRule(Rule &rule, const CommandLine &line,
                     const llvm::SourceMgr &sources) {
  if (!line.name.empty())
    rule.name = line.name;
  if (line.explains)
    if (int code = writeExplanation(rule, line))
      return code;
  if (!line.header.empty())
    if (int code = writeStage(rule, "header", line.header, line, sources))
      return code;
  if (line.emit.empty() && (line.explains || !line.header.empty()))
    return kDone;
  if (line.emit.empty() || line.emit == "rule")
    return writeText(line.output, rule.source);
  if (line.emit == "checked")
    return writeText(line.output, dump(rule));
  return writeStage(rule, line.emit, line.output, line, sources);
}

static int dispatch(const CommandLine &line, Diagnostics &diagnostics) {
  Library library(line.library);
  if (line.lists)
    return writeList(library, line, diagnostics);
  if (line.emit == "ast") {
    const ast::File *file = parseRequest(line.request, library, diagnostics);
    if (!file || diagnostics.hasErrors())
      return kBadInput;
    return writeText(line.output, print(*file));
  }
  std::unique_ptr<Rule> rule = buildRule(line.request, library, diagnostics);
  if (!rule)
    return kBadInput;
  return writeRule(*rule, line, diagnostics.sources());
}

int compile::runCommand(const CommandLine &line) {
  const Stage *stage = line.emit.empty() ? nullptr : findStage(line.emit);
  bool prints = line.output.empty() || line.output == "-";
  if (stage && !stage->isText && prints && llvm::outs().is_displayed())
    return complain("'" + line.emit +
                        "' is not text; write it to a file with -o",
                    kBadUsage);
  Diagnostics diagnostics;
  int code = dispatch(line, diagnostics);
  diagnostics.print(llvm::errs(), llvm::errs().is_displayed());
  return code;
}
