//===- Memory.h - Where the compiled program's tensors lie ----------------===//

#ifndef UPDRAFT_TOOLS_RUN_MEMORY_H
#define UPDRAFT_TOOLS_RUN_MEMORY_H

#include "Tensor.h"
#include "runtime/updraft.h"

#include <memory>

namespace updraft::run {

class Memory {
public:
  virtual ~Memory() = default;

  /// What to compile for where nothing else is asked for; empty: this CPU.
  virtual std::string target() const = 0;

  /// The tensor as the library shall see it, which must outlive the result.
  /// What was put under the same name before is overwritten.
  virtual llvm::Expected<updraft_ndarray> put(llvm::StringRef name,
                                              const Tensor &tensor) = 0;

  /// Fills the tensor with what the library shows, of its format and shape.
  virtual llvm::Error get(const updraft_ndarray &array, Tensor &tensor) = 0;

  /// Waits until all is done that was begun.
  virtual llvm::Error finish() = 0;
};

/// Tensors stay where they are.
std::unique_ptr<Memory> makeHostMemory();
/// Copies on CUDA device 0. libcuda is looked for as the library looks for it:
/// in the environment variable UPDRAFT_LIBCUDA, else by its name.
llvm::Expected<std::unique_ptr<Memory>> makeCudaMemory();

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_MEMORY_H
