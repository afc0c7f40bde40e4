//===- Integer.cpp - Integer arithmetic -----------------------------------===//

#include "Lanes.h"

namespace updraft::gpu {

namespace {

template <class T> struct WiderOf;
template <> struct WiderOf<int16_t> {
  using type = int32_t;
};
template <> struct WiderOf<uint16_t> {
  using type = uint32_t;
};
template <> struct WiderOf<int32_t> {
  using type = int64_t;
};
template <> struct WiderOf<uint32_t> {
  using type = uint64_t;
};
template <> struct WiderOf<int64_t> {
  using type = __int128;
};
template <> struct WiderOf<uint64_t> {
  using type = unsigned __int128;
};
template <class T> using Wider = typename WiderOf<T>::type;

// Signed arithmetic wraps, so it is done on unsigned numbers.
template <class T> T wrap(uint64_t value) { return static_cast<T>(value); }

struct Add {
  template <class T> static T of(T a, T b) {
    return wrap<T>(uint64_t(a) + uint64_t(b));
  }
};
struct Sub {
  template <class T> static T of(T a, T b) {
    return wrap<T>(uint64_t(a) - uint64_t(b));
  }
};
struct MulLow {
  template <class T> static T of(T a, T b) {
    return wrap<T>(uint64_t(a) * uint64_t(b));
  }
};
struct MulHigh {
  template <class T> static T of(T a, T b) {
    return static_cast<T>(Wider<T>(a) * Wider<T>(b) >> (8 * sizeof(T)));
  }
};
struct MulWide {
  template <class T> static Wider<T> of(T a, T b) {
    return Wider<T>(a) * Wider<T>(b);
  }
};
struct MadLow {
  template <class T> static T of(T a, T b, T c) {
    return Add::of(MulLow::of(a, b), c);
  }
};
struct MadHigh {
  template <class T> static T of(T a, T b, T c) {
    return Add::of(MulHigh::of(a, b), c);
  }
};
struct MadWide {
  template <class T> static Wider<T> of(T a, T b, Wider<T> c) {
    return Add::of(MulWide::of(a, b), c);
  }
};
struct Min {
  template <class T> static T of(T a, T b) { return a < b ? a : b; }
};
struct Max {
  template <class T> static T of(T a, T b) { return a > b ? a : b; }
};
struct Negate {
  template <class T> static T of(T a) { return wrap<T>(-uint64_t(a)); }
};
struct Absolute {
  template <class T> static T of(T a) { return a < 0 ? Negate::of(a) : a; }
};
/// x / 0 is left open, so `divide` throws; MIN / -1 wraps.
struct Div {
  template <class T> static T of(T a, T b) {
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return Negate::of(a);
    return a / b;
  }
};
struct Rem {
  template <class T> static T of(T a, T b) {
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return 0;
    return a % b;
  }
};

template <class T, class Op>
void divide(Warp &w, const Instruction &i, uint32_t lanes) {
  T *target = w.at<T>(i.operands[0]);
  const T *a = w.at<T>(i.operands[1]), *b = w.at<T>(i.operands[2]);
  forLanes(lanes, [&](uint32_t l) {
    if (b[l] == 0)
      w.fail(i, l, "an integer divided by 0");
    target[l] = Op::of(a[l], b[l]);
  });
}

template <class Op> void binary(Build &build) {
  Type type = build.type();
  alike(build, type, 2);
  build.finish(
      ofInteger(type, []<class T>() -> Handler { return map2<T, T, T, Op>; }));
}

template <class Op> void unary(Build &build) {
  Type type = build.type();
  alike(build, type, 1);
  if (type.kind != 's')
    build.fail("a signed type is wanted");
  build.finish(
      ofInteger(type, []<class T>() -> Handler { return map1<T, T, Op>; }));
}

template <class Op> void division(Build &build) {
  Type type = build.type();
  alike(build, type, 2);
  build.finish(
      ofInteger(type, []<class T>() -> Handler { return divide<T, Op>; }));
}

/// mul.wide and mad.wide: 16 or 32 bits to twice as many.
void wide(Build &build, bool add) {
  Type type = build.type();
  build.count(add ? 4 : 3);
  build.target(build.arguments[0], 2 * type.bits);
  build.source(build.arguments[1], type.bits);
  build.source(build.arguments[2], type.bits);
  if (add)
    build.source(build.arguments[3], 2 * type.bits);
  if (type.bits > 32)
    build.fail("16 or 32 bits are wanted");
  build.finish(ofInteger(type, [=]<class T>() -> Handler {
    using W = Wider<T>;
    if constexpr (sizeof(T) < 8)
      return add ? Handler(map3<W, T, T, W, MadWide>)
                 : Handler(map2<W, T, T, MulWide>);
    return nullptr;
  }));
}

void multiply(Build &build) {
  if (build.take("wide"))
    return wide(build, false);
  if (build.take("hi"))
    return binary<MulHigh>(build);
  build.need("lo");
  binary<MulLow>(build);
}

void multiplyAdd(Build &build) {
  if (build.take("wide"))
    return wide(build, true);
  bool high = build.take("hi");
  if (!high)
    build.need("lo");
  Type type = build.type();
  alike(build, type, 3);
  build.finish(ofInteger(type, [=]<class T>() -> Handler {
    return high ? map3<T, T, T, T, MadHigh> : map3<T, T, T, T, MadLow>;
  }));
}

} // namespace

const Families &integerFamilies() {
  static const Families families = {
      {"add", binary<Add>},   {"sub", binary<Sub>},     {"mul", multiply},
      {"mad", multiplyAdd},   {"min", binary<Min>},     {"max", binary<Max>},
      {"neg", unary<Negate>}, {"abs", unary<Absolute>}, {"div", division<Div>},
      {"rem", division<Rem>},
  };
  return families;
}

} // namespace updraft::gpu
