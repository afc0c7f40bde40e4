//===- Format.h - Storage formats -----------------------------------------===//
//
// Sizes, names and conversion of what arrays hold.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_FORMAT_H
#define UPDRAFT_RUNTIME_FORMAT_H

#include "abi.h"

#include <cstddef>

namespace updraft::runtime {

inline size_t bytesOf(uint32_t format) {
  return format == UPDRAFT_F64 ? 8 : format == UPDRAFT_F32 ? 4 : 2;
}

/// "f32"; "?" for a number that is no format.
const char *formatName(uint32_t format);

/// What is computed in for parameters of a format.
inline uint32_t computeFormat(uint32_t param) {
  return param == UPDRAFT_F64 ? UPDRAFT_F64 : UPDRAFT_F32;
}

/// Copies values from one format to another; narrowing rounds to nearest even.
void convert(const void *from, uint32_t fromFormat, void *to, uint32_t toFormat,
             size_t count);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_FORMAT_H
