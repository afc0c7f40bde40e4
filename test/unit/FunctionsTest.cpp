//===- FunctionsTest.cpp - How far the functions are from the truth -------===//
//
// Errors in units in the last place against the C library in extended
// precision, over random arguments of every size and arguments near the edges.
// UPDRAFT_SAMPLES sets how many; the largest error of each function is printed.
//
//===----------------------------------------------------------------------===//

#include "FunctionsExpect.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>

using namespace updraft;

namespace {

uint64_t samples() {
  const char *text = std::getenv("UPDRAFT_SAMPLES");
  return text ? std::strtoull(text, nullptr, 10) : 400000;
}

/// The distance of `value` from `truth` in ulps of an f64 of truth's size.
/// Beyond the range the truth counts as the infinity it rounds to.
double ulps(double value, long double truth) {
  if (std::isnan(truth) || std::isnan(value))
    return std::isnan(truth) && std::isnan(value) ? 0 : kInf;
  if (std::isinf(double(truth)) || std::isinf(value)) {
    if (double(truth) == value)
      return 0;
    return std::fabs(value) == kHuge || std::fabs(double(truth)) == kHuge
               ? 1
               : kInf;
  }
  int exponent = truth == 0 ? -1022 : std::max(std::ilogb(truth), -1022);
  return double(std::fabs(truth - value) / std::ldexp(1.0L, exponent - 52));
}

struct Draw {
  std::mt19937_64 bits{20240607};

