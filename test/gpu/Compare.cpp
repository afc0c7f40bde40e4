//===- Compare.cpp - setp, selp, testp ------------------------------------===//

#include "Lanes.h"
#include "Rounding.h"

namespace updraft::gpu {

namespace {

enum Combine {
  None,
  AndWith,
  OrWith,
  XorWith,
  Combines = 3,
  Negated = 4,
  Two = 8
};

struct Eq {
  template <class T> static bool of(T a, T b) { return a == b; }
};
struct Ne { // of floats: both are numbers
  template <class T> static bool of(T a, T b) {
    return a == a && b == b && a != b;
  }
};
struct Lt {
  template <class T> static bool of(T a, T b) { return a < b; }
};
struct Le {
  template <class T> static bool of(T a, T b) { return a <= b; }
};
struct Gt {
  template <class T> static bool of(T a, T b) { return a > b; }
};
struct Ge {
  template <class T> static bool of(T a, T b) { return a >= b; }
};
struct Num {
  template <class T> static bool of(T a, T b) { return a == a && b == b; }
};
/// True of a NaN too.
template <class Op> struct Unordered {
  template <class T> static bool of(T a, T b) {
    return a != a || b != b || Op::of(a, b);
  }
};
struct IsNan {
  template <class T> static bool of(T a, T b) { return a != a || b != b; }
};
template <class Narrow, class Op> struct Shorts {
  static bool of(uint16_t a, uint16_t b) {
    return Op::of(Narrow{a}.value(), Narrow{b}.value());
  }
};

/// A bit a lane of 32 bytes that are 0 or 1.
uint32_t packed(const uint8_t *flags) {
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) {
    uint64_t eight;
    std::memcpy(&eight, flags + 8 * i, 8);
    bits |= uint32_t(eight * 0x0102040810204080ull >> 56) << (8 * i);
  }
  return bits;
}

void put(Warp &w, Operand target, uint32_t value, uint32_t lanes) {
  uint32_t &mask = w.mask(target);
  mask = (mask & ~lanes) | (value & lanes);
}

template <class T, class Op>
void compare(Warp &w, const Instruction &i, uint32_t lanes) {
  const Operand *source = i.operands + i.targets;
  const T *a = w.at<T>(source[0]), *b = w.at<T>(source[1]);
  uint8_t flags[kLanes];
  for (uint32_t l = 0; l < kLanes; ++l)
    flags[l] = Op::of(a[l], b[l]);
  uint32_t yes = packed(flags), no = ~yes;
  if (i.detail & Combines) {
    uint32_t other = w.mask(source[2]) ^ (i.detail & Negated ? kAll : 0);
    auto combine = [&](uint32_t x) {
      switch (i.detail & Combines) {
      case AndWith:
        return x & other;
      case OrWith:
        return x | other;
      default:
        return x ^ other;
      }
    };
    yes = combine(yes);
    no = combine(no);
  }
  put(w, i.operands[0], yes, lanes);
  if (i.detail & Two)
    put(w, i.operands[1], no, lanes);
}

template <class Op> Handler ofFloat(Type type) {
  if (type.kind == 'f')
    return type.bits == 32 ? compare<float, Op> : compare<double, Op>;
  if (type.packed == 1 && type.kind == 'h')
    return compare<uint16_t, Shorts<Half, Op>>;
  if (type.packed == 1 && type.kind == 'w')
    return compare<uint16_t, Shorts<Brain, Op>>;
  return nullptr;
}
template <class Op> Handler ofBoth(Type type) {
  if (!type.isInteger())
    return ofFloat<Op>(type);
  return ofInteger(type, []<class T>() -> Handler { return compare<T, Op>; });
}

Handler comparison(std::string_view name, Type type) {
  using Pick = Handler (*)(Type);
  static const std::map<std::string_view, Pick> both = {
      {"eq", ofBoth<Eq>}, {"ne", ofBoth<Ne>}, {"lt", ofBoth<Lt>},
      {"le", ofBoth<Le>}, {"gt", ofBoth<Gt>}, {"ge", ofBoth<Ge>},
  };
  static const std::map<std::string_view, Pick> real = {
      {"equ", ofFloat<Unordered<Eq>>}, {"neu", ofFloat<Unordered<Ne>>},
      {"ltu", ofFloat<Unordered<Lt>>}, {"leu", ofFloat<Unordered<Le>>},
      {"gtu", ofFloat<Unordered<Gt>>}, {"geu", ofFloat<Unordered<Ge>>},
      {"num", ofFloat<Num>},           {"nan", ofFloat<IsNan>},
  };
  static const std::map<std::string_view, Pick> whole = {
      {"lo", ofBoth<Lt>},
      {"ls", ofBoth<Le>},
      {"hi", ofBoth<Gt>},
      {"hs", ofBoth<Ge>},
  };
  bool equality = name == "eq" || name == "ne";
  if (type.kind == 'b' && !equality)
    return nullptr;
  if (auto found = both.find(name); found != both.end())
    return found->second(type);
  if (auto found = real.find(name); found != real.end())
    return type.isInteger() ? nullptr : found->second(type);
  if (auto found = whole.find(name); found != whole.end())
    return type.kind == 'u' ? found->second(type) : nullptr;
  return nullptr;
}

void setPredicate(Build &build) {
  static const std::map<std::string_view, Combine> combines = {
      {"and", AndWith}, {"or", OrWith}, {"xor", XorWith}};
  Type type = build.type();
  std::string_view word = build.lastWord();
  auto combine = combines.find(word);
  if (combine != combines.end()) {
    build.made.detail = combine->second;
    word = build.lastWord();
  }
  build.count(combine == combines.end() ? 3 : 4);
  const Argument &target = build.arguments[0];
  if (target.kind == Argument::Pair) {
    build.made.detail |= Two;
    for (const Argument &each : target.parts)
      build.target(each, 1);
  } else {
    build.target(target, 1);
  }
  build.source(build.arguments[1], type.bits);
  build.source(build.arguments[2], type.bits);
  if (combine != combines.end()) {
    Argument other = build.arguments[3];
    build.made.detail |= other.negated ? Negated : 0;
    other.negated = false;
    build.source(other, 1);
  }
  build.finish(comparison(word, type));
}

template <class T> void select(Warp &w, const Instruction &i, uint32_t lanes) {
  const T *a = w.at<T>(i.operands[1]), *b = w.at<T>(i.operands[2]);
  uint32_t mask = w.mask(i.operands[3]);
  eachLane(w.at<T>(i.operands[0]), lanes,
           [=](uint32_t l) { return (mask >> l & 1) ? a[l] : b[l]; });
}

void selectBy(Build &build) {
  Type type = build.type();
  build.count(4);
  build.target(build.arguments[0], type.bits);
  build.source(build.arguments[1], type.bits);
  build.source(build.arguments[2], type.bits);
  build.source(build.arguments[3], 1);
  build.finish(type.bits == 16   ? select<uint16_t>
               : type.bits == 32 ? select<uint32_t>
               : type.bits == 64 ? select<uint64_t>
                                 : nullptr);
}

template <class T, int Kind>
void test(Warp &w, const Instruction &i, uint32_t lanes) {
  const T *a = w.at<T>(i.operands[1]);
  uint8_t flags[kLanes];
  for (uint32_t l = 0; l < kLanes; ++l) {
    int kind = std::fpclassify(a[l]);
    flags[l] = Kind == -1   ? kind != FP_NAN && kind != FP_INFINITE
               : Kind == -2 ? kind != FP_NAN
                            : kind == Kind;
  }
  put(w, i.operands[0], packed(flags), lanes);
}

template <int Kind> void testFor(Build &build) {
  Type type = build.type();
  build.count(2);
  build.target(build.arguments[0], 1);
  build.source(build.arguments[1], type.bits);
  build.finish(type.kind != 'f'  ? nullptr
               : type.bits == 32 ? test<float, Kind>
                                 : test<double, Kind>);
}

void testProperty(Build &build) {
  if (build.take("finite"))
    testFor<-1>(build);
  else if (build.take("number"))
    testFor<-2>(build);
  else if (build.take("infinite"))
    testFor<FP_INFINITE>(build);
  else if (build.take("notanumber"))
    testFor<FP_NAN>(build);
  else if (build.take("normal"))
    testFor<FP_NORMAL>(build);
  else if (build.take("subnormal"))
    testFor<FP_SUBNORMAL>(build);
  else
    build.fail("not known");
}

} // namespace

const Families &compareFamilies() {
  static const Families families = {
      {"setp", setPredicate}, {"selp", selectBy}, {"testp", testProperty}};
  return families;
}

} // namespace updraft::gpu
