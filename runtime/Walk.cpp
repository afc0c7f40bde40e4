//===- Walk.cpp - Running the kernels
//--------------------------------------===//
//
// Every thread of the region walks the same schedule and does its shares of it.
// If the host gave fewer threads than there are shares, a thread does several:
// who does what never changes a bit.
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"

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

namespace {

class Walker {
public:
  Walker(const Optimizer &optimizer, const Team &team)
      : optimizer(optimizer), team(team), shares(optimizer.shareCount) {}

  void coarse(const Kernel &kernel) const;
  void chain(const Chain &chain) const;

private:
  void sharedRow(const Table &table, const Chain &chain,
                 uint64_t position) const;
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
    enter(kernel, table.frame, row, share == turn);
    return;
  }
  uint64_t start = table.firstChunk[row];
  uint64_t chunks = table.firstChunk[row + 1] - start;
  uint64_t first = (chunks * share + turn) / shares;
  uint64_t end = (chunks * (share + 1) + turn) / shares;
  enter(kernel, table.frame, start + first, end - first);
}

/// A shared tensor goes through the whole chain before the next one does, so
/// that later kernels find it in the caches.
void Walker::sharedRow(const Table &table, const Chain &chain,
                       uint64_t position) const {
  for (size_t k = 0; k < chain.kernels.size(); ++k) {
    if (k && chain.kernels[k].joined)
      team.wait();
    for (uint32_t share = team.index; share < shares; share += team.count)
      sharedPart(table, chain.kernels[k], position, share);
  }
}

void Walker::ownPieces(const Table &table, const Chain &chain,
                       uint32_t share) const {
  for (const Piece &piece : table.own[share])
    for (const Kernel &kernel : chain.kernels)
      if (kernel.level == UPDRAFT_TENSOR)
        enter(kernel, table.frame, piece.firstRow, piece.rowCount);
      else
        enter(kernel, table.frame, piece.firstChunk, piece.chunkCount);
}

void Walker::chain(const Chain &chain) const {
  const Table &table = optimizer.tables[chain.variant];
  for (uint64_t i = 0; i < table.shared.size(); ++i)
    sharedRow(table, chain, i);
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
