//===- KernelFormatsTest.cpp - 16-bit arrays in compiled kernels ----------===//
//
// Every pattern of 16 bits is read; patterns around every one are rounded.
//
//===----------------------------------------------------------------------===//

#include "KernelFrame.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

using namespace updraft::test;

namespace {

class KernelFormats : public testing::TestWithParam<std::string> {};
UPDRAFT_FOR_ALL_TARGETS(KernelFormats);

std::string narrowCopy(const std::string &format) {
  return R"(
updraft.program @copy compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad )" +
         format + R"(
    updraft.array @q state )" +
         format + R"(
    updraft.array @w state f32
  }
  updraft.kernel @copy step element @all {
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    updraft.put @q, %p : f32
    updraft.put @w, %g : f32
  }
})";
}

/// Bits of a float rounded to 16 bits, by the definition: of the two
/// neighbours the nearer one, of equally near ones the even one.
uint16_t roundToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t low = bits & 0xffff, high = bits >> 16;
  if (std::isnan(value))
    return high | 0x40;
  bool up = low > 0x8000 || (low == 0x8000 && (high & 1));
  return high + up;
}

float widenBf16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

// All bit patterns are read; patterns around every one are rounded.
void checkNarrow(const std::string &target, const std::string &format,
                 uint16_t (*round)(float), float (*widen)(uint16_t)) {
  Loaded loaded(narrowCopy(format), target);
  std::mt19937 random(5);
  std::deque<TestTensor> tensors(1);
  size_t size = 4 * 65536 + 3;
  std::vector<uint32_t> wide(size);
  std::vector<uint16_t> narrow(size);
  for (size_t i = 0; i < size; ++i) {
    constexpr uint32_t kLow[] = {0x8000, 0x7fff, 0x8001, 0};
    wide[i] = uint32_t(i & 0xffff) << 16 |
              (i < 3 * 65536 ? kLow[i >> 16] : random() & 0xffff);
    if (format == "f16" && i >= 65536)
      wide[i] = random(); // f16 cuts at another bit
    narrow[i] = uint16_t(i);
  }
  TestTensor &tensor = tensors[0];
  tensor.size = size;
  tensor.arrays.resize(4);
  for (size_t i = 0; i < 4; ++i)
    tensor.arrays[i].resize(size * (i == 0 || i == 3 ? 4 : 2));
  memcpy(tensor.array<uint32_t>(0), wide.data(), 4 * size);
  memcpy(tensor.array<uint16_t>(1), narrow.data(), 2 * size);
  Frame frame(loaded, tensors, 1);
  frame.run(UPDRAFT_AT_STEP);
  size_t wrong = 0;
  for (size_t i = 0; i < size && wrong < 10; ++i) {
    float value = std::bit_cast<float>(wide[i]);
    uint16_t stored = tensor.array<uint16_t>(2)[i];
    uint16_t wanted = round(value);
    bool bothNan = std::isnan(widen(stored)) && std::isnan(widen(wanted));
    if (stored != wanted && !bothNan) {
      ADD_FAILURE() << std::hex << wide[i] << " became " << stored << ", not "
                    << wanted;
      ++wrong;
    }
    float read = tensor.array<float>(3)[i];
    if (!same(read, widen(narrow[i]))) {
      ADD_FAILURE() << std::hex << narrow[i] << " was read as " << read;
      ++wrong;
    }
  }
}

TEST_P(KernelFormats, Bf16) {
  checkNarrow(GetParam(), "bf16", roundToBf16, widenBf16);
}

TEST_P(KernelFormats, F16) {
  checkNarrow(
      GetParam(), "f16",
      [](float value) { return std::bit_cast<uint16_t>(_Float16(value)); },
      [](uint16_t bits) { return float(std::bit_cast<_Float16>(bits)); });
}

} // namespace
