//===- Tensor.cpp - What Python objects say of their memory ---------------===//
//
// The structures of DLPack are written out here as far as they are used: its
// layout is a promise (https://dmlc.github.io/dlpack/latest/c_api.html).
//
//===----------------------------------------------------------------------===//

#include "Tensor.h"

#include <algorithm>
#include <cstring>

using namespace updraft::python;

namespace {

struct DlTensor {
  void *data;
  int32_t deviceType, deviceId;
  int32_t rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byteOffset;
};

struct DlManagedVersioned {
  uint32_t major, minor;
  void *context;
  void *deleter;
  uint64_t flags;
  DlTensor tensor;
};
constexpr uint64_t kReadOnly = 1;

struct DlExchange {
  uint32_t major, minor;
  void *previous;
  void *managed[3];
  int (*describe)(void *object, DlTensor *result);
};

constexpr int32_t kCpu = 1;
constexpr uint8_t kFloat = 2, kBfloat = 4;

struct Named {
  const char *name;
  uint32_t format;
  uint8_t code, bits;
};
/// In the order of enum updraft_format.
constexpr Named kFormats[] = {{"float64", UPDRAFT_F64, kFloat, 64},
                              {"float32", UPDRAFT_F32, kFloat, 32},
                              {"bfloat16", UPDRAFT_BF16, kBfloat, 16},
                              {"float16", UPDRAFT_F16, kFloat, 16}};

alignas(8) char nothing[8];

using What = std::function<std::string()>;

[[noreturn]] void wrongType(const What &what, const std::string &text) {
  throw nb::type_error((what() + " " + text).c_str());
}

[[noreturn]] void wrongValue(const What &what, const std::string &text) {
  throw nb::value_error((what() + " " + text).c_str());
}

std::string dlName(const DlTensor &tensor) {
  for (const Named &each : kFormats)
    if (tensor.code == each.code && tensor.bits == each.bits)
      return each.name;
  const char *kind = tensor.code == 0   ? "int"
                     : tensor.code == 1 ? "uint"
                     : tensor.code == 5 ? "complex"
                     : tensor.code == 6 ? "bool"
                                        : "float";
  return kind + std::to_string(tensor.bits);
}

std::string textOf(const nb::object &object) { return nb::str(object).c_str(); }

[[noreturn]] void wrongFormat(const std::string &given, uint32_t wanted,
                              const What &what) {
  wrongType(what, "is of dtype " + given + ", " +
                      (wanted == kAnyFormat ? "a floating-point one"
                                            : dtypeName(wanted)) +
                      " is needed");
}

bool isWanted(const Named *given, uint32_t wanted) {
  return given && (wanted == kAnyFormat || given->format == wanted);
}

void take(uint32_t format, void *data, int32_t rank, Tensor &tensor,
          const What &what) {
  if (rank > UPDRAFT_MAX_RANK)
    wrongValue(what, "has rank " + std::to_string(rank) + ", at most " +
                         std::to_string(UPDRAFT_MAX_RANK) + " is supported");
  tensor.array = {data,         format,         uint32_t(rank),
                  tensor.shape, tensor.strides, 0};
}

void fromDlpack(const DlTensor &given, uint32_t format, Tensor &tensor,
                const What &what) {
  if (given.deviceType != kCpu)
    wrongType(what, "is not in the memory of the CPU");
  const Named *known = nullptr;
  for (const Named &each : kFormats)
    if (given.code == each.code && given.bits == each.bits && given.lanes == 1)
      known = &each;
  if (!isWanted(known, format))
    wrongFormat(dlName(given), format, what);
  take(known->format, static_cast<char *>(given.data) + given.byteOffset,
       given.rank, tensor, what);
  std::copy_n(given.shape, given.rank, tensor.shape);
  if (given.strides)
    std::copy_n(given.strides, given.rank, tensor.strides);
  else
    tensor.array.strides = nullptr;
}

/// `isBfloat` says that the buffer's integers stand for bfloat16.
nb::object fromBuffer(nb::handle object, uint32_t format, Access access,
                      bool isBfloat, Tensor &tensor, const What &what) {
  nb::object held = nb::steal(PyMemoryView_FromObject(object.ptr()));
  if (!held.is_valid())
    throw nb::python_error();
  const Py_buffer &buffer = *PyMemoryView_GET_BUFFER(held.ptr());
  std::string code = buffer.format ? buffer.format : "B";
  // Native byte order may be written in three ways.
  if (code.size() == 2 && strchr("@=<", code[0]))
    code.erase(0, 1);
  const Named *known = code == "d"   ? &kFormats[UPDRAFT_F64]
                       : code == "f" ? &kFormats[UPDRAFT_F32]
                       : code == "e" ? &kFormats[UPDRAFT_F16]
                       : isBfloat    ? &kFormats[UPDRAFT_BF16]
                                     : nullptr;
  if (!isWanted(known, format))
    wrongFormat(known                          ? known->name
                : nb::hasattr(object, "dtype") ? textOf(object.attr("dtype"))
                                               : "'" + code + "'",
                format, what);
  if (buffer.readonly && access == Access::Write)
    wrongValue(what, "is read only");
  take(known->format, buffer.buf, buffer.ndim, tensor, what);
  for (int i = 0; i < buffer.ndim; ++i) {
    tensor.shape[i] = buffer.shape[i];
    if (buffer.strides[i] % buffer.itemsize)
      wrongValue(what, "has strides that are no multiple of its items");
    tensor.strides[i] = buffer.strides[i] / buffer.itemsize;
  }
  return held;
}

/// The older form of the protocol cannot say that memory is read only.
nb::object fromCapsule(nb::handle object, uint32_t format, Access access,
                       Tensor &tensor, const What &what) {
  nb::object capsule;
  try {
    capsule = object.attr("__dlpack__")(nb::arg("max_version") =
                                            nb::make_tuple(1, 0));
  } catch (nb::python_error &error) {
    if (!error.matches(PyExc_TypeError))
      throw;
    capsule = object.attr("__dlpack__")();
  }
  if (PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned")) {
    auto *managed = static_cast<DlManagedVersioned *>(
        PyCapsule_GetPointer(capsule.ptr(), "dltensor_versioned"));
    if (managed->flags & kReadOnly && access == Access::Write)
      wrongValue(what, "is read only");
    fromDlpack(managed->tensor, format, tensor, what);
    return capsule;
  }
  if (!PyCapsule_IsValid(capsule.ptr(), "dltensor"))
    wrongType(what, "gives no DLPack tensor");
  fromDlpack(
      *static_cast<DlTensor *>(PyCapsule_GetPointer(capsule.ptr(), "dltensor")),
      format, tensor, what);
  return capsule;
}

} // namespace

