//===- CommandLine.cpp - What updraft-run was asked to do -----------------===//
//
// Read by hand and not by llvm::cl, whose options belong to the whole process
// and would be those of the compiler library too.
//
//===----------------------------------------------------------------------===//

#include "CommandLine.h"
#include "Tensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <functional>

using namespace updraft;
using namespace updraft::run;

const char *const run::helpText =
    R"(usage: updraft-run RULE [options]
       updraft-run -e PIPE [options]

Runs an optimizer on tensors and shows what it made of them.

RULE is a file (its one optimizer, else its one rule; FILE:name picks one), a
library name such as keras/adam, or - for standard input. PIPE is boxes around
a rule: 'keras/ema(0.999) | clip_by_global_norm(1.0) | torch/adamw'.

Tensors
  --params TENSORS      parameters before the first step
  --grads TENSORS...    gradients, one argument a step; a parameter that is
                        missing in one has no gradient in that step
  --out FILE            write parameters and states (<param>.<state>,
                        group<i>.<state>, model.<state>); '-' prints them
  --view NAME           put this view into the output too, as <param>.<view>
  --input NAME=VALUE    a scalar input, the same in every step
  --inputs TENSORS...   inputs, one argument a step: <param>.<input> of those
                        like p, <input> of scalars; what an argument lacks, and
                        a step without one, keeps the values before
  TENSORS is a safetensors file (F64, F32, BF16, F16), or values such as
  'w=1,2,3;b[2x2]=1,0,0,1', of the format that --param says.
  Without --params: random tensors of ragged sizes, with zeros, denormals,
  steps without some or all gradients, and infinities and NaN in the last step;
  random inputs in each step.
  --sizes N,N,...       their numbers of elements (0,1,7,127,4096,4097,100003)
  --steps N             number of steps (8)
  --seed N              seed of tensors and of the rule's random numbers (0)
  --param FORMAT        f64, f32 (default), bf16 or f16

Rule
  --set NAME=VALUE      an option of the rule, or a hyper of all parameters
  --group GLOBS[:NAME=VALUE,...]
                        these parameters form a group, for reductions over it
                        and with hypers of their own
  --tag TAG:GLOBS       these parameters carry the tag
  --library FOLDER      where library names are looked up

Running
  --on=interpreter|cpu|cuda
                        what executes it (cpu)
  --check               interpret too, side by side; stop at the first bit that
                        differs (any two NaN are equal); what is written is the
                        compiled program's
  --time                print the time of a step
  --threads N           number of threads (as many as processors)
  --target NAME         compile for x86-64-v3, x86-64-v4, ... (this processor)
  --help                print this text

Exit status: 0 done, 1 the input is wrong or --check found a difference,
2 wrong usage, 70 a bug of updraft-run.
)";

static llvm::Error usage(const llvm::Twine &what) {
  return llvm::createStringError(what);
}

static llvm::Error readNumber(llvm::StringRef option, llvm::StringRef text,
                              uint64_t limit, uint64_t &number) {
  if (text.getAsInteger(10, number) || number > limit)
    return usage("'" + option + "' wants a whole number of at most " +
                 llvm::Twine(limit) + ", found '" + text + "'");
  return llvm::Error::success();
}

static llvm::Error readSetting(llvm::StringRef option, llvm::StringRef text,
                               std::vector<Setting> &settings) {
  auto [name, value] = text.split('=');
  if (name.empty() || value.empty())
    return usage("'" + option + "' wants NAME=VALUE, found '" + text + "'");
  settings.push_back({name.trim().str(), value.trim().str()});
  return llvm::Error::success();
}

/// 'a,b' without the empty parts that 'a,,b' and '' have.
static bool splitCommas(llvm::StringRef text, std::vector<std::string> &parts) {
  llvm::SmallVector<llvm::StringRef> found;
  text.split(found, ',');
  parts.assign(found.begin(), found.end());
  return !llvm::is_contained(found, "");
}

