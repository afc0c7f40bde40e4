//===- FakeMemory.cpp - Memory and copies of the fake driver --------------===//

#include "FakeDriver.h"

#include <cstring>
#include <new>
#include <sys/mman.h>

using namespace updraft::fake;

static constexpr size_t kAlignment = 512;

const Allocation *updraft::fake::holding(uint64_t address, uint64_t bytes) {
  for (Context *context : driver().all()) {
    auto next = context->memory.upper_bound(address);
    if (next == context->memory.begin())
      continue;
    --next;
    if (address - next->first <= next->second.bytes &&
        bytes <= next->second.bytes - (address - next->first) &&
        address - next->first < next->second.bytes)
      return &next->second;
  }
  return nullptr;
}

bool updraft::fake::isPinned(const void *begin, size_t bytes) {
  uint64_t address = reinterpret_cast<uint64_t>(begin);
  for (Context *context : driver().all())
    for (auto &[start, allocation] : context->pinned)
      if (address >= start && address + bytes <= start + allocation.bytes)
        return true;
  return false;
}

/// Notes a copy that is not wholly in one allocation.
static int checkDevice(const char *what, uint64_t address, size_t bytes) {
  if (holding(address, bytes))
    return Success;
  driver().noteMisuse(std::string(what) + " outside of any allocation");
  return InvalidValue;
}

FAKE_API int cuMemAlloc_v2(uint64_t *result, size_t bytes) {
  FAKE_CONTEXT("cuMemAlloc", true)
  Device &device = *fake.devices[size_t(context->device)];
  if (!bytes)
    return InvalidValue;
  if (bytes > fake.memoryLimit - device.allocated)
    return OutOfMemory;
  *result = reinterpret_cast<uint64_t>(device.arena + device.used);
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.context = context;
  context->memory[*result] = allocation;
  device.allocated += bytes;
  device.used += (bytes + 2 * kAlignment - 1) / kAlignment * kAlignment;
  // What was there before is anything but zero.
  Opened opened(*result, bytes);
  memset(reinterpret_cast<void *>(*result), 0xa5, bytes);
  return Success;
}

FAKE_API int cuMemFree_v2(uint64_t address) {
  FAKE_CONTEXT("cuMemFree", true)
  (void)finish(*context);
  for (Context *owner : fake.all()) {
    auto found = owner->memory.find(address);
    if (found == owner->memory.end())
      continue;
    fake.devices[size_t(owner->device)]->allocated -= found->second.bytes;
    owner->memory.erase(found);
    return Success;
  }
  fake.noteMisuse("what is freed is no allocation");
  return InvalidValue;
}

FAKE_API int cuMemAllocHost_v2(void **result, size_t bytes) {
  FAKE_CONTEXT("cuMemAllocHost", true)
  *result = ::operator new(bytes, std::align_val_t(64));
  memset(*result, 0xa5, bytes);
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.context = context;
  context->pinned[reinterpret_cast<uint64_t>(*result)] = allocation;
  return Success;
}

FAKE_API int cuMemFreeHost(void *memory) {
  FAKE_CONTEXT("cuMemFreeHost", true)
  uint64_t address = reinterpret_cast<uint64_t>(memory);
  std::vector<Stream *> streams(context->streams.begin(),
                                context->streams.end());
  streams.push_back(&context->defaultStream);
  auto found = context->pinned.find(address);
  if (found == context->pinned.end()) {
    fake.noteMisuse("what is freed is no pinned memory");
    return InvalidValue;
  }
  for (Stream *stream : streams)
    for (const Work &work : stream->works)
      for (const Source &source : work.sources)
        if (source.begin >= memory &&
            source.begin < static_cast<char *>(memory) + found->second.bytes)
          fake.noteMisuse("pinned memory is freed before " + work.what);
  context->pinned.erase(found);
  ::operator delete(memory, std::align_val_t(64));
  return Success;
}

FAKE_API int cuMemsetD8_v2(uint64_t address, unsigned char value,
                           size_t bytes) {
  FAKE_CONTEXT("cuMemsetD8", true)
  if (int result = checkDevice("cuMemsetD8", address, bytes))
    return result;
  Work work;
  work.what = "cuMemsetD8";
  work.run = [=] {
    memset(reinterpret_cast<void *>(address), value, bytes);
    return int(Success);
  };
  return give(nullptr, std::move(work));
}

