//===- CudaRing.h - What is on its way to a GPU ---------------------------===//
//
// A copy that nobody waits for reads its source later: the source must be
// pinned and may not change before the copy is done. So there are several
// places, used in turn, each with an event. What a graph captures it reads at
// every replay: such a copy gets memory of its own for good.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_CUDARING_H
#define UPDRAFT_RUNTIME_CUDARING_H

#include "CudaModule.h"

#include <vector>

namespace updraft::runtime {

/// On this thread, as long as it lives, what a capture forbids is not meant for
/// it: allocations, waiting for what is outside of it.
class CudaRelaxed {
public:
  explicit CudaRelaxed(const CudaModule &module) : module(module) {}
  ~CudaRelaxed() {
    if (entered)
      (void)module.driver().captureMode(&mode);
  }
  CudaRelaxed(const CudaRelaxed &) = delete;
  CudaRelaxed &operator=(const CudaRelaxed &) = delete;

  updraft_status enter() {
    updraft_status status = module.check(module.driver().captureMode(&mode),
                                         "leaving the mode of a capture");
    entered = status == UPDRAFT_OK;
    return status;
  }

private:
  const CudaModule &module;
  int mode = kCudaCaptureRelaxed; ///< then that of before
  bool entered = false;
};

class CudaRing {
public:
  CudaRing() = default;
  ~CudaRing();
  CudaRing(const CudaRing &) = delete;
  CudaRing &operator=(const CudaRing &) = delete;

  /// `count` places of `bytes` each. The module must outlive the ring.
  updraft_status open(const CudaModule &module, size_t bytes, size_t count);

  /// A place that no copy reads. Waits only if all are on their way.
  updraft_status take(char *&place);
  /// The last place taken is read by what `stream` has been given so far.
  updraft_status sent(CudaHandle stream);

  /// Of the last place that was sent.
  CudaHandle event() const { return places[next].event; }

  /// A place for a copy that is being captured; lives as long as the ring.
  updraft_status takeForGood(char *&place);

private:
  struct Place {
    char *memory = nullptr;
    CudaHandle event = nullptr;
    enum { Free, Sent, Unknown } state = Free;
  };
  updraft_status pin(size_t count, char *&memory);

  const CudaModule *module = nullptr;
  size_t bytes = 0, next = 0;
  std::vector<Place> places;
  std::vector<char *> pinned; ///< all of it
};

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_CUDARING_H
