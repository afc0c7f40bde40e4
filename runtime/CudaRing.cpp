//===- CudaRing.cpp - What is on its way to a GPU -------------------------===//

#include "CudaRing.h"

#include <algorithm>

using namespace updraft::runtime;

CudaRing::~CudaRing() {
  if (!module)
    return;
  CudaEntered entered(module);
  if (entered.enter())
    return;
  const CudaDriver &cuda = module->driver();
  for (Place &place : places)
    if (place.event)
      (void)cuda.eventDestroy(place.event);
  for (char *memory : pinned)
    (void)cuda.freeHost(memory);
}

updraft_status CudaRing::pin(size_t count, char *&memory) {
  pinned.reserve(pinned.size() + 1);
  void *made = nullptr;
  if (updraft_status status =
          module->check(module->driver().allocateHost(&made, count * bytes),
                        "allocating " + std::to_string(count * bytes) +
                            " bytes of pinned memory"))
    return status;
  memory = static_cast<char *>(made);
  pinned.push_back(memory);
  return UPDRAFT_OK;
}

updraft_status CudaRing::open(const CudaModule &module, size_t bytes,
                              size_t count) {
  this->module = &module;
  this->bytes = (std::max<size_t>(bytes, 1) + 63) / 64 * 64;
  places.resize(count);
  char *memory = nullptr;
  if (updraft_status status = pin(count, memory))
    return status;
  for (size_t i = 0; i < count; ++i) {
    places[i].memory = memory + i * this->bytes;
    if (updraft_status status = module.check(
            module.driver().eventCreate(&places[i].event, kCudaEventNoTiming),
            "creating an event"))
      return status;
  }
  return UPDRAFT_OK;
}

updraft_status CudaRing::take(char *&memory) {
  Place &place = places[next = (next + 1) % places.size()];
  if (place.state == Place::Sent)
    if (updraft_status status =
            module->check(module->driver().eventWait(place.event),
                          "waiting for an earlier copy"))
      return status;
  if (place.state == Place::Unknown)
    if (updraft_status status = module->check(module->driver().synchronize(),
                                              "waiting for an earlier copy"))
      return status;
  // Until it is known what reads it.
  place.state = Place::Unknown;
  memory = place.memory;
  return UPDRAFT_OK;
}

updraft_status CudaRing::sent(CudaHandle stream) {
  Place &place = places[next];
  if (updraft_status status =
          module->check(module->driver().eventRecord(place.event, stream),
                        "recording an event after a copy"))
    return status;
  place.state = Place::Sent;
  return UPDRAFT_OK;
}

updraft_status CudaRing::takeForGood(char *&memory) {
  CudaRelaxed relaxed(*module);
  if (updraft_status status = relaxed.enter())
    return status;
  return pin(1, memory);
}
