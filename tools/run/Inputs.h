//===- Inputs.h - The parameters and gradients of a run -------------------===//
//
// From files, from the command line, or made up: random tensors with the sizes
// and values that optimizers get wrong.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_INPUTS_H
#define UPDRAFT_TOOLS_RUN_INPUTS_H

#include "CommandLine.h"
#include "Tensor.h"

namespace updraft::run {

class Inputs {
public:
  /// Reads the parameters, or makes them up.
  static llvm::Expected<Inputs> open(const CommandLine &line);

  /// All of one format.
  Tensors params;
  Format format = Format::F32;
  size_t steps = 0;

  /// The gradients of step 0, 1, ..., parallel to `params`; one without bytes
  /// and without shape (no name) is absent.
  llvm::Expected<Tensors> grads(size_t step) const;

private:
  llvm::Expected<Tensors> readGrads(size_t step) const;
  Tensors makeUpGrads(size_t step) const;

  std::vector<std::string> gradSources;
  uint64_t seed = 0;
  bool madeUp = false;
};

/// A safetensors file, or tensors as text: 'w=1,2;b[2x2]=1,0,0,1'. A name of a
/// file goes first. `format` is that of text.
llvm::Expected<Tensors> readTensors(llvm::StringRef source, Format format);

/// Whether this gradient says that there is none.
inline bool isAbsent(const Tensor &grad) { return grad.name.empty(); }

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_INPUTS_H
