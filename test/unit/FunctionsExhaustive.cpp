//===- FunctionsExhaustive.cpp - Every f32 there is -----------------------===//
//
// The largest error of the functions of one f32 over all 2^32 arguments, in
// units in the last place, against the C library in f64 (whose own error is
// below 10^-8 of these units), and of those of two over random pairs. Takes
// minutes a function; names given as arguments pick some.
//
//===----------------------------------------------------------------------===//

#include "dsl/Functions.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>

using namespace updraft;

/// Distance of `value` from `truth` in ulps of an f32 of truth's size, or half
/// an ulp where it is the nearest; 1000 if one is NaN or infinite and the other
/// is not what it rounds to.
static double ulps(float value, double truth) {
  if (value == float(truth))
    return 0.5;
  if (std::isnan(truth) || std::isnan(value))
    return std::isnan(truth) && std::isnan(value) ? 0 : 1000;
  if (std::isinf(float(truth)) || std::isinf(value))
    return float(truth) == value ? 0 : 1000;
  int exponent = truth == 0 ? -126 : std::max(std::ilogb(truth), -126);
  return std::ldexp(std::fabs(truth - value), 23 - exponent);
}

static double sigmoid(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

namespace {

struct One {
  const char *name;
  float (*function)(float);
  double (*truth)(double);
};

struct Two {
  const char *name;
  float (*function)(float, float);
  double (*truth)(double, double);
};

} // namespace

static const One ones[] = {
    {"exp", functions::exp, std::exp},
    {"expm1", functions::expm1, std::expm1},
    {"log", functions::log, std::log},
    {"log1p", functions::log1p, std::log1p},
    {"tanh", functions::tanh, std::tanh},
    {"sigmoid", functions::sigmoid, sigmoid},
    {"cos", functions::cos, std::cos},
};

static const Two twos[] = {
    {"atan2", functions::atan2, std::atan2},
    {"pow", functions::pow, std::pow},
};

static bool check(const One &one) {
  double worst = 0;
  float where = 0;
  uint32_t bits = 0;
  do {
    float x = std::bit_cast<float>(bits);
    double error = ulps(one.function(x), one.truth(x));
    if (error > worst)
      worst = error, where = x;
  } while (++bits);
  std::printf("%-8s f32 %.7f ulp at %a, all arguments\n", one.name, worst,
              where);
  std::fflush(stdout);
  return worst < 0.50001;
}

static bool check(const Two &two) {
  double worst = 0;
  float atX = 0, atY = 0;
  std::mt19937_64 random{1};
  for (int i = 0; i < 1000000000; ++i) {
    uint64_t bits = random();
    float x = std::bit_cast<float>(uint32_t(bits));
    float y = std::bit_cast<float>(uint32_t(bits >> 32));
    // Powers of any two numbers are mostly infinite or 0, angles mostly
    // multiples of pi/2; most pairs are chosen to be neither.
    if (bits % 4)
      y = two.truth == static_cast<double (*)(double, double)>(std::pow)
              ? float(std::ldexp(double(bits >> 32), -24) - 128) /
                    std::log2(std::fabs(x))
              : x * float(std::ldexp(double(bits >> 32), -30));
    double error = ulps(two.function(x, y), two.truth(x, y));
    if (error > worst)
      worst = error, atX = x, atY = y;
  }
  std::printf("%-8s f32 %.7f ulp at %a, %a, 10^9 pairs\n", two.name, worst, atX,
              atY);
  std::fflush(stdout);
  return worst < 0.50001;
}

static bool isPicked(const char *name, int count, char **arguments) {
  for (int i = 1; i < count; ++i)
    if (std::strcmp(arguments[i], name) == 0)
      return true;
  return count == 1;
}

int main(int count, char **arguments) {
  bool isGood = true;
  for (const One &one : ones)
    if (isPicked(one.name, count, arguments))
      isGood &= check(one);
  for (const Two &two : twos)
    if (isPicked(two.name, count, arguments))
      isGood &= check(two);
  return isGood ? 0 : 1;
}
