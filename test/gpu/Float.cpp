//===- Float.cpp - Floating-point arithmetic ------------------------------===//
//
// Only .rn, which ptxas may not contract, and no .ftz, .approx or .full.
//
//===----------------------------------------------------------------------===//

#include "Lanes.h"
#include "Rounding.h"

namespace updraft::gpu {

namespace {

struct Add {
  template <class T> static T of(T a, T b) { return canonical(a + b); }
};
struct Sub {
  template <class T> static T of(T a, T b) { return canonical(a - b); }
};
struct Mul {
  template <class T> static T of(T a, T b) { return canonical(a * b); }
};
struct Div {
  template <class T> static T of(T a, T b) { return canonical(a / b); }
};
struct Fma {
  template <class T> static T of(T a, T b, T c) { return fused(a, b, c); }
};
struct Sqrt {
  static float of(float a) { return canonical(__builtin_sqrtf(a)); }
  static double of(double a) { return canonical(__builtin_sqrt(a)); }
};
struct Reciprocal {
  template <class T> static T of(T a) { return canonical(T(1) / a); }
};
struct Negate {
  template <class T> static T of(T a) { return -a; }
};
struct Absolute {
  static float of(float a) { return __builtin_fabsf(a); }
  static double of(double a) { return __builtin_fabs(a); }
};
/// -0 < +0; a NaN yields to a number.
struct Min {
  template <class T> static T of(T a, T b) {
    T both = a == b ? (__builtin_signbit(a) ? a : b) : (a < b ? a : b);
    return canonical(a != a ? b : b != b ? a : both);
  }
};
struct Max {
  template <class T> static T of(T a, T b) {
    T both = a == b ? (__builtin_signbit(a) ? b : a) : (a > b ? a : b);
    return canonical(a != a ? b : b != b ? a : both);
  }
};
/// A NaN wins.
template <class Op> struct OrNan {
  template <class T> static T of(T a, T b) {
    return a != a || b != b ? canonical(a + b) : Op::of(a, b);
  }
};
/// The sign of a, the rest of b.
struct CopySign {
  template <class T> static T of(T a, T b) {
    if constexpr (sizeof(T) == 4)
      return __builtin_copysignf(b, a);
    else
      return __builtin_copysign(b, a);
  }
};

/// Op of f16 or bf16, computed in f64. Sums, differences and products of two
/// such numbers round to f64 harmlessly (53 >= 2 * 11 + 2 bits).
template <class Narrow, class Op> struct Short {
  template <class... Bits> static uint16_t of(Bits... bits) {
    if constexpr (std::is_same_v<Op, Fma>)
      return fma(bits...);
    else if constexpr (std::is_same_v<Op, Negate>)
      return (bits ^ ...) ^ 0x8000;
    else if constexpr (std::is_same_v<Op, Absolute>)
      return (bits & ...) & 0x7fff;
    else
      return Narrow::near(Op::of(Narrow{bits}.value()...)).bits;
  }
  static uint16_t fma(uint16_t a, uint16_t b, uint16_t c) {
    double product = Narrow{a}.value() * Narrow{b}.value();
    return Narrow::near(sumToOdd(product, Narrow{c}.value())).bits;
  }
};
template <class Op> struct Packed {
  template <class... Bits> static uint32_t of(Bits... bits) {
    uint32_t low = Op::of(uint16_t(bits)...);
    return low | uint32_t(Op::of(uint16_t(bits >> 16)...)) << 16;
  }
};

template <class Op> struct TwoFloats {
  template <class... Bits> static uint64_t of(Bits... bits) {
    auto half = [](auto... x) {
      return std::bit_cast<uint32_t>(
          Op::of(std::bit_cast<float>(uint32_t(x))...));
    };
    return half(bits...) | uint64_t(half(bits >> 32 ...)) << 32;
  }
};

template <class T, class Op, int Sources> Handler mapOf() {
  if constexpr (Sources == 1)
    return map1<T, T, Op>;
  else if constexpr (Sources == 2)
    return map2<T, T, T, Op>;
  else
    return map3<T, T, T, T, Op>;
}

/// `half`: also for f16 and bf16.
template <class Op, int Sources>
void finish(Build &build, Type type, bool half) {
  alike(build, type, Sources);
  if (type.kind == 'f')
    return build.finish(type.bits == 32 ? mapOf<float, Op, Sources>()
                                        : mapOf<double, Op, Sources>());
  constexpr bool ofTwo = std::is_same_v<Op, Add> || std::is_same_v<Op, Sub> ||
                         std::is_same_v<Op, Mul> || std::is_same_v<Op, Fma>;
  if (ofTwo && type.kind == 'F')
    return build.finish(mapOf<uint64_t, TwoFloats<Op>, Sources>());
  using OfHalf = Short<Half, Op>;
  using OfBrain = Short<Brain, Op>;
  if (!half || type.kind == 'F')
    build.fail("not known for this type");
  if (type.packed == 1)
    build.finish(type.kind == 'h' ? mapOf<uint16_t, OfHalf, Sources>()
                                  : mapOf<uint16_t, OfBrain, Sources>());
  else
    build.finish(type.kind == 'h'
                     ? mapOf<uint32_t, Packed<OfHalf>, Sources>()
                     : mapOf<uint32_t, Packed<OfBrain>, Sources>());
}

/// add.f32.f16 and the like: all sources but the last are short.
template <class Narrow, class Op> struct Mixed {
  static float of(uint16_t a, float c) { return Op::of(wide(a), c); }
  static float of(uint16_t a, uint16_t b, float c) {
    return Op::of(wide(a), wide(b), c);
  }
  static float wide(uint16_t a) { return float(Narrow{a}.value()); }
};

template <class Op, int Sources> void mixed(Build &build, Type type) {
  build.count(Sources + 1);
  build.target(build.arguments[0], 32);
  for (int i = 1; i < Sources; ++i)
    build.source(build.arguments[i], 16);
  build.source(build.arguments[Sources], 32);
  auto pick = []<class Narrow>() -> Handler {
    using U = uint16_t;
    if constexpr (Sources == 2)
      return map2<float, U, float, Mixed<Narrow, Op>>;
    else
      return map3<float, U, U, float, Mixed<Narrow, Op>>;
  };
  build.finish(type.packed > 1    ? nullptr
               : type.kind == 'h' ? pick.template operator()<Half>()
               : type.kind == 'w' ? pick.template operator()<Brain>()
                                  : nullptr);
}

/// Rounded, so .rn is wanted: without it ptxas may contract.
template <class Op, int Sources, bool OfHalf> void rounded(Build &build) {
  build.need("rn");
  Type type = build.type();
  if constexpr (OfHalf && !std::is_same_v<Op, Mul>)
    if (build.take("f32"))
      return mixed<Op, Sources>(build, type);
  finish<Op, Sources>(build, type, OfHalf);
}

template <class Op> void sign(Build &build) {
  finish<Op, 1>(build, build.type(), true);
}

template <class Op> void extreme(Build &build) {
  Type type = build.type();
  if (build.take("NaN")) {
    if (type.bits == 64)
      build.fail("there is no .NaN for f64");
    return finish<OrNan<Op>, 2>(build, type, true);
  }
  finish<Op, 2>(build, type, true);
}

void copySign(Build &build) { finish<CopySign, 2>(build, build.type(), false); }

} // namespace

const Families &floatFamilies() {
  static const Families families = {
      {"add", rounded<Add, 2, true>},
      {"sub", rounded<Sub, 2, true>},
      {"mul", rounded<Mul, 2, true>},
      {"fma", rounded<Fma, 3, true>},
      {"div", rounded<Div, 2, false>},
      {"rcp", rounded<Reciprocal, 1, false>},
      {"sqrt", rounded<Sqrt, 1, false>},
      {"neg", sign<Negate>},
      {"abs", sign<Absolute>},
      {"min", extreme<Min>},
      {"max", extreme<Max>},
      {"copysign", copySign},
  };
  return families;
}

} // namespace updraft::gpu
