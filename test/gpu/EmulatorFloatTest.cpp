//===- EmulatorFloatTest.cpp - Floating point of PTX ----------------------===//
//
// Against the C library, long double, which holds 64 bits of fraction, and
// searches for the nearest number of a short format.
//
//===----------------------------------------------------------------------===//

#include "Trial.h"

#include <cmath>
#include <limits>

using namespace updraft::gpu;
using namespace updraft::gpu::trial;

namespace {

std::vector<double> specialNumbers() {
  const double inf = std::numeric_limits<double>::infinity();
  return {0.0,     -0.0,    1,        -1,        1.5,      3,
          1e-3,    -7.25,   0x1p-149, 0x1p-126,  0x1p-140, 0x1.fffffep127,
          0x1p-24, 0x1p-14, 65504,    inf,       -inf,     std::nan(""),
          0x1p100, 1e-30,   0x1p-75,  -0x1p-130, 16777217, 3.3e-5};
}

/// All pairs of special numbers of a type as rows, and some bits at random.
template <class T, class U> std::vector<Row> realRows() {
  std::vector<Row> rows;
  uint64_t state = 88172645463325252;
  auto random = [&] {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return U(state >> 5);
  };
  for (double a : specialNumbers())
    for (double b : specialNumbers())
      rows.push_back(
          {std::bit_cast<U>(T(a)), std::bit_cast<U>(T(b)),
           rows.size() % 2 ? random() : std::bit_cast<U>(T(-a * b))});
  for (int i = 0; i < 500; ++i)
    rows.push_back({random(), random(), random()});
  return rows;
}

template <class T, class U> T real(uint64_t bits) {
  return std::bit_cast<T>(U(bits));
}

/// A NaN is any NaN.
template <class T, class U, class F>
void expectReals(const std::string &body, F expected) {
  auto rows = realRows<T, U>();
  auto found = evaluate(body, 8 * sizeof(T), rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    T a = real<T, U>(rows[i][0]), b = real<T, U>(rows[i][1]);
    T c = real<T, U>(rows[i][2]), is = real<T, U>(found[i]);
    T wanted = expected(a, b, c);
    if (std::isnan(wanted))
      ASSERT_TRUE(std::isnan(is)) << body << " of " << a << ", " << b;
    else
      ASSERT_EQ(std::bit_cast<U>(is), std::bit_cast<U>(wanted))
          << body << " of " << a << ", " << b << ", " << c;
  }
}
template <class F> void expectFloats(const std::string &body, F expected) {
  expectReals<float, uint32_t>(body, expected);
}
template <class F> void expectDoubles(const std::string &body, F expected) {
  expectReals<double, uint64_t>(body, expected);
}

TEST(EmulatorFloat, Arithmetic) {
  // One rounding from f64, or from long double: harmless by their lengths.
  expectFloats("add.rn.f32 %r0, %r1, %r2;",
               [](float a, float b, float) { return float(double(a) + b); });
  expectFloats("sub.rn.f32 %r0, %r1, %r2;",
               [](float a, float b, float) { return float(double(a) - b); });
  expectFloats("mul.rn.f32 %r0, %r1, %r2;",
               [](float a, float b, float) { return float(double(a) * b); });
  expectFloats("div.rn.f32 %r0, %r1, %r2;",
               [](float a, float b, float) { return float(double(a) / b); });
  expectFloats("sqrt.rn.f32 %r0, %r1;", [](float a, float, float) {
    return float(std::sqrt(double(a)));
  });
  expectFloats("rcp.rn.f32 %r0, %r1;",
               [](float a, float, float) { return float(1 / double(a)); });
  expectDoubles("div.rn.f64 %d0, %d1, %d2;",
                [](double a, double b, double) { return a / b; });
  expectDoubles("sqrt.rn.f64 %d0, %d1;",
                [](double a, double, double) { return std::sqrt(a); });
}

TEST(EmulatorFloat, FusedRoundsOnce) {
  expectFloats("fma.rn.f32 %r0, %r1, %r2, %r3;",
               [](float a, float b, float c) { return std::fma(a, b, c); });
  expectDoubles("fma.rn.f64 %d0, %d1, %d2, %d3;",
                [](double a, double b, double c) { return std::fma(a, b, c); });
  // (1 + e)(1 - e) - 1 = -e * e, which two roundings lose.
  auto one = [](float x) { return uint64_t(std::bit_cast<uint32_t>(x)); };
  Row row{one(1 + 0x1p-20f), one(1 - 0x1p-20f), one(-1)};
  EXPECT_EQ(evaluate("fma.rn.f32 %r0, %r1, %r2, %r3;", 32, {row})[0],
            one(-0x1p-40f));
}

template <class T> T least(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) ? b : a;
  return a < b || (a == b && std::signbit(a)) ? a : b;
}

