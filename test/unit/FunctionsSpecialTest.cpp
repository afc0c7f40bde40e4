//===- FunctionsSpecialTest.cpp - Zeros, infinities, NaN and ties ---------===//
//
// Where the standard says what a function is, it must be that.
//
//===----------------------------------------------------------------------===//

#include "FunctionsExpect.h"

using namespace updraft;

namespace {

const double kSpecial[] = {
    0.0,      -0.0,   kTiny,    -kTiny,   0x1p-1022, 0.5,   -0.5, 1,
    -1,       1.5,    -1.5,     2,        -2,        3,     -3,   0x1p52,
    -0x1p53,  0x1p53, kHuge,    -kHuge,   kInf,      -kInf, kNan, 0x1p-60,
    -0x1p-60, 1e300,  0x1p1023, 0x1p-900, -0x1p-900, 1e17};

/// Where the result is exact by the standard the C library's is the wanted one.
void expectSpecial(const char *name, double value, double wanted, double x,
                   double y = 0) {
  if (std::isnan(wanted) || std::isinf(wanted) || wanted == 0 ||
      std::fabs(wanted) == 1)
    expectSame(value, wanted, name, x, y);
  else
    EXPECT_LE(std::fabs(value - wanted) / std::fabs(wanted), 0x1p-51)
        << name << "(" << x << ", " << y << ")";
}

TEST(Functions, SpecialValues) {
  for (double x : kSpecial) {
    expectSpecial("exp", functions::exp(x), std::exp(x), x);
    expectSpecial("expm1", functions::expm1(x), std::expm1(x), x);
    expectSpecial("log", functions::log(x), std::log(x), x);
    expectSpecial("log1p", functions::log1p(x), std::log1p(x), x);
    expectSpecial("tanh", functions::tanh(x), std::tanh(x), x);
    expectSpecial("cos", functions::cos(x), std::cos(x), x);
    expectSpecial("round", functions::round(x), std::nearbyint(x), x);
  }
  expectSame(functions::sigmoid(kInf), 1, "sigmoid", kInf);
  expectSame(functions::sigmoid(-kInf), 0, "sigmoid", -kInf);
  expectSame(functions::sigmoid(kNan), kNan, "sigmoid", kNan);
  expectSame(functions::sigmoid(-0.0), 0.5, "sigmoid", 0);
}

TEST(Functions, SpecialPairs) {
  for (double x : kSpecial)
    for (double y : kSpecial) {
      expectSpecial("pow", functions::pow(x, y), std::pow(x, y), x, y);
      expectSpecial("atan2", functions::atan2(x, y), std::atan2(x, y), x, y);
    }
  EXPECT_TRUE(std::isnan(functions::mod(1.0, 0.0)));
  EXPECT_TRUE(std::isnan(functions::mod(kInf, 2)));
  expectSame(functions::mod(-1, kInf), kInf, "mod", -1, kInf);
  expectSame(functions::mod(1, kInf), 1, "mod", 1, kInf);
  expectSame(functions::mod(-4.0, 2.0), 0, "mod", -4, 2);
  expectSame(functions::mod(4.0, -2.0), -0.0, "mod", 4, -2);
  expectSame(functions::mod(-1.0, 3.0), 2, "mod", -1, 3);
}

TEST(Functions, MinimumAndMaximum) {
  expectSame(functions::minimum(0.0, -0.0), -0.0, "minimum", 0, -0.0);
  expectSame(functions::minimum(-0.0, 0.0), -0.0, "minimum", -0.0, 0);
  expectSame(functions::maximum(0.0, -0.0), 0.0, "maximum", 0, -0.0);
  expectSame(functions::maximum(-0.0, 0.0), 0.0, "maximum", -0.0, 0);
  expectSame(functions::minimum(kNan, 1), kNan, "minimum", kNan, 1);
  expectSame(functions::maximum(1, kNan), kNan, "maximum", 1, kNan);
  expectSame(functions::minimum(-kInf, 2), -kInf, "minimum", -kInf, 2);
  expectSame(functions::maximum(-3, 2), 2, "maximum", -3, 2);
}

TEST(Functions, HalvesRoundToEven) {
  expectSame(functions::round(0.5), 0, "round", 0.5);
  expectSame(functions::round(1.5), 2, "round", 1.5);
  expectSame(functions::round(-2.5), -2, "round", -2.5);
  expectSame(functions::round(-0.2), -0.0, "round", -0.2);
}

} // namespace
