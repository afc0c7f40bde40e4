//===- FakeModules.cpp - Modules and launches of the fake driver ----------===//
//
// PTX is run by the emulator, where a test has not said what an entry does. A
// cubin's entries are those of the tests alone.
//
//===----------------------------------------------------------------------===//

#include "Emulator.h"
#include "FakeDriver.h"

#include <cstdlib>
#include <cstring>

using namespace updraft;
using namespace updraft::fake;

/// The text behind a directive of PTX: ".target sm_90" -> 90.
static int directive(const char *text, const char *name, const char *format) {
  const char *found = strstr(text, name);
  int major = 0, minor = 0;
  if (!found || !sscanf(found + strlen(name), format, &major, &minor))
    return 0;
  return strchr(format, '.') ? 10 * major + minor : major;
}

/// The newest PTX of a driver: that of CUDA 13.0 is 9.0, of 12.x 8.x.
static int newestPtx(int version) {
  return version / 1000 * 10 - 40 + version % 1000 / 10;
}

static void say(char *log, const std::string &text) {
  if (log)
    strcpy(log, text.substr(0, 1000).c_str());
}

static int loadPtx(Module &module, const char *text, char *log) {
  if (directive(text, ".version", "%d.%d") > newestPtx(driver().version))
    return UnsupportedPtxVersion;
  if (directive(text, ".target", " sm_%d") > driver().arch)
    return NoBinaryForGpu;
  try {
    module.code = std::make_shared<gpu::Module>(text);
  } catch (const std::exception &problem) {
    say(log, problem.what());
    return InvalidPtx;
  }
  return Success;
}

FAKE_API int cuModuleLoadDataEx(FakeHandle *result, const void *image,
                                unsigned count, int *options, void **values) {
  FAKE_CONTEXT("cuModuleLoadDataEx", true)
  char *log = nullptr;
  for (unsigned i = 0; i < count; ++i)
    if (options[i] == 5)
      log = static_cast<char *>(values[i]);
  auto module = std::make_unique<Module>();
  module->context = context;
  auto *text = static_cast<const char *>(image);
  if (memcmp(text, "\177ELF", 4))
    if (int failure = loadPtx(*module, text, log))
      return failure;
  context->modules.insert(module.get());
  *result = module.release();
  return Success;
}

FAKE_API int cuModuleUnload(FakeHandle handle) {
  FAKE_CONTEXT("cuModuleUnload", true)
  auto *module = static_cast<Module *>(handle);
  if (!context->modules.erase(module)) {
    fake.noteMisuse("what is unloaded is no module");
    return InvalidHandle;
  }
  (void)finish(*context);
  delete module;
  return Success;
}

FAKE_API int cuModuleGetFunction(FakeHandle *result, FakeHandle handle,
                                 const char *name) {
  FAKE_CONTEXT("cuModuleGetFunction", false)
  auto *module = static_cast<Module *>(handle);
  auto *code = static_cast<gpu::Module *>(module->code.get());
  if (code ? !code->hasEntry(name) : !fake.kernels.count(name))
    return NotFound;
  auto function = std::make_unique<Function>();
  function->module = module;
  function->name = name;
  *result = function.get();
  module->functions.push_back(std::move(function));
  return Success;
}

FAKE_API int cuFuncLoad(FakeHandle) {
  FAKE_CONTEXT("cuFuncLoad", true)
  return Success;
}

FAKE_API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *result,
                                                         FakeHandle,
                                                         int threads, size_t) {
  FAKE_CONTEXT("cuOccupancyMaxActiveBlocksPerMultiprocessor", false)
  *result = 2048 / threads;
  return Success;
}

//===- Launches -----------------------------------------------------------===//

namespace {
constexpr size_t kParameters = 4;

struct Call {
  std::shared_ptr<void> code;
  std::string entry;
  unsigned grid[3], block[3];
  uint64_t parameters[kParameters]; ///< frame, first, count, round
  FakeHandle stream;
};
} // namespace

static int emulate(const Call &call) {
  const void *parameters[kParameters];
  for (size_t i = 0; i < kParameters; ++i)
    parameters[i] = call.parameters + i;
  gpu::Launch launch;
  launch.entry = call.entry;
  std::copy_n(call.grid, 3, launch.grid);
  std::copy_n(call.block, 3, launch.block);
  launch.parameters = parameters;
  gpu::Checks checks;
  checks.shuffle = driver().shuffle;
  checks.mayAccess = [](uint64_t address, uint64_t bytes, bool) {
    return holding(address, bytes) != nullptr;
  };
  try {
    gpu::run(*static_cast<gpu::Module *>(call.code.get()), launch, checks);
  } catch (const std::exception &problem) {
    driver().noteMisuse(problem.what());
    return IllegalAddress;
  }
  return Success;
}

static int run(const Call &call) {
  Driver &fake = driver();
  FakeLaunch note = {};
  strncpy(note.entry, call.entry.c_str(), sizeof note.entry - 1);
  note.grid = call.grid[0];
  note.block = call.block[0];
  note.first = call.parameters[1];
  note.count = call.parameters[2];
  note.round = call.parameters[3];
  note.stream = call.stream;
  fake.launches.push_back(note);
  auto known = fake.kernels.find(call.entry);
  if (known == fake.kernels.end())
    return emulate(call);
  for (updraft_entry *function : known->second)
    function(reinterpret_cast<updraft_frame *>(call.parameters[0]), note.first,
             note.count);
  return Success;
}

FAKE_API int cuLaunchKernel(FakeHandle handle, unsigned gridX, unsigned gridY,
                            unsigned gridZ, unsigned blockX, unsigned blockY,
                            unsigned blockZ, unsigned, FakeHandle stream,
                            void **parameters, void **) {
  FAKE_CONTEXT("cuLaunchKernel", false)
  auto *function = static_cast<Function *>(handle);
  if (function->module->context != context) {
    fake.noteMisuse("a kernel is launched in another context than its own");
    return InvalidHandle;
  }
  if (!gridX || !gridY || !gridZ || !blockX || blockX * blockY * blockZ > 1024)
    return InvalidValue;
  Call call = {function->module->code,
               function->name,
               {gridX, gridY, gridZ},
               {blockX, blockY, blockZ},
               {},
               stream};
  for (size_t i = 0; i < kParameters; ++i)
    call.parameters[i] = *static_cast<uint64_t *>(parameters[i]);
  Work work;
  work.what = "kernel " + call.entry;
  work.run = [call] { return run(call); };
  return give(stream, std::move(work));
}
