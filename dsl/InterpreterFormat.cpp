//===- InterpreterFormat.cpp - Rounding to what memory holds --------------===//

#include "InterpreterFormat.h"

#include <algorithm>
#include <cmath>

namespace updraft {

/// To `digits` binary digits with exponents from `lowest` to `highest` (of the
/// leading digit). Counts in units of the last place, which is exact: the unit
/// is a power of two.
static double roundToDigits(double x, int digits, int lowest, int highest) {
  if (x == 0 || !std::isfinite(x))
    return x;
  int exponent = std::max(std::ilogb(x), lowest);
  int unit = exponent - (digits - 1);
  double rounded = std::ldexp(std::rint(std::ldexp(x, -unit)), unit);
  if (std::fabs(rounded) >= std::ldexp(1.0, highest + 1))
    return std::copysign(HUGE_VAL, x);
  return rounded;
}

double roundTo(Format format, double x) {
  switch (format) {
  case Format::F64:
    return x;
  case Format::F32:
    return float(x);
  case Format::BF16:
    return roundToDigits(x, 8, -126, 127);
  case Format::F16:
    return roundToDigits(x, 11, -14, 15);
  }
  return x;
}

} // namespace updraft
