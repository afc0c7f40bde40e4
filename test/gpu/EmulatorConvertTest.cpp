//===- EmulatorConvertTest.cpp - cvt --------------------------------------===//

#include "Trial.h"

#include <cfenv>
#include <cmath>
#include <limits>

using namespace updraft::gpu;
using namespace updraft::gpu::trial;

namespace {

const double kInf = std::numeric_limits<double>::infinity();
const std::pair<const char *, int> kRoundings[] = {{"rn", FE_TONEAREST},
                                                   {"rz", FE_TOWARDZERO},
                                                   {"rm", FE_DOWNWARD},
                                                   {"rp", FE_UPWARD}};

/// Rounds as the host's processor does; volatile keeps the compiler from it.
template <class To, class From> To rounded(From value, int mode) {
  std::fesetround(mode);
  volatile From source = value;
  volatile To result = static_cast<To>(source);
  std::fesetround(FE_TONEAREST);
  return result;
}

double wholeNumber(double value, int mode) {
  std::fesetround(mode);
  volatile double source = value;
  volatile double result = std::nearbyint(source);
  std::fesetround(FE_TONEAREST);
  return result;
}

TEST(EmulatorConvert, Integers) {
  expectIntegers("cvt.s64.s32 %d0, %r1;", 64,
                 [](Row x) { return int64_t(int32_t(x[0])); });
  expectIntegers("cvt.u64.u32 %d0, %r1;", 64,
                 [](Row x) { return uint32_t(x[0]); });
  expectIntegers("cvt.u32.u64 %r0, %d1;", 32,
                 [](Row x) { return uint32_t(x[0]); });
  expectIntegers("cvt.s32.s16 %r0, %h1;", 32,
                 [](Row x) { return uint32_t(int16_t(x[0])); });
  expectIntegers("cvt.s32.s8 %r0, %r1;", 32,
                 [](Row x) { return uint32_t(int8_t(x[0])); });
  expectIntegers("cvt.u16.u8 %h0, %h1;", 16,
                 [](Row x) { return uint8_t(x[0]); });
  expectIntegers("cvt.s64.s16 %d0, %r1;", 64,
                 [](Row x) { return int64_t(int16_t(x[0])); });
  expectIntegers("cvt.sat.s32.s64 %r0, %d1;", 32, [](Row x) {
    int64_t a = x[0];
    return uint32_t(
        std::max<int64_t>(INT32_MIN, std::min<int64_t>(a, INT32_MAX)));
  });
  expectIntegers("cvt.sat.u8.s32 %r0, %r1;", 32, [](Row x) {
    return uint32_t(std::max(0, std::min(int32_t(x[0]), 255)));
  });
}

TEST(EmulatorConvert, IntegersToReals) {
  for (auto [name, mode] : kRoundings) {
    std::string way = name;
    expectIntegers("cvt." + way + ".f32.s32 %r0, %r1;", 32, [=](Row x) {
      return std::bit_cast<uint32_t>(rounded<float>(int32_t(x[0]), mode));
    });
    expectIntegers("cvt." + way + ".f64.s64 %d0, %d1;", 64, [=](Row x) {
      return std::bit_cast<uint64_t>(rounded<double>(int64_t(x[0]), mode));
    });
    expectIntegers("cvt." + way + ".f32.s64 %r0, %d1;", 32, [=](Row x) {
      return std::bit_cast<uint32_t>(rounded<float>(int64_t(x[0]), mode));
    });
    // A u64 is exact in long double.
    expectIntegers("cvt." + way + ".f64.u64 %d0, %d1;", 64, [=](Row x) {
      return std::bit_cast<uint64_t>(
          rounded<double>(static_cast<long double>(x[0]), mode));
    });
    expectIntegers("cvt." + way + ".f32.u32 %r0, %r1;", 32, [=](Row x) {
      return std::bit_cast<uint32_t>(
          rounded<float>(double(uint32_t(x[0])), mode));
    });
  }
}

const double kNumbers[] = {
    0.0,          -0.0,      0.5,   1.5,          2.5,           -0.5,
    -2.5,         -1.75,     2.25,  1e9,          -1e9,          3e9,
    4294967295.5, 5e9,       -3e9,  1e19,         -1e19,         9.3e18,
    2e19,         1e300,     kInf,  -kInf,        65535.5,       -129.5,
    32767.5,      0x1p-1074, 1e-40, 2147483647.5, -2147483648.5, 127.5};

template <class T> uint64_t wholeOf(double x, int mode, bool big) {
  if (std::isnan(x))
    return big ? uint64_t(1) << (8 * sizeof(T) - 1) : 0;
  long double y = wholeNumber(x, mode);
  using Limits = std::numeric_limits<T>;
  T result = y <= (long double)(Limits::min())   ? Limits::min()
             : y >= (long double)(Limits::max()) ? Limits::max()
                                                 : static_cast<T>(y);
  return static_cast<uint64_t>(result);
}

template <class T> void expectWhole(const std::string &type, unsigned bits) {
  std::string target = bits == 64 ? "%d0" : bits == 32 ? "%r0" : "%h0";
  uint64_t mask = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  std::vector<Row> singles, doubles;
  std::vector<double> values(std::begin(kNumbers), std::end(kNumbers));
  values.push_back(std::nan(""));
  for (double x : values) {
    doubles.push_back({std::bit_cast<uint64_t>(x)});
    singles.push_back({std::bit_cast<uint32_t>(float(x))});
  }
  for (auto [name, mode] : kRoundings) {
    std::string way = "cvt." + std::string(name) + "i." + type;
    auto of64 = evaluate(way + ".f64 " + target + ", %d1;", bits, doubles);
    auto of32 = evaluate(way + ".f32 " + target + ", %r1;", bits, singles);
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(of64[i], wholeOf<T>(values[i], mode, true) & mask)
          << way << " of " << values[i];
      ASSERT_EQ(of32[i], wholeOf<T>(float(values[i]), mode, bits == 64) & mask)
          << way << " of f32 " << values[i];
    }
  }
}