/// 'GLOBS:NAME=VALUE,...'; without a colon the hypers are those of all.
static llvm::Error readGroup(llvm::StringRef text,
                             std::vector<GroupSpec> &groups) {
  auto [patterns, settings] = text.split(':');
  GroupSpec group;
  std::vector<std::string> hypers;
  if (!splitCommas(patterns, group.patterns) ||
      (text.contains(':') && !splitCommas(settings, hypers)))
    return usage("'--group' wants GLOBS[:NAME=VALUE,...], found '" + text +
                 "'");
  for (const std::string &hyper : hypers)
    if (llvm::Error error = readSetting("--group", hyper, group.hypers))
      return error;
  groups.push_back(std::move(group));
  return llvm::Error::success();
}

static llvm::Error readTag(llvm::StringRef text, std::vector<TagSpec> &tags) {
  auto [tag, patterns] = text.split(':');
  TagSpec spec{tag.str(), {}};
  if (tag.empty() || !splitCommas(patterns, spec.patterns))
    return usage("'--tag' wants TAG:GLOBS, found '" + text + "'");
  tags.push_back(std::move(spec));
  return llvm::Error::success();
}

static llvm::Error readOn(llvm::StringRef text, CommandLine &line) {
  if (text == "interpreter")
    line.on = CommandLine::On::Interpreter;
  else if (text == "cpu")
    line.on = CommandLine::On::Cpu;
  else if (text == "cuda")
    line.on = CommandLine::On::Cuda;
  else
    return usage("'--on' wants interpreter, cpu or cuda, found '" + text + "'");
  return llvm::Error::success();
}

static llvm::Error readSizes(llvm::StringRef text, CommandLine &line) {
  std::vector<std::string> sizes;
  splitCommas(text, sizes);
  for (const std::string &size : sizes) {
    line.sizes.push_back(0);
    if (llvm::Error error =
            readNumber("--sizes", size, uint64_t(1) << 28, line.sizes.back()))
      return error;
  }
  return llvm::Error::success();
}

namespace {
/// Walks the arguments. An option's value is the rest after '=' or the next
/// argument.
class Reader {
public:
  Reader(int count, char **arguments)
      : arguments(arguments + 1, arguments + count) {}

  llvm::Expected<CommandLine> read();

private:
  llvm::Error readOne();
  llvm::Error readFlag(llvm::StringRef name);
  llvm::Error readValued(llvm::StringRef name, llvm::StringRef value);
  llvm::Error readList(llvm::StringRef option, std::vector<std::string> &list);
  std::vector<std::string> *listNamed(llvm::StringRef option);
  llvm::Error complete();

  std::vector<llvm::StringRef> arguments;
  size_t at = 0;
  bool hasRule = false;
  CommandLine line;
};
} // namespace

llvm::Error Reader::readFlag(llvm::StringRef name) {
  if (name == "--check")
    line.check = true;
  else if (name == "--time")
    line.time = true;
  else
    line.help = true;
  return llvm::Error::success();
}

llvm::Error Reader::readValued(llvm::StringRef name, llvm::StringRef value) {
  uint64_t number = 0;
  auto text = [&](std::string &field) {
    field = value.str();
    return llvm::Error::success();
  };
  auto count = [&](unsigned &field, uint64_t limit) {
    llvm::Error error = readNumber(name, value, limit, number);
    field = unsigned(number);
    return error;
  };
  if (name == "-e") {
    if (hasRule)
      return usage("one rule or pipe is wanted, found '" + value + "' too");
    line.isPipe = hasRule = true;
    return text(line.rule);
  }
  if (name == "--params")
    return text(line.params);
  if (name == "--out")
    return text(line.out);
  if (name == "--target")
    return value.empty() ? usage("'--target' wants a name") : text(line.target);
  if (name == "--library")
    return text(line.library);
  if (name == "--view") {
    line.views.push_back(value.str());
    return llvm::Error::success();
  }
  if (name == "--set")
    return readSetting(name, value, line.settings);
  if (name == "--input")
    return readSetting(name, value, line.inputs);
  if (name == "--group")
    return readGroup(value, line.groups);
  if (name == "--tag")
    return readTag(value, line.tags);
  if (name == "--on")
    return readOn(value, line);
  if (name == "--threads")
    return count(line.threads, 4096);
  if (name == "--steps")
    return count(line.steps, 1000000000);
  if (name == "--seed")
    return readNumber(name, value, UINT64_MAX, line.seed);
  if (name == "--sizes")
    return readSizes(value, line);
  if (name == "--param") {
    line.param = formatNamed(value);
    return line.param ? llvm::Error::success()
                      : usage("'--param' wants f64, f32, bf16 or f16, found '" +
                              value + "'");
  }
  return usage("unknown option '" + name + "'");
}

