//===- Network.cpp - A small network with its gradient by hand ------------===//

#include "Network.h"

#include <algorithm>
#include <cmath>

namespace digits {

Tensors zeroTensors() {
  auto tensor = [](const char *name, std::vector<int64_t> shape) {
    size_t size = 1;
    for (int64_t dim : shape)
      size *= static_cast<size_t>(dim);
    return Tensor{name, std::move(shape), std::vector<float>(size)};
  };
  return {tensor("hidden.weight", {kPixels, kHidden}),
          tensor("hidden.bias", {kHidden}),
          tensor("score.weight", {kHidden, kClasses}),
          tensor("score.bias", {kClasses})};
}

Tensors initialWeights(uint64_t seed) {
  Tensors weights = zeroTensors();
  Random random(seed);
  for (Tensor &tensor : weights) {
    if (tensor.shape.size() < 2)
      continue;
    float fan = static_cast<float>(tensor.shape[0] + tensor.shape[1]);
    float limit = std::sqrt(6 / fan);
    for (float &value : tensor.values)
      value = random.uniform(-limit, limit);
  }
  return weights;
}

namespace {
/// What the forward pass of one image leaves behind.
struct Activations {
  float hidden[kHidden];
  float probability[kClasses];
};
} // namespace

/// out = bias + in * weight, where weight is [inputs][outputs].
template <size_t inputs, size_t outputs>
static void affine(const float *in, const Tensor &weight, const Tensor &bias,
                   float *out) {
  std::copy_n(bias.values.data(), outputs, out);
  for (size_t i = 0; i < inputs; ++i) {
    const float *row = weight.values.data() + outputs * i;
    for (size_t j = 0; j < outputs; ++j)
      out[j] += in[i] * row[j];
  }
}

/// The derivatives of affine: of weight and bias (added), and of in if wanted.
template <size_t inputs, size_t outputs>
static void affineBackward(const float *in, const float *outGradient,
                           const Tensor &weight, Tensor &weightGradient,
                           Tensor &biasGradient, float *inGradient) {
  for (size_t j = 0; j < outputs; ++j)
    biasGradient.values[j] += outGradient[j];
  for (size_t i = 0; i < inputs; ++i) {
    float *row = weightGradient.values.data() + outputs * i;
    for (size_t j = 0; j < outputs; ++j)
      row[j] += in[i] * outGradient[j];
    if (!inGradient)
      continue;
    inGradient[i] = 0;
    for (size_t j = 0; j < outputs; ++j)
      inGradient[i] += weight.values[outputs * i + j] * outGradient[j];
  }
}

/// Replaces scores by probabilities; returns the loss -log(probability[label]).
static double softmax(float *scores, int label) {
  float highest = *std::max_element(scores, scores + kClasses);
  float sum = 0;
  for (size_t j = 0; j < kClasses; ++j)
    sum += scores[j] = std::exp(scores[j] - highest);
  for (size_t j = 0; j < kClasses; ++j)
    scores[j] /= sum;
  return -std::log(std::max(scores[label], 1e-30f));
}

static double forward(const Tensors &w, const float *image, int label,
                      Activations &a) {
  affine<kPixels, kHidden>(image, w[kHiddenWeight], w[kHiddenBias], a.hidden);
  for (float &unit : a.hidden)
    unit = std::max(unit, 0.0f);
  affine<kHidden, kClasses>(a.hidden, w[kScoreWeight], w[kScoreBias],
                            a.probability);
  return softmax(a.probability, label);
}

static void backward(const Tensors &w, const float *image, int label,
                     const Activations &a, float scale, Tensors &gradient) {
  float scores[kClasses], hidden[kHidden];
  for (size_t j = 0; j < kClasses; ++j)
    scores[j] = scale * (a.probability[j] - (static_cast<int>(j) == label));
  affineBackward<kHidden, kClasses>(a.hidden, scores, w[kScoreWeight],
                                    gradient[kScoreWeight],
                                    gradient[kScoreBias], hidden);
  for (size_t i = 0; i < kHidden; ++i)
    if (a.hidden[i] <= 0)
      hidden[i] = 0;
  affineBackward<kPixels, kHidden>(image, hidden, w[kHiddenWeight],
                                   gradient[kHiddenWeight],
                                   gradient[kHiddenBias], nullptr);
}

double lossAndGradient(const Tensors &weights, const Images &images,
                       const size_t *batch, size_t count, Tensors &gradient) {
  for (Tensor &tensor : gradient)
    std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
  double loss = 0;
  float scale = 1 / static_cast<float>(count);
  for (size_t k = 0; k < count; ++k) {
    const float *image = images.image(batch[k]);
    int label = images.labels[batch[k]];
    Activations activations;
    loss += forward(weights, image, label, activations);
    backward(weights, image, label, activations, scale, gradient);
  }
  return loss / static_cast<double>(count);
}

Quality evaluate(const Tensors &weights, const Images &images) {
  Quality quality = {0, 0};
  for (size_t i = 0; i < images.count(); ++i) {
    Activations a;
    quality.loss += forward(weights, images.image(i), images.labels[i], a);
    const float *best =
        std::max_element(a.probability, a.probability + kClasses);
    quality.accuracy += best - a.probability == images.labels[i];
  }
  double count = static_cast<double>(images.count());
  return {quality.loss / count, quality.accuracy / count};
}

} // namespace digits
