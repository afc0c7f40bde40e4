//===- Sync.cpp - What the lanes of a warp do together --------------------===//
//
// A WarpSync's handler runs when all lanes of its member mask have come; the
// mask is its last source.
//
//===----------------------------------------------------------------------===//

#include "Lanes.h"

namespace updraft::gpu {

namespace {

enum Shuffle : uint32_t { Up, Down, Butterfly, Index };
enum Vote : uint32_t { VoteAll, VoteAny, VoteUniform, Negated = 4 };

uint32_t members(Warp &w, const Instruction &i, uint32_t lanes) {
  const uint32_t *masks = w.at<uint32_t>(i.operands[i.targets + i.sources - 1]);
  return masks[__builtin_ctz(lanes)];
}

/// The lane that lane l reads from; valid: whether it is in the segment.
uint32_t sourceLane(uint32_t mode, uint32_t l, uint32_t b, uint32_t c,
                    bool &valid) {
  uint32_t segment = c >> 8 & 31, clamp = c & 31, by = b & 31;
  uint32_t most = (l & segment) | (clamp & ~segment), least = l & segment;
  int from = 0;
  switch (mode) {
  case Up:
    from = int(l) - int(by);
    valid = from >= int(most);
    break;
  case Down:
    from = l + by;
    valid = from <= int(most);
    break;
  case Butterfly:
    from = l ^ by;
    valid = from <= int(most);
    break;
  default:
    from = least | (by & ~segment);
    valid = from <= int(most);
  }
  return valid ? from : l;
}

void shuffle(Warp &w, const Instruction &i, uint32_t lanes) {
  const Operand *source = i.operands + i.targets;
  uint32_t *target = w.at<uint32_t>(i.operands[0]);
  const uint32_t *b = w.at<uint32_t>(source[1]);
  const uint32_t *c = w.at<uint32_t>(source[2]);
  uint32_t a[kLanes], inside = 0;
  std::memcpy(a, w.at<uint32_t>(source[0]), sizeof(a));
  w.synchronise(members(w, i, lanes));
  forLanes(lanes, [&](uint32_t l) {
    bool valid = false;
    uint32_t from = sourceLane(i.detail, l, b[l], c[l], valid);
    if (!(lanes >> from & 1))
      w.fail(i, l,
             "reads from lane " + std::to_string(from) +
                 ", which takes no part");
    target[l] = a[from];
    inside |= uint32_t(valid) << l;
  });
  if (i.targets == 2) {
    uint32_t &mask = w.mask(i.operands[1]);
    mask = (mask & ~lanes) | inside;
  }
}

void shuffleFamily(Build &build) {
  build.need("sync");
  static const std::pair<std::string_view, Shuffle> modes[] = {
      {"up", Up}, {"down", Down}, {"bfly", Butterfly}, {"idx", Index}};
  bool found = false;
  for (auto [name, mode] : modes)
    if (build.take(name)) {
      build.made.detail = mode;
      found = true;
    }
  build.need("b32");
  build.count(5);
  const Argument &target = build.arguments[0];
  bool pair = target.kind == Argument::Pair;
  build.target(pair ? target.parts[0] : target, 32);
  if (pair)
    build.target(target.parts[1], 1);
  for (size_t i = 1; i < 5; ++i)
    build.source(build.arguments[i], 32);
  build.made.control = Control::WarpSync;
  build.finish(found ? shuffle : nullptr);
}

void vote(Warp &w, const Instruction &i, uint32_t lanes) {
  uint32_t chosen = w.mask(i.operands[1]) ^ (i.detail & Negated ? kAll : 0);
  chosen &= lanes;
  uint32_t kind = i.detail & 3;
  bool result = kind == VoteAll   ? chosen == lanes
                : kind == VoteAny ? chosen != 0
                                  : chosen == 0 || chosen == lanes;
  uint32_t &mask = w.mask(i.operands[0]);
  mask = (mask & ~lanes) | (result ? lanes : 0);
}

void ballot(Warp &w, const Instruction &i, uint32_t lanes) {
  uint32_t chosen = w.mask(i.operands[1]) ^ (i.detail & Negated ? kAll : 0);
  eachLane(w.at<uint32_t>(i.operands[0]), lanes,
           [=](uint32_t) { return chosen & lanes; });
}

void voteFamily(Build &build) {
  build.need("sync");
  bool isBallot = build.take("ballot");
  bool known = isBallot;
  static const std::pair<std::string_view, Vote> kinds[] = {
      {"all", VoteAll}, {"any", VoteAny}, {"uni", VoteUniform}};
  for (auto [name, kind] : kinds)
    if (build.take(name)) {
      build.made.detail = kind;
      known = true;
    }
  build.need(isBallot ? "b32" : "pred");
  build.count(3);
  build.target(build.arguments[0], isBallot ? 32 : 1);
  Argument source = build.arguments[1];
  build.made.detail |= source.negated ? Negated : 0;
  source.negated = false;
  build.source(source, 1);
  build.source(build.arguments[2], 32);
  build.made.control = Control::WarpSync;
  build.finish(!known ? nullptr : isBallot ? ballot : vote);
}

void activeMask(Warp &w, const Instruction &i, uint32_t lanes) {
  eachLane(w.at<uint32_t>(i.operands[0]), lanes,
           [=](uint32_t) { return lanes; });
}

void activeMaskFamily(Build &build) {
  build.need("b32");
  build.count(1);
  build.target(build.arguments[0], 32);
  build.finish(activeMask);
}

void warpBarrier(Warp &w, const Instruction &i, uint32_t lanes) {
  w.synchronise(members(w, i, lanes));
}

void blockBarrier(Warp &w, const Instruction &i, uint32_t lanes) {
  w.barrier = w.at<uint32_t>(i.operands[0])[__builtin_ctz(lanes)];
}

/// bar.sync, barrier.sync{.aligned} of all threads; bar.warp.sync.
void barrierFamily(Build &build) {
  build.take("cta");
  if (build.take("warp")) {
    build.need("sync");
    build.count(1);
    build.source(build.arguments[0], 32);
    build.made.control = Control::WarpSync;
    return build.finish(warpBarrier);
  }
  build.need("sync");
  build.take("aligned");
  build.count(1);
  build.source(build.arguments[0], 32);
  build.made.control = Control::BlockSync;
  build.finish(blockBarrier);
}

void trap(Warp &w, const Instruction &i, uint32_t lanes) {
  w.fail(i, __builtin_ctz(lanes), "trap");
}

void trapFamily(Build &build) {
  build.count(0);
  build.finish(trap);
}

} // namespace

const Families &warpFamilies() {
  static const Families families = {
      {"shfl", shuffleFamily},          {"vote", voteFamily},
      {"activemask", activeMaskFamily}, {"bar", barrierFamily},
      {"barrier", barrierFamily},       {"trap", trapFamily}};
  return families;
}

} // namespace updraft::gpu
