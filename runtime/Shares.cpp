//===- Shares.cpp - Who works on what -------------------------------------===//
//
// The division is static: the same bytes on the same thread in every step. A
// large tensor is shared by all threads; the others belong to one thread each,
// which can then run several kernels on them one after the other while they
// are in its cache. Nothing here changes a result: reductions are cut by the
// tensors' blocks, not by shares.
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"

#include <algorithm>

using namespace updraft::runtime;

/// Tensors of more chunks than this are shared.
static constexpr uint64_t kOwnChunks = 16;
/// Small tensors are handed to kernels together, up to so many elements: what
/// several kernels in a row touch then still lies in the second-level cache.
static constexpr uint64_t kPieceElements = 16384;
/// The cost of a tensor besides its elements, in elements.
static constexpr uint64_t kTensorCost = 32;
/// Shares may differ by one part in so many.
static constexpr uint64_t kTolerance = 512;
/// Below this much work a second thread costs more than it gives.
static constexpr double kWorkOfThread = 25e-6;

//===- How many -----------------------------------------------------------===//

static double bytesOfKernel(const Optimizer &optimizer,
                            const updraft_kernel &kernel) {
  double bytes = (double(kernel.reads_milli) + kernel.writes_milli) / 1000;
  if (bytes > 0)
    return bytes;
  for (const updraft_array &array : optimizer.tables[kernel.variant].arrays)
    bytes += array.extent.space ? 0 : double(bytesOf(array.format));
  return bytes;
}

/// Operations of a tensor's products of matrices: of n x m, with n <= m, a
/// round has n^2 m + n^3 where half is computed, and 2 n^2 m.
static double operationsOf(const Table &table, const updraft_shape &shape) {
  double rows = double(shape.rows[1]), cols = double(shape.cols[1]);
  double n = std::min(rows, cols), m = std::max(rows, cols);
  return table.rounds * n * n * (3 * m + n);
}

/// Seconds of one step on one thread, roughly.
static double estimate(const Optimizer &optimizer) {
  constexpr double kSecondsOfByte = 1 / 40e9, kSecondsOfTensor = 12e-9,
                   kSecondsOfOperation = 1 / 64e9;
  const updraft_program *program = optimizer.program();
  std::vector<double> elements(optimizer.tables.size());
  for (const Param &param : optimizer.params)
    elements[param.variant] += double(param.size);
  double seconds = 0;
  for (const Param &param : optimizer.params)
    seconds +=
        kSecondsOfOperation * operationsOf(optimizer.tables[param.variant],
                                           optimizer.shapes[param.id]);
  for (const updraft_kernel &kernel :
       items<updraft_kernel>(program, program->kernels)) {
    if (kernel.when != UPDRAFT_AT_STEP || kernel.level < UPDRAFT_TENSOR)
      continue;
    seconds += optimizer.tables[kernel.variant].rowCount * kSecondsOfTensor;
    if (kernel.level == UPDRAFT_ELEMENT)
      seconds += elements[kernel.variant] * bytesOfKernel(optimizer, kernel) *
                 kSecondsOfByte;
  }
  return seconds;
}

//===- Which --------------------------------------------------------------===//

static uint64_t costOf(const Optimizer &optimizer, const Table &table,
                       uint32_t row) {
  const Param &param = optimizer.params[table.paramOf[row]];
  constexpr double kOperationsOfElement = 32;
  double products = operationsOf(table, optimizer.shapes[param.id]);
  return param.size + kTensorCost + uint64_t(products / kOperationsOfElement);
}

