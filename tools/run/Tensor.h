//===- Tensor.h - A named array of numbers in memory ----------------------===//
//
// What updraft-run reads from files, hands to both roads and writes back. It
// owns its bytes; numbers are looked at as double, which holds every format's
// values exactly.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_TENSOR_H
#define UPDRAFT_TOOLS_RUN_TENSOR_H

#include "dsl/Rule.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace updraft::run {

/// Bytes of one number.
unsigned bytesOf(Format format);
/// "F32", as safetensors spells it.
llvm::StringRef nameOf(Format format);
/// The format of such a name, in upper or lower case.
std::optional<Format> formatNamed(llvm::StringRef name);

struct Tensor {
  std::string name;
  Format format = Format::F32;
  std::vector<int64_t> shape; ///< row-major
  std::vector<uint8_t> bytes; ///< size() numbers

  Tensor() = default;
  /// All zeros.
  Tensor(std::string name, Format format, std::vector<int64_t> shape);

  uint64_t size() const;
  double at(uint64_t index) const;
  /// Rounds to nearest even.
  void set(uint64_t index, double value);
  /// Whether the numbers at `index` have the same bits; any two NaN have.
  bool sameAt(uint64_t index, const Tensor &other) const;
};

/// In the order of the file they came from.
using Tensors = std::vector<Tensor>;

/// The tensor of that name, null if there is none.
const Tensor *find(const Tensors &tensors, llvm::StringRef name);

/// "[64, 32]".
std::string shapeText(const std::vector<int64_t> &shape);

/// The number that a text says: decimal, hexadecimal, "inf", "nan". The error
/// is a clause about the text: "is no number", or "does not fit F64" where it
/// overflows, or is not 0 and would become 0.
llvm::Expected<double> readDouble(llvm::StringRef text);

/// Shortest text that reads back as the same double; "nan", "inf".
std::string numberText(double value);

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_TENSOR_H
