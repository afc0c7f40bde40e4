//===- Trial.h - One rule, interpreted and compiled -----------------------===//

#ifndef UPDRAFT_TEST_FUZZ_TRIAL_H
#define UPDRAFT_TEST_FUZZ_TRIAL_H

#include "Choices.h"

#include <string>

namespace updraft::fuzz {

/// What a trial came to.
struct Outcome {
  std::string rule;       ///< the text
  std::string rejection;  ///< messages of the front end; empty: accepted
  std::string difference; ///< the first; empty: all bits are the same
  unsigned steps = 0;     ///< taken
};

/// Writes a rule, parameters of ragged sizes and gradients with special values,
/// and takes some steps three times: interpreted; compiled for the least target
/// with one thread; and as the text of the flat rule, compiled for this machine
/// with several threads. After each step all that is stored and shown is
/// compared, any two NaN being the same.
Outcome tryRule(llvm::ArrayRef<uint8_t> bytes);

} // namespace updraft::fuzz

#endif // UPDRAFT_TEST_FUZZ_TRIAL_H
