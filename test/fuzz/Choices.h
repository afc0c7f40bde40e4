//===- Choices.h - Decisions made by bytes --------------------------------===//
//
// A fuzzer hands in bytes, a generator wants decisions. Each takes a byte; when
// the bytes are spent every decision is the first, which a generator makes its
// smallest. So fewer bytes are a smaller rule, and changed ones a similar rule.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_FUZZ_CHOICES_H
#define UPDRAFT_TEST_FUZZ_CHOICES_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <vector>

namespace updraft::fuzz {

class Choices {
public:
  explicit Choices(llvm::ArrayRef<uint8_t> bytes) : bytes(bytes) {}

  /// In [0, count), for a count of at most 256.
  unsigned below(unsigned count) {
    if (bytes.empty())
      return 0;
    unsigned byte = bytes.front();
    bytes = bytes.drop_front();
    return byte % count;
  }

  /// True once in `count` times.
  bool once(unsigned count) { return below(count) == count - 1; }

  template <typename T, size_t N> const T &of(const T (&items)[N]) {
    return items[below(N)];
  }

private:
  llvm::ArrayRef<uint8_t> bytes;
};

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

  std::vector<uint8_t> bytes(size_t count) {
    std::vector<uint8_t> result(count);
    for (uint8_t &byte : result)
      byte = uint8_t(bits() >> 32);
    return result;
  }

private:
  uint64_t state;
};

} // namespace updraft::fuzz

#endif // UPDRAFT_TEST_FUZZ_CHOICES_H