/// The first row of each share, and the end: cuts the cost of the rows that
/// are not shared evenly, to the nearest row.
static std::vector<uint32_t> cutRows(const Optimizer &optimizer,
                                     const Table &table,
                                     const std::vector<uint8_t> &isShared,
                                     uint32_t shares) {
  uint64_t total = 0, done = 0;
  for (uint32_t row = 0; row < table.rowCount; ++row)
    total += isShared[row] ? 0 : costOf(optimizer, table, row);
  std::vector<uint32_t> cuts(shares + 1, table.rowCount);
  cuts[0] = 0;
  uint32_t share = 1;
  for (uint32_t row = 0; row < table.rowCount; ++row) {
    uint64_t cost = isShared[row] ? 0 : costOf(optimizer, table, row);
    while (share < shares && done + cost / 2 >= total / shares * share)
      cuts[share++] = row;
    done += cost;
  }
  return cuts;
}

/// The row that the first uneven cut should go through, else rowCount.
static uint32_t unevenRow(const Optimizer &optimizer, const Table &table,
                          const std::vector<uint8_t> &isShared,
                          uint32_t shares) {
  uint64_t total = 0, all = 0, done = 0;
  for (uint32_t row = 0; row < table.rowCount; ++row) {
    all += costOf(optimizer, table, row);
    total += isShared[row] ? 0 : costOf(optimizer, table, row);
  }
  uint64_t tolerance = all / shares / kTolerance;
  uint32_t share = 1;
  for (uint32_t row = 0; row < table.rowCount && share < shares; ++row) {
    if (isShared[row])
      continue;
    uint64_t cost = costOf(optimizer, table, row);
    uint64_t cut = total / shares * share;
    if (done + cost > cut) {
      uint64_t off = std::min(cut - std::min(cut, done), done + cost - cut);
      bool canSplit = table.items[0].chunksOf(row) > 1;
      if (off > tolerance && canSplit)
        return row;
      ++share;
    }
    done += cost;
  }
  return table.rowCount;
}

static void addPieces(const Optimizer &optimizer, const Table &table,
                      const std::vector<uint8_t> &isShared, uint32_t begin,
                      uint32_t end, std::vector<Piece> &pieces) {
  uint64_t elements = 0;
  uint32_t group = UINT32_MAX;
  for (uint32_t row = begin; row < end; ++row) {
    if (isShared[row]) {
      group = UINT32_MAX;
      continue;
    }
    const Param &param = optimizer.params[table.paramOf[row]];
    if (param.group != group || elements + param.size > kPieceElements) {
      pieces.push_back({row, 0});
      group = param.group;
      elements = 0;
    }
    elements += param.size + kTensorCost;
    pieces.back().rowCount += 1;
  }
}

static void divideTable(const Optimizer &optimizer, Table &table,
                        uint32_t shares) {
  std::vector<uint8_t> isShared(table.rowCount);
  if (shares > 1) {
    for (uint32_t row = 0; row < table.rowCount; ++row)
      isShared[row] = table.items[0].chunksOf(row) > kOwnChunks;
    for (uint32_t tries = 0; tries < 2 * shares; ++tries) {
      uint32_t row = unevenRow(optimizer, table, isShared, shares);
      if (row == table.rowCount)
        break;
      isShared[row] = 1;
    }
  }
  table.shared.clear();
  for (uint32_t row = 0; row < table.rowCount; ++row)
    if (isShared[row])
      table.shared.push_back(row);
  std::vector<uint32_t> cuts = cutRows(optimizer, table, isShared, shares);
  table.own.assign(shares, {});
  for (uint32_t share = 0; share < shares; ++share)
    addPieces(optimizer, table, isShared, cuts[share], cuts[share + 1],
              table.own[share]);
}

void updraft::runtime::divide(Optimizer &optimizer) {
  double worth = estimate(optimizer) / kWorkOfThread;
  // With a device the host only checks what hypers require.
  uint32_t most = optimizer.device ? 1 : optimizer.threads.count();
  optimizer.shareCount = worth < 2 ? 1 : worth < most ? uint32_t(worth) : most;
  for (Table &table : optimizer.tables)
    divideTable(optimizer, table, optimizer.shareCount);
  if (!optimizer.device)
    optimizer.workspaces =
        Block(optimizer.shareCount * size_t(optimizer.program()->workspace));
}
