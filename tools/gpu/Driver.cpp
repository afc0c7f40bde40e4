//===- Driver.cpp - The CUDA driver for a program of its own --------------===//

#include "Driver.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>

namespace updraft::gpu {

// CUdevice_attribute and CUstreamCaptureMode.
static constexpr int kMajor = 75, kMinor = 76, kThreadLocal = 1;

static void *library() {
  static void *handle = [] {
    const char *named = std::getenv("UPDRAFT_LIBCUDA");
    const char *file = named ? named : "libcuda.so.1";
    void *opened = dlopen(file, RTLD_NOW);
    if (!opened)
      throw NoDevice(std::string("there is no CUDA driver: ") + dlerror());
    return opened;
  }();
  return handle;
}

/// Calls a function of the driver by its name; throws what it says.
template <class... Arguments>
static void call(const char *name, Arguments... arguments) {
  auto *function =
      reinterpret_cast<int (*)(Arguments...)>(dlsym(library(), name));
  if (!function)
    throw std::runtime_error(std::string("the driver has no ") + name);
  if (int result = function(arguments...)) {
    const char *text = nullptr;
    auto *nameOf = reinterpret_cast<int (*)(int, const char **)>(
        dlsym(library(), "cuGetErrorName"));
    if (nameOf)
      nameOf(result, &text);
    throw std::runtime_error(std::string(name) + ": " +
                             (text ? text : std::to_string(result)));
  }
}

//===- Devices ------------------------------------------------------------===//

Device::Device(unsigned number) : number_(number) {
  library();
  try {
    call("cuInit", 0u);
    call("cuDeviceGet", &handle_, int(number));
  } catch (const std::runtime_error &error) {
    throw NoDevice("there is no device " + std::to_string(number) + ": " +
                   error.what());
  }
  call("cuDevicePrimaryCtxRetain", &context_, handle_);
  call("cuCtxPushCurrent_v2", context_);
}

// What fails while one leaves has nobody to tell.
template <class... Arguments>
static void leave(const char *name, Arguments... arguments) {
  try {
    call(name, arguments...);
  } catch (const std::exception &) {
  }
}

Device::~Device() {
  leave("cuCtxPopCurrent_v2", &context_);
  leave("cuDevicePrimaryCtxRelease_v2", handle_);
}

std::string Device::describe() const {
  char name[256] = {};
  int major = 0, minor = 0, driver = 0;
  call("cuDeviceGetName", name, int(sizeof(name) - 1), handle_);
  call("cuDeviceGetAttribute", &major, kMajor, handle_);
  call("cuDeviceGetAttribute", &minor, kMinor, handle_);
  call("cuDriverGetVersion", &driver);
  auto version = [](int high, int low) {
    return std::to_string(high) + "." + std::to_string(low);
  };
  return std::string(name) + ", compute capability " + version(major, minor) +
         ", driver " + version(driver / 1000, driver % 1000 / 10);
}

void Device::synchronize() const { call("cuCtxSynchronize"); }

double Device::seconds(const std::function<void()> &enqueue) const {
  void *begin = nullptr, *end = nullptr, *stream = nullptr;
  call("cuEventCreate", &begin, 0u);
  call("cuEventCreate", &end, 0u);
  call("cuEventRecord", begin, stream);
  enqueue();
  call("cuEventRecord", end, stream);
  call("cuEventSynchronize", end);
  float milliseconds = 0;
  call("cuEventElapsedTime", &milliseconds, begin, end);
  leave("cuEventDestroy_v2", begin);
  leave("cuEventDestroy_v2", end);
  return milliseconds * 1e-3;
}

//===- Memory -------------------------------------------------------------===//

Memory::Memory(size_t bytes, size_t offset) : bytes_(bytes), offset_(offset) {
  call("cuMemAlloc_v2", &start_, std::max<size_t>(bytes + offset, 1));
}

Memory::Memory(Memory &&other) noexcept
    : start_(other.start_), bytes_(other.bytes_), offset_(other.offset_) {
  other.start_ = 0;
}

Memory::~Memory() {
  if (start_)
    leave("cuMemFree_v2", start_);
}

void Memory::write(const void *host) const {
  if (bytes_)
    call("cuMemcpyHtoD_v2", start_ + offset_, host, bytes_);
}

void Memory::read(void *host) const { readDevice(host, data(), bytes_); }

void Memory::copyFrom(const Memory &other) const {
  void *stream = nullptr;
  call("cuMemcpyDtoDAsync_v2", start_ + offset_, other.start_ + other.offset_,
       std::min(bytes_, other.bytes_), stream);
}

void readDevice(void *host, const void *device, size_t bytes) {
  if (bytes)
    call("cuMemcpyDtoH_v2", host, reinterpret_cast<uint64_t>(device), bytes);
}

//===- Graphs -------------------------------------------------------------===//

Graph::Graph(const std::function<void(void *stream)> &enqueue) {
  call("cuStreamCreate", &stream_, 0u);
  call("cuStreamBeginCapture_v2", stream_, kThreadLocal);
  enqueue(stream_);
  call("cuStreamEndCapture", stream_, &graph_);
  call("cuGraphInstantiateWithFlags", &ready_, graph_, 0ull);
}

Graph::~Graph() {
  leave("cuGraphExecDestroy", ready_);
  leave("cuGraphDestroy", graph_);
  leave("cuStreamDestroy_v2", stream_);
}

void Graph::launch() const {
  call("cuGraphLaunch", ready_, stream_);
  call("cuStreamSynchronize", stream_);
}

} // namespace updraft::gpu
