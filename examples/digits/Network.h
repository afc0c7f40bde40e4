//===- Network.h - A small network with its gradient by hand --------------===//
//
// 64 pixels -> 64 hidden units with max(0, x) -> 10 scores, trained on the
// cross entropy of their softmax. Forward and backward pass are plain loops:
// nothing here knows how the weights are updated.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_EXAMPLES_DIGITS_NETWORK_H
#define UPDRAFT_EXAMPLES_DIGITS_NETWORK_H

#include "Data.h"

#include <array>

namespace digits {

constexpr size_t kHidden = 64;

struct Tensor {
  const char *name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};

/// The tensors of the network in order; gradients and averages have the same.
enum { kHiddenWeight, kHiddenBias, kScoreWeight, kScoreBias, kTensors };
using Tensors = std::array<Tensor, kTensors>;

/// All tensors, filled with zeros.
Tensors zeroTensors();

/// Uniform weights as Glorot & Bengio 2010, zero biases.
Tensors initialWeights(uint64_t seed);

/// The mean loss of the images `batch[0 ... count - 1]` and, in `gradient`, its
/// derivative.
double lossAndGradient(const Tensors &weights, const Images &images,
                       const size_t *batch, size_t count, Tensors &gradient);

struct Quality {
  double loss, accuracy;
};

/// Mean loss and share of right answers.
Quality evaluate(const Tensors &weights, const Images &images);

} // namespace digits

#endif // UPDRAFT_EXAMPLES_DIGITS_NETWORK_H
