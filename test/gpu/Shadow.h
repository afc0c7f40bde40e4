//===- Shadow.h - Who touched which byte in a launch ----------------------===//
//
// For each piece of memory the last write and the reads since, so that an
// access finds out whether another one has no order to it. Time is one number
// that grows at each barrier of a block or warp and at each new block:
// an access lies before a barrier if its time is smaller.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_SHADOW_H
#define UPDRAFT_TEST_GPU_SHADOW_H

#include "Emulator.h"
#include "Program.h"

#include <unordered_map>

namespace updraft::gpu {

/// What the accesses of one instruction have in common.
struct Access {
  uint32_t lanes; // which of `addresses`
  uint32_t bytes; // of one lane: 1, 2, 4, 8, 16 or 32
  bool write = false;
  bool constant = false; // ld.nc: nobody writes it in this launch
  bool shared = false;
  uint32_t line = 0;
  const uint64_t *addresses = nullptr;
};

/// Which times are ordered before the accesses of a warp now.
struct Order {
  uint32_t launch = 0;  // start of the launch
  uint32_t block = 0;   // start of the block
  uint32_t barrier = 0; // the block's last barrier
  uint32_t full = 0;    // the warp's last barrier of all lanes
  uint32_t now = 0;
  uint32_t warp = 0; // in its block
  /// After a barrier of some lanes: [l][k] what lane l knows of lane k.
  uint32_t (*partial)[kLanes] = nullptr;
};

/// Another access without order: where it was.
struct Conflict {
  bool found = false;
  uint32_t lane = 0; // of the access at hand
  uint64_t address = 0;
  uint32_t line = 0;   // of the other
  uint32_t thread = 0; // of the other, in its block; ~0u: several
  bool wrote = false;  // the other
  bool otherBlock = false;
};

class Shadow {
public:
  /// Time never goes back, so that what earlier launches did is out of date.
  uint32_t now = 0;
  void startLaunch();
  Conflict touch(const Access &access, const Order &order);

private:
  /// 16 bytes: `read` and `wrote` are times, 0 never.
  struct Cell {
    uint32_t wrote = 0, writer = 0;
    uint32_t read = 0, reader = 0;
  };
  /// 4096 bytes of memory in pieces of 2^shift bytes, as small as any access.
  struct Page {
    unsigned shift = 4;
    std::unique_ptr<Cell[]> cells;
    void refine(unsigned finer);
  };
  std::unordered_map<uint64_t, Page> pages;
  static constexpr size_t kNear = 64;
  uint64_t nearKeys[kNear] = {};
  Page *nearPages[kNear] = {};

  Page &page(uint64_t key, unsigned shift);
  bool touchCell(Cell &cell, const Access &access, const Order &order,
                 uint32_t lane, Conflict &conflict);
};

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_SHADOW_H
