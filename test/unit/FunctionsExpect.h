//===- FunctionsExpect.h - Numbers that must be equal to the bit ----------===//

#ifndef UPDRAFT_TEST_FUNCTIONSEXPECT_H
#define UPDRAFT_TEST_FUNCTIONSEXPECT_H

#include "dsl/Functions.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace updraft {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kTiny = 0x1p-1074, kHuge = 0x1.fffffffffffffp1023;

/// Equal, with the sign of zero; all NaN are one.
inline void expectSame(double value, double wanted, const char *what, double x,
                       double y = 0) {
  EXPECT_TRUE((std::isnan(value) && std::isnan(wanted)) ||
              std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(wanted))
      << what << "(" << x << ", " << y << ") = " << value << ", not " << wanted;
}

} // namespace updraft

#endif // UPDRAFT_TEST_FUNCTIONSEXPECT_H
