//===- Move.cpp - mov and addresses ---------------------------------------===//

#include "Lanes.h"

namespace updraft::gpu {

namespace {

template <class T> struct Copy {
  static T of(T a) { return a; }
};
struct ToGeneric {
  static uint64_t of(uint64_t a) { return a + kSharedWindow; }
};
struct FromGeneric {
  static uint64_t of(uint64_t a) { return a - kSharedWindow; }
};

void movePredicate(Warp &w, const Instruction &i, uint32_t lanes) {
  uint32_t &target = w.mask(i.operands[0]);
  target = (target & ~lanes) | (w.mask(i.operands[1]) & lanes);
}

/// Part k of the whole is operand `first` + k, the lowest bits first.
template <class Whole, class Part>
void joinParts(Warp &w, const Instruction &i, uint32_t lanes) {
  Whole *target = w.at<Whole>(i.operands[0]);
  constexpr unsigned count = sizeof(Whole) / sizeof(Part);
  const Part *parts[count];
  for (unsigned k = 0; k < count; ++k)
    parts[k] = w.at<Part>(i.operands[1 + k]);
  eachLane(target, lanes, [=](uint32_t l) {
    Whole value = 0;
    for (unsigned k = 0; k < count; ++k)
      value |= Whole(parts[k][l]) << (8 * sizeof(Part) * k);
    return value;
  });
}

/// `detail` has a bit for each part that is wanted: `_` is not.
template <class Whole, class Part>
void splitParts(Warp &w, const Instruction &i, uint32_t lanes) {
  constexpr unsigned count = sizeof(Whole) / sizeof(Part);
  const Whole *found = w.at<Whole>(i.operands[i.targets]);
  Whole source[kLanes]; // a part may be the source itself
  std::memcpy(source, found, sizeof(source));
  for (unsigned k = 0, operand = 0; k < count; ++k)
    if (i.detail >> k & 1)
      eachLane(w.at<Part>(i.operands[operand++]), lanes, [&](uint32_t l) {
        return Part(source[l] >> (8 * sizeof(Part) * k));
      });
}

template <bool Join> Handler parts(unsigned bits, size_t count) {
  auto pick = []<class Whole, class Part>() -> Handler {
    return Join ? joinParts<Whole, Part> : splitParts<Whole, Part>;
  };
  if (bits == 32 && count == 2)
    return pick.template operator()<uint32_t, uint16_t>();
  if (bits == 64 && count == 2)
    return pick.template operator()<uint64_t, uint32_t>();
  if (bits == 64 && count == 4)
    return pick.template operator()<uint64_t, uint16_t>();
  return nullptr;
}

void split(Build &build, Type type) {
  const Argument &target = build.arguments[0];
  size_t count = target.parts.size();
  for (size_t k = 0; k < count; ++k)
    if (target.parts[k].kind != Argument::Sink) {
      build.target(target.parts[k], type.bits / count);
      build.made.detail |= 1u << k;
    }
  build.source(build.arguments[1], type.bits);
  build.finish(parts<false>(type.bits, count));
}

void join(Build &build, Type type) {
  const Argument &source = build.arguments[1];
  size_t count = source.parts.size();
  build.target(build.arguments[0], type.bits);
  for (const Argument &each : source.parts)
    build.source(each, type.bits / count);
  build.finish(parts<true>(type.bits, count));
}

Handler copy(unsigned bits) {
  switch (bits) {
  case 16:
    return map1<uint16_t, uint16_t, Copy<uint16_t>>;
  case 32:
    return map1<uint32_t, uint32_t, Copy<uint32_t>>;
  case 64:
    return map1<uint64_t, uint64_t, Copy<uint64_t>>;
  default:
    return nullptr;
  }
}

void move(Build &build) {
  Type type = build.type();
  build.count(2);
  if (build.arguments[0].kind == Argument::Vector)
    return split(build, type);
  if (build.arguments[1].kind == Argument::Vector)
    return join(build, type);
  alike(build, type, 1);
  build.finish(type.kind == 'p' ? movePredicate : copy(type.bits));
}

/// Global and constant addresses are generic ones; shared ones stand apart.
void convertAddress(Build &build) {
  bool to = build.take("to");
  std::string_view space;
  for (std::string_view name : {"global", "const", "shared", "shared::cta"})
    space = build.take(name) ? name : space;
  Type type = build.type();
  alike(build, type, 1);
  if (space.empty() || type.bits != 64)
    build.fail("not known");
  if (space.substr(0, 6) != "shared")
    return build.finish(copy(64));
  build.finish(to ? map1<uint64_t, uint64_t, FromGeneric>
                  : map1<uint64_t, uint64_t, ToGeneric>);
}

} // namespace

const Families &moveFamilies() {
  static const Families families = {{"mov", move}, {"cvta", convertAddress}};
  return families;
}

} // namespace updraft::gpu
