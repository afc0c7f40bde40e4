//===- CommandLine.h - What updraft-run was asked to do -------------------===//

#ifndef UPDRAFT_TOOLS_RUN_COMMANDLINE_H
#define UPDRAFT_TOOLS_RUN_COMMANDLINE_H

#include "dsl/FrontEnd.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace updraft::run {

/// Exit statuses, the same for all tools.
enum ExitStatus { Done = 0, WrongInput = 1, WrongUsage = 2, OurBug = 70 };

/// Parameters that share values of hypers: `--group 'b*,c:lr=0.1'`. Those of a
/// group without hypers are those of all parameters.
struct GroupSpec {
  std::vector<std::string> patterns;
  std::vector<Setting> hypers;
};

/// `--tag no_decay:b*,c`.
struct TagSpec {
  std::string tag;
  std::vector<std::string> patterns;
};

struct CommandLine {
  enum class On { Interpreter, Cpu, Cuda };

  std::string rule;    ///< file, library name, "-", or the text of a pipe
  bool isPipe = false; ///< `rule` came with -e
  std::string params;  ///< file or inline tensors; empty: synthetic
  std::vector<std::string> grads; ///< one a step
  std::string out;                ///< file; "-": text; empty: none
  On on = On::Cpu;
  bool check = false, time = false, help = false;
  std::vector<Setting> settings;
  std::vector<GroupSpec> groups;
  std::vector<TagSpec> tags;
  std::vector<std::string> views;
  std::vector<Setting> inputs;         ///< scalars, of all steps
  std::vector<std::string> stepInputs; ///< one a step
  std::string target;                  ///< empty: this processor
  std::string library;
  unsigned threads = 0;
  std::optional<Format> param; ///< of synthetic and inline tensors
  unsigned steps = 8;          ///< of synthetic gradients
  std::vector<uint64_t> sizes; ///< of synthetic tensors
  uint64_t seed = 0;
};

/// The text that --help prints.
extern const char *const helpText;

/// Reads the arguments; a failure is wrong usage.
llvm::Expected<CommandLine> readCommandLine(int count, char **arguments);

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_COMMANDLINE_H