/// The field of an option that takes several arguments.
std::vector<std::string> *Reader::listNamed(llvm::StringRef option) {
  return option == "--grads"    ? &line.grads
         : option == "--inputs" ? &line.stepInputs
                                : nullptr;
}

/// Everything up to the next option.
llvm::Error Reader::readList(llvm::StringRef option,
                             std::vector<std::string> &list) {
  size_t before = list.size();
  while (at < arguments.size() &&
         (arguments[at] == "-" || !arguments[at].starts_with("-")))
    list.push_back(arguments[at++].str());
  if (list.size() == before)
    return usage("'" + option + "' wants at least one file");
  return llvm::Error::success();
}

llvm::Error Reader::readOne() {
  llvm::StringRef argument = arguments[at++];
  if (argument == "-" || !argument.starts_with("-")) {
    if (hasRule)
      return usage("one rule or pipe is wanted, found '" + argument + "' too");
    hasRule = true;
    line.rule = argument.str();
    return llvm::Error::success();
  }
  if (argument == "--check" || argument == "--time" || argument == "--help" ||
      argument == "-h")
    return readFlag(argument);
  if (std::vector<std::string> *list = listNamed(argument))
    return readList(argument, *list);
  auto [name, value] = argument.split('=');
  if (argument.contains('=')) {
    std::vector<std::string> *list = listNamed(name);
    if (!list)
      return readValued(name, value);
    list->push_back(value.str());
    return llvm::Error::success();
  }
  if (at == arguments.size())
    return usage(name.starts_with("--") || name == "-e"
                     ? "'" + name + "' is unknown or wants a value"
                     : "unknown option '" + name + "'");
  return readValued(name, arguments[at++]);
}

/// What no option alone can see.
llvm::Error Reader::complete() {
  if (line.help)
    return llvm::Error::success();
  if (!hasRule)
    return usage("no rule is given");
  if (!line.params.empty() && line.grads.empty())
    return usage("'--params' wants '--grads' beside it");
  if (line.params.empty() && !line.grads.empty())
    return usage("'--grads' wants '--params' beside it");
  if (line.params.empty() && !line.stepInputs.empty())
    return usage("'--inputs' wants '--params' beside it");
  if (line.stepInputs.size() > line.grads.size())
    return usage("'--inputs' wants at most as many arguments as '--grads', " +
                 llvm::Twine(line.grads.size()) + ", found " +
                 llvm::Twine(line.stepInputs.size()));
  if (!line.params.empty() && !line.sizes.empty())
    return usage("'--sizes' is for random tensors; found '--params' beside it");
  bool compiles = line.on != CommandLine::On::Interpreter;
  if (line.check && !compiles)
    return usage("'--check' executes on both; found '--on=interpreter' beside "
                 "it");
  if (!compiles && !line.target.empty())
    return usage("'--target' is for compiled programs; found "
                 "'--on=interpreter' beside it");
  return llvm::Error::success();
}

llvm::Expected<CommandLine> Reader::read() {
  while (at < arguments.size())
    if (llvm::Error error = readOne())
      return error;
  if (llvm::Error error = complete())
    return error;
  return std::move(line);
}

llvm::Expected<CommandLine> run::readCommandLine(int count, char **arguments) {
  return Reader(count, arguments).read();
}
