//===- Safetensors.h - The file format of checkpoints ---------------------===//
//
// 8 bytes length of the header (little-endian), the header as JSON, the data:
// {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3],
// "data_offsets": [0, 24]}}. Offsets count from the end of the header; the data
// has neither holes nor overlaps.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_SAFETENSORS_H
#define UPDRAFT_RUNTIME_SAFETENSORS_H

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace updraft::runtime {

struct SafeTensor {
  std::string name;
  std::string dtype; ///< "F64", "F32", "BF16", "F16", "I64", ...
  std::vector<uint64_t> shape;
  uint64_t begin = 0, end = 0;
};

struct SafeHeader {
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<SafeTensor> tensors;
};

/// The largest header that is read, as in the format's own library.
inline constexpr uint64_t kLargestSafeHeader = 100'000'000;

/// The dtype's name of an updraft_format.
const char *safeDtype(uint32_t format);

/// What stands before the data: the length, and the header padded to a multiple
/// of 8 bytes; false and `problem` if a name is not UTF-8.
bool printSafeHeader(const SafeHeader &header, std::string &text,
                     std::string &problem);

/// The header's length, from the first 8 bytes of a file of `fileBytes`; false
/// and `problem` if the file has no such header.
bool readSafeLength(const void *prefix, uint64_t fileBytes, uint64_t &length,
                    std::string &problem);

/// Parses and checks a header of a file with `dataBytes` after it. Never trusts
/// a byte; false and `problem` if anything is not as the format says.
bool parseSafeHeader(std::string_view text, uint64_t dataBytes,
                     SafeHeader &header, std::string &problem);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_SAFETENSORS_H