const char *updraft::python::dtypeName(uint32_t format) {
  return kFormats[format].name;
}

uint32_t updraft::python::formatOf(const std::string &dtype) {
  for (const Named &each : kFormats)
    if (dtype == each.name)
      return each.format;
  throw nb::value_error(
      ("dtype '" + dtype + "': float64, float32, bfloat16 or float16 is needed")
          .c_str());
}

const void *Reader::exchangeOf(PyTypeObject *type) {
  if (type == lastType)
    return lastApi;
  lastType = type;
  lastApi = nullptr;
  nb::object capsule =
      nb::getattr(nb::handle(reinterpret_cast<PyObject *>(type)),
                  "__dlpack_c_exchange_api__", nb::none());
  constexpr char kName[] = "dlpack_exchange_api";
  if (PyCapsule_IsValid(capsule.ptr(), kName)) {
    auto *api = static_cast<const DlExchange *>(
        PyCapsule_GetPointer(capsule.ptr(), kName));
    if (api->major == 1 && api->describe)
      lastApi = api;
  }
  return lastApi;
}

nb::object Reader::read(nb::handle object, Access access, Tensor &tensor,
                        const What &what) {
  nb::object held = describe(object, access, tensor, what);
  const updraft_ndarray &array = tensor.array;
  // Without elements it may have no address, which would say: no gradient.
  if (!array.data && std::count(array.shape, array.shape + array.rank, 0) != 0)
    tensor.array.data = nothing;
  return held;
}

nb::object Reader::describe(nb::handle object, Access access, Tensor &tensor,
                            const What &what) {
  if (auto *api =
          static_cast<const DlExchange *>(exchangeOf(Py_TYPE(object.ptr())))) {
    DlTensor described = {};
    if (api->describe(object.ptr(), &described))
      throw nb::python_error();
    fromDlpack(described, format, tensor, what);
    return nb::borrow(object);
  }
  if (PyObject_CheckBuffer(object.ptr())) {
    // NumPy shows no buffer of types that it does not know itself.
    if (nb::hasattr(object, "dtype") &&
        nb::hasattr(object.attr("dtype"), "name") &&
        textOf(object.attr("dtype").attr("name")) == "bfloat16")
      return fromBuffer(object.attr("view")("uint16"), format, access, true,
                        tensor, what);
    return fromBuffer(object, format, access, false, tensor, what);
  }
  if (nb::hasattr(object, "__dlpack__"))
    return fromCapsule(object, format, access, tensor, what);
  wrongType(what, std::string("is a '") + Py_TYPE(object.ptr())->tp_name +
                      "', an array or tensor is needed");
}
