//===- Warp.cpp - Frames, barriers and errors of a warp -------------------===//

#include "Warp.h"

#include <cstring>
#include <stdexcept>

namespace updraft::gpu {

void Frame::prepare(const Function &wanted) {
  parameters.resize(size_t(wanted.parameterBytes) * kLanes);
  groups.clear();
  set.assign(wanted.ids, 0);
  set[0] = ~0u;
  if (function == &wanted)
    return;
  function = &wanted;
  store.assign(wanted.fileBytes + 64, 0);
  auto start = reinterpret_cast<uint64_t>(store.data());
  file = store.data() + (64 - start % 64) % 64;
  for (const Function::Constant &each : wanted.constants)
    for (uint32_t l = 0; l < (each.bits == 1 ? 1 : kLanes); ++l)
      std::memcpy(file + each.at + l * (each.bits / 8), &each.value,
                  each.bits == 1 ? 4 : each.bits / 8);
}

namespace {

uint32_t special(const Block &block, uint32_t warp, Special which,
                 uint32_t axis, uint32_t lane) {
  const uint32_t *size = block.launch->block;
  uint32_t thread = warp * kLanes + lane;
  uint32_t ids[3] = {thread % size[0], thread / size[0] % size[1],
                     thread / size[0] / size[1]};
  uint32_t bit = 1u << lane;
  switch (which) {
  case Special::Tid:
    return ids[axis];
  case Special::Ntid:
    return size[axis];
  case Special::Ctaid:
    return block.index[axis];
  case Special::Nctaid:
    return block.launch->grid[axis];
  case Special::LaneId:
    return lane;
  case Special::MaskEq:
    return bit;
  case Special::MaskLt:
    return bit - 1;
  case Special::MaskLe:
    return bit | (bit - 1);
  case Special::MaskGt:
    return ~(bit | (bit - 1));
  case Special::MaskGe:
    return ~(bit - 1);
  }
  return 0;
}

} // namespace

void Warp::push(const Function &function) {
  if (frames.size() == depth)
    frames.push_back(std::make_unique<Frame>());
  frame = frames[depth++].get();
  frame->prepare(function);
  frame->call = nullptr;
  for (auto [which, at] : function.specials) {
    uint32_t first = which < 12 ? which / 3 * 3 : which;
    auto *values = reinterpret_cast<uint32_t *>(frame->file + at);
    for (uint32_t l = 0; l < kLanes; ++l)
      values[l] =
          special(*block, index, static_cast<Special>(first), which - first, l);
  }
}

bool Warp::pop() {
  if (--depth == 0)
    return false;
  frame = frames[depth - 1].get();
  return true;
}

void Warp::start(Block &itsBlock, uint32_t itsIndex, uint32_t count,
                 const Function &entry) {
  block = &itsBlock;
  index = itsIndex;
  existing = alive = count >= kLanes ? ~0u : (1u << count) - 1;
  full = 0;
  hasPartial = false;
  standing = false;
  depth = 0;
  push(entry);
  for (size_t k = 0; k < entry.parameters.size(); ++k) {
    const Parameter &each = entry.parameters[k];
    for (uint32_t l = 0; l < kLanes; ++l)
      std::memcpy(frame->parameters.data() + l * entry.parameterBytes + each.at,
                  block->launch->parameters[k], each.bytes);
  }
  frame->groups.push_back({0, existing});
}

void Warp::synchronise(uint32_t members) {
  uint32_t now = ++block->shadow->now;
  if (members == existing) {
    full = now;
    hasPartial = false;
    return;
  }
  if (!hasPartial)
    std::memset(partial, 0, sizeof(partial));
  hasPartial = true;
  uint32_t known[kLanes] = {};
  for (uint32_t l = 0; l < kLanes; ++l)
    for (uint32_t k = 0; (members >> l & 1) && k < kLanes; ++k)
      known[k] = std::max(known[k], members >> k & 1 ? now : partial[l][k]);
  for (uint32_t l = 0; l < kLanes; ++l)
    if (members >> l & 1)
      std::memcpy(partial[l], known, sizeof(known));
}

Order Warp::order() {
  Order made;
  made.launch = block->launchStart;
  made.block = block->start;
  made.barrier = block->barrier;
  made.full = full;
  made.now = block->shadow->now;
  made.warp = index;
  made.partial = hasPartial ? partial : nullptr;
  return made;
}

void Warp::fail(const Instruction &at, uint32_t lane,
                const std::string &what) const {
  auto three = [](const uint32_t *x) {
    return "(" + std::to_string(x[0]) + ", " + std::to_string(x[1]) + ", " +
           std::to_string(x[2]) + ")";
  };
  uint32_t thread[3];
  for (uint32_t axis = 0; axis < 3; ++axis)
    thread[axis] = special(*block, index, Special::Tid, axis, lane);
  std::string text = "entry " + block->launch->entry + ", block " +
                     three(block->index) + ", thread " + three(thread) +
                     ", PTX line " + std::to_string(at.line);
  if (depth > 1)
    text += " (" + frame->function->name + ")";
  throw std::runtime_error(text + ": " + what);
}

} // namespace updraft::gpu
