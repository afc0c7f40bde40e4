//===- CudaMemory.cpp - Memory on a GPU -----------------------------------===//
//
// Ours, which is made here, and the caller's, of which the driver is asked
// where it lies before a kernel gets its address: a kernel that follows a wrong
// one ends the context for everybody in the process.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

using namespace updraft::runtime;

static void release(void *owner, char *start) {
  const CudaModule *module = static_cast<CudaModule *>(owner);
  CudaEntered entered(module);
  if (!entered.enter())
    (void)module->driver().free(reinterpret_cast<CudaAddress>(start));
}

updraft_status CudaDevice::allocate(size_t bytes, const char *what,
                                    Block &result) const {
  result = Block();
  if (!bytes)
    return UPDRAFT_OK;
  const CudaDriver &cuda = module->driver();
  CudaAddress address = 0;
  std::string text = std::to_string(bytes) + " bytes for " + what;
  if (updraft_status status =
          module->check(cuda.allocate(&address, bytes), "allocating " + text))
    return status;
  result =
      Block(reinterpret_cast<char *>(address), bytes, release, module.get());
  return module->check(cuda.fill(address, 0, bytes), "clearing " + text);
}

//===- The caller's -------------------------------------------------------===//

updraft_status CudaDevice::askWhere(const void *data, int &type, int &ordinal,
                                    Range &range) const {
  // Of every size that the driver may write.
  uint64_t answers[5] = {};
  int asked[] = {kCudaPointerMemoryType, kCudaPointerDevice,
                 kCudaPointerIsManaged, kCudaPointerRangeStart,
                 kCudaPointerRangeBytes};
  void *places[] = {answers, answers + 1, answers + 2, answers + 3,
                    answers + 4};
  CudaAddress address = reinterpret_cast<CudaAddress>(data);
  if (updraft_status status = module->check(
          module->driver().pointerAttributes(5, asked, places, address),
          "asking where an address lies"))
    return status;
  // Managed memory comes to whoever touches it.
  type = answers[2] ? int(kCudaDeviceMemory) : int(answers[0]);
  ordinal = answers[2] ? module->ordinal() : int(answers[1]);
  range = {uintptr_t(answers[3]), uintptr_t(answers[3] + answers[4]), 0};
  return UPDRAFT_OK;
}

bool CudaDevice::knows(const void *data, uint64_t bytes) const {
  uintptr_t begin = reinterpret_cast<uintptr_t>(data), end = begin + bytes;
  for (const Range &range : known)
    if (begin >= range.begin && end <= range.end)
      return true;
  return !bytes;
}

updraft_status CudaDevice::checkPointer(const void *data, uint64_t bytes,
                                        const std::string &what) {
  if (knows(data, bytes))
    return UPDRAFT_OK;
  uintptr_t begin = reinterpret_cast<uintptr_t>(data), end = begin + bytes;
  // Memory that is mapped piece by piece has several ranges: the ends tell.
  for (uintptr_t at : {begin, end - 1}) {
    int type = 0, ordinal = 0;
    Range range;
    if (updraft_status status =
            askWhere(reinterpret_cast<const void *>(at), type, ordinal, range))
      return status;
    const char *rule = optimizer.rule();
    int own = module->ordinal();
    if (type != kCudaDeviceMemory)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: %s is said to be on CUDA device %d, but %s is not "
                  "memory of a device, or no more",
                  rule, what.c_str(), own,
                  at == begin ? "its address" : "where it ends");
    if (ordinal != own)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: %s is said to be on CUDA device %d, but its memory is "
                  "on device %d",
                  rule, what.c_str(), own, ordinal);
    if (known.size() < kKnown)
      known.push_back(range);
    else
      known[nextKnown++ % kKnown] = range;
    if (end <= range.end)
      break;
  }
  return UPDRAFT_OK;
}

//===- To and fro ---------------------------------------------------------===//

/// A failure to ask goes to `status`.
bool CudaDevice::isCapturing(CudaHandle stream, updraft_status &status) const {
  int state = 0;
  status = module->check(module->driver().capturing(stream, &state),
                         "asking whether the stream is being captured");
  return state;
}

updraft_status CudaDevice::refuseCapture() const {
  updraft_status status = UPDRAFT_OK;
  if (isCapturing(stream, status))
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: a graph is being captured on the optimizer's stream, only "
                "steps can go into it",
                optimizer.rule());
  return status;
}

updraft_status CudaDevice::settle() const {
  if (updraft_status status = refuseCapture())
    return status;
  return module->check(module->driver().synchronize(), "waiting");
}

updraft_status CudaDevice::read(const void *from, void *to,
                                uint64_t bytes) const {
  if (!bytes)
    return UPDRAFT_OK;
  return module->check(
      module->driver().copyFrom(to, reinterpret_cast<CudaAddress>(from), bytes),
      "copying " + std::to_string(bytes) + " bytes to the host");
}

updraft_status CudaDevice::write(void *to, const void *from,
                                 uint64_t bytes) const {
  if (!bytes)
    return UPDRAFT_OK;
  return module->check(
      module->driver().copyTo(reinterpret_cast<CudaAddress>(to), from, bytes),
      "copying " + std::to_string(bytes) + " bytes to the device");
}