TEST(EmulatorConvert, RealsToIntegers) {
  expectWhole<int32_t>("s32", 32);
  expectWhole<uint32_t>("u32", 32);
  expectWhole<int64_t>("s64", 64);
  expectWhole<uint64_t>("u64", 64);
  expectWhole<int16_t>("s16", 16);
  expectWhole<uint16_t>("u16", 16);
}

TEST(EmulatorConvert, RealsToReals) {
  std::vector<Row> rows;
  std::vector<double> values(std::begin(kNumbers), std::end(kNumbers));
  for (double x :
       {0x1.0000010000001p0, 0x1.fffffefp127, 0x1.ffffffp127, 0x1.8p-149,
        0x1p-150, -0x1.00001p-130, 0x1.000001p-126, 0x1.0000018p5})
    values.push_back(x);
  for (double x : values)
    rows.push_back({std::bit_cast<uint64_t>(x)});
  for (auto [name, mode] : kRoundings) {
    auto found =
        evaluate("cvt." + std::string(name) + ".f32.f64 %r0, %d1;", 32, rows);
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(found[i],
                std::bit_cast<uint32_t>(rounded<float>(values[i], mode)))
          << name << " of " << values[i];
    auto whole =
        evaluate("cvt." + std::string(name) + "i.f64.f64 %d0, %d1;", 64, rows);
    for (size_t i = 0; i < values.size(); ++i) {
      double wanted = wholeNumber(values[i], mode);
      ASSERT_EQ(whole[i], std::bit_cast<uint64_t>(wanted)) << values[i];
    }
  }
  auto wide = evaluate("cvt.f64.f32 %d0, %r1;", 64, {{0x3fc00000}, {1}});
  EXPECT_EQ(wide[0], std::bit_cast<uint64_t>(1.5));
  EXPECT_EQ(wide[1], std::bit_cast<uint64_t>(0x1p-149));
}

TEST(EmulatorConvert, Refusals) {
  auto error = [](const std::string &line) {
    return errorOf([&] { Module module(kernel(line)); });
  };
  for (const char *line :
       {"cvt.f32.f64 %r0, %d1;", "cvt.rn.f64.f32 %d0, %r1;",
        "cvt.rn.s32.f32 %r0, %r1;", "cvt.f32.s32 %r0, %r1;",
        "cvt.rzi.f32.s32 %r0, %r1;", "cvt.rn.u32.u64 %r0, %d1;"})
    EXPECT_NE(error(line).find("a rounding is missing, or one too many"),
              std::string::npos)
        << line;
  for (const char *line :
       {"cvt.rn.ftz.f32.f64 %r0, %d1;", "cvt.rn.f16.f32 %r0, %r1;",
        "cvt.u64.u32 %r0, %r1;", "cvt.rn.sat.f32.f64 %r0, %d1;",
        "cvt.rn.relu.bf16.f32 %h0, %r1;"})
    EXPECT_NE(error(line).find("PTX line 10: "), std::string::npos) << line;
}

} // namespace
