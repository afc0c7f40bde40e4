//===- Memory.cpp - Blocks of zeroed memory -------------------------------===//
//
// Large blocks are mapped, so that a page belongs to the thread that touches it
// first and huge pages can be asked for.
//
//===----------------------------------------------------------------------===//

#include "Memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/mman.h>

using namespace updraft::runtime;

static constexpr size_t kLine = 64, kPage = 4096;
static constexpr size_t kHugePage = size_t(2) << 20;
/// Below this the heap is as good and wastes less.
static constexpr size_t kMapFrom = size_t(1) << 20;

Block::Block(size_t bytes) : size(bytes) {
  if (bytes > SIZE_MAX / 2)
    throw std::bad_alloc();
  if (bytes < kMapFrom) {
    size_t alignment = bytes < kPage ? kLine : kPage;
    size_t rounded = (bytes + alignment) / alignment * alignment;
    start = static_cast<char *>(aligned_alloc(alignment, rounded));
    if (!start)
      throw std::bad_alloc();
    memset(start, 0, rounded);
    return;
  }
  mappedBytes = bytes + kHugePage;
  mapping = mmap(nullptr, mappedBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    mapping = nullptr;
    throw std::bad_alloc();
  }
  uintptr_t address = reinterpret_cast<uintptr_t>(mapping);
  uintptr_t aligned = (address + kHugePage - 1) / kHugePage * kHugePage;
  start = static_cast<char *>(mapping) + (aligned - address);
  // Only advice: without huge pages everything works, more slowly.
  if (bytes >= 2 * kHugePage)
    (void)madvise(start, bytes, MADV_HUGEPAGE);
}

Block::~Block() {
  if (release)
    release(owner, start);
  else if (mapping)
    munmap(mapping, mappedBytes);
  else
    free(start);
}
