//===- Memory.h - Blocks of zeroed memory ---------------------------------===//
//
// Everything that kernels touch lives in such blocks: aligned to a cache line,
// zero at first, and for large ones on huge pages where the system has them. A
// block on a GPU is the same with an address that only the GPU may follow.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_MEMORY_H
#define UPDRAFT_RUNTIME_MEMORY_H

#include <cstddef>
#include <utility>

namespace updraft::runtime {

class Block {
public:
  Block() = default;
  /// Throws std::bad_alloc.
  explicit Block(size_t bytes);
  /// Memory that somebody else made, such as a device's; `release` ends it.
  Block(char *start, size_t bytes, void (*release)(void *owner, char *start),
        void *owner)
      : start(start), size(bytes), release(release), owner(owner) {}
  Block(Block &&other) noexcept { swap(other); }
  Block &operator=(Block &&other) noexcept {
    swap(other);
    return *this;
  }
  ~Block();

  char *data() const { return start; }
  size_t bytes() const { return size; }

private:
  void swap(Block &other) noexcept {
    std::swap(start, other.start);
    std::swap(size, other.size);
    std::swap(mapping, other.mapping);
    std::swap(mappedBytes, other.mappedBytes);
    std::swap(release, other.release);
    std::swap(owner, other.owner);
  }

  char *start = nullptr;
  size_t size = 0;
  void *mapping = nullptr; ///< null: from the heap
  size_t mappedBytes = 0;
  void (*release)(void *owner, char *start) = nullptr; ///< null: ours
  void *owner = nullptr;
};

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_MEMORY_H
