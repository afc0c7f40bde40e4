//===- Memory.cpp - Where the compiled program's tensors lie --------------===//

#include "Memory.h"

#include "llvm/ADT/StringMap.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

using namespace updraft;
using namespace updraft::run;

static updraft_ndarray asArray(const Tensor &tensor, void *data) {
  updraft_ndarray array{};
  array.data = data;
  array.dtype = uint32_t(tensor.format);
  array.rank = tensor.shape.size();
  array.shape = tensor.shape.data();
  return array;
}

namespace {
class HostMemory : public Memory {
public:
  std::string target() const override { return ""; }

  llvm::Expected<updraft_ndarray> put(llvm::StringRef,
                                      const Tensor &tensor) override {
    // A tensor of no elements has no bytes and yet is there.
    static uint64_t nothing;
    if (tensor.bytes.empty())
      return asArray(tensor, &nothing);
    return asArray(tensor, const_cast<uint8_t *>(tensor.bytes.data()));
  }

  llvm::Error get(const updraft_ndarray &array, Tensor &tensor) override {
    if (!tensor.bytes.empty() && array.data != tensor.bytes.data())
      std::memcpy(tensor.bytes.data(), array.data, tensor.bytes.size());
    return llvm::Error::success();
  }

  llvm::Error finish() override { return llvm::Error::success(); }
};
} // namespace

//===- CUDA ---------------------------------------------------------------===//

namespace {
/// The functions of the driver that are used here.
struct Driver {
  int (*init)(unsigned);
  int (*device)(int *, int);
  int (*attribute)(int *, int, int);
  int (*retain)(void **, int);
  int (*release)(int);
  int (*push)(void *);
  int (*pop)(void **);
  int (*allocate)(uint64_t *, size_t);
  int (*free)(uint64_t);
  int (*upload)(uint64_t, const void *, size_t);
  int (*download)(void *, uint64_t, size_t);
  int (*synchronise)();
  int (*errorText)(int, const char **);

  llvm::Error load();
};

class CudaMemory : public Memory {
public:
  ~CudaMemory() override;
  llvm::Error create();
  std::string target() const override { return "sm_" + std::to_string(arch); }
  llvm::Expected<updraft_ndarray> put(llvm::StringRef name,
                                      const Tensor &tensor) override;
  llvm::Error get(const updraft_ndarray &array, Tensor &tensor) override;
  llvm::Error finish() override {
    return call("wait for the GPU", [&] { return driver.synchronise(); });
  }

private:
  struct Buffer {
    uint64_t address = 0;
    size_t bytes = 0;
  };
  /// Runs the body in the device's primary context, which the library uses too.
  llvm::Error call(const char *what, llvm::function_ref<int()> body);

  Driver driver{};
  void *context = nullptr;
  int arch = 0; ///< 90: what there is code for, at most the device's
  llvm::StringMap<Buffer> buffers;
};
} // namespace

llvm::Error Driver::load() {
  const char *name = getenv("UPDRAFT_LIBCUDA");
  name = name && *name ? name : "libcuda.so.1";
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return llvm::createStringError(
        std::string("no CUDA driver could be loaded: ") + dlerror());
  bool all = true;
  auto find = [&](auto &function, const char *symbol) {
    void *found = dlsym(library, symbol);
    all = all && found;
    std::memcpy(&function, &found, sizeof found);
  };
  find(init, "cuInit");
  find(device, "cuDeviceGet");
  find(attribute, "cuDeviceGetAttribute");
  find(retain, "cuDevicePrimaryCtxRetain");
  find(release, "cuDevicePrimaryCtxRelease_v2");
  find(push, "cuCtxPushCurrent_v2");
  find(pop, "cuCtxPopCurrent_v2");
  find(allocate, "cuMemAlloc_v2");
  find(free, "cuMemFree_v2");
  find(upload, "cuMemcpyHtoD_v2");
  find(download, "cuMemcpyDtoH_v2");
  find(synchronise, "cuCtxSynchronize");
  find(errorText, "cuGetErrorString");
  if (!all)
    return llvm::createStringError(std::string(name) + " is no CUDA driver");
  return llvm::Error::success();
}

