//===- Bits.cpp - Logic, shifts and fields --------------------------------===//

#include "Lanes.h"

namespace updraft::gpu {

namespace {

struct And {
  template <class T> static T of(T a, T b) { return a & b; }
};
struct Or {
  template <class T> static T of(T a, T b) { return a | b; }
};
struct Xor {
  template <class T> static T of(T a, T b) { return a ^ b; }
};
struct Not {
  template <class T> static T of(T a) { return ~a; }
};
/// Shifts by the width or more give 0 or the sign.
struct ShiftLeft {
  template <class T> static T of(T a, uint32_t n) {
    return n < 8 * sizeof(T) ? T(uint64_t(a) << (n & 63)) : T(0);
  }
};
struct ShiftRight {
  template <class T> static T of(T a, uint32_t n) {
    uint32_t most = 8 * sizeof(T) - 1;
    if constexpr (std::is_signed_v<T>)
      return a >> (n < most ? n : most);
    return n <= most ? T(a >> (n & most)) : T(0);
  }
};
struct FunnelLeft {
  static uint32_t of(uint32_t a, uint32_t b, uint32_t n) {
    uint64_t both = uint64_t(b) << 32 | a;
    return n >= 32 ? a : both << n >> 32;
  }
};
struct FunnelRight {
  static uint32_t of(uint32_t a, uint32_t b, uint32_t n) {
    uint64_t both = uint64_t(b) << 32 | a;
    return n >= 32 ? b : both >> n;
  }
};
template <class Funnel> struct Wrapped {
  static uint32_t of(uint32_t a, uint32_t b, uint32_t n) {
    return Funnel::of(a, b, n & 31);
  }
};

struct LeadingZeros {
  template <class T> static uint32_t of(T a) {
    if (a == 0)
      return 8 * sizeof(T);
    return sizeof(T) == 8 ? __builtin_clzll(a) : __builtin_clz(uint32_t(a));
  }
};
struct Ones {
  template <class T> static uint32_t of(T a) { return __builtin_popcountll(a); }
};
struct Reverse {
  template <class T> static T of(T a) {
    return sizeof(T) == 8 ? __builtin_bitreverse64(a)
                          : __builtin_bitreverse32(uint32_t(a));
  }
};
/// The place of the first bit that differs from the sign; none: all ones.
struct FindBit {
  template <class T> static uint32_t of(T a) {
    using U = std::make_unsigned_t<T>;
    U bits = a < 0 ? U(~a) : U(a);
    return bits == 0 ? ~0u : 8 * sizeof(T) - 1 - LeadingZeros::of(bits);
  }
};

struct ExtractField {
  template <class T> static T of(T a, uint32_t position, uint32_t length) {
    using U = std::make_unsigned_t<T>;
    uint32_t bits = 8 * sizeof(T), from = position & 255, n = length & 255;
    if (n == 0)
      return 0;
    uint32_t top = from + n - 1 < bits - 1 ? from + n - 1 : bits - 1;
    bool sign = std::is_signed_v<T> && (U(a) >> top & 1);
    U field = from < bits ? U(a) >> from : U(0);
    uint32_t kept = from < bits ? (n < bits - from ? n : bits - from) : 0;
    U low = kept >= bits ? ~U(0) : (U(1) << kept) - 1;
    return T((field & low) | (sign ? ~low : U(0)));
  }
};
template <class T>
void insertField(Warp &w, const Instruction &i, uint32_t lanes) {
  const T *a = w.at<T>(i.operands[1]), *b = w.at<T>(i.operands[2]);
  const uint32_t *position = w.at<uint32_t>(i.operands[3]);
  const uint32_t *length = w.at<uint32_t>(i.operands[4]);
  eachLane(w.at<T>(i.operands[0]), lanes, [=](uint32_t l) -> T {
    uint32_t bits = 8 * sizeof(T), from = position[l] & 255;
    uint32_t n = length[l] & 255;
    if (n == 0 || from >= bits)
      return b[l];
    T ones = n >= bits ? ~T(0) : T((T(1) << (n & (bits - 1))) - 1);
    T field = ones << from;
    return (b[l] & ~field) | (a[l] << from & field);
  });
}

struct Permute {
  static uint32_t of(uint32_t a, uint32_t b, uint32_t selector) {
    uint64_t both = uint64_t(b) << 32 | a;
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i) {
      uint32_t pick = selector >> (4 * i) & 15;
      uint32_t byte = both >> (8 * (pick & 7)) & 255;
      if (pick & 8)
        byte = byte & 128 ? 255 : 0;
      result |= byte << (8 * i);
    }
    return result;
  }
};

void logic3(Warp &w, const Instruction &i, uint32_t lanes) {
  const uint32_t *a = w.at<uint32_t>(i.operands[1]);
  const uint32_t *b = w.at<uint32_t>(i.operands[2]);
  const uint32_t *c = w.at<uint32_t>(i.operands[3]);
  uint32_t table = i.detail;
  eachLane(w.at<uint32_t>(i.operands[0]), lanes, [=](uint32_t l) {
    uint32_t result = 0;
    for (int k = 0; k < 8; ++k) {
      uint32_t x = k & 4 ? a[l] : ~a[l], y = k & 2 ? b[l] : ~b[l];
      uint32_t z = k & 1 ? c[l] : ~c[l];
      result |= table >> k & 1 ? x & y & z : 0;
    }
    return result;
  });
}

template <class Op>
void predicate2(Warp &w, const Instruction &i, uint32_t lanes) {
  uint32_t value = Op::of(w.mask(i.operands[1]), w.mask(i.operands[2]));
  uint32_t &target = w.mask(i.operands[0]);
  target = (target & ~lanes) | (value & lanes);
}
void predicateNot(Warp &w, const Instruction &i, uint32_t lanes) {
  uint32_t value = ~w.mask(i.operands[1]);
  uint32_t &target = w.mask(i.operands[0]);
  target = (target & ~lanes) | (value & lanes);
}

template <class Op> void logic(Build &build) {
  Type type = build.type();
  alike(build, type, 2);
  if (type.kind == 'p')
    return build.finish(predicate2<Op>);
  if (type.kind != 'b')
    build.fail("a .b type is wanted");
  build.finish(
      ofInteger(type, []<class T>() -> Handler { return map2<T, T, T, Op>; }));
}

void negation(Build &build) {
  Type type = build.type();
  alike(build, type, 1);
  if (type.kind == 'p')
    return build.finish(predicateNot);
  if (type.kind != 'b')
    build.fail("a .b type is wanted");
  build.finish(
      ofInteger(type, []<class T>() -> Handler { return map1<T, T, Not>; }));
}

template <class Op> void shift(Build &build) {
  Type type = build.type();
  build.count(3);
  build.target(build.arguments[0], type.bits);
  build.source(build.arguments[1], type.bits);
  build.source(build.arguments[2], 32);
  build.finish(ofInteger(
      type, []<class T>() -> Handler { return map2<T, T, uint32_t, Op>; }));
}

void funnel(Build &build) {
  bool left = build.take("l");
  if (!left)
    build.need("r");
  bool clamp = build.take("clamp");
  if (!clamp)
    build.need("wrap");
  build.need("b32");
  alike(build, {'b', 32}, 3);
  using U = uint32_t;
  if (left)
    build.finish(clamp ? map3<U, U, U, U, FunnelLeft>
                       : map3<U, U, U, U, Wrapped<FunnelLeft>>);
  else
    build.finish(clamp ? map3<U, U, U, U, FunnelRight>
                       : map3<U, U, U, U, Wrapped<FunnelRight>>);
}

/// The result is a u32 (clz, popc, bfind) or like the source (brev).
template <class Op> void counting(Build &build) {
  Type type = build.type();
  constexpr bool same = std::is_same_v<Op, Reverse>;
  build.count(2);
  build.target(build.arguments[0], same ? type.bits : 32);
  build.source(build.arguments[1], type.bits);
  if (type.bits < 32 || (!std::is_same_v<Op, FindBit> && type.kind != 'b'))
    build.fail("not known for this type");
  build.finish(ofInteger(type, []<class T>() -> Handler {
    using R = std::conditional_t<same, T, uint32_t>;
    if constexpr (std::is_same_v<Op, FindBit> || std::is_unsigned_v<T>)
      return map1<R, T, Op>;
    return nullptr;
  }));
}

void extract(Build &build) {
  Type type = build.type();
  build.count(4);
  build.target(build.arguments[0], type.bits);
  build.source(build.arguments[1], type.bits);
  build.source(build.arguments[2], 32);
  build.source(build.arguments[3], 32);
  if (type.bits < 32)
    build.fail("not known for this type");
  build.finish(ofInteger(type, []<class T>() -> Handler {
    return map3<T, T, uint32_t, uint32_t, ExtractField>;
  }));
}

void insert(Build &build) {
  Type type = build.type();
  build.count(5);
  build.target(build.arguments[0], type.bits);
  build.source(build.arguments[1], type.bits);
  build.source(build.arguments[2], type.bits);
  build.source(build.arguments[3], 32);
  build.source(build.arguments[4], 32);
  if (type.kind != 'b')
    build.fail("a .b type is wanted");
  build.finish(type.bits == 32   ? insertField<uint32_t>
               : type.bits == 64 ? insertField<uint64_t>
                                 : nullptr);
}

void permute(Build &build) {
  build.need("b32");
  alike(build, {'b', 32}, 3);
  build.finish(map3<uint32_t, uint32_t, uint32_t, uint32_t, Permute>);
}

void threeway(Build &build) {
  build.need("b32");
  build.count(5);
  build.made.detail = build.integer(build.arguments[4]);
  build.arguments.pop_back();
  alike(build, {'b', 32}, 3);
  build.finish(logic3);
}

} // namespace

const Families &bitFamilies() {
  static const Families families = {
      {"and", logic<And>},
      {"or", logic<Or>},
      {"xor", logic<Xor>},
      {"not", negation},
      {"shl", shift<ShiftLeft>},
      {"shr", shift<ShiftRight>},
      {"shf", funnel},
      {"clz", counting<LeadingZeros>},
      {"popc", counting<Ones>},
      {"brev", counting<Reverse>},
      {"bfind", counting<FindBit>},
      {"bfe", extract},
      {"bfi", insert},
      {"prmt", permute},
      {"lop3", threeway},
  };
  return families;
}

} // namespace updraft::gpu
