//===- Output.h - What a run shows ----------------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_OUTPUT_H
#define UPDRAFT_TOOLS_RUN_OUTPUT_H

#include "Tensor.h"

#include "llvm/Support/Error.h"

namespace updraft::run {

/// Names of all views, each once.
std::vector<std::string> viewNames(const Rule &rule);

/// Adds what is not there yet: a view of a state is the state.
void addView(Tensors &results, Tensors view);

/// To a safetensors file; to standard output as text if `path` is "-" or
/// empty: one tensor a line, numbers in full.
llvm::Error writeTensors(llvm::StringRef path, const Tensors &tensors);

/// "8 steps of 7 tensors (108331 elements): no bit differs".
std::string checkSummary(const Tensors &params, size_t steps);

/// "0.123 ms a step (median of 8; least 0.120 ms)".
std::string timeSummary(std::vector<double> seconds);

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_OUTPUT_H
