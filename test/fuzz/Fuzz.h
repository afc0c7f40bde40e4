//===- Fuzz.h - What a fuzz target offers ---------------------------------===//
//
// Linked with libFuzzer a target searches; linked with Replay.cpp it takes
// inputs that are the same in every run.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_FUZZ_FUZZ_H
#define UPDRAFT_TEST_FUZZ_FUZZ_H

#include <cstddef>
#include <cstdint>

/// One input. Aborts after saying what is wrong.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace updraft::fuzz {

/// After all inputs of a replay: whether they did what they are for.
bool isSatisfied();

} // namespace updraft::fuzz

#endif // UPDRAFT_TEST_FUZZ_FUZZ_H
