//===- Walk.cpp - Running the kernels -------------------------------------===//
//
// Every thread of the region walks the same schedule and does its shares of it.
// If the host gave fewer threads than there are shares, a thread does several:
// who does what never changes a bit.
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"

#include <algorithm>

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

size_t updraft::runtime::endOfTurns(const std::vector<Kernel> &kernels,
                                    size_t first) {
  size_t end = first + 1;
  while (kernels[first].rounds > 1 && end < kernels.size() &&
         kernels[end].rounds == kernels[first].rounds)
    ++end;
  return end;
}

/// Calls a kernel on chunks.
static void enterChunks(const Optimizer &optimizer, const Kernel &kernel,
                        const updraft_frame &frame, uint64_t first,
                        uint64_t count, Turn turn) {
  if (kernel.level != UPDRAFT_MATRIX)
    return enter(kernel, frame, first, count);
  updraft_frame own = frame;
  own.workspace = optimizer.workspaces.data() +
                  turn.share * size_t(optimizer.program()->workspace);
  own.round = turn.round;
  enter(kernel, own, first, count);
}

void updraft::runtime::enterRows(const Optimizer &optimizer,
                                 const Kernel &kernel, const Table &table,
                                 uint32_t firstRow, uint32_t rowCount,
                                 Turn turn) {
  const Items &items = table.items[kernel.items];
  if (kernel.level == UPDRAFT_TENSOR)
    return enter(kernel, items.frame, firstRow, rowCount);
  uint64_t first = items.firstChunk[firstRow];
  enterChunks(optimizer, kernel, items.frame, first,
              items.firstChunk[firstRow + rowCount] - first, turn);
}

namespace {

class Walker {
public:
  Walker(const Optimizer &optimizer, const Team &team)
      : optimizer(optimizer), team(team), shares(optimizer.shareCount) {}

  void coarse(const Kernel &kernel) const;
  void chain(const Chain &chain) const;

private:
  void sharedRows(const Table &table, const std::vector<Kernel> &kernels,
                  uint64_t first, uint64_t end) const;
  void sharedPart(const Table &table, const Kernel &kernel, uint64_t position,
                  Turn turn) const;
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
                        uint64_t position, Turn turn) const {
  uint32_t row = table.shared[position], share = turn.share;
  // The remainder of the division goes to other shares from row to row.
  uint64_t shift = position % shares;
  if (kernel.level == UPDRAFT_TENSOR) {
    enter(kernel, table.items[0].frame, row, share == shift);
    return;
  }
  const Items &items = table.items[kernel.items];
  uint64_t start = items.firstChunk[row];
  uint64_t chunks = items.chunksOf(row);
  uint64_t first = (chunks * share + shift) / shares;
  uint64_t end = (chunks * (share + 1) + shift) / shares;
  enterChunks(optimizer, kernel, items.frame, start + first, end - first, turn);
}

void Walker::sharedRows(const Table &table, const std::vector<Kernel> &kernels,
                        uint64_t first, uint64_t end) const {
  auto run = [&](size_t k, uint32_t round) {
    // A round begins with what the one before it has made.
    if (round || (k && kernels[k].joined))
      team.wait();
    for (uint64_t position = first; position < end; ++position)
      for (uint32_t share = team.index; share < shares; share += team.count)
        sharedPart(table, kernels[k], position, {share, round});
  };
  for (size_t begin = 0; begin < kernels.size();) {
    size_t next = endOfTurns(kernels, begin);
    for (uint32_t round = 0; round < kernels[begin].rounds; ++round)
      for (size_t k = begin; k < next; ++k)
        run(k, round);
    begin = next;
  }
}

void Walker::ownPieces(const Table &table, const Chain &chain,
                       uint32_t share) const {
  const std::vector<Kernel> &kernels = chain.kernels;
  for (const Piece &piece : table.own[share])
    for (size_t begin = 0, end; begin < kernels.size(); begin = end) {
      end = endOfTurns(kernels, begin);
      for (uint32_t round = 0; round < kernels[begin].rounds; ++round)
        for (size_t k = begin; k < end; ++k)
          enterRows(optimizer, kernels[k], table, piece.firstRow,
                    piece.rowCount, {share, round});
    }
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
