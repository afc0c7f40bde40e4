//===- Training.h - The network, trained by a compiled rule ---------------===//

#ifndef UPDRAFT_EXAMPLES_DIGITS_TRAINING_H
#define UPDRAFT_EXAMPLES_DIGITS_TRAINING_H

#include "Network.h"

#include "runtime/updraft.hpp"

#include <functional>

namespace digits {

struct Plan {
  uint64_t seed = 1;
  size_t epochs = 40, batch = 32;
};

/// The weights after training, and what the rule's `view average` shows.
struct Trained {
  Tensors weights, average;
};

/// What a caller may look at while a network trains; any may be empty.
struct Watch {
  std::function<void(const Tensors &weights)> start;
  std::function<void(const Tensors &gradient)> step;
  std::function<void(size_t epoch, double loss)> epoch;
};

/// Trains from the seed's initial weights. The program must have the view
/// `average`. Throws updraft::Failure.
Trained train(const updraft::Program &program, const Images &images,
              const Plan &plan, const Watch &watch);

} // namespace digits

#endif // UPDRAFT_EXAMPLES_DIGITS_TRAINING_H