  /// Any finite number, all exponents alike.
  double any() {
    for (;;) {
      double x = std::bit_cast<double>(bits());
      if (std::isfinite(x))
        return x;
    }
  }
  double uniform(double low, double high) {
    return low + (high - low) * double(bits() >> 11) * 0x1p-53;
  }
  /// Either sign, 2^low to 2^high, exponents alike.
  double sized(double low, double high) {
    double x = std::exp2(uniform(low, high));
    return bits() & 1 ? -x : x;
  }
  /// A few ulps beside `x`.
  double near(double x) {
    return std::bit_cast<double>(std::bit_cast<uint64_t>(x) + bits() % 64 - 32);
  }
};

void checkBound(const char *name, double (*function)(double),
                const std::function<long double(long double)> &truth,
                const std::function<double(Draw &)> &draw) {
  double worst = 0, where = 0;
  Draw random;
  for (uint64_t i = 0, count = samples(); i < count; ++i) {
    double x = draw(random), error = ulps(function(x), truth(x));
    if (error > worst)
      worst = error, where = x;
  }
  std::printf("%-8s f64 %.4f ulp at %a\n", name, worst, where);
  EXPECT_LE(worst, 1) << name << " of " << where;
}

void checkBound2(const char *name, double (*function)(double, double),
                 long double (*truth)(long double, long double),
                 const std::function<void(Draw &, double &, double &)> &draw) {
  double worst = 0, atX = 0, atY = 0;
  Draw random;
  for (uint64_t i = 0, count = samples(); i < count; ++i) {
    double x, y;
    draw(random, x, y);
    double error = ulps(function(x, y), truth(x, y));
    if (error > worst)
      worst = error, atX = x, atY = y;
  }
  std::printf("%-8s f64 %.4f ulp at %a, %a\n", name, worst, atX, atY);
  EXPECT_LE(worst, 1) << name << " of " << atX << ", " << atY;
}

long double sigmoidTruth(long double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

TEST(Functions, ExpBound) {
  checkBound(
      "exp", functions::exp, [](long double x) { return expl(x); },
      [](Draw &d) {
        switch (d.bits() % 8) {
        case 0:
          return d.any();
        case 1:
          return d.uniform(-746, -700);
        case 2:
          return d.uniform(700, 711);
        case 3:
          return d.near(d.bits() & 1 ? 709.782712893384 : -745.1332191);
        case 4:
          return d.sized(-60, 3);
        default:
          return d.uniform(-708, 709);
        }
      });
}

TEST(Functions, Expm1Bound) {
  checkBound(
      "expm1", functions::expm1, [](long double x) { return expm1l(x); },
      [](Draw &d) {
        switch (d.bits() % 8) {
        case 0:
          return d.any();
        case 1:
          return d.uniform(-60, 1);
        case 2:
          return d.uniform(0, 60);
        case 3:
          return d.uniform(60, 711);
        case 4:
          return d.sized(-80, 0);
        default:
          return d.uniform(-2, 2);
        }
      });
}

double drawAroundOne(Draw &d) {
  switch (d.bits() % 4) {
  case 0:
    return std::fabs(d.any());
  case 1:
    return 1 + d.sized(-52, -1);
  case 2:
    return d.near(1);
  default:
    return d.uniform(0.5, 2);
  }
}

TEST(Functions, LogBound) {
  checkBound(
      "log", functions::log, [](long double x) { return logl(x); },
      drawAroundOne);
}

TEST(Functions, Log1pBound) {
  checkBound(
      "log1p", functions::log1p, [](long double x) { return log1pl(x); },
      [](Draw &d) {
        switch (d.bits() % 5) {
        case 0:
          return std::fabs(d.any());
        case 1:
          return d.uniform(-1, 1);
        case 2:
          return d.near(-1);
        case 3:
          return d.sized(-80, 0);
        default:
          return std::fabs(d.sized(-10, 70));
        }
      });
}

TEST(Functions, TanhBound) {
  checkBound(
      "tanh", functions::tanh, [](long double x) { return tanhl(x); },
      [](Draw &d) {
        switch (d.bits() % 4) {
        case 0:
          return d.any();
        case 1:
          return d.sized(-40, 5);
        case 2:
          return d.uniform(-1, 1);
        default:
          return d.uniform(-22, 22);
        }
      });
}

TEST(Functions, SigmoidBound) {
  checkBound("sigmoid", functions::sigmoid, sigmoidTruth, [](Draw &d) {
    switch (d.bits() % 4) {
    case 0:
      return d.any();
    case 1:
      return d.sized(-40, 5);
    case 2:
      return d.uniform(-746, 746);
    default:
      return d.uniform(-40, 40);
    }
  });
}

TEST(Functions, CosBound) {
  checkBound(
      "cos", functions::cos, [](long double x) { return cosl(x); },
      [](Draw &d) {
        switch (d.bits() % 4) {
        case 0:
          return d.any();
        case 1:
          return d.uniform(-10, 10);
        case 2: // beside a zero
          return d.near(
              double((2 * (d.bits() % 100000) + 1) * 0x1.921fb54442d18469p+0L));
        default:
          return d.sized(-31, 60);
        }
      });
}

TEST(Functions, Atan2Bound) {
  checkBound2("atan2", functions::atan2, atan2l,
              [](Draw &d, double &y, double &x) {
                y = d.bits() & 1 ? d.any() : d.sized(-40, 40);
                x = d.bits() & 1 ? d.any() : d.sized(-40, 40);
                if (d.bits() & 1)
                  x = y * d.sized(-4, 4);
              });
}

TEST(Functions, PowBound) {
  checkBound2("pow", functions::pow, powl, [](Draw &d, double &x, double &y) {
    x = std::fabs(d.any());
    double size = std::fabs(std::log2(x));
    switch (d.bits() % 6) {
    case 0:
      y = d.any();
      break;
    case 1: // bias corrections: beta^t
      x = 1 - std::fabs(d.sized(-20, -1));
      y = double(d.bits() % 100000);
      break;
    case 2: // near 1, large exponents
      x = 1 + d.sized(-52, -2);
      y = d.uniform(-1080, 1030) / std::log2(x);
      break;
    case 3:
      x = -x;
      y = std::rint(d.uniform(-1080, 1030) / std::log2(-x));
      break;
    default:
      y = d.uniform(-1080, 1030) / (size > 0 ? size : 1);
    }
  });
}

/// `mod` is exact where both agree in sign, and rounded once else.
TEST(Functions, ModIsExact) {
  Draw random;
  for (uint64_t i = 0, count = samples(); i < count; ++i) {
    double x = random.any(), y = random.any();
    if (random.bits() % 4)
      y = std::ldexp(y, std::min(std::ilogb(x) - std::ilogb(y), 1800) -
                            int(random.bits() % 120));
    if (random.bits() % 8 == 0)
      x = double(random.bits() % 100000), y = double(random.bits() % 50);
    double rest = std::fmod(x, y);
    double wanted = rest == 0                               ? rest
                    : std::signbit(rest) != std::signbit(y) ? rest + y
                                                            : rest;
    expectSame(functions::mod(x, y),
               rest == 0 ? std::copysign(wanted, y) : wanted, "mod", x, y);
  }
}

} // namespace
