//===- updraftc.cpp - The compiler's command line -------------------------===//
//
// Options in, one call of the library, text out. Nothing about the language is
// decided here.
//
//===----------------------------------------------------------------------===//

#include "dsl/FrontEnd.h"
#include "dsl/Printer.h"
#include "dsl/RuleDump.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace updraft;

namespace {

constexpr int kDone = 0, kBadInput = 1, kBadUsage = 2;

const char kHelp[] =
    "usage: updraftc RULE | -e PIPE [options]\n"
    "\n"
    "RULE is a file (my.upd, my.upd:name, - for standard input) or a library\n"
    "name (keras/adam). PIPE is text such as 'ema(0.999) | torch/adamw'.\n"
    "\n"
    "  --emit=ast|rule   print the parsed file, or the flat rule (default)\n"
    "  --emit=checked    print what the checker made of the flat rule\n"
    "  --set NAME=VALUE  settle an option, e.g. amsgrad=true\n"
    "  --param=FORMAT    format of the parameters: f64 f32 bf16 f16\n"
    "  --help            print this text\n";

struct Options {
  Request request;
  std::string emit = "rule";
  bool hasInput = false;
  bool wantsHelp = false;
};

int complain(const llvm::Twine &what) {
  llvm::errs() << "updraftc: error: " << what << "\n"
               << "see 'updraftc --help'\n";
  return kBadUsage;
}

/// One option's value, from "--name=value" or the next argument.
bool takeValue(llvm::StringRef name, llvm::ArrayRef<const char *> args,
               size_t &i, llvm::StringRef &value) {
  llvm::StringRef arg = args[i];
  if (!arg.consume_front(name))
    return false;
  if (arg.consume_front("=")) {
    value = arg;
    return true;
  }
  if (!arg.empty() || i + 1 >= args.size())
    return false;
  value = args[++i];
  return true;
}

bool addInput(Options &options, Request::Kind kind, llvm::StringRef text) {
  if (options.hasInput)
    return complain("more than one rule is given: '" + text + "'"), false;
  options.hasInput = true;
  options.request.kind = kind;
  options.request.text = text.str();
  return true;
}

bool addFormat(Options &options, llvm::StringRef name) {
  std::optional<Format> format = llvm::StringSwitch<std::optional<Format>>(name)
                                     .Case("f64", Format::F64)
                                     .Case("f32", Format::F32)
                                     .Case("bf16", Format::BF16)
                                     .Case("f16", Format::F16)
                                     .Default(std::nullopt);
  if (!format)
    return complain("'" + name +
                    "' is no format; expected f64, f32, bf16 or "
                    "f16"),
           false;
  options.request.param = *format;
  return true;
}

bool parseOptions(llvm::ArrayRef<const char *> args, Options &options) {
  for (size_t i = 0; i < args.size(); ++i) {
    llvm::StringRef arg = args[i], value;
    if (arg == "--help" || arg == "-h") {
      options.wantsHelp = true;
    } else if (takeValue("-e", args, i, value)) {
      if (!addInput(options, Request::Kind::Pipe, value))
        return false;
    } else if (takeValue("--emit", args, i, value)) {
      options.emit = value.str();
    } else if (takeValue("--param", args, i, value)) {
      if (!addFormat(options, value))
        return false;
    } else if (takeValue("--set", args, i, value)) {
      auto [name, setting] = value.split('=');
      if (setting.empty())
        return complain("--set wants NAME=VALUE, found '" + value + "'"), false;
      options.request.settings.push_back({name.str(), setting.str()});
    } else if (arg.starts_with("-") && arg != "-") {
      return complain("unknown or incomplete option '" + arg + "'"), false;
    } else if (!addInput(options, Request::Kind::Name, arg)) {
      return false;
    }
  }
  if (!options.wantsHelp && !options.hasInput)
    return complain("no rule is given"), false;
  if (options.emit != "ast" && options.emit != "rule" &&
      options.emit != "checked")
    return complain("'" + options.emit +
                    "' cannot be emitted; expected ast, "
                    "rule or checked"),
           false;
  return true;
}

/// Does what was asked for; the text to print, nothing after errors.
std::optional<std::string> emit(const Options &options, Library &library,
                                Diagnostics &diagnostics) {
  if (options.emit == "ast") {
    const ast::File *file = parseRequest(options.request, library, diagnostics);
    if (!file || diagnostics.hasErrors())
      return std::nullopt;
    return print(*file);
  }
  std::unique_ptr<Rule> rule = buildRule(options.request, library, diagnostics);
  if (!rule)
    return std::nullopt;
  return options.emit == "checked" ? dump(*rule) : rule->source;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  if (!parseOptions({argv + 1, size_t(argc - 1)}, options))
    return kBadUsage;
  if (options.wantsHelp) {
    llvm::outs() << kHelp;
    return kDone;
  }
  Library library;
  Diagnostics diagnostics;
  std::optional<std::string> text = emit(options, library, diagnostics);
  diagnostics.print(llvm::errs(), llvm::errs().is_displayed());
  if (!text)
    return kBadInput;
  llvm::outs() << *text;
  return kDone;
}
