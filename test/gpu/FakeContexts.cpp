//===- FakeContexts.cpp - Devices and contexts of the fake driver ---------===//

#include "FakeDriver.h"

#include <cstdio>
#include <cstring>

using namespace updraft::fake;

std::vector<Context *> &updraft::fake::stack() {
  static thread_local std::vector<Context *> contexts;
  return contexts;
}

Context *updraft::fake::current() {
  return stack().empty() ? nullptr : stack().back();
}

int &updraft::fake::captureMode() {
  static thread_local int mode = 0;
  return mode;
}

int updraft::fake::needContext(const char *function, bool interferes,
                               Context *&context) {
  Driver &fake = driver();
  context = current();
  if (!fake.initialized)
    return NotInitialized;
  if (!context) {
    fake.noteMisuse(std::string(function) + " without a current context");
    return InvalidContext;
  }
  if (!context->isAlive)
    return ContextIsDestroyed;
  if (context->stuck)
    return context->stuck;
  if (interferes && fake.captures && captureMode() != 2) {
    fake.noteMisuse(std::string(function) + " while a graph is captured");
    return CaptureUnsupported;
  }
  return Success;
}

/// Everything that lived in it is gone.
static void destroy(Context &context) {
  (void)finish(context);
  for (auto &[address, allocation] : context.memory)
    driver().devices[size_t(context.device)]->allocated -= allocation.bytes;
  for (auto &[address, allocation] : context.pinned)
    ::operator delete(reinterpret_cast<void *>(address), std::align_val_t(64));
  context.memory.clear();
  context.pinned.clear();
  for (Module *module : context.modules)
    delete module;
  for (Event *event : context.events)
    delete event;
  for (Stream *stream : context.streams)
    delete stream;
  context.modules.clear();
  context.events.clear();
  context.streams.clear();
}

//===- Devices ------------------------------------------------------------===//

FAKE_API int cuInit(unsigned) {
  FAKE_CALL("cuInit")
  fake.initialized = true;
  return Success;
}

FAKE_API int cuDriverGetVersion(int *version) {
  FAKE_CALL("cuDriverGetVersion")
  *version = fake.version;
  return Success;
}

FAKE_API int cuGetErrorName(int result, const char **name) {
  static thread_local char text[40];
  snprintf(text, sizeof text, "CUDA_ERROR_FAKE_%d", result);
  *name = result == OutOfMemory ? "CUDA_ERROR_OUT_OF_MEMORY" : text;
  return Success;
}

FAKE_API int cuGetErrorString(int result, const char **text) {
  *text = result == OutOfMemory ? "out of memory" : "made up by a test";
  return Success;
}

FAKE_API int cuDeviceGetCount(int *count) {
  FAKE_CALL("cuDeviceGetCount")
  *count = int(fake.devices.size());
  return Success;
}

FAKE_API int cuDeviceGet(int *device, int ordinal) {
  FAKE_CALL("cuDeviceGet")
  if (ordinal < 0 || size_t(ordinal) >= fake.devices.size())
    return InvalidDevice;
  *device = ordinal;
  return Success;
}

FAKE_API int cuDeviceGetName(char *name, int bytes, int) {
  FAKE_CALL("cuDeviceGetName")
  snprintf(name, size_t(bytes), "Fake GPU");
  return Success;
}

FAKE_API int cuDeviceGetAttribute(int *value, int attribute, int) {
  FAKE_CALL("cuDeviceGetAttribute")
  switch (attribute) {
  case 16:
    *value = 4; // processors
    return Success;
  case 75:
    *value = fake.arch / 10;
    return Success;
  case 76:
    *value = fake.arch % 10;
    return Success;
  }
  return InvalidValue;
}

//===- Contexts -----------------------------------------------------------===//

FAKE_API int cuDevicePrimaryCtxRetain(FakeHandle *result, int device) {
  FAKE_CALL("cuDevicePrimaryCtxRetain")
  Context &context = fake.devices[size_t(device)]->primary;
  context.isAlive = true;
  ++context.retained;
  *result = &context;
  return Success;
}

FAKE_API int cuDevicePrimaryCtxRelease_v2(int device) {
  FAKE_CALL("cuDevicePrimaryCtxRelease")
  Context &context = fake.devices[size_t(device)]->primary;
  if (!context.retained) {
    fake.noteMisuse("a context is released too often");
    return InvalidContext;
  }
  if (--context.retained)
    return Success;
  if (!context.memory.empty() || !context.pinned.empty() ||
      !context.modules.empty() || !context.events.empty())
    fake.noteMisuse("a context ends with something in it");
  destroy(context);
  context.isAlive = false;
  context.stuck = 0;
  return Success;
}

FAKE_API int cuCtxCreate_v2(FakeHandle *result, unsigned, int device) {
  FAKE_CALL("cuCtxCreate")
  auto context = std::make_unique<Context>();
  context->device = device;
  context->defaultStream.context = context.get();
  *result = context.get();
  stack().push_back(context.get());
  fake.contexts.push_back(std::move(context));
  return Success;
}

FAKE_API int cuCtxDestroy_v2(FakeHandle handle) {
  FAKE_CALL("cuCtxDestroy")
  Context &context = *static_cast<Context *>(handle);
  destroy(context);
  context.isAlive = false;
  if (current() == &context)
    stack().pop_back();
  return Success;
}

FAKE_API int cuCtxGetCurrent(FakeHandle *result) {
  *result = current();
  return Success;
}

FAKE_API int cuCtxPushCurrent_v2(FakeHandle handle) {
  FAKE_CALL("cuCtxPushCurrent")
  Context *context = static_cast<Context *>(handle);
  if (!context || !context->isAlive)
    return ContextIsDestroyed;
  stack().push_back(context);
  return Success;
}

/// Also when it fails: an error that it tells of is that of earlier work.
FAKE_API int cuCtxPopCurrent_v2(FakeHandle *result) {
  Driver &fake = driver();
  std::lock_guard lock(fake.mutex);
  int failure = fake.enter("cuCtxPopCurrent");
  if (stack().empty()) {
    fake.noteMisuse("no context is there to be popped");
    return InvalidContext;
  }
  *result = stack().back();
  stack().pop_back();
  return failure;
}

FAKE_API int cuCtxSynchronize(void) {
  FAKE_CONTEXT("cuCtxSynchronize", true)
  return finish(*context);
}

FAKE_API int cuThreadExchangeStreamCaptureMode(int *mode) {
  FAKE_CALL("cuThreadExchangeStreamCaptureMode")
  std::swap(*mode, captureMode());
  return Success;
}
