//===- updraftc.cpp - The compiler's command line -------------------------===//

#include "tools/Files.h"
#include "tools/compile/Output.h"

#include "compiler/Version.h"

#include "llvm/Support/raw_ostream.h"

using namespace updraft;
using namespace updraft::compile;

int main(int argc, char **argv) {
  tools::ignoreFileSizeSignal();
  CommandLine line;
  if (llvm::Error error = readCommandLine(argc, argv, line)) {
    llvm::errs() << "updraftc: error: " << llvm::toString(std::move(error))
                 << "\nsee 'updraftc --help'\n";
    return kBadUsage;
  }
  if (line.wantsHelp || line.wantsVersion)
    return writeText("", line.wantsHelp ? helpText()
                                        : std::string(kVersion) + "\n");
  return runCommand(line);
}
