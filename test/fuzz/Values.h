//===- Values.h - Numbers that optimizers get wrong -----------------------===//

#ifndef UPDRAFT_TEST_FUZZ_VALUES_H
#define UPDRAFT_TEST_FUZZ_VALUES_H

#include "Choices.h"

#include "dsl/Rule.h"

namespace updraft::fuzz {

/// A value of a hyper: one of a few numbers if the domain has it, else the
/// default.
double numberFor(Choices &choices, const Hyper &hyper);

/// Moods 1 to 4 give special values among others, denormals, all magnitudes,
/// zeros of either sign; the others everyday numbers.
constexpr unsigned kMoods = 7;
double makeUp(Random &random, Format format, unsigned mood);

} // namespace updraft::fuzz

#endif // UPDRAFT_TEST_FUZZ_VALUES_H