TEST(EmulatorFloat, Extremes) {
  expectFloats("min.f32 %r0, %r1, %r2;",
               [](float a, float b, float) { return least(a, b); });
  expectFloats("max.f32 %r0, %r1, %r2;",
               [](float a, float b, float) { return -least(-a, -b); });
  expectFloats("min.NaN.f32 %r0, %r1, %r2;", [](float a, float b, float) {
    return std::isnan(a) || std::isnan(b) ? std::nanf("") : least(a, b);
  });
  expectDoubles("max.f64 %d0, %d1, %d2;",
                [](double a, double b, double) { return -least(-a, -b); });
  expectFloats("copysign.f32 %r0, %r1, %r2;",
               [](float a, float b, float) { return std::copysign(b, a); });
  expectFloats("neg.f32 %r0, %r1;", [](float a, float, float) { return -a; });
  expectDoubles("abs.f64 %d0, %d1;",
                [](double a, double, double) { return std::fabs(a); });
}

TEST(EmulatorFloat, Comparisons) {
  auto rows = realRows<float, uint32_t>();
  auto check = [&](const std::string &name, auto expected) {
    auto found = evaluate("setp." + name + ".f32 %p0, %r1, %r2;", 1, rows);
    for (size_t i = 0; i < rows.size(); ++i) {
      auto a = real<float, uint32_t>(rows[i][0]);
      auto b = real<float, uint32_t>(rows[i][1]);
      ASSERT_EQ(found[i], uint64_t(expected(a, b))) << name << a << ", " << b;
    }
  };
  auto nan = [](float a, float b) { return std::isunordered(a, b); };
  check("eq", [](float a, float b) { return a == b; });
  check("ne", [](float a, float b) { return std::islessgreater(a, b); });
  check("neu", [](float a, float b) { return !(a == b); });
  check("lt", [](float a, float b) { return a < b; });
  check("geu", [](float a, float b) { return !(a < b); });
  check("gtu", [](float a, float b) { return !(a <= b); });
  check("equ", [=](float a, float b) { return nan(a, b) || a == b; });
  check("num", [=](float a, float b) { return !nan(a, b); });
  check("nan", nan);
}

//===- Short formats ------------------------------------------------------===//

struct Format {
  const char *name;
  int fraction, least; // bits of the fraction, exponent of the least normal
};
const Format kHalf{"f16", 10, -14}, kBrain{"bf16", 7, -126};

double shortValue(const Format &format, uint32_t bits) {
  int exponentBits = 15 - format.fraction, most = (1 << exponentBits) - 1;
  int exponent = (bits & 0x7fff) >> format.fraction;
  double fraction = bits & ((1 << format.fraction) - 1);
  double one = 1 << format.fraction, sign = bits & 0x8000 ? -1 : 1;
  if (exponent == most)
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::nan("");
  if (exponent == 0)
    return sign * fraction / one * std::ldexp(1, format.least);
  return sign * (1 + fraction / one) *
         std::ldexp(1, format.least + exponent - 1);
}

/// The nearest number to x + tail by search among all of the format; `tail` is
/// too small to count but for a tie. Ties go to even; half a unit beyond the
/// last is infinity.
uint32_t nearest(const Format &format, long double x, long double tail = 0) {
  if (std::isnan(x))
    return 0x7fff;
  uint32_t sign = std::signbit(x) ? 0x8000 : 0, low = 0;
  uint32_t infinite = ((1u << (15 - format.fraction)) - 1) << format.fraction;
  uint32_t high = infinite;
  long double size = std::fabs(x);
  auto value = [&](uint32_t bits) -> long double {
    if (bits < infinite)
      return shortValue(format, bits);
    long double last = shortValue(format, bits - 1);
    return last + (last - shortValue(format, bits - 2));
  };
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    (value(middle) <= size ? low : high) = middle;
  }
  if (size >= value(high))
    return sign | high;
  long double down = size - value(low), up = value(high) - size;
  bool takeUp = up < down || (up == down && (low & 1));
  if (up == down && tail != 0)
    takeUp = (tail > 0) == (x > 0);
  return sign | (takeUp ? high : low);
}

