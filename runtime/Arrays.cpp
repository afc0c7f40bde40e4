//===- Arrays.cpp - Whether a caller's memory can be used -----------------===//
//
// Format, shape, strides, alignment, null and overlap: everything that would
// make a step write where it must not, found before the first write.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

#include <algorithm>
#include <cstring>

using namespace updraft::runtime;

static std::string shapeText(const int64_t *shape, uint32_t rank) {
  std::string text = "[";
  for (uint32_t i = 0; i < rank; ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

static bool isContiguous(const int64_t *shape, const int64_t *strides,
                         uint32_t rank, uint64_t size) {
  if (!strides || !size)
    return true;
  int64_t stride = 1;
  for (uint32_t i = rank; i-- > 0;) {
    if (shape[i] != 1 && strides[i] != stride)
      return false;
    stride *= shape[i];
  }
  return true;
}

static std::string placeText(uint32_t device) {
  return device ? "on CUDA device " + std::to_string(device - 1)
                : "in host memory";
}

static updraft_status checkPlace(const Optimizer &optimizer,
                                 const updraft_ndarray &array,
                                 const std::string &what) {
  if (array.device == optimizer.place)
    return UPDRAFT_OK;
  return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s is %s, the optimizer is %s",
              optimizer.rule(), what.c_str(), placeText(array.device).c_str(),
              placeText(optimizer.place).c_str());
}

static updraft_status checkMemory(const Optimizer &optimizer,
                                  const updraft_ndarray &array, uint64_t size,
                                  uint32_t format, const std::string &what) {
  const char *rule = optimizer.rule();
  uintptr_t address = reinterpret_cast<uintptr_t>(array.data);
  size_t bytes = bytesOf(format);
  if (updraft_status status = checkPlace(optimizer, array, what))
    return status;
  if (!array.data && size)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: %s has null data and %llu elements", rule, what.c_str(),
                static_cast<unsigned long long>(size));
  if (address % bytes)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: %s is not aligned: %s needs an address divisible by %zu",
                rule, what.c_str(), formatName(format), bytes);
  if (size > (UINTPTR_MAX - address) / bytes)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: %s is larger than the address space", rule, what.c_str());
  if (!optimizer.device || !size)
    return UPDRAFT_OK;
  return optimizer.device->checkPointer(array.data, size * bytes, what);
}

static updraft_status checkFormat(const Optimizer &optimizer, uint32_t given,
                                  uint32_t needed, const std::string &what) {
  if (given == needed)
    return UPDRAFT_OK;
  return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s has dtype %s, %s is needed",
              optimizer.rule(), what.c_str(), formatName(given),
              formatName(needed));
}

static updraft_status notContiguous(const Optimizer &optimizer,
                                    const int64_t *strides, uint32_t rank,
                                    const std::string &shape,
                                    const std::string &what) {
  return fail(UPDRAFT_INVALID_ARGUMENT,
              "%s: %s is not contiguous: shape %s has strides %s",
              optimizer.rule(), what.c_str(), shape.c_str(),
              shapeText(strides, rank).c_str());
}

/// An array of rows, columns, ...: it always says its shape.
static updraft_status checkAxis(const Optimizer &optimizer, const Shape &axis,
                                const updraft_ndarray &array, uint32_t format,
                                const std::string &what) {
  bool fits = array.rank == axis.rank && (array.shape || !array.rank) &&
              std::equal(axis.shape, axis.shape + axis.rank, array.shape);
  std::string wanted = shapeText(axis.shape, axis.rank);
  if (!fits && array.rank && !array.shape)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s has rank %u and no shape",
                optimizer.rule(), what.c_str(), array.rank);
  if (!fits)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s has shape %s, %s is needed",
                optimizer.rule(), what.c_str(),
                shapeText(array.shape, array.rank).c_str(), wanted.c_str());
  if (!isContiguous(axis.shape, array.strides, axis.rank, axis.size))
    return notContiguous(optimizer, array.strides, axis.rank, wanted, what);
  return checkMemory(optimizer, array, axis.size, format, what);
}

updraft_status
updraft::runtime::checkArray(const Optimizer &optimizer, const Param &param,
                             const updraft_ndarray &array, uint32_t format,
                             const std::string &what, const Shape *axis) {
  if (updraft_status status = checkFormat(optimizer, array.dtype, format, what))
    return status;
  if (axis)
    return checkAxis(optimizer, *axis, array, format, what);
  std::string shape = shapeText(param.shape, param.rank);
  if (array.shape || (array.rank && array.rank != param.rank)) {
    if (array.rank != param.rank)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: %s has rank %u, parameter '%s' has rank %u %s",
                  optimizer.rule(), what.c_str(), array.rank,
                  param.name.c_str(), param.rank, shape.c_str());
    if (!std::equal(param.shape, param.shape + param.rank, array.shape))
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: %s has shape %s, parameter '%s' has shape %s",
                  optimizer.rule(), what.c_str(),
                  shapeText(array.shape, array.rank).c_str(),
                  param.name.c_str(), shape.c_str());
  }
  if (!isContiguous(param.shape, array.strides, param.rank, param.size))
    return notContiguous(optimizer, array.strides, param.rank, shape, what);
  return checkMemory(optimizer, array, param.size, format, what);
}

