//===- Random.h - Numbers made up -----------------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_RANDOM_H
#define UPDRAFT_TOOLS_RUN_RANDOM_H

#include "dsl/RuleExpr.h"

#include <cstdint>

namespace updraft::run {

/// SplitMix64: small, seedable, the same on every machine.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}

  uint64_t bits() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// In [-1, 1).
  double uniform() { return double(int64_t(bits())) * 0x1p-63; }

private:
  uint64_t state;
};

/// Mostly of everyday size; one in sixteen is a zero of either sign, a denormal
/// of the format or far from 1.
double makeUpNumber(Random &random, Format format);

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_RANDOM_H
