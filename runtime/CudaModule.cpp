//===- CudaModule.cpp - A program's code on one GPU -----------------------===//
//
// A cubin that the program brings for the device is taken as it is. Of its PTX
// the newest that the device understands is compiled by the driver, which keeps
// the result in a cache of its own.
//
//===----------------------------------------------------------------------===//

#include "CudaModule.h"

#include <algorithm>
#include <climits>

using namespace updraft::runtime;

updraft_status CudaModule::check(CudaResult result,
                                 const std::string &what) const {
  if (!result)
    return UPDRAFT_OK;
  return cudaFailed(*cuda, result, rule.c_str(),
                    what + " on device " + std::to_string(number));
}

std::string CudaModule::deviceText() const {
  return "device " + std::to_string(number) + " (" + name +
         ", compute capability " + std::to_string(arch / 10) + "." +
         std::to_string(arch % 10) + ")";
}

CudaModule::~CudaModule() {
  // The host may have destroyed the context before: nothing is left to free.
  if (!primary)
    return;
  CudaHandle popped = nullptr;
  if (module && !cuda->push(primary)) {
    (void)cuda->moduleUnload(module);
    (void)cuda->pop(&popped);
  }
  (void)cuda->primaryRelease(device);
}

updraft_status CudaModule::describe() {
  char text[256] = "";
  int major = 0, minor = 0;
  if (updraft_status status =
          check(cuda->deviceName(text, sizeof text - 1, device), "asking"))
    return status;
  name = text;
  struct {
    int attribute, *value;
  } asked[] = {{kCudaMajor, &major},
               {kCudaMinor, &minor},
               {kCudaMultiprocessors, &multiprocessors}};
  for (auto &each : asked)
    if (updraft_status status =
            check(cuda->deviceAttribute(each.value, each.attribute, device),
                  "asking for attribute " + std::to_string(each.attribute)))
      return status;
  arch = 10 * major + minor;
  return UPDRAFT_OK;
}

/// Whether code runs on a device, natively or after the driver's compilation.
static bool fits(const updraft_gpu_code &code, uint32_t arch) {
  return code.arch <= arch &&
         (code.form == UPDRAFT_PTX || code.arch / 10 == arch / 10);
}

updraft_status CudaModule::loadCode(const updraft_program *program,
                                    const updraft_gpu_code &code) {
  static constexpr size_t kLogBytes = 4096;
  std::string log(kLogBytes, 0);
  int options[] = {kCudaJitErrorLog, kCudaJitErrorLogBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(kLogBytes - 1)};
  CudaResult result =
      cuda->moduleLoad(&module, at<char>(program, code.code),
                       code.form == UPDRAFT_PTX ? 2 : 0, options, values);
  if (!result)
    return UPDRAFT_OK;
  module = nullptr;
  std::string what = std::string("loading the ") +
                     (code.form == UPDRAFT_PTX ? "PTX" : "cubin") + " for sm_" +
                     std::to_string(code.arch);
  if (result == kCudaUnsupportedPtxVersion)
    what += " (newer than this driver, which has CUDA " +
            std::to_string(cuda->version / 1000) + "." +
            std::to_string(cuda->version % 1000 / 10) + ")";
  updraft_status status = check(result, what);
  log.resize(log.find('\0') < log.size() ? log.find('\0') : log.size());
  return log.empty() ? status
                     : failWith(status, updraft_last_error() + (": " + log));
}

updraft_status CudaModule::load(const updraft_program *program) {
  auto codes = items<updraft_gpu_code>(program, program->gpu);
  const updraft_gpu_code *best = nullptr;
  std::string has;
  for (const updraft_gpu_code &code : codes) {
    has += (has.empty() ? "sm_" : ", sm_") + std::to_string(code.arch);
    auto worth = [](const updraft_gpu_code &code) {
      return code.arch + (code.form == UPDRAFT_CUBIN ? 1000u : 0u);
    };
    if (fits(code, uint32_t(arch)) && (!best || worth(code) > worth(*best)))
      best = &code;
  }
  if (best)
    return loadCode(program, *best);
  return fail(UPDRAFT_UNSUPPORTED,
              "%s: has no code for %s: it was compiled for %s", rule.c_str(),
              deviceText().c_str(),
              has.empty() ? "no GPU (give --target=sm_...)" : has.c_str());
}

updraft_status CudaModule::start(const updraft_program *program,
                                 uint32_t ordinal) {
  rule = text(program, program->name);
  number = int(std::min<uint32_t>(ordinal, INT_MAX));
  if (updraft_status status = cudaDriver(rule.c_str(), cuda))
    return status;
  int count = 0;
  if (updraft_status status =
          check(cuda->deviceCount(&count), "counting devices, not yet"))
    return status;
  if (number >= count)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: there is no CUDA device %d: there are %d", rule.c_str(),
                number, count);
  if (updraft_status status =
          check(cuda->deviceGet(&device, number), "opening"))
    return status;
  if (updraft_status status = describe())
    return status;
  if (updraft_status status = check(cuda->primaryRetain(&primary, device),
                                    "retaining the primary context")) {
    primary = nullptr;
    return status;
  }
  CudaEntered entered(this);
  if (updraft_status status = entered.enter())
    return status;
  return load(program);
}

updraft_status CudaModule::open(updraft_loaded_program &program,
                                uint32_t ordinal,
                                std::shared_ptr<CudaModule> &result) {
  std::lock_guard lock(program.gpuMutex);
  std::erase_if(program.gpuModules,
                [](const auto &each) { return each.expired(); });
  for (const std::weak_ptr<CudaModule> &each : program.gpuModules) {
    result = each.lock();
    if (result && uint32_t(result->ordinal()) == ordinal)
      return UPDRAFT_OK;
  }
  result = std::make_shared<CudaModule>();
  if (updraft_status status = result->start(program.program, ordinal)) {
    result.reset();
    return status;
  }
  program.gpuModules.push_back(result);
  return UPDRAFT_OK;
}

updraft_status CudaModule::entry(const char *name, uint32_t threads,
                                 CudaHandle &function, uint32_t &blocks) const {
  std::string kernel = std::string("kernel '") + name + "'";
  if (updraft_status status = check(cuda->function(&function, module, name),
                                    "looking for " + kernel))
    return status;
  if (cuda->functionLoad)
    if (updraft_status status =
            check(cuda->functionLoad(function), "loading " + kernel))
      return status;
  int resident = 0;
  if (updraft_status status =
          check(cuda->occupancy(&resident, function, int(threads), 0),
                "asking for the occupancy of " + kernel))
    return status;
  if (resident < 1)
    return fail(UPDRAFT_UNSUPPORTED,
                "%s: %s does not fit on %s with %u threads a block",
                rule.c_str(), kernel.c_str(), deviceText().c_str(), threads);
  blocks =
      uint32_t(std::min(int64_t(resident) * multiprocessors, int64_t(INT_MAX)));
  return UPDRAFT_OK;
}
