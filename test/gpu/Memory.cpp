//===- Memory.cpp - ld and st ---------------------------------------------===//

#include "Reach.h"

namespace updraft::gpu {

namespace {

template <class M, class D, unsigned Count>
void load(Warp &w, const Instruction &i, uint32_t lanes) {
  uint64_t addresses[kLanes];
  Access access{lanes, Count * sizeof(M)};
  reach(w, i, i.operands[i.targets], access, addresses);
  D unused[kLanes], *targets[Count];
  for (unsigned k = 0, operand = 0; k < Count; ++k)
    targets[k] =
        i.detail >> (kParts + k) & 1 ? w.at<D>(i.operands[operand++]) : unused;
  forLanes(lanes, [&](uint32_t l) {
    M values[Count];
    std::memcpy(values, reinterpret_cast<void *>(addresses[l]), sizeof(values));
    for (unsigned k = 0; k < Count; ++k)
      targets[k][l] = static_cast<D>(values[k]);
  });
}

template <class M, class D, unsigned Count>
void store(Warp &w, const Instruction &i, uint32_t lanes) {
  uint64_t addresses[kLanes];
  Access access{lanes, Count * sizeof(M), true};
  reach(w, i, i.operands[0], access, addresses);
  const D *sources[Count];
  for (unsigned k = 0; k < Count; ++k)
    sources[k] = w.at<D>(i.operands[1 + k]);
  forLanes(lanes, [&](uint32_t l) {
    M values[Count];
    for (unsigned k = 0; k < Count; ++k)
      values[k] = static_cast<M>(sources[k][l]);
    std::memcpy(reinterpret_cast<void *>(addresses[l]), values, sizeof(values));
  });
}

/// Memory as M, registers as D, which is signed to extend by the sign.
template <bool Store, class M, class D> Handler ofCount(size_t count) {
  auto pick = []<unsigned Count>() -> Handler {
    return Store ? store<M, D, Count> : load<M, D, Count>;
  };
  return count == 1   ? pick.template operator()<1>()
         : count == 2 ? pick.template operator()<2>()
         : count == 4 ? pick.template operator()<4>()
         : count == 8 ? pick.template operator()<8>()
                      : nullptr;
}
template <bool Store, class M> Handler ofRegister(unsigned bits, size_t count) {
  constexpr bool isSigned = std::is_signed_v<M>;
  using D16 = std::conditional_t<isSigned, int16_t, uint16_t>;
  using D32 = std::conditional_t<isSigned, int32_t, uint32_t>;
  using D64 = std::conditional_t<isSigned, int64_t, uint64_t>;
  return bits == 16   ? ofCount<Store, M, D16>(count)
         : bits == 32 ? ofCount<Store, M, D32>(count)
         : bits == 64 ? ofCount<Store, M, D64>(count)
                      : nullptr;
}
template <bool Store> Handler access(Type type, unsigned bits, size_t count) {
  bool isSigned = type.kind == 's' && !Store;
  if (type.bits > bits || (type.kind == 'f' && type.bits != bits))
    return nullptr;
  switch (type.bits) {
  case 8:
    return isSigned ? ofRegister<Store, int8_t>(bits, count)
                    : ofRegister<Store, uint8_t>(bits, count);
  case 16:
    return isSigned ? ofRegister<Store, int16_t>(bits, count)
                    : ofRegister<Store, uint16_t>(bits, count);
  case 32:
    return isSigned ? ofRegister<Store, int32_t>(bits, count)
                    : ofRegister<Store, uint32_t>(bits, count);
  case 64:
    return ofRegister<Store, uint64_t>(bits, count);
  default:
    return nullptr;
  }
}

Space takeSpace(Build &build) {
  static const std::pair<std::string_view, Space> spaces[] = {
      {"global", Space::Global},
      {"const", Space::Global},
      {"shared", Space::Shared},
      {"shared::cta", Space::Shared},
      {"param", Space::Param}};
  for (auto [name, space] : spaces)
    if (build.take(name))
      return space;
  return Space::Generic;
}

/// Hints of caches change no value.
void takeHints(Build &build, bool store) {
  build.take("weak");
  for (std::string_view hint :
       {"ca", "cg", "cs", "L1::evict_normal", "L1::evict_unchanged",
        "L1::evict_first", "L1::evict_last", "L1::no_allocate",
        "L2::evict_normal", "L2::evict_first", "L2::evict_last"})
    build.take(hint);
  for (std::string_view hint : {"lu", "cv", "L2::64B", "L2::128B", "L2::256B"})
    if (!store)
      build.take(hint);
  if (store)
    build.take("wb"), build.take("wt");
}

size_t takeCount(Build &build) {
  return build.take("v2") ? 2 : build.take("v4") ? 4 : build.take("v8") ? 8 : 1;
}

/// The parts of the argument: registers, one or as many as the vector has.
std::vector<Argument> partsOf(Build &build, const Argument &argument,
                              size_t count) {
  if (count == 1 && argument.kind != Argument::Vector)
    return {argument};
  if (argument.kind != Argument::Vector || argument.parts.size() != count)
    build.fail("a vector of another size");
  return argument.parts;
}

void prepareAccess(Build &build, Space space, Type type, size_t count) {
  build.made.detail |= static_cast<uint32_t>(space);
  if (count * type.bits / 8 > 32 || type.packed > 1)
    build.fail("not known");
}

void loadFamily(Build &build) {
  Type type = build.type();
  Space space = takeSpace(build);
  if (build.take("nc")) {
    build.made.detail |= kConstant;
    if (space != Space::Global)
      build.fail(".nc is for .global");
  }
  takeHints(build, false);
  size_t count = takeCount(build);
  prepareAccess(build, space, type, count);
  build.count(2);
  unsigned bits = 0, part = kParts;
  for (const Argument &each : partsOf(build, build.arguments[0], count)) {
    if (each.kind != Argument::Sink) {
      unsigned found = build.targetOfAny(each);
      if (bits && found != bits)
        build.fail("registers of two widths");
      bits = found;
      build.made.detail |= 1u << part;
    }
    ++part;
  }
  if (build.address(build.arguments[1]) == 32)
    build.made.detail |= kShort;
  build.finish(access<false>(type, bits, count));
}

void storeFamily(Build &build) {
  Type type = build.type();
  bool constant = build.has("const");
  Space space = takeSpace(build);
  if (constant)
    build.fail("constants are not written");
  takeHints(build, true);
  size_t count = takeCount(build);
  prepareAccess(build, space, type, count);
  build.count(2);
  if (build.address(build.arguments[0]) == 32)
    build.made.detail |= kShort;
  unsigned bits = 0, least = std::max(type.bits, 16u);
  for (const Argument &each : partsOf(build, build.arguments[1], count)) {
    bool isName = each.kind == Argument::Name;
    unsigned found = build.sourceOfAny(each, bits ? bits : least);
    if (bits && found != bits && isName)
      build.fail("registers of two widths");
    bits = found;
  }
  build.finish(access<true>(type, bits, count));
}

} // namespace

const Families &memoryFamilies() {
  static const Families families = {{"ld", loadFamily}, {"st", storeFamily}};
  return families;
}

} // namespace updraft::gpu
