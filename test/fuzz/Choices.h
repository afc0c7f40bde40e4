//===- Choices.h - Decisions made by bytes --------------------------------===//
//
// A fuzzer hands in bytes, a generator wants decisions. Each takes a byte; when
// the bytes are spent every decision is the first, which a generator makes its
// smallest. So fewer bytes are a smaller rule, and changed ones a similar rule.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_FUZZ_CHOICES_H
#define UPDRAFT_TEST_FUZZ_CHOICES_H

#include "tools/run/Random.h"

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

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

using run::Random;

} // namespace updraft::fuzz

#endif // UPDRAFT_TEST_FUZZ_CHOICES_H
