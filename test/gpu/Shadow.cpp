//===- Shadow.cpp - Who touched which byte in a launch --------------------===//

#include "Shadow.h"

namespace updraft::gpu {

namespace {

/// A reader or writer: its thread in the block, flags, the line above.
constexpr uint32_t kThread = 1023, kOneWarp = 1 << 10, kSeveral = 1 << 11;
constexpr uint32_t kConstant = 1 << 12, kLine = 13;

bool ordered(const Order &order, uint32_t time, uint32_t thread,
             uint32_t lane) {
  if (time < order.block)
    return false;
  uint32_t warp = thread / kLanes;
  if (time < order.barrier || thread == order.warp * kLanes + lane)
    return true;
  if (warp != order.warp)
    return false;
  return time < order.full ||
         (order.partial && order.partial[lane][thread % kLanes] > time);
}

/// All readers that the cell has, of which there may be several.
bool readsOrdered(const Order &order, uint32_t time, uint32_t reader,
                  uint32_t lane) {
  if (reader & kConstant)
    return false;
  if (!(reader & (kOneWarp | kSeveral)))
    return ordered(order, time, reader & kThread, lane);
  if (time < order.block)
    return false;
  if (time < order.barrier)
    return true;
  if ((reader & kSeveral) || (reader & kThread) / kLanes != order.warp)
    return false;
  bool known = time < order.full || order.partial;
  for (uint32_t k = 0; known && time >= order.full && k < kLanes; ++k)
    known = k == lane || order.partial[lane][k] > time;
  return known;
}

uint32_t joined(uint32_t reader, uint32_t mine) {
  bool near = (reader & kThread) / kLanes == (mine & kThread) / kLanes;
  return mine | (reader & kConstant) |
         (near && !(reader & kSeveral) ? kOneWarp : kSeveral);
}

} // namespace

void Shadow::Page::refine(unsigned finer) {
  std::unique_ptr<Cell[]> made(new Cell[4096u >> finer]);
  if (cells)
    for (uint32_t i = 0; i < 4096u >> finer; ++i)
      made[i] = cells[i << finer >> shift];
  cells = std::move(made);
  shift = finer;
}

Shadow::Page &Shadow::page(uint64_t key, unsigned shift) {
  size_t near = key % kNear;
  if (nearPages[near] && nearKeys[near] == key &&
      nearPages[near]->shift <= shift)
    return *nearPages[near];
  Page &found = pages[key];
  if (!found.cells || found.shift > shift)
    found.refine(shift);
  nearKeys[near] = key;
  nearPages[near] = &found;
  return found;
}

bool Shadow::touchCell(Cell &cell, const Access &access, const Order &order,
                       uint32_t lane, Conflict &conflict) {
  // What blocks before did to shared memory is not there any more.
  uint32_t alive = access.shared ? order.block : order.launch;
  uint32_t mine = (order.warp * kLanes + lane) | access.line << kLine;
  auto report = [&](uint32_t time, uint32_t who, bool wrote) {
    bool many = who & (kOneWarp | kSeveral);
    conflict = {true,
                lane,
                0,
                who >> kLine,
                many ? ~0u : who & kThread,
                wrote,
                time < order.block};
    return true;
  };
  if (cell.wrote >= alive &&
      (access.constant ||
       !ordered(order, cell.wrote, cell.writer & kThread, lane)))
    return report(cell.wrote, cell.writer, true);
  bool read = cell.read >= alive;
  if (access.write) {
    if (read && !readsOrdered(order, cell.read, cell.reader, lane))
      return report(cell.read, cell.reader, false);
    cell = {order.now, mine, 0, 0};
    return false;
  }
  bool replace = !read || readsOrdered(order, cell.read, cell.reader, lane);
  cell.reader = replace ? mine : joined(cell.reader, mine);
  if (access.constant)
    cell.reader |= kConstant;
  cell.read = order.now;
  return false;
}

Conflict Shadow::touch(const Access &access, const Order &order) {
  Conflict conflict;
  unsigned natural = __builtin_ctz(access.bytes);
  natural = natural > 4 ? 4 : natural;
  Page *found = nullptr;
  uint64_t key = 0; // of it
  for (uint32_t lanes = access.lanes; lanes; lanes &= lanes - 1) {
    uint32_t lane = __builtin_ctz(lanes);
    uint64_t address = access.addresses[lane];
    if (!found || address >> 12 != key) {
      key = address >> 12;
      found = &page(key, natural);
    }
    uint32_t first = (address & 4095) >> found->shift;
    uint32_t count = access.bytes >> found->shift;
    for (uint32_t i = 0; i < count; ++i)
      if (touchCell(found->cells[first + i], access, order, lane, conflict)) {
        conflict.address = address;
        return conflict;
      }
  }
  return conflict;
}

void Shadow::startLaunch() {
  constexpr size_t most = 1 << 16;
  if (pages.size() <= most && now < 1u << 31)
    return;
  pages.clear();
  for (Page *&each : nearPages)
    each = nullptr;
  now = 0;
}

} // namespace updraft::gpu
