//===- Format.cpp - Conversion between storage formats --------------------===//
//
// The narrow formats are rounded with integer operations, so that no mode of
// the processor (flush to zero) and no missing instruction changes a bit.
//
//===----------------------------------------------------------------------===//

#include "Format.h"

#include <bit>
#include <cstring>

using namespace updraft::runtime;

const char *updraft::runtime::formatName(uint32_t format) {
  static const char *const names[] = {"f64", "f32", "bf16", "f16"};
  return format <= UPDRAFT_F16 ? names[format] : "?";
}

static uint16_t bf16Of(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static uint16_t f16Of(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
  if (size > 0x7f800000)
    return uint16_t(sign | 0x7e00);
  if (size >= 0x47800000) // 65536 and above
    return uint16_t(sign | 0x7c00);
  int shift = 13;
  uint32_t digits =
      size - 0x38000000;   // the exponent's bias goes from 127 to 15
  if (size < 0x38800000) { // below 2^-14: a denormal
    int exponent = int(size >> 23);
    if (exponent < 102)
      return uint16_t(sign);
    digits = (size & 0x7fffff) | 0x800000;
    shift = 126 - exponent;
  }
  uint32_t kept = digits >> shift, rest = digits & ((1u << shift) - 1);
  uint32_t half = 1u << (shift - 1);
  return uint16_t(sign | (kept + (rest > half || (rest == half && kept & 1))));
}

static float ofF16(uint16_t value) {
  uint32_t sign = uint32_t(value & 0x8000) << 16;
  uint32_t exponent = value >> 10 & 31, digits = value & 1023;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000 | digits << 13);
  if (exponent)
    return std::bit_cast<float>(sign | (exponent + 112) << 23 | digits << 13);
  if (!digits)
    return std::bit_cast<float>(sign);
  int shift = std::countl_zero(digits) - 21;
  return std::bit_cast<float>(sign | uint32_t(113 - shift) << 23 |
                              (digits << shift & 1023) << 13);
}

static double load(const char *at, uint32_t format) {
  uint16_t narrow = 0;
  float single = 0;
  double wide = 0;
  switch (format) {
  case UPDRAFT_F64:
    memcpy(&wide, at, 8);
    return wide;
  case UPDRAFT_F32:
    memcpy(&single, at, 4);
    return single;
  case UPDRAFT_BF16:
    memcpy(&narrow, at, 2);
    return std::bit_cast<float>(uint32_t(narrow) << 16);
  default:
    memcpy(&narrow, at, 2);
    return ofF16(narrow);
  }
}

static void store(char *at, uint32_t format, double value) {
  if (format == UPDRAFT_F64) {
    memcpy(at, &value, 8);
    return;
  }
  float single = float(value);
  if (format == UPDRAFT_F32) {
    memcpy(at, &single, 4);
    return;
  }
  uint16_t narrow = format == UPDRAFT_BF16 ? bf16Of(single) : f16Of(single);
  memcpy(at, &narrow, 2);
}

void updraft::runtime::convert(const void *from, uint32_t fromFormat, void *to,
                               uint32_t toFormat, size_t count) {
  size_t fromBytes = bytesOf(fromFormat), toBytes = bytesOf(toFormat);
  if (fromFormat == toFormat) {
    if (count)
      memmove(to, from, count * fromBytes);
    return;
  }
  for (size_t i = 0; i < count; ++i)
    store(static_cast<char *>(to) + i * toBytes, toFormat,
          load(static_cast<const char *>(from) + i * fromBytes, fromFormat));
}
