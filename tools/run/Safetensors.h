//===- Safetensors.h - Reading and writing tensor files -------------------===//
//
// runtime/Safetensors.h says what the format is. Nothing in a file is believed
// before it is checked.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_SAFETENSORS_H
#define UPDRAFT_TOOLS_RUN_SAFETENSORS_H

#include "Tensor.h"

#include "llvm/Support/Error.h"

namespace updraft::run {

/// All tensors of a file, ordered by where their data stands, then by name.
llvm::Expected<Tensors> readSafetensors(llvm::StringRef path);

/// A failure leaves no half file. The names must differ.
llvm::Error writeSafetensors(llvm::StringRef path, const Tensors &tensors);

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_SAFETENSORS_H
