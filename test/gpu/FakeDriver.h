//===- FakeDriver.h - What the fake driver knows ----------------*- C++ -*-===//

#ifndef UPDRAFT_TEST_GPU_FAKEDRIVER_H
#define UPDRAFT_TEST_GPU_FAKEDRIVER_H

#include "FakeCuda.h"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#define FAKE_API extern "C" __attribute__((visibility("default")))

namespace updraft::fake {

enum Result {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NotInitialized = 3,
  InvalidDevice = 101,
  InvalidContext = 201,
  NoBinaryForGpu = 209,
  InvalidPtx = 218,
  UnsupportedPtxVersion = 222,
  InvalidHandle = 400,
  NotFound = 500,
  NotReady = 600,
  IllegalAddress = 700,
  ContextIsDestroyed = 709,
  LaunchFailed = 719,
  CaptureUnsupported = 900,
  CaptureInvalidated = 901,
  CaptureImplicit = 906,
};

/// Memory of the host that work on a stream will read.
struct Source {
  const char *begin;
  size_t bytes;
};

struct Event {
  bool done = true;
  std::chrono::steady_clock::time_point at; ///< when it was reached
};

/// A piece of work on a stream.
struct Work {
  std::string what;
  std::vector<Source> sources;
  uint64_t hash = 0; ///< of the sources when they were given
  std::function<int()> run;
  Event *records = nullptr, *awaits = nullptr;
};

struct Context;

struct Graph {
  std::vector<Work> works;
};

struct Stream {
  Context *context = nullptr;
  std::deque<Work> works;
  std::unique_ptr<Graph> captured; ///< null: not being captured
};

struct Function;

struct Module {
  Context *context = nullptr;
  std::vector<std::unique_ptr<Function>> functions;
  std::shared_ptr<void> code; ///< of the emulator
};

struct Function {
  Module *module = nullptr;
  std::string name;
};

struct Allocation {
  size_t bytes = 0;
  Context *context = nullptr;
};

struct Context {
  int device = 0;
  bool isPrimary = false, isAlive = true;
  int retained = 0;
  std::map<uint64_t, Allocation> memory; ///< by address
  std::map<uint64_t, Allocation> pinned;
  std::set<Module *> modules;
  std::set<Event *> events;
  std::set<Stream *> streams;
  Stream defaultStream;
  int stuck = 0; ///< the result of a kernel that failed: of all later calls
};

struct Device {
  Context primary;
  char *arena = nullptr;
  size_t used = 0; ///< addresses are not given twice
  size_t allocated = 0;
};

struct Driver {
  Driver();
  std::recursive_mutex mutex;
  bool initialized = false;
  int arch = 90, version = 13000;
  size_t memoryLimit = size_t(1) << 36;
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<std::unique_ptr<Context>> contexts; ///< of cuCtxCreate

  std::map<std::string, int> counts;
  std::string misuse, fired, failing;
  int failAfter = 0, failResult = 0;
  std::vector<FakeLaunch> launches;
  std::map<std::string, std::vector<updraft_entry *>> kernels;
  FILE *log = nullptr;
  uint64_t shuffle = 0; ///< not 0: blocks run in an order of this seed
  int captures = 0; ///< in the mode that forbids others what might interfere

  /// Notes a call; not 0: it is to fail so.
  int enter(const char *function);
  void noteMisuse(const std::string &what);
  int live();
  std::vector<Context *> all();
};

Driver &driver();

/// The context on top of this thread's stack, else null.
Context *current();
std::vector<Context *> &stack();
/// Of this thread: 0 global, 1 thread local, 2 relaxed.
int &captureMode();

/// The live allocation that holds [address, + bytes), on any device; else null.
const Allocation *holding(uint64_t address, uint64_t bytes);
/// The same of pinned memory.
bool isPinned(const void *begin, size_t bytes);

/// While it lives memory of devices can be touched: all of it, or the pages of
/// [address, + bytes).
class Opened {
public:
  Opened();
  Opened(uint64_t address, size_t bytes);
  Opened(const Opened &) = delete;
  ~Opened();

private:
  struct Range {
    uint64_t begin, end;
  };
  std::vector<Range> ranges;
  void open(uint64_t address, size_t bytes);
};

/// Runs what is on a stream, or on all streams of a context.
int finish(Stream &stream, const Event *until = nullptr);
int finish(Context &context);
/// Puts work on a stream, or into the graph that is being captured.
int give(FakeHandle stream, Work work);
uint64_t hashOf(const std::vector<Source> &sources);

/// The prologue of a function of the driver that needs a context. It is not
/// for graphs if `interferes`.
#define FAKE_CALL(name)                                                        \
  updraft::fake::Driver &fake = updraft::fake::driver();                       \
  std::lock_guard fakeLock(fake.mutex);                                        \
  if (int fakeResult = fake.enter(name))                                       \
    return fakeResult;
#define FAKE_CONTEXT(name, interferes)                                         \
  FAKE_CALL(name)                                                              \
  updraft::fake::Context *context = nullptr;                                   \
  if (int fakeResult = updraft::fake::needContext(name, interferes, context))  \
    return fakeResult;

int needContext(const char *function, bool interferes, Context *&context);

} // namespace updraft::fake

#endif // UPDRAFT_TEST_GPU_FAKEDRIVER_H
