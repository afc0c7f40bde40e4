//===- Numbers.cpp - Bits of every format ---------------------------------===//

#include "Numbers.h"

#include "runtime/Format.h"

#include <cmath>
#include <cstdio>
#include <cstring>

namespace updraft::gpu {

using runtime::bytesOf;

/// SplitMix64: the same on every machine.
static uint64_t nextBits(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double makeUpNumber(uint64_t &state) {
  uint64_t bits = nextBits(state);
  double number = double(int64_t(bits)) * 0x1p-63;
  switch (bits % 64) {
  case 0:
    return std::copysign(0.0, number);
  case 1:
    return number * 0x1p-140; // a denormal of f32
  case 2:
    return number * 0x1p-40;
  case 3:
    return number * 0x1p10;
  default:
    return number;
  }
}

void store(void *place, uint32_t dtype, double value) {
  runtime::convert(&value, UPDRAFT_F64, place, dtype, 1);
}

static double valueOf(const void *place, uint32_t dtype) {
  double value;
  runtime::convert(place, dtype, &value, UPDRAFT_F64, 1);
  return value;
}

bool isSame(const void *left, const void *right, uint32_t dtype) {
  return !std::memcmp(left, right, bytesOf(dtype)) ||
         (std::isnan(valueOf(left, dtype)) &&
          std::isnan(valueOf(right, dtype)));
}

std::string textOf(const void *place, uint32_t dtype) {
  uint64_t bits = 0;
  std::memcpy(&bits, place, bytesOf(dtype));
  char text[64];
  std::snprintf(text, sizeof(text), "0x%0*llx (%g)", int(2 * bytesOf(dtype)),
                static_cast<unsigned long long>(bits), valueOf(place, dtype));
  return text;
}

} // namespace updraft::gpu
