//===- CommandLine.h - What updraftc was asked to do ----------------------===//

#ifndef UPDRAFT_TOOLS_COMPILE_COMMANDLINE_H
#define UPDRAFT_TOOLS_COMPILE_COMMANDLINE_H

#include "dsl/FrontEnd.h"

#include "llvm/Support/Error.h"

#include <string>

namespace updraft::compile {

struct CommandLine {
  Request request;
  bool hasRule = false;
  std::string emit;     ///< a stage; empty: what `output` ends in, else none
  std::string output;   ///< of --emit; empty or "-": standard output
  std::string header;   ///< a C header beside it; empty: none
  std::string target;   ///< empty: this processor
  std::string library;  ///< the folder of rules; empty: the installed one
  std::string name;     ///< of the program; empty: the rule's
  double bandwidth = 0; ///< GB/s, for --explain; 0: no prediction
  bool explains = false, lists = false, asJson = false;
  bool wantsHelp = false, wantsVersion = false;
};

/// The help text; the stages in it are Pipeline.h's.
std::string helpText();

/// Reads the arguments; the error is a sentence about the usage.
llvm::Error readCommandLine(int count, char **arguments, CommandLine &line);

} // namespace updraft::compile

#endif // UPDRAFT_TOOLS_COMPILE_COMMANDLINE_H
