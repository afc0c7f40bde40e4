//===- Program.h - A compiled program, loaded and verified ----------------===//
//
// Access to the self-description. Everything that is reached through these
// functions was checked when the program was loaded (Validate.cpp), so nobody
// checks a distance again.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_PROGRAM_H
#define UPDRAFT_RUNTIME_PROGRAM_H

#include "updraft.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace updraft::runtime {
class CudaModule;
} // namespace updraft::runtime

struct updraft_loaded_program {
  std::atomic<uint32_t> references{1};
  const updraft_program *program = nullptr;
  void *memory = nullptr; ///< the executable copy of an image, else null
  size_t memoryBytes = 0;
  void *library = nullptr; ///< of dlopen, else null
  std::mutex gpuMutex;
  /// Its code on GPUs, as long as an optimizer there uses it.
  std::vector<std::weak_ptr<updraft::runtime::CudaModule>> gpuModules;

  ~updraft_loaded_program();
};

namespace updraft::runtime {

template <class T>
const T *at(const updraft_program *program, updraft_rel rel) {
  return reinterpret_cast<const T *>(reinterpret_cast<const char *>(program) +
                                     rel);
}

template <class T>
std::span<const T> items(const updraft_program *program, updraft_list list) {
  if (!list.count)
    return {};
  return {at<T>(program, list.at), size_t(list.count)};
}

/// A string of the program; "" where it is absent.
inline const char *text(const updraft_program *program, updraft_rel rel) {
  return rel ? at<char>(program, rel) : "";
}

/// What is known of the memory around a program, as distances from its start.
struct Extent {
  uint64_t bytes;    ///< readable from the start
  int64_t codeBegin; ///< kernels begin in [codeBegin, codeEnd)
  int64_t codeEnd;
};

/// Checks that the program is one, of this version and for this processor, and
/// that all it refers to lies within. `origin` names it in the error text.
updraft_status validate(const updraft_program *program, Extent extent,
                        const char *origin);

/// Loads a shared object; `result` owns the handle.
updraft_status openLibrary(const char *path, const void *file, size_t bytes,
                           updraft_loaded_program &result);

/// Copies an image file's bytes to executable memory.
updraft_status loadImage(const void *image, size_t bytes, const char *origin,
                         updraft_loaded_program &result);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_PROGRAM_H