llvm::Error CudaMemory::call(const char *what, llvm::function_ref<int()> body) {
  void *popped = nullptr;
  int failure = context ? driver.push(context) : 0;
  if (!failure) {
    failure = body();
    if (context)
      (void)driver.pop(&popped);
  }
  if (!failure)
    return llvm::Error::success();
  const char *text = nullptr;
  (void)driver.errorText(failure, &text);
  return llvm::createStringError(std::string("could not ") + what +
                                 ": CUDA error " + std::to_string(failure) +
                                 (text ? std::string(": ") + text : ""));
}

llvm::Error CudaMemory::create() {
  constexpr int major = 75, minor = 76; // CUdevice_attribute
  constexpr int known[] = {75, 80, 86, 89, 90, 100, 103, 120, 121};
  if (llvm::Error error = driver.load())
    return error;
  int device = 0, high = 0, low = 0;
  void *retained = nullptr;
  llvm::Error error = call("use the GPU", [&] {
    int failure = driver.init(0);
    failure = failure ? failure : driver.device(&device, 0);
    failure = failure ? failure : driver.attribute(&high, major, device);
    failure = failure ? failure : driver.attribute(&low, minor, device);
    return failure ? failure : driver.retain(&retained, device);
  });
  if (error)
    return error;
  context = retained;
  for (int each : known)
    arch = each <= 10 * high + low ? each : arch;
  if (!arch)
    return llvm::createStringError(
        "the GPU has compute capability " + std::to_string(high) + "." +
        std::to_string(low) + "; there is code for 7.5 and later");
  return llvm::Error::success();
}

CudaMemory::~CudaMemory() {
  for (auto &buffer : buffers)
    llvm::consumeError(
        call("free", [&] { return driver.free(buffer.second.address); }));
  if (context)
    (void)driver.release(0);
}

llvm::Expected<updraft_ndarray> CudaMemory::put(llvm::StringRef name,
                                                const Tensor &tensor) {
  Buffer &buffer = buffers[name];
  size_t bytes = tensor.bytes.size();
  llvm::Error error = call("copy to the GPU", [&] {
    int failure = 0;
    if (!buffer.address || buffer.bytes < bytes) {
      failure = buffer.address ? driver.free(buffer.address) : 0;
      buffer = {0, bytes};
      if (!failure)
        failure = driver.allocate(&buffer.address, bytes ? bytes : 1);
    }
    if (!failure && bytes)
      failure = driver.upload(buffer.address, tensor.bytes.data(), bytes);
    return failure;
  });
  if (error)
    return error;
  auto *data = reinterpret_cast<void *>(uintptr_t(buffer.address));
  updraft_ndarray array = asArray(tensor, data);
  array.device = 1;
  return array;
}

llvm::Error CudaMemory::get(const updraft_ndarray &array, Tensor &tensor) {
  if (tensor.bytes.empty())
    return llvm::Error::success();
  if (array.device == 0) {
    std::memcpy(tensor.bytes.data(), array.data, tensor.bytes.size());
    return llvm::Error::success();
  }
  return call("copy from the GPU", [&] {
    int failure = driver.synchronise();
    auto address = uint64_t(reinterpret_cast<uintptr_t>(array.data));
    return failure ? failure
                   : driver.download(tensor.bytes.data(), address,
                                     tensor.bytes.size());
  });
}

std::unique_ptr<Memory> run::makeHostMemory() {
  return std::make_unique<HostMemory>();
}

llvm::Expected<std::unique_ptr<Memory>> run::makeCudaMemory() {
  auto memory = std::make_unique<CudaMemory>();
  if (llvm::Error error = memory->create())
    return error;
  return memory;
}