FAKE_API int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  FAKE_CONTEXT("cuMemcpyHtoD", true)
  if (int result = checkDevice("cuMemcpyHtoD", to, bytes))
    return result;
  // Waits for the default stream alone.
  if (int result = finish(context->defaultStream))
    return result;
  Opened opened(to, bytes);
  memcpy(reinterpret_cast<void *>(to), from, bytes);
  return Success;
}

FAKE_API int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
  FAKE_CONTEXT("cuMemcpyDtoH", true)
  if (int result = checkDevice("cuMemcpyDtoH", from, bytes))
    return result;
  if (int result = finish(context->defaultStream))
    return result;
  Opened opened(from, bytes);
  memcpy(to, reinterpret_cast<const void *>(from), bytes);
  return Success;
}

FAKE_API int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                                  FakeHandle stream) {
  FAKE_CONTEXT("cuMemcpyHtoDAsync", false)
  if (int result = checkDevice("cuMemcpyHtoDAsync", to, bytes))
    return result;
  if (!isPinned(from, bytes))
    fake.noteMisuse("cuMemcpyHtoDAsync from memory that is not pinned");
  Work work;
  work.what = "cuMemcpyHtoDAsync";
  work.sources.push_back({static_cast<const char *>(from), bytes});
  work.run = [=] {
    memcpy(reinterpret_cast<void *>(to), from, bytes);
    return int(Success);
  };
  return give(stream, std::move(work));
}

FAKE_API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes,
                                  FakeHandle stream) {
  FAKE_CONTEXT("cuMemcpyDtoDAsync", false)
  for (uint64_t address : {to, from})
    if (int result = checkDevice("cuMemcpyDtoDAsync", address, bytes))
      return result;
  Work work;
  work.what = "cuMemcpyDtoDAsync";
  work.run = [=] {
    memcpy(reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from),
           bytes);
    return int(Success);
  };
  return give(stream, std::move(work));
}

namespace {
/// CUDA_MEMCPY2D.
struct Copy2D {
  size_t fromX, fromY;
  unsigned fromType;
  const char *fromHost;
  uint64_t fromDevice;
  void *fromArray;
  size_t fromPitch, toX, toY;
  unsigned toType;
  void *toHost;
  uint64_t toDevice;
  void *toArray;
  size_t toPitch, bytes, rows;
};
} // namespace

FAKE_API int cuMemcpy2DAsync_v2(const Copy2D *given, FakeHandle stream) {
  FAKE_CONTEXT("cuMemcpy2DAsync", false)
  Copy2D copy = *given;
  if (copy.fromType != 1 || copy.toType != 2 || copy.fromX || copy.fromY ||
      copy.toX || copy.toY || copy.bytes > copy.fromPitch ||
      copy.bytes > copy.toPitch || !copy.rows)
    return InvalidValue;
  Work work;
  work.what = "cuMemcpy2DAsync";
  for (size_t row = 0; row < copy.rows; ++row) {
    const char *from = copy.fromHost + row * copy.fromPitch;
    if (int result = checkDevice(
            "cuMemcpy2DAsync", copy.toDevice + row * copy.toPitch, copy.bytes))
      return result;
    if (!isPinned(from, copy.bytes))
      fake.noteMisuse("cuMemcpy2DAsync from memory that is not pinned");
    work.sources.push_back({from, copy.bytes});
  }
  work.run = [copy] {
    for (size_t row = 0; row < copy.rows; ++row)
      memcpy(reinterpret_cast<char *>(copy.toDevice) + row * copy.toPitch,
             copy.fromHost + row * copy.fromPitch, copy.bytes);
    return int(Success);
  };
  return give(stream, std::move(work));
}

FAKE_API int cuPointerGetAttributes(unsigned count, int *attributes,
                                    void **values, uint64_t address) {
  FAKE_CONTEXT("cuPointerGetAttributes", false)
  const Allocation *found = holding(address, 1);
  uint64_t start = 0;
  for (Context *each : fake.all())
    for (auto &[begin, allocation] : each->memory)
      if (&allocation == found)
        start = begin;
  for (unsigned i = 0; i < count; ++i)
    switch (attributes[i]) {
    case 2:
      *static_cast<unsigned *>(values[i]) = found ? 2 : 0;
      break;
    case 8:
      *static_cast<bool *>(values[i]) = false;
      break;
    case 9:
      *static_cast<int *>(values[i]) = found ? found->context->device : -2;
      break;
    case 11:
      *static_cast<uint64_t *>(values[i]) = start;
      break;
    case 12:
      *static_cast<size_t *>(values[i]) = found ? found->bytes : 0;
      break;
    default:
      return InvalidValue;
    }
  return Success;
}
