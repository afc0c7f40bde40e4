//===- FakeControl.cpp - What a test asks of the fake driver --------------===//

#include "FakeDriver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace updraft::fake;

static constexpr size_t kArena = size_t(1) << 36;

static long number(const char *variable, long otherwise) {
  const char *text = getenv(variable);
  return text && *text ? atol(text) : otherwise;
}

Driver::Driver() {
  arch = int(number("UPDRAFT_FAKE_ARCH", arch));
  version = int(number("UPDRAFT_FAKE_DRIVER", version));
  memoryLimit = size_t(number("UPDRAFT_FAKE_MEMORY", long(memoryLimit)));
  shuffle = uint64_t(number("UPDRAFT_FAKE_SHUFFLE", 0));
  for (long i = number("UPDRAFT_FAKE_DEVICES", 2); i > 0; --i) {
    auto device = std::make_unique<Device>();
    device->primary.device = int(devices.size());
    device->primary.isPrimary = true;
    device->primary.defaultStream.context = &device->primary;
    // Nobody else may look into it, and absent pages cost nothing.
    device->arena = static_cast<char *>(
        mmap(nullptr, kArena, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    devices.push_back(std::move(device));
  }
  if (const char *path = getenv("UPDRAFT_FAKE_LOG"))
    log = fopen(path, "w");
  if (const char *text = getenv("UPDRAFT_FAKE_FAIL"))
    if (const char *equal = strchr(text, '=')) {
      failing.assign(text, size_t(equal - text));
      failAfter = 1;
      failResult = atoi(equal + 1);
    }
}

Driver &updraft::fake::driver() {
  // Never destroyed: the runtime's own globals may end later.
  static Driver *made = new Driver;
  return *made;
}

int Driver::enter(const char *function) {
  ++counts[function];
  if (log) {
    fprintf(log, "%s\n", function);
    fflush(log);
  }
  if (!failAfter || (!failing.empty() && failing != function) || --failAfter)
    return Success;
  fired = function;
  return failResult;
}

void Driver::noteMisuse(const std::string &what) {
  misuse += what + "\n";
  if (log) {
    fprintf(log, "misuse: %s\n", what.c_str());
    fflush(log);
  }
}

std::vector<Context *> Driver::all() {
  std::vector<Context *> result;
  for (auto &device : devices)
    result.push_back(&device->primary);
  for (auto &context : contexts)
    if (context->isAlive)
      result.push_back(context.get());
  return result;
}

int Driver::live() {
  size_t count = 0;
  for (Context *context : all())
    count += size_t(context->retained) + context->memory.size() +
             context->pinned.size() + context->modules.size() +
             context->events.size();
  return int(count);
}

void Opened::open(uint64_t address, size_t bytes) {
  constexpr uint64_t page = 4096;
  Range range = {address / page * page,
                 (address + bytes + page - 1) / page * page};
  ranges.push_back(range);
  mprotect(reinterpret_cast<void *>(range.begin), range.end - range.begin,
           PROT_READ | PROT_WRITE);
}

Opened::Opened() {
  for (auto &device : driver().devices)
    if (device->used)
      open(reinterpret_cast<uint64_t>(device->arena), device->used);
}

Opened::Opened(uint64_t address, size_t bytes) { open(address, bytes); }

Opened::~Opened() {
  for (Range range : ranges)
    mprotect(reinterpret_cast<void *>(range.begin), range.end - range.begin,
             PROT_NONE);
}

//===- The interface ------------------------------------------------------===//

FAKE_API void fakeReset(void) {
  Driver &fake = driver();
  std::lock_guard lock(fake.mutex);
  fake.counts.clear();
  fake.launches.clear();
  fake.misuse.clear();
  fake.fired.clear();
  fake.failAfter = 0;
}

FAKE_API int fakeCount(const char *function) {
  Driver &fake = driver();
  std::lock_guard lock(fake.mutex);
  int all = 0;
  for (auto &[name, count] : fake.counts)
    all += !function || name == function ? count : 0;
  return all;
}

FAKE_API void fakeFail(const char *function, int nth, int result) {
  Driver &fake = driver();
  std::lock_guard lock(fake.mutex);
  fake.failing = function ? function : "";
  fake.failAfter = nth;
  fake.failResult = result;
  fake.fired.clear();
}

FAKE_API const char *fakeFired(void) { return driver().fired.c_str(); }
FAKE_API const char *fakeMisuse(void) { return driver().misuse.c_str(); }

FAKE_API int fakeLive(void) {
  std::lock_guard lock(driver().mutex);
  return driver().live();
}

FAKE_API int fakeLaunches(void) { return int(driver().launches.size()); }

FAKE_API FakeLaunch fakeLaunch(int index) {
  return driver().launches[size_t(index)];
}

FAKE_API void fakeKernel(const char *entry, updraft_entry *function) {
  std::lock_guard lock(driver().mutex);
  auto &functions = driver().kernels[entry];
  for (updraft_entry *known : functions)
    if (known == function)
      return;
  functions.push_back(function);
}
