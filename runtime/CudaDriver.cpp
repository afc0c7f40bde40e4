//===- CudaDriver.cpp - Finding libcuda and wording its errors ------------===//

#include "CudaDriver.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace updraft::runtime;

/// CUDA 11.4: the first whose captures and pointers tell all that is asked.
static constexpr int kLeastVersion = 11040;

namespace {
/// The driver, or why there is none.
struct Loaded {
  CudaDriver driver;
  updraft_status status = UPDRAFT_UNSUPPORTED;
  std::string problem;

  Loaded();

private:
  bool find(void *library, const char *path);
  bool start();
};
} // namespace

bool Loaded::find(void *library, const char *path) {
  auto look = [&](auto &member, const char *symbol) {
    using Pointer = std::remove_reference_t<decltype(member)>;
    member = reinterpret_cast<Pointer>(dlsym(library, symbol));
    if (!member && problem.empty())
      problem = std::string("the NVIDIA driver is too old: ") + path +
                " has no " + symbol;
  };
#define UPDRAFT_LOOK(member, symbol, parameters) look(driver.member, symbol);
  UPDRAFT_CUDA_FUNCTIONS(UPDRAFT_LOOK)
#undef UPDRAFT_LOOK
  if (!problem.empty())
    return false;
  driver.functionLoad = reinterpret_cast<CudaResult (*)(CudaHandle)>(
      dlsym(library, "cuFuncLoad"));
  return true;
}

static std::string versionText(int version) {
  return std::to_string(version / 1000) + "." +
         std::to_string(version % 1000 / 10);
}

bool Loaded::start() {
  auto failed = [&](CudaResult result, const char *what) {
    if (!result)
      return false;
    status = cudaFailed(driver, result, "", what);
    problem = updraft_last_error() + 2; // without the empty rule's ": "
    return true;
  };
  if (failed(driver.init(0), "starting the CUDA driver") ||
      failed(driver.driverVersion(&driver.version),
             "asking the CUDA driver for its version"))
    return false;
  if (driver.version >= kLeastVersion)
    return true;
  problem = "the NVIDIA driver is too old: it has CUDA " +
            versionText(driver.version) + ", " + versionText(kLeastVersion) +
            " is needed";
  return false;
}

Loaded::Loaded() {
  const char *named = getenv("UPDRAFT_LIBCUDA");
  const char *path = named && *named ? named : "libcuda.so.1";
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *why = dlerror();
    problem = std::string("there is no NVIDIA driver: ") + (why ? why : path);
    return;
  }
  // It stays loaded: drivers do not like to be unloaded.
  if (find(library, path) && start())
    status = UPDRAFT_OK;
}

updraft_status updraft::runtime::cudaDriver(const char *rule,
                                            const CudaDriver *&result) {
  static const Loaded loaded;
  if (loaded.status != UPDRAFT_OK)
    return fail(loaded.status, "%s: %s", rule, loaded.problem.c_str());
  result = &loaded.driver;
  return UPDRAFT_OK;
}

static updraft_status statusOf(CudaResult result) {
  switch (result) {
  case kCudaOutOfMemory:
    return UPDRAFT_OUT_OF_MEMORY;
  case kCudaNoDevice:
  case kCudaInvalidDevice:
  case kCudaNoBinaryForGpu:
  case kCudaUnsupportedPtxVersion:
  case kCudaJitCompilerNotFound:
    return UPDRAFT_UNSUPPORTED;
  case kCudaInvalidPtx:
    return UPDRAFT_BAD_PROGRAM;
  default:
    return UPDRAFT_DEVICE_ERROR;
  }
}

updraft_status updraft::runtime::cudaFailed(const CudaDriver &driver,
                                            CudaResult result, const char *rule,
                                            const std::string &what) {
  const char *name = nullptr, *text = nullptr;
  if (driver.errorName(result, &name) || !name)
    name = "an unknown error";
  if (driver.errorText(result, &text) || !text)
    text = "no more is known";
  return fail(statusOf(result), "%s: %s: %s (%d): %s", rule, what.c_str(), name,
              result, text);
}
