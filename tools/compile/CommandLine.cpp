//===- CommandLine.cpp - What updraftc was asked to do --------------------===//
//
// Read by hand and not by llvm::cl, whose options belong to the whole process
// and would be those of the compiler library too.
//
//===----------------------------------------------------------------------===//

#include "CommandLine.h"

#include "compiler/Pipeline.h"
#include "compiler/Target/Target.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace updraft;
using namespace updraft::compile;

static const char kUsage[] =
    R"(usage: updraftc RULE [options]
       updraftc -e PIPE [options]
       updraftc --list [--json]

Compiles an optimizer, written as equations, to machine code.

RULE is a file (its one optimizer, else its one rule; FILE:name picks one), a
library name such as keras/adam, or - for standard input. PIPE is boxes around
a rule: 'keras/ema(0.999) | clip_by_global_norm(1.0) | torch/adamw'.

What to do
  -o FILE            write the output there; what FILE ends in (.o .so .s .h
                     .img .ptx .cubin .mlir .upd) says which, unless --emit
                     does
  --emit=STAGE       print or write one stage, see below
  --header FILE      write the C header too
  --explain          print passes, bytes moved and why, and for each GPU of
                     --target what bounds a kernel; nothing else unless -o
  --bandwidth=GB/S   with --explain: predict the time of a step
  --list             print what the library holds
  --json             print --explain or --list as JSON

How
  --set NAME=VALUE   settle an option: amsgrad=true, ema.overwrite_frequency=10
  --param=FORMAT     of parameters and gradients: f64, f32 (default), bf16, f16
  --target=LIST      compile for these machines, separated by commas: one of
                     {0}
                     (default: the best that this processor runs) and any of
                     {1};
                     PTX for each, or sm_90:cubin for machine code by ptxas
  --name=NAME        name the program: updraft_program_NAME
  --library=FOLDER   where library names are looked up
  --help, --version

Stages
{2}
Exit status: 0 done, 1 the input is wrong, 2 wrong usage, 70 a bug of updraftc.
)";

std::string compile::helpText() {
  std::string targets, gpus, stages;
  for (const Target &target : allTargets())
    targets += (targets.empty() ? "" : ", ") + target.name.str();
  for (const Gpu &gpu : allGpus())
    gpus += (gpus.empty() ? "" : ", ") + gpu.name.str();
  for (const Stage &stage : allStages())
    stages += llvm::formatv("  {0,-10} {1}{2}\n", stage.name, stage.summary,
                            stage.isAvailable ? "" : " (not in this build)");
  return llvm::formatv(kUsage, targets, gpus, stages);
}

static llvm::Error usage(const llvm::Twine &what) {
  return llvm::createStringError(what);
}

static llvm::Error setRule(CommandLine &line, Request::Kind kind,
                           llvm::StringRef text) {
  if (line.hasRule)
    return usage("more than one rule is given: '" + line.request.text +
                 "' and '" + text + "'");
  line.hasRule = true;
  line.request.kind = kind;
  line.request.text = text.str();
  return llvm::Error::success();
}

static llvm::Error addSetting(CommandLine &line, llvm::StringRef text) {
  auto [name, value] = text.split('=');
  if (name.trim().empty() || value.trim().empty())
    return usage("'--set' wants NAME=VALUE, found '" + text + "'");
  line.request.settings.push_back({name.trim().str(), value.trim().str()});
  return llvm::Error::success();
}

static llvm::Error setFormat(CommandLine &line, llvm::StringRef text) {
  auto format = llvm::StringSwitch<std::optional<Format>>(text)
                    .Case("f64", Format::F64)
                    .Case("f32", Format::F32)
                    .Case("bf16", Format::BF16)
                    .Case("f16", Format::F16)
                    .Default(std::nullopt);
  if (!format)
    return usage("'--param' wants f64, f32, bf16 or f16, found '" + text + "'");
  line.request.param = *format;
  return llvm::Error::success();
}

static llvm::Error setStage(CommandLine &line, llvm::StringRef text) {
  const Stage *stage = findStage(text);
  if (text != "checked" && !stage)
    return usage("'" + text + "' is no stage; see 'updraftc --help'");
  if (stage && !stage->isAvailable)
    return usage("stage '" + text + "' is not in this build");
  line.emit = text.str();
  return llvm::Error::success();
}

static llvm::Error setTarget(CommandLine &line, llvm::StringRef text) {
  if (text.empty() || !findTargets(text))
    return usage("'" + text + "' is no target; see 'updraftc --help'");
  line.target = text.str();
  return llvm::Error::success();
}

