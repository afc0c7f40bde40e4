//===- Setup.h - A rule with its settings, groups and tags ----------------===//
//
// What both roads are created from, so that they cannot be given different
// things: the request, with `--set` sorted into options, which are compiled in,
// and hypers, which are set at run time.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_SETUP_H
#define UPDRAFT_TOOLS_RUN_SETUP_H

#include "CommandLine.h"
#include "Inputs.h"

#include <memory>

namespace updraft::run {

/// A value of a hyper, under the name the user gave.
struct HyperValue {
  std::string name;
  double value;
};

struct Setup {
  Request request;            ///< options in `settings`
  std::unique_ptr<Rule> rule; ///< of the request
  /// Values of hypers by group; group 0 takes the parameters of no `--group`.
  std::vector<std::vector<HyperValue>> groups;
  std::vector<unsigned> groupOf;                ///< by parameter
  std::vector<std::vector<std::string>> tagsOf; ///< by parameter
  std::vector<HyperValue> inputs;
  unsigned threads = 0;
  uint64_t seed = 0;
  std::string target, library;
};

/// Reports errors of the rule to `diagnostics`, which must outlive the result,
/// and then fails without a text of its own.
llvm::Expected<Setup> makeSetup(const CommandLine &line, const Inputs &inputs,
                                Library &library, Diagnostics &diagnostics);

/// The full name of a view that a user may have named by its last part.
llvm::Expected<std::string> viewNamed(llvm::StringRef name, const Rule &rule);

/// A rule with errors that `diagnostics` holds.
class RuleError : public llvm::ErrorInfo<RuleError> {
public:
  static char ID;
  void log(llvm::raw_ostream &out) const override;
  std::error_code convertToErrorCode() const override;
};

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_SETUP_H
