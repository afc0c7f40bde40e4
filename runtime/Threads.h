//===- Threads.h - Many threads for the length of a step ------------------===//
//
// A step runs in one parallel region. Threads come from the host if it gives an
// executor, else from the OpenMP runtime that is in the process already (a
// second pool beside it would halve the speed), else from one that can be
// loaded; without any the caller's thread does everything.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_THREADS_H
#define UPDRAFT_RUNTIME_THREADS_H

#include "updraft.h"

#include <atomic>

namespace updraft::runtime {

/// All of `count` threads wait for one another: spinning first, as the others
/// are microseconds away, then giving the processor up.
class Barrier {
public:
  void wait(uint32_t count);

private:
  alignas(64) std::atomic<uint32_t> arrived{0};
  alignas(64) std::atomic<uint32_t> phase{0};
};

/// One thread's place in a region.
struct Team {
  uint32_t index = 0, count = 1;
  Barrier *barrier = nullptr;

  void wait() const {
    if (count > 1)
      barrier->wait(count);
  }
};

/// The arithmetic of numerics.md for as long as it lives: round to nearest
/// even, denormals kept, whatever the host has set on this thread.
class ExactArithmetic {
public:
  ExactArithmetic();
  ~ExactArithmetic();
  ExactArithmetic(const ExactArithmetic &) = delete;
  ExactArithmetic &operator=(const ExactArithmetic &) = delete;

private:
  uint64_t saved;
};

/// The functions of an OpenMP runtime; all null where there is none.
struct OpenMp {
  void (*parallel)(void (*)(void *), void *, unsigned, unsigned) = nullptr;
  int (*threadIndex)() = nullptr;
  int (*threadCount)() = nullptr;
  int (*mostThreads)() = nullptr;
  bool diesInFork = false; ///< a forked thread must not start a region
};

/// Where an optimizer's threads come from.
class Threads {
public:
  /// As the options say.
  explicit Threads(const updraft_options &options);

  uint32_t count() const { return most; }

  using Body = void (*)(void *argument, const Team &team);

  /// Runs body on at most `count` threads; on fewer if the host gives fewer.
  void run(uint32_t count, Body body, void *argument) const;

private:
  updraft_executor executor = {};
  OpenMp openMp;
  uint32_t most = 1;
};

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_THREADS_H