static llvm::Error setBandwidth(CommandLine &line, llvm::StringRef text) {
  if (text.getAsDouble(line.bandwidth) || !(line.bandwidth > 0))
    return usage("'--bandwidth' wants GB/s above 0, found '" + text + "'");
  return llvm::Error::success();
}

static llvm::Error setName(CommandLine &line, llvm::StringRef text) {
  bool isIdentifier =
      !text.empty() && !llvm::isDigit(text.front()) &&
      llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
  if (!isIdentifier)
    return usage("'--name' wants a C identifier, found '" + text + "'");
  line.name = text.str();
  return llvm::Error::success();
}

/// Applies an option that takes a value. False if there is none of that name.
static bool takeValued(CommandLine &line, llvm::StringRef option,
                       llvm::StringRef value, llvm::Error &error) {
  using Setter = llvm::Error (*)(CommandLine &, llvm::StringRef);
  auto setter = llvm::StringSwitch<Setter>(option)
                    .Case("-e",
                          [](CommandLine &line, llvm::StringRef text) {
                            return setRule(line, Request::Kind::Pipe, text);
                          })
                    .Case("--set", addSetting)
                    .Case("--param", setFormat)
                    .Case("--emit", setStage)
                    .Case("--target", setTarget)
                    .Case("--bandwidth", setBandwidth)
                    .Case("--name", setName)
                    .Default(nullptr);
  if (setter) {
    error = setter(line, value);
    return true;
  }
  auto *text = llvm::StringSwitch<std::string *>(option)
                   .Case("-o", &line.output)
                   .Case("--header", &line.header)
                   .Case("--library", &line.library)
                   .Default(nullptr);
  if (text)
    *text = value.str();
  return text;
}

static bool takeFlag(CommandLine &line, llvm::StringRef option) {
  auto *flag = llvm::StringSwitch<bool *>(option)
                   .Case("--explain", &line.explains)
                   .Case("--list", &line.lists)
                   .Case("--json", &line.asJson)
                   .Cases({"--help", "-h"}, &line.wantsHelp)
                   .Case("--version", &line.wantsVersion)
                   .Default(nullptr);
  if (flag)
    *flag = true;
  return flag;
}

static bool wantsValue(llvm::StringRef option) {
  CommandLine scratch;
  llvm::Error error = llvm::Error::success();
  bool known = takeValued(scratch, option, "", error);
  llvm::consumeError(std::move(error));
  return known;
}

/// What an output file's name says of its content.
static llvm::StringRef stageOfSuffix(llvm::StringRef path) {
  return llvm::StringSwitch<llvm::StringRef>(llvm::sys::path::extension(path))
      .Case(".so", "shared")
      .Case(".s", "asm")
      .Case(".h", "header")
      .Case(".img", "image")
      .Case(".ptx", "ptx")
      .Case(".cubin", "cubin")
      .Case(".mlir", "plan")
      .Case(".upd", "rule")
      .Default("object");
}

/// What follows from all options together.
static llvm::Error settle(CommandLine &line) {
  if (line.wantsHelp || line.wantsVersion)
    return llvm::Error::success();
  if (!line.hasRule && !line.lists)
    return usage("no rule is given");
  if (line.hasRule && line.lists)
    return usage("'--list' takes no rule");
  if (line.asJson && !line.explains && !line.lists)
    return usage("'--json' goes with --explain or --list");
  if (line.bandwidth > 0 && !line.explains)
    return usage("'--bandwidth' goes with --explain");
  bool writesFile = !line.output.empty() && line.output != "-";
  if (line.emit.empty() && writesFile)
    line.emit = stageOfSuffix(line.output);
  if (line.explains && !line.emit.empty() && !writesFile)
    return usage("'--explain' and --emit both print; write one with -o FILE");
  return llvm::Error::success();
}

llvm::Error compile::readCommandLine(int count, char **arguments,
                                     CommandLine &line) {
  for (int i = 1; i < count; ++i) {
    llvm::StringRef argument = arguments[i];
    if (argument == "-" || !argument.starts_with("-")) {
      if (llvm::Error error = setRule(line, Request::Kind::Name, argument))
        return error;
      continue;
    }
    if (takeFlag(line, argument))
      continue;
    auto [option, value] = argument.split('=');
    if (!wantsValue(option))
      return usage("unknown option '" + argument + "'");
    if (option.size() == argument.size()) {
      if (i + 1 == count)
        return usage("'" + option + "' wants a value");
      value = arguments[++i];
    }
    llvm::Error error = llvm::Error::success();
    takeValued(line, option, value, error);
    if (error)
      return error;
  }
  return settle(line);
}
