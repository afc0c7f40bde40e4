//===- Threads.cpp - Many threads for the length of a step ----------------===//
//
// libgomp and libomp share the entry GOMP_parallel, so one set of four
// functions serves both. Python wheels bring copies under names of their own
// (libgomp-a34b3233.so.1) that are not in the global scope: the loaded objects
// are looked through by file name.
//
//===----------------------------------------------------------------------===//

#include "Threads.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace updraft::runtime;

/// A step is cut into at most so many shares.
static constexpr uint32_t kMostThreads = 256;

//===- Waiting ------------------------------------------------------------===//

static void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void Barrier::wait(uint32_t count) {
  constexpr int kSpins = 4000; // about 50 us
  uint32_t mine = phase.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
    arrived.store(0, std::memory_order_relaxed);
    phase.store(mine + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; phase.load(std::memory_order_acquire) == mine; ++spins)
    if (spins < kSpins)
      relax();
    else
      sched_yield();
}

//===- Arithmetic ---------------------------------------------------------===//

#if defined(__x86_64__)
ExactArithmetic::ExactArithmetic() : saved(_mm_getcsr()) {
  _mm_setcsr(0x1f80); // all exceptions masked, nearest even, no FTZ, no DAZ
}
ExactArithmetic::~ExactArithmetic() { _mm_setcsr(uint32_t(saved)); }
#elif defined(__aarch64__)
ExactArithmetic::ExactArithmetic() {
  asm volatile("mrs %0, fpcr" : "=r"(saved));
  asm volatile("msr fpcr, %0" : : "r"(uint64_t(0)));
}
ExactArithmetic::~ExactArithmetic() {
  asm volatile("msr fpcr, %0" : : "r"(saved));
}
#else
ExactArithmetic::ExactArithmetic() : saved(0) {}
ExactArithmetic::~ExactArithmetic() {}
#endif

//===- OpenMP -------------------------------------------------------------===//

static bool bind(void *library, OpenMp &result) {
  auto find = [&](auto &function, const char *name) {
    void *symbol = dlsym(library, name);
    memcpy(&function, &symbol, sizeof symbol);
    return symbol != nullptr;
  };
  return find(result.parallel, "GOMP_parallel") &&
         find(result.threadIndex, "omp_get_thread_num") &&
         find(result.threadCount, "omp_get_num_threads") &&
         find(result.mostThreads, "omp_get_max_threads");
}

static bool isOpenMp(const char *path) {
  const char *slash = strrchr(path, '/');
  const char *file = slash ? slash + 1 : path;
  return !strncmp(file, "libgomp", 7) || !strncmp(file, "libomp.", 7) ||
         !strncmp(file, "libomp-", 7) || !strncmp(file, "libiomp5", 8);
}

/// The first OpenMP runtime among the loaded objects, else "".
static std::string loadedOpenMp() {
  std::string found;
  dl_iterate_phdr(
      [](dl_phdr_info *object, size_t, void *argument) {
        if (!object->dlpi_name || !isOpenMp(object->dlpi_name))
          return 0;
        *static_cast<std::string *>(argument) = object->dlpi_name;
        return 1;
      },
      &found);
  return found;
}

static OpenMp findOpenMp() {
  OpenMp result;
  std::string loaded = loadedOpenMp();
  // The handle is kept for good: threads of the runtime outlive any optimizer.
  if (!loaded.empty())
    if (void *library = dlopen(loaded.c_str(), RTLD_NOW | RTLD_NOLOAD))
      if (bind(library, result)) {
        result.diesInFork = loaded.find("libgomp") != std::string::npos;
        return result;
      }
  result = {};
  if (bind(RTLD_DEFAULT, result)) {
    result.diesInFork = true;
    return result;
  }
  for (const char *name : {"libgomp.so.1", "libomp.so", "libomp.so.5"})
    if (void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
      if (bind(library, result)) {
        result.diesInFork = !strncmp(name, "libgomp", 7);
        return result;
      }
      dlclose(library);
    }
  return {};
}

//===- Fork ---------------------------------------------------------------===//

/// The thread that survives a fork still refers to libgomp's pool, whose
/// threads do not exist any more: a region on it would wait for ever.
static thread_local bool survivedFork = false;

static void watchForks() {
  static const int registered =
      pthread_atfork(nullptr, nullptr, [] { survivedFork = true; });
  (void)registered;
}

//===- Regions ------------------------------------------------------------===//

static uint32_t processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set))
    return 1;
  return uint32_t(std::max(1, CPU_COUNT(&set)));
}

Threads::Threads(const updraft_options &options) {
  uint32_t wanted = options.threads;
  if (options.executor) {
    executor = *options.executor;
    uint32_t offered = std::max(executor.threads, 1u);
    most = wanted ? std::min(wanted, offered) : offered;
  } else if (wanted != 1) {
    watchForks();
    openMp = findOpenMp();
    if (openMp.parallel)
      most = wanted ? wanted
                    : std::min(processors(),
                               uint32_t(std::max(1, openMp.mostThreads())));
  }
  most = std::min(most, kMostThreads);
}

namespace {
/// What the threads of one region share. The two counters say to tools that
/// follow memory order what the host's fork and join already ensure.
struct Region {
  Threads::Body body;
  void *argument;
  const OpenMp *openMp;
  Barrier barrier;
  std::atomic<uint32_t> begun{0}, ended{0};

  /// To be read first of all.
  static Region *join(void *region) {
    Region *joined = static_cast<Region *>(region);
    (void)joined->begun.load(std::memory_order_acquire);
    return joined;
  }

  void enter(uint32_t index, uint32_t count) {
    {
      ExactArithmetic exact;
      body(argument, Team{index, count, &barrier});
    }
    ended.fetch_add(1, std::memory_order_release);
  }
};
} // namespace

void Threads::run(uint32_t count, Body body, void *argument) const {
  bool alone = count <= 1 || (!executor.run && !openMp.parallel) ||
               (!executor.run && openMp.diesInFork && survivedFork);
  if (alone) {
    ExactArithmetic exact;
    body(argument, Team{});
    return;
  }
  Region region{body, argument, &openMp, {}, {}, {}};
  region.begun.store(1, std::memory_order_release);
  if (executor.run)
    executor.run(
        executor.context, count,
        [](void *region, uint32_t index, uint32_t threads) {
          Region::join(region)->enter(index, threads);
        },
        &region);
  else
    openMp.parallel(
        [](void *argument) {
          Region *region = Region::join(argument);
          region->enter(uint32_t(region->openMp->threadIndex()),
                        uint32_t(region->openMp->threadCount()));
        },
        &region, count, 0);
  (void)region.ended.load(std::memory_order_acquire);
}