bool updraft::runtime::arrayFits(const updraft_ndarray &array,
                                 const updraft_shape &shape, uint32_t format,
                                 uint32_t place) {
  if (array.dtype != format || array.device != place ||
      reinterpret_cast<uintptr_t>(array.data) % bytesOf(format))
    return false;
  static_assert(sizeof(int64_t) == sizeof shape.dims[0]);
  if (array.shape) {
    if (array.rank != shape.rank)
      return false;
    for (uint64_t i = 0; i < shape.rank; ++i)
      if (uint64_t(array.shape[i]) != shape.dims[i])
        return false;
  } else if (array.rank && array.rank != shape.rank)
    return false;
  if (!array.strides)
    return true;
  uint64_t size = 1;
  int64_t dims[UPDRAFT_MAX_RANK];
  for (uint64_t i = 0; i < shape.rank; ++i)
    size *= shape.dims[i], dims[i] = int64_t(shape.dims[i]);
  return isContiguous(dims, array.strides, uint32_t(shape.rank), size);
}

static updraft_status copyShape(const Optimizer &optimizer,
                                const updraft_ndarray &array, uint32_t format,
                                const std::string &what, Param &result) {
  const char *rule = optimizer.rule();
  if (array.rank > UPDRAFT_MAX_RANK)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: %s has rank %u, at most %d is supported", rule,
                what.c_str(), array.rank, UPDRAFT_MAX_RANK);
  if (array.rank && !array.shape)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s has rank %u and no shape",
                rule, what.c_str(), array.rank);
  result.rank = array.rank;
  uint64_t size = 1;
  bool overflow = false, empty = false;
  for (uint32_t i = 0; i < array.rank; ++i) {
    if (array.shape[i] < 0)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s has a negative shape %s",
                  rule, what.c_str(),
                  shapeText(array.shape, array.rank).c_str());
    result.shape[i] = array.shape[i];
    empty |= !array.shape[i];
    overflow |= __builtin_mul_overflow(size, uint64_t(array.shape[i]), &size);
  }
  if (!empty && (overflow || size > uint64_t(INT64_MAX) / bytesOf(format)))
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: %s has shape %s, more elements than can be addressed",
                rule, what.c_str(), shapeText(array.shape, array.rank).c_str());
  result.size = empty ? 0 : size;
  return UPDRAFT_OK;
}

updraft_status updraft::runtime::describeParam(const Optimizer &optimizer,
                                               const updraft_param &given,
                                               size_t index, Param &result) {
  uint32_t format = optimizer.program()->param;
  result.name = given.name ? given.name : std::to_string(index);
  result.group = given.group;
  std::string what = "parameter '" + result.name + "'";
  if (given.group >= optimizer.groupCount)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: %s is in group %u, there are %u groups", optimizer.rule(),
                what.c_str(), given.group, optimizer.groupCount);
  if (given.tag_count && !given.tags)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s has null tags",
                optimizer.rule(), what.c_str());
  if (updraft_status status =
          checkFormat(optimizer, given.array.dtype, format, what))
    return status;
  if (updraft_status status =
          copyShape(optimizer, given.array, format, what, result))
    return status;
  if (!isContiguous(result.shape, given.array.strides, result.rank,
                    result.size))
    return notContiguous(optimizer, given.array.strides, result.rank,
                         shapeText(result.shape, result.rank), what);
  return checkMemory(optimizer, given.array, result.size, format, what);
}

const Range *updraft::runtime::overlapping(const std::vector<Range> &ranges,
                                           uintptr_t begin, uintptr_t end) {
  if (begin == end)
    return nullptr;
  auto next = std::upper_bound(
      ranges.begin(), ranges.end(), begin,
      [](uintptr_t begin, const Range &range) { return begin < range.end; });
  return next != ranges.end() && next->begin < end ? &*next : nullptr;
}

static std::string rangeText(const Optimizer &optimizer, const Range &range) {
  return range.param == kStates
             ? "the optimizer's states"
             : "parameter '" + optimizer.params[range.param].name + "'";
}

updraft_status updraft::runtime::checkOverlap(const Optimizer &optimizer,
                                              const void *data, uint64_t bytes,
                                              const std::string &what,
                                              uint32_t except) {
  uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  const Range *first = overlapping(optimizer.ranges, begin, begin + bytes);
  if (!first)
    return UPDRAFT_OK;
  const Range *end = optimizer.ranges.data() + optimizer.ranges.size();
  for (const Range *range = first; range < end && range->begin < begin + bytes;
       ++range)
    if (range->param != except)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s overlaps %s",
                  optimizer.rule(), what.c_str(),
                  rangeText(optimizer, *range).c_str());
  return UPDRAFT_OK;
}

updraft_status updraft::runtime::sortRanges(const Optimizer &optimizer,
                                            std::vector<Range> &ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range &a, const Range &b) {
    return a.begin != b.begin ? a.begin < b.begin : a.param < b.param;
  });
  for (size_t i = 1; i < ranges.size(); ++i) {
    const Range &a = ranges[i - 1], &b = ranges[i];
    if (b.begin >= a.end)
      continue;
    if (a.param == kStates || b.param == kStates)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s overlaps %s",
                  optimizer.rule(), rangeText(optimizer, a).c_str(),
                  rangeText(optimizer, b).c_str());
    const char *nameA = optimizer.params[a.param].name.c_str();
    const char *nameB = optimizer.params[b.param].name.c_str();
    if (a.begin == b.begin && a.end == b.end)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: parameters '%s' and '%s' are the same memory",
                  optimizer.rule(), nameA, nameB);
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: parameters '%s' and '%s' overlap", optimizer.rule(), nameA,
                nameB);
  }
  return UPDRAFT_OK;
}
