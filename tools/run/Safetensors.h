//===- Safetensors.h - Reading and writing tensor files -------------------===//
//
// The format: 8 bytes with the length of a JSON header, the header (name ->
// dtype, shape, data_offsets), the data. Nothing in a file is believed before
// it is checked.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_SAFETENSORS_H
#define UPDRAFT_TOOLS_RUN_SAFETENSORS_H

#include "Tensor.h"

#include "llvm/Support/Error.h"

namespace updraft::run {

/// All tensors of a file, ordered by where their data stands, then by name.
llvm::Expected<Tensors> readSafetensors(llvm::StringRef path);

/// Writes beside `path` and renames, so that a failure leaves no half file.
llvm::Error writeSafetensors(llvm::StringRef path, const Tensors &tensors);

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_SAFETENSORS_H
