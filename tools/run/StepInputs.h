//===- StepInputs.h - What a rule is given beside gradients ---------------===//

#ifndef UPDRAFT_TOOLS_RUN_STEPINPUTS_H
#define UPDRAFT_TOOLS_RUN_STEPINPUTS_H

#include "CommandLine.h"
#include "Inputs.h"
#include "dsl/Rule.h"

namespace updraft::run {

/// The inputs that a step sets. Each keeps its value until it is set again.
struct StepInputs {
  struct Scalar {
    std::string name;
    double value;
  };
  /// The part of an input like p that belongs to one parameter.
  struct Array {
    std::string name;
    size_t param;
    Tensor values;
  };
  std::vector<Scalar> scalars;
  std::vector<Array> arrays;
};

/// Of step 0, 1, ...: what --inputs says; without --params made up, but for the
/// scalars that --input gives.
llvm::Expected<StepInputs> stepInputs(const CommandLine &line, const Rule &rule,
                                      const Inputs &inputs, size_t step);

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_STEPINPUTS_H
