//===- ConvertShort.cpp - The conversions that kernels are full of --------===//

#include "Convert.h"

namespace updraft::gpu {

namespace {

/// The short road of a static cast.
template <class To, class From, class D, class S>
void cast(Warp &w, const Instruction &i, uint32_t lanes) {
  const S *a = w.at<S>(i.operands[1]);
  eachLane(w.at<D>(i.operands[0]), lanes, [=](uint32_t l) -> D {
    if constexpr (std::is_floating_point_v<To>) {
      if constexpr (std::is_floating_point_v<From>)
        return std::bit_cast<D>(canonical(To(std::bit_cast<From>(a[l]))));
      else
        return std::bit_cast<D>(To(From(a[l])));
    } else {
      return D(To(From(a[l])));
    }
  });
}

struct FromBrain {
  static float of(uint16_t a) {
    return canonical(std::bit_cast<float>(uint32_t(a) << 16));
  }
};
struct ToBrain {
  static uint16_t of(float x) {
    auto bits = std::bit_cast<uint32_t>(x);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return x == x ? rounded : 0x7fff;
  }
};
struct FromHalf {
  static float of(uint16_t a) {
    return canonical(float(std::bit_cast<_Float16>(a)));
  }
};
struct ToHalf {
  static uint16_t of(float x) {
    return x == x ? std::bit_cast<uint16_t>(_Float16(x)) : 0x7fff;
  }
};
/// The first source is the high half.
template <class Op> struct ToTwo {
  static uint32_t of(float high, float low) {
    return uint32_t(Op::of(high)) << 16 | Op::of(low);
  }
};

} // namespace

Handler shortRoad(const Conversion &c, unsigned target, unsigned source) {
  using Key = std::tuple<char, int, char, int, int, unsigned, unsigned>;
  static const std::map<Key, Handler> roads = {
      {{'f', 64, 'f', 32, 0, 64, 32}, cast<double, float, uint64_t, uint32_t>},
      {{'f', 32, 'f', 64, 1, 32, 64}, cast<float, double, uint32_t, uint64_t>},
      {{'f', 64, 's', 32, 1, 64, 32},
       cast<double, int32_t, uint64_t, uint32_t>},
      {{'f', 64, 'u', 32, 1, 64, 32},
       cast<double, uint32_t, uint64_t, uint32_t>},
      {{'f', 64, 's', 64, 1, 64, 64},
       cast<double, int64_t, uint64_t, uint64_t>},
      {{'f', 64, 'u', 64, 1, 64, 64},
       cast<double, uint64_t, uint64_t, uint64_t>},
      {{'f', 32, 's', 32, 1, 32, 32}, cast<float, int32_t, uint32_t, uint32_t>},
      {{'f', 32, 'u', 32, 1, 32, 32},
       cast<float, uint32_t, uint32_t, uint32_t>},
      {{'u', 64, 'u', 32, 0, 64, 32},
       cast<uint64_t, uint32_t, uint64_t, uint32_t>},
      {{'s', 64, 's', 32, 0, 64, 32},
       cast<int64_t, int32_t, uint64_t, uint32_t>},
      {{'u', 32, 'u', 64, 0, 32, 64},
       cast<uint32_t, uint64_t, uint32_t, uint64_t>},
      {{'u', 32, 'u', 16, 0, 32, 16},
       cast<uint32_t, uint16_t, uint32_t, uint16_t>},
      {{'u', 16, 'u', 32, 0, 16, 32},
       cast<uint16_t, uint32_t, uint16_t, uint32_t>},
      {{'f', 32, 'w', 16, 0, 32, 16}, map1<float, uint16_t, FromBrain>},
      {{'f', 32, 'h', 16, 0, 32, 16}, map1<float, uint16_t, FromHalf>},
      {{'w', 16, 'f', 32, 1, 16, 32}, map1<uint16_t, float, ToBrain>},
      {{'h', 16, 'f', 32, 1, 16, 32}, map1<uint16_t, float, ToHalf>},
  };
  auto found = roads.find(
      {c.toKind, c.toBits, c.fromKind, c.fromBits, int(c.way), target, source});
  return found == roads.end() || c.whole || c.saturate ? nullptr
                                                       : found->second;
}

Handler shortRoadOfTwo(Type type) {
  return type.kind == 'h' ? map2<uint32_t, float, float, ToTwo<ToHalf>>
                          : map2<uint32_t, float, float, ToTwo<ToBrain>>;
}

} // namespace updraft::gpu
