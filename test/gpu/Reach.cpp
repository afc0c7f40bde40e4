//===- Reach.cpp - May this access be? ------------------------------------===//

#include "Reach.h"
#include "Permissions.h"

#include <cstdio>

namespace updraft::gpu {

namespace {

std::string hex(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
  return text;
}

std::string accessed(const Access &access, uint64_t address) {
  return (access.write ? "writes " : "reads ") + std::to_string(access.bytes) +
         " bytes at " + hex(address) + (access.shared ? " (shared)" : "");
}

void computeAddresses(Warp &w, const Instruction &i, Operand base,
                      uint64_t *addresses) {
  int64_t offset = i.offset;
  if (i.detail & kShort) {
    const uint32_t *from = w.at<uint32_t>(base);
    for (uint32_t l = 0; l < kLanes; ++l)
      addresses[l] = uint32_t(from[l] + offset);
  } else {
    const uint64_t *from = w.at<uint64_t>(base);
    for (uint32_t l = 0; l < kLanes; ++l)
      addresses[l] = from[l] + offset;
  }
}

void checkAlignment(Warp &w, const Instruction &i, const Access &access) {
  uint64_t all = 0;
  forLanes(access.lanes, [&](uint32_t l) { all |= access.addresses[l]; });
  if (!(all & (access.bytes - 1)))
    return;
  forLanes(access.lanes, [&](uint32_t l) {
    if (access.addresses[l] & (access.bytes - 1))
      w.fail(i, l, accessed(access, access.addresses[l]) + ": not aligned");
  });
}

void checkShared(Warp &w, const Instruction &i, const Access &access) {
  Block &block = *w.block;
  forLanes(access.lanes, [&](uint32_t l) {
    uint64_t address = access.addresses[l];
    bool dynamic = address >= kDynamicShared;
    uint64_t size = dynamic ? block.dynamicBytes : block.staticBytes;
    uint64_t from = address - (dynamic ? kDynamicShared : 0);
    if (access.bytes > size || from > size - access.bytes)
      w.fail(i, l, accessed(access, address) + ": outside of it");
    uint8_t *written = block.written.data() + address;
    if (access.write)
      std::memset(written, 1, access.bytes);
    else if (std::memchr(written, 0, access.bytes))
      w.fail(i, l, accessed(access, address) + ": never written");
  });
}

/// One question for lanes that lie side by side or all at one place.
void checkAllowed(Warp &w, const Instruction &i, const Access &access) {
  uint64_t low = ~uint64_t(0), high = 0;
  forLanes(access.lanes, [&](uint32_t l) {
    low = std::min(low, access.addresses[l]);
    high = std::max(high, access.addresses[l] + access.bytes);
  });
  Permissions &permissions = *w.block->permissions;
  if (high - low <= kLanes * access.bytes && low >= 4096 &&
      permissions.allowed(low, high - low, access.write))
    return;
  forLanes(access.lanes, [&](uint32_t l) {
    uint64_t address = access.addresses[l];
    if (address < 4096 ||
        !permissions.allowed(address, access.bytes, access.write))
      w.fail(i, l, accessed(access, address) + ": not allowed");
  });
}

void checkRace(Warp &w, const Instruction &i, const Access &access) {
  if (!w.block->checks->races)
    return;
  Conflict other = w.block->shadow->touch(access, w.order());
  if (!other.found)
    return;
  std::string who = other.thread == ~0u
                        ? "several threads"
                        : "thread " + std::to_string(other.thread);
  if (other.otherBlock)
    who += " of another block";
  w.fail(i, other.lane,
         "race: " + accessed(access, other.address) + ", which " + who +
             (other.wrote ? " wrote" : " read") + " at line " +
             std::to_string(other.line) +
             (access.constant || (!other.wrote && other.line == 0)
                  ? ", and ld.nc reads what nobody writes"
                  : ""));
}

/// Checks the access and makes of addresses those of this process.
void reachMemory(Warp &w, const Instruction &i, Access &access,
                 uint64_t *addresses) {
  checkAlignment(w, i, access);
  auto space = static_cast<Space>(i.detail & kSpace);
  access.shared = space == Space::Shared;
  if (space == Space::Generic) {
    uint32_t first = __builtin_ctz(access.lanes);
    access.shared = addresses[first] >= kSharedWindow;
    forLanes(access.lanes, [&](uint32_t l) {
      if ((addresses[l] >= kSharedWindow) != access.shared)
        w.fail(i, l, "an access to two memories at once is not known");
      addresses[l] -= access.shared ? kSharedWindow : 0;
    });
  }
  if (!access.shared) {
    checkAllowed(w, i, access);
    return checkRace(w, i, access);
  }
  checkShared(w, i, access);
  for (uint32_t l = 0; l < kLanes; ++l)
    addresses[l] += kSharedWindow;
  checkRace(w, i, access);
  auto start = reinterpret_cast<uint64_t>(w.block->shared.data());
  for (uint32_t l = 0; l < kLanes; ++l)
    addresses[l] += start - kSharedWindow;
}

void reachParameter(Warp &w, const Instruction &i, const Access &access,
                    uint64_t *addresses) {
  checkAlignment(w, i, access);
  auto start = reinterpret_cast<uint64_t>(w.frame->parameters.data());
  uint64_t size = w.frame->function->parameterBytes;
  forLanes(access.lanes, [&](uint32_t l) {
    if (access.bytes > size || addresses[l] > size - access.bytes)
      w.fail(i, l, accessed(access, addresses[l]) + ": outside of .param");
    addresses[l] += start + l * size;
  });
}

} // namespace

void reach(Warp &w, const Instruction &i, Operand base, Access &access,
           uint64_t *addresses) {
  computeAddresses(w, i, base, addresses);
  access.addresses = addresses;
  access.line = i.line;
  access.constant = i.detail & kConstant;
  if (static_cast<Space>(i.detail & kSpace) == Space::Param)
    reachParameter(w, i, access, addresses);
  else if (access.lanes)
    reachMemory(w, i, access, addresses);
}

} // namespace updraft::gpu