TEST(EmulatorFloat, ShortFromAndTo) {
  auto rows = realRows<float, uint32_t>();
  for (const Format &format : {kHalf, kBrain}) {
    std::string name = format.name;
    auto found = evaluate("cvt.rn." + name + ".f32 %h0, %r1;", 16, rows);
    auto high = evaluate("cvt.rn." + name + "x2.f32 %r0, %r1, %r2;", 32, rows);
    for (size_t i = 0; i < rows.size(); ++i) {
      uint32_t a = nearest(format, real<float, uint32_t>(rows[i][0]));
      uint32_t b = nearest(format, real<float, uint32_t>(rows[i][1]));
      ASSERT_EQ(found[i], a) << name << real<float, uint32_t>(rows[i][0]);
      ASSERT_EQ(high[i], a << 16 | b) << name;
    }
    std::vector<Row> all;
    for (uint32_t bits = 0; bits < 65536; bits += 3)
      all.push_back({bits});
    auto back = evaluate("cvt.f32." + name + " %r0, %h1;", 32, all);
    auto whole = evaluate("cvt.f64." + name + " %d0, %h1;", 64, all);
    for (size_t i = 0; i < all.size(); ++i) {
      double wanted = shortValue(format, all[i][0]);
      double is = std::bit_cast<float>(uint32_t(back[i]));
      if (std::isnan(wanted))
        ASSERT_TRUE(std::isnan(is));
      else
        ASSERT_EQ(std::bit_cast<uint64_t>(is), std::bit_cast<uint64_t>(wanted));
      ASSERT_EQ(std::isnan(wanted) ? 0 : back[i] != 0,
                std::isnan(wanted) ? 0 : wanted != 0 || std::signbit(wanted));
      if (!std::isnan(wanted))
        ASSERT_EQ(whole[i], std::bit_cast<uint64_t>(wanted));
    }
  }
}

TEST(EmulatorFloat, ShortArithmetic) {
  std::vector<Row> rows;
  uint64_t state = 88172645463325252;
  for (int i = 0; i < 3000; ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    rows.push_back(
        {state & 0xffff, state >> 16 & 0xffff, state >> 32 & 0xffff});
  }
  for (const Format &format : {kHalf, kBrain}) {
    auto check = [&](const std::string &op, auto expected) {
      std::string name = op + "." + format.name;
      bool three = op.substr(0, 3) == "fma";
      auto found =
          evaluate(name + (three ? " %h0, %h1, %h2, %h3;" : " %h0, %h1, %h2;"),
                   16, rows);
      for (size_t i = 0; i < rows.size(); ++i) {
        long double a = shortValue(format, rows[i][0]);
        long double b = shortValue(format, rows[i][1]);
        long double c = shortValue(format, rows[i][2]);
        long double wanted = expected(a, b, c), tail = 0;
        if (three && std::isfinite(wanted)) {
          // What the sum in 64 bits has lost, exactly.
          long double part = wanted - a * b;
          tail = (a * b - (wanted - part)) + (c - part);
        }
        ASSERT_EQ(found[i], nearest(format, wanted, tail))
            << name << " of " << double(a) << ", " << double(b);
      }
    };
    using L = long double;
    check("add.rn", [](L a, L b, L) { return a + b; });
    check("sub.rn", [](L a, L b, L) { return a - b; });
    check("mul.rn", [](L a, L b, L) { return a * b; });
    check("min", [](L a, L b, L) { return least(a, b); });
    check("fma.rn", [](L a, L b, L c) { return a * b + c; });
  }
  auto found =
      evaluate("add.rn.f16x2 %r0, %r1, %r2;", 32, {{0x3c004000, 0x3c003c00}});
  EXPECT_EQ(found[0], 0x40004200u); // {2, 1} + {1, 1}, the low half first
}

TEST(EmulatorFloat, TwoFloatsInARegister) {
  auto two = [](float low, float high) {
    return uint64_t(std::bit_cast<uint32_t>(high)) << 32 |
           std::bit_cast<uint32_t>(low);
  };
  Row row{two(1.5f, -2), two(0.1f, 3), two(-0.15f, 6.5f)};
  auto found = [&](const std::string &line) {
    return evaluate(line, 64, {row})[0];
  };
  EXPECT_EQ(found("add.rn.f32x2 %d0, %d1, %d2;"), two(1.5f + 0.1f, 1));
  EXPECT_EQ(found("mul.rn.f32x2 %d0, %d1, %d2;"), two(1.5f * 0.1f, -6));
  EXPECT_EQ(found("fma.rn.f32x2 %d0, %d1, %d2, %d3;"),
            two(std::fma(1.5f, 0.1f, -0.15f), 0.5f));
  for (const char *line :
       {"add.f32x2 %d0, %d1, %d2;", "min.f32x2 %d0, %d1, %d2;",
        "setp.lt.f32x2 %p0, %d1, %d2;"})
    EXPECT_NE(errorOf([&] { Module module(kernel(line)); }), "no error");
}

TEST(EmulatorFloat, ShortAndLongTogether) {
  Row row{0x3e00, 0x3fc0, std::bit_cast<uint32_t>(0.25f)}; // 1.5 in both
  auto found = evaluate("sub.rn.f32.f16 %r0, %h1, %r3;", 32, {row});
  EXPECT_EQ(found[0], std::bit_cast<uint32_t>(1.25f));
  found = evaluate("fma.rn.f32.bf16 %r0, %h2, %h2, %r3;", 32, {row});
  EXPECT_EQ(found[0], std::bit_cast<uint32_t>(2.5f));
}

} // namespace
