//===- Plugin.cpp - The one function of the compiler's library ------------===//

#include "compiler/Plugin.h"

#include "compiler/Compiler.h"
#include "compiler/Explain.h"

#include "dsl/FrontEnd.h"

#include "llvm/Support/raw_ostream.h"

using namespace updraft;

static Request requestOf(const updraft_plugin_request &given) {
  Request request;
  request.kind = given.kind == UPDRAFT_PLUGIN_PIPE   ? Request::Kind::Pipe
                 : given.kind == UPDRAFT_PLUGIN_NAME ? Request::Kind::Name
                                                     : Request::Kind::Source;
  request.text = given.text;
  if (request.kind == Request::Kind::Source)
    request.sourceName = given.name;
  // enum updraft_format and Format name the same formats in the same order.
  request.param = Format(given.param);
  for (uint32_t i = 0; i < given.setting_count; ++i) {
    auto [name, value] = llvm::StringRef(given.settings[i]).split('=');
    request.settings.push_back({name.trim().str(), value.trim().str()});
  }
  return request;
}

/// Tells what was read, and which files would have been read before those: a
/// name is looked for in the folder itself first (Library.h).
static void reportFiles(const Library &library,
                        const updraft_plugin_sink &sink) {
  for (const std::string &path : library.filesRead()) {
    sink.file(sink.context, path.c_str(), 1);
    llvm::StringRef name = path;
    if (!name.consume_front(library.folder()) || !name.consume_front("/"))
      continue;
    bool isSchedule = name.consume_front("schedules/");
    if (!isSchedule && !name.consume_front("transforms/"))
      continue;
    std::string earlier = library.folder() + "/" + name.str();
    sink.file(sink.context, earlier.c_str(), 0);
    if (isSchedule) {
      earlier = library.folder() + "/transforms/" + name.str();
      sink.file(sink.context, earlier.c_str(), 0);
    }
  }
}

static int reportError(llvm::Error error, const updraft_plugin_sink &sink) {
  int status = UPDRAFT_PLUGIN_INTERNAL;
  std::string text;
  llvm::handleAllErrors(
      std::move(error),
      [&](const CompileError &failure) {
        text = failure.text;
        if (failure.kind != CompileError::Kind::Internal)
          status = UPDRAFT_PLUGIN_UNSUPPORTED;
      },
      [&](const llvm::ErrorInfoBase &failure) { text = failure.message(); });
  sink.message(sink.context, text.data(), text.size());
  return status;
}

static int explainTo(const Rule &rule, const updraft_plugin_sink &sink) {
  std::string text = "the rule could not be planned";
  std::optional<Explanation> explanation = explainRule(rule);
  if (!explanation) {
    sink.message(sink.context, text.data(), text.size());
    return UPDRAFT_PLUGIN_INTERNAL;
  }
  text.clear();
  llvm::raw_string_ostream out(text);
  printTable(*explanation, /*bandwidth=*/0, out);
  sink.message(sink.context, text.data(), text.size());
  return UPDRAFT_PLUGIN_OK;
}

extern "C" __attribute__((visibility("default"))) int
updraft_plugin_compile(const updraft_plugin_request *given,
                       const updraft_plugin_sink *sink) {
  if (given->struct_bytes != sizeof(updraft_plugin_request)) {
    constexpr llvm::StringRef kText = "the compiler's library is of another "
                                      "version than the program that uses it";
    sink->message(sink->context, kText.data(), kText.size());
    return UPDRAFT_PLUGIN_UNSUPPORTED;
  }
  Library library(given->library_folder);
  Diagnostics diagnostics;
  std::unique_ptr<Rule> rule =
      buildRule(requestOf(*given), library, diagnostics);
  if (!rule) {
    std::string text;
    llvm::raw_string_ostream out(text);
    diagnostics.print(out);
    llvm::StringRef trimmed = llvm::StringRef(text).rtrim();
    sink->message(sink->context, trimmed.data(), trimmed.size());
    return UPDRAFT_PLUGIN_BAD_RULE;
  }
  if (given->explains)
    return explainTo(*rule, *sink);
  CompileOptions options;
  options.target = given->target;
  auto image = compileRule(*rule, "image", options);
  if (!image)
    return reportError(image.takeError(), *sink);
  reportFiles(library, *sink);
  sink->image(sink->context, image->data(), image->size());
  return UPDRAFT_PLUGIN_OK;
}
