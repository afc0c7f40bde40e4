//===- Walk.cpp - Running the kernels -------------------------------------===//
//
// Every thread of the region walks the same schedule and does its shares of it.
// If the host gave fewer threads than there are shares, a thread does several:
// who does what never changes a bit.
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"

#include <algorithm>
#include <span>

using namespace updraft::runtime;

// A kernel in an image has no type tag before its entry for the sanitizer's
// check of indirect calls to read.
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
void updraft::runtime::enter(const Kernel &kernel, const updraft_frame &frame,
                             uint64_t first, uint64_t count) {
  if (count)
    kernel.entry(&frame, first, count);
}

void updraft::runtime::enterRows(const Kernel &kernel, const Table &table,
                                 uint32_t firstRow, uint32_t rowCount) {
  const Items &items = table.items[kernel.items];
  if (kernel.level == UPDRAFT_TENSOR)
    return enter(kernel, items.frame, firstRow, rowCount);
  uint64_t first = items.firstChunk[firstRow];
  enter(kernel, items.frame, first,
        items.firstChunk[firstRow + rowCount] - first);
}

namespace {

class Walker {
public:
  Walker(const Optimizer &optimizer, const Team &team)
      : optimizer(optimizer), team(team), shares(optimizer.shareCount) {}

  void coarse(const Kernel &kernel) const;
  void chain(const Chain &chain) const;

private:
  void sharedRows(const Table &table, std::span<const Kernel> kernels,
                  uint64_t first, uint64_t end) const;
  void sharedPart(const Table &table, const Kernel &kernel, uint64_t position,
                  uint32_t share) const;
  void ownPieces(const Table &table, const Chain &chain, uint32_t share) const;

  const Optimizer &optimizer;
  const Team &team;
  uint32_t shares;
};

void Walker::coarse(const Kernel &kernel) const {
  uint64_t count = kernel.level == UPDRAFT_MODEL ? 1 : optimizer.groupCount;
  for (uint32_t share = team.index; share < shares; share += team.count) {
    uint64_t first = count * share / shares, end = count * (share + 1) / shares;
    enter(kernel, optimizer.frame, first, end - first);
  }
}

void Walker::sharedPart(const Table &table, const Kernel &kernel,
                        uint64_t position, uint32_t share) const {
  uint32_t row = table.shared[position];
  // The remainder of the division goes to other shares from row to row.
  uint64_t turn = position % shares;
  if (kernel.level == UPDRAFT_TENSOR) {
    enter(kernel, table.items[0].frame, row, share == turn);
    return;
  }
  const Items &items = table.items[kernel.items];
  uint64_t start = items.firstChunk[row];
  uint64_t chunks = items.chunksOf(row);
  uint64_t first = (chunks * share + turn) / shares;
  uint64_t end = (chunks * (share + 1) + turn) / shares;
  enter(kernel, items.frame, start + first, end - first);
}

void Walker::sharedRows(const Table &table, std::span<const Kernel> kernels,
                        uint64_t first, uint64_t end) const {
  for (const Kernel &kernel : kernels) {
    if (kernel.joined && &kernel != kernels.data())
      team.wait();
    for (uint64_t position = first; position < end; ++position)
      for (uint32_t share = team.index; share < shares; share += team.count)
        sharedPart(table, kernel, position, share);
  }
}

void Walker::ownPieces(const Table &table, const Chain &chain,
                       uint32_t share) const {
  for (const Piece &piece : table.own[share])
    for (const Kernel &kernel : chain.kernels)
      enterRows(kernel, table, piece.firstRow, piece.rowCount);
}

/// Whether kernels that wait for others of the chain read elements again.
static bool readsAgain(const Chain &chain) {
  bool joined = false, again = false;
  for (const Kernel &kernel : chain.kernels) {
    joined |= kernel.joined;
    again |= joined && kernel.level == UPDRAFT_ELEMENT;
  }
  return again;
}

/// A shared tensor goes through the whole chain before the next one does, so
/// that later kernels find it in the caches. Where there is nothing to find,
/// all of them take each kernel together, which saves waiting.
void Walker::chain(const Chain &chain) const {
  const Table &table = optimizer.tables[chain.variant];
  uint64_t count = table.shared.size();
  uint64_t together = readsAgain(chain) ? 1 : std::max<uint64_t>(count, 1);
  for (uint64_t i = 0; i < count; i += together)
    sharedRows(table, chain.kernels, i, i + together);
  for (uint32_t share = team.index; share < shares; share += team.count)
    ownPieces(table, chain, share);
}

} // namespace

void updraft::runtime::walk(const Optimizer &optimizer,
                            const Schedule &schedule, const Team &team) {
  Walker walker(optimizer, team);
  for (size_t s = 0; s < schedule.size(); ++s) {
    if (s)
      team.wait();
    for (const Kernel &kernel : schedule[s].coarse)
      walker.coarse(kernel);
    for (const Chain &chain : schedule[s].chains)
      walker.chain(chain);
  }
}

void updraft::runtime::runAll(Optimizer &optimizer, const Schedule &schedule,
                              uint32_t count) {
  struct Walk {
    const Optimizer &optimizer;
    const Schedule &schedule;
  } walk = {optimizer, schedule};
  optimizer.threads.run(
      count,
      [](void *argument, const Team &team) {
        Walk *walk = static_cast<Walk *>(argument);
        updraft::runtime::walk(walk->optimizer, walk->schedule, team);
      },
      &walk);
}
