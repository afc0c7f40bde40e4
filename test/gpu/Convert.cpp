//===- Convert.cpp - cvt --------------------------------------------------===//
//
// cvt{.rounding}{.sat}.to.from. An operand may lie in a wider register: a
// source is its low part, an integer result is extended by its sign. One
// function converts all by way of f64 and 128-bit integers; the common ones
// have a short road beside it.
//
//===----------------------------------------------------------------------===//

#include "Convert.h"

namespace updraft::gpu {

namespace {

bool isInteger(char kind) { return kind == 'u' || kind == 's'; }

double wholeNumber(double x, Way way) {
  switch (way) {
  case Way::Near:
    return __builtin_roundeven(x);
  case Way::Zero:
    return std::trunc(x);
  case Way::Down:
    return std::floor(x);
  default:
    return std::ceil(x);
  }
}

/// The double nearest to odd, so that a shorter rounding is the only one; of
/// 53 bits and less the number itself.
double odd(__int128 x) {
  auto near = static_cast<double>(x);
  auto error = x - static_cast<__int128>(near);
  auto bits = std::bit_cast<uint64_t>(near);
  if (error != 0 && !(bits & 1))
    bits += (error > 0) == (near > 0) ? 1 : -1;
  return std::bit_cast<double>(bits);
}

double wide(char kind, unsigned width, uint64_t bits) {
  if (kind == 'h')
    return Half{uint16_t(bits)}.value();
  if (kind == 'w')
    return Brain{uint16_t(bits)}.value();
  return width == 32 ? std::bit_cast<float>(uint32_t(bits))
                     : std::bit_cast<double>(bits);
}

__int128 integer(char kind, unsigned width, uint64_t bits) {
  unsigned rest = 64 - width;
  if (kind == 's')
    return static_cast<int64_t>(bits << rest) >> rest;
  return bits << rest >> rest;
}

uint64_t real(const Conversion &c, double x) {
  auto rounding = static_cast<Rounding>(int(c.way) - int(Way::Near));
  if (c.toKind == 'h')
    return narrow<5, 10>(x, rounding);
  if (c.toKind == 'w')
    return narrow<8, 7>(x, rounding);
  if (c.toBits == 32)
    return x != x ? 0x7fffffff : narrow<8, 23>(x, rounding);
  return std::bit_cast<uint64_t>(canonical(x));
}

/// An integer in f64: beyond 53 bits it is rounded.
double doubleOf(__int128 x, Way way) {
  auto near = static_cast<double>(x);
  auto error = x - static_cast<__int128>(near);
  double end = std::numeric_limits<double>::infinity();
  if (error < 0 && (way == Way::Down || (way == Way::Zero && x > 0)))
    return std::nextafter(near, -end);
  if (error > 0 && (way == Way::Up || (way == Way::Zero && x < 0)))
    return std::nextafter(near, end);
  return near;
}

/// Beyond the range: its end. NaN: 0, or with 64 bits on a side the highest
/// bit.
uint64_t integerOf(const Conversion &c, double x) {
  bool isSigned = c.toKind == 's', big = c.toBits == 64 || c.fromBits == 64;
  uint64_t top = uint64_t(1) << (c.toBits - 1);
  if (x != x)
    return big ? top : 0;
  double y = wholeNumber(x, c.way);
  double end = std::ldexp(1.0, c.toBits - isSigned);
  if (y >= end)
    return isSigned ? top - 1 : top | (top - 1);
  if (y < (isSigned ? -end : 0))
    return isSigned ? -top : 0;
  return y < 0 ? -static_cast<uint64_t>(-y) : static_cast<uint64_t>(y);
}

uint64_t integerOf(const Conversion &c, __int128 x) {
  bool isSigned = c.toKind == 's';
  __int128 end = __int128(1) << (c.toBits - isSigned);
  __int128 least = isSigned ? -end : 0;
  if (c.saturate)
    x = x < least ? least : x >= end ? end - 1 : x;
  return integer(c.toKind, c.toBits, static_cast<uint64_t>(x));
}

uint64_t convert(const Conversion &c, uint64_t bits) {
  if (isInteger(c.fromKind)) {
    __int128 x = integer(c.fromKind, c.fromBits, bits);
    if (isInteger(c.toKind))
      return integerOf(c, x);
    return real(c, c.toBits == 64 ? doubleOf(x, c.way) : odd(x));
  }
  double x = wide(c.fromKind, c.fromBits, bits);
  if (isInteger(c.toKind))
    return integerOf(c, x);
  if (!c.whole)
    return real(c, x);
  Conversion exact = c;
  exact.way = Way::Near;
  return real(exact, wholeNumber(x, c.way));
}

template <class D, class S>
void convertAny(Warp &w, const Instruction &i, uint32_t lanes) {
  auto c = std::bit_cast<Conversion>(i.offset);
  const S *a = w.at<S>(i.operands[1]);
  D *target = w.at<D>(i.operands[0]);
  forLanes(lanes, [&](uint32_t l) { target[l] = D(convert(c, a[l])); });
}

template <class D> Handler bySource(unsigned source) {
  return source == 16   ? convertAny<D, uint16_t>
         : source == 32 ? convertAny<D, uint32_t>
                        : convertAny<D, uint64_t>;
}

void takeWay(Build &build, Conversion &c) {
  static const std::pair<std::string_view, Way> ways[] = {
      {"rn", Way::Near}, {"rz", Way::Zero}, {"rm", Way::Down}, {"rp", Way::Up}};
  for (auto [name, way] : ways) {
    bool whole = build.take(std::string(name) + "i");
    if (whole || build.take(name)) {
      c.way = way;
      c.whole = whole;
      return;
    }
  }
}

/// PTX has a rounding just where one is needed.
void checkWay(Build &build, const Conversion &c) {
  bool from = isInteger(c.fromKind), to = isInteger(c.toKind);
  bool same = c.fromKind == c.toKind && c.fromBits == c.toBits;
  bool whole = !from && (to || same);
  bool wanted = whole || (from && !to) || (!from && c.toBits < c.fromBits);
  if (wanted != (c.way != Way::None) || (wanted && whole != c.whole))
    build.fail("a rounding is missing, or one too many");
  if (c.saturate && !(from && to))
    build.fail(".sat is known for integers only");
  if (!from && !to && !same && c.fromBits == c.toBits)
    build.fail("not known");
}

void convertTwo(Build &build, Type type) {
  build.need("f32");
  build.need("rn");
  build.count(3);
  build.target(build.arguments[0], 32);
  build.source(build.arguments[1], 32);
  build.source(build.arguments[2], 32);
  build.finish(shortRoadOfTwo(type));
}

void convertFamily(Build &build) {
  for (std::string_view two : {"f16x2", "bf16x2"})
    if (build.take(two))
      return convertTwo(build, *typeOf(two));
  Type from = build.type(), to = build.type();
  Conversion c{to.kind, from.kind, uint8_t(to.bits), uint8_t(from.bits)};
  takeWay(build, c);
  c.saturate = build.take("sat");
  build.count(2);
  unsigned target = build.targetOfAny(build.arguments[0]);
  unsigned source = build.sourceOfAny(build.arguments[1], from.bits);
  auto fits = [](Type type, unsigned bits) {
    return type.kind == 's' || type.kind == 'u' ? bits >= type.bits
                                                : bits == type.bits;
  };
  if (!fits(to, target) || !fits(from, source) || to.kind == 'b' ||
      from.kind == 'b' || from.packed > 1 || source < 16)
    build.fail("not known for these types");
  checkWay(build, c);
  build.made.offset = std::bit_cast<int64_t>(c);
  Handler found = shortRoad(c, target, source);
  if (!found)
    found = target == 16   ? bySource<uint16_t>(source)
            : target == 32 ? bySource<uint32_t>(source)
                           : bySource<uint64_t>(source);
  build.finish(found);
}

} // namespace

const Families &convertFamilies() {
  static const Families families = {{"cvt", convertFamily}};
  return families;
}

} // namespace updraft::gpu
