//===- Tensor.h - What Python objects say of their memory -------*- C++ -*-===//
//
// Arrays and tensors of any library, without a copy: by DLPack's table of C
// functions where the type has one (torch), by the buffer protocol (NumPy), by
// a DLPack capsule (JAX and the rest).
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_PYTHON_TENSOR_H
#define UPDRAFT_PYTHON_TENSOR_H

#include "runtime/updraft.h"

#include <nanobind/nanobind.h>

#include <functional>
#include <string>

namespace updraft::python {

namespace nb = nanobind;

/// "float32" and so on.
const char *dtypeName(uint32_t format);
/// The format of that name; ValueError if there is none.
uint32_t formatOf(const std::string &dtype);

/// Memory as a Python object describes it. Does not move: `array` points into
/// it.
struct Tensor {
  updraft_ndarray array = {};
  int64_t shape[UPDRAFT_MAX_RANK], strides[UPDRAFT_MAX_RANK];

  Tensor() = default;
  Tensor(const Tensor &) = delete;
};

enum class Access { Read, Write };

/// For Reader: whatever floating-point format the object has.
inline constexpr uint32_t kAnyFormat = UINT32_MAX;

/// Reads objects of mostly one type one after the other.
class Reader {
public:
  explicit Reader(uint32_t format) : format(format) {}

  /// Describes `object`, whose memory is valid as long as the result lives.
  /// TypeError: no tensor, not on the CPU, not of the wanted format;
  /// ValueError: of too high a rank, or read only where it is to be written.
  /// `what` names it.
  nb::object read(nb::handle object, Access access, Tensor &tensor,
                  const std::function<std::string()> &what);

  uint32_t format;

private:
  nb::object describe(nb::handle object, Access access, Tensor &tensor,
                      const std::function<std::string()> &what);
  const void *exchangeOf(PyTypeObject *type);

  PyTypeObject *lastType = nullptr;
  const void *lastApi = nullptr;
};

} // namespace updraft::python

#endif // UPDRAFT_PYTHON_TENSOR_H
