//===- options.cpp - Every option of Keras' optimizers, from C++ ----------===//
//
//   build/bin/options
//
// keras/base stands around any rule and does what keras.optimizers.Optimizer
// does around its own, by the same arguments; its file says in which order.
// Here it wraps AdamW with a schedule, and a constraint stands around both. The
// whole is one program, compiled once; rates and limits are changed later
// without compiling anything.
//
//===----------------------------------------------------------------------===//

#include "compiler/updraftc.h"
#include "digits/Network.h"
#include "runtime/updraft.hpp"

#include <algorithm>
#include <cstdio>

using namespace digits;

// Options (here by name = value) are settled by compilation. Hypers have a
// number that a running optimizer may change, for each group of tensors.
static const char *kPipe =
    "keras/max_norm(max_value = 12)"
    " | keras/base(global_clipnorm = 1, use_ema = true, ema_momentum = 0.98,"
    " ema_overwrite_frequency = 100, gradient_accumulation_steps = 2,"
    " weight_decay = 0.01)"
    " | keras/adamw(learning_rate = cosine_decay(initial = 0.01,"
    " decay_steps = 600, alpha = 0.01), weight_decay = 0)";

static updraft::Program compile() {
  updraft_loaded_program *program = nullptr;
  updraft::check(updraft_compile(kPipe, nullptr, &program));
  return updraft::Program(program);
}

/// Biases are neither decayed nor constrained, as a tag says of each.
static std::vector<updraft::Param> paramsOf(Tensors &weights) {
  std::vector<updraft::Param> params;
  for (Tensor &tensor : weights) {
    std::vector<std::string> tags;
    if (tensor.shape.size() == 1)
      tags = {"no_decay", "no_constraint"};
    params.push_back(updraft::param(tensor.name, tensor.values.data(),
                                    tensor.shape, 0, tags));
  }
  return params;
}

static std::vector<updraft::Array> arraysOf(Tensors &tensors) {
  std::vector<updraft::Array> arrays;
  for (Tensor &tensor : tensors)
    arrays.push_back(updraft::array(tensor.values.data(), tensor.shape));
  return arrays;
}

/// keras.optimizers.Optimizer.finalize_variable_values: the averages become the
/// weights. A view has memory of its own: it may read what it would overwrite.
static void finalize(const updraft::Optimizer &optimizer, Tensors &weights) {
  Tensors average = zeroTensors();
  std::vector<updraft::Array> arrays = arraysOf(average);
  for (size_t i = 0; i < arrays.size(); ++i) {
    optimizer.view("average", i, arrays[i]);
    std::copy(average[i].values.begin(), average[i].values.end(),
              weights[i].values.begin());
  }
}

static void trainEpoch(updraft::Optimizer &optimizer, Tensors &weights,
                       Tensors &gradient, const Images &images,
                       Random &random) {
  constexpr size_t kBatch = 32;
  const std::vector<updraft::Array> gradients = arraysOf(gradient);
  std::vector<size_t> order = random.permutation(images.count());
  for (size_t i = 0; i + kBatch <= images.count(); i += kBatch) {
    lossAndGradient(weights, images, order.data() + i, kBatch, gradient);
    optimizer.step(gradients);
  }
}

static void show(const char *when, const Quality &quality) {
  std::printf("%-18s loss %.4f   test accuracy %.1f %%\n", when, quality.loss,
              100 * quality.accuracy);
}

static int run() {
  Images all;
  std::string error;
  if (!readImages(UPDRAFT_DIGITS_FOLDER "/digits.csv", all, error)) {
    std::fprintf(stderr, "options: error: %s\n", error.c_str());
    return 1;
  }
  Split images = splitImages(all, 1);
  Tensors weights = initialWeights(1), gradient = zeroTensors();
  updraft::Optimizer optimizer(compile(), paramsOf(weights));
  Random random(1);
  for (int epoch = 1; epoch <= 30; ++epoch) {
    // No decay in the last third: a number, so nothing is compiled for it.
    if (epoch == 21)
      optimizer.setHyper("base.weight_decay", 0);
    trainEpoch(optimizer, weights, gradient, images.train, random);
    if (epoch % 10 == 0)
      show(("epoch " + std::to_string(epoch)).c_str(),
           evaluate(weights, images.test));
  }
  finalize(optimizer, weights);
  show("averaged weights", evaluate(weights, images.test));
  return 0;
}

int main() {
  try {
    return run();
  } catch (const updraft::Failure &failure) {
    std::fprintf(stderr, "options: error: %s\n", failure.what());
    return 1;
  }
}
