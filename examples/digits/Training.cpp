//===- Training.cpp - The network, trained by a compiled rule -------------===//

#include "Training.h"

#include <cstdio>
#include <cstdlib>

namespace digits {

void require(updraft_status status) {
  if (status == UPDRAFT_OK)
    return;
  std::fprintf(stderr, "digits: error: %s\n", updraft_last_error());
  std::exit(1);
}

static updraft_ndarray arrayOf(Tensor &tensor) {
  updraft_ndarray array = {};
  array.data = tensor.values.data();
  array.dtype = UPDRAFT_F32;
  array.rank = static_cast<uint32_t>(tensor.shape.size());
  array.shape = tensor.shape.data();
  return array;
}

namespace {
/// The rule at work on the network's tensors.
class Optimizer {
public:
  Optimizer(updraft_loaded_program *program, Tensors &weights,
            Tensors &gradient) {
    updraft_param params[kTensors] = {};
    for (size_t i = 0; i < kTensors; ++i) {
      params[i].name = weights[i].name;
      params[i].array = arrayOf(weights[i]);
      gradients_[i] = arrayOf(gradient[i]);
    }
    require(updraft_optimizer_create(program, nullptr, 0, params, kTensors,
                                     nullptr, &handle_));
  }
  ~Optimizer() { updraft_optimizer_destroy(handle_); }
  Optimizer(const Optimizer &) = delete;
  Optimizer &operator=(const Optimizer &) = delete;

  void step() {
    require(updraft_optimizer_step(handle_, gradients_, kTensors, nullptr));
  }

  Tensors view(const char *name) {
    Tensors result = zeroTensors();
    for (size_t i = 0; i < kTensors; ++i) {
      updraft_ndarray array = arrayOf(result[i]);
      require(updraft_optimizer_view(handle_, name, i, &array));
    }
    return result;
  }

private:
  updraft_optimizer *handle_ = nullptr;
  updraft_ndarray gradients_[kTensors];
};
} // namespace

Trained train(updraft_loaded_program *program, const Images &images,
              const Plan &plan, const Watch &watch) {
  Tensors weights = initialWeights(plan.seed), gradient = zeroTensors();
  Optimizer optimizer(program, weights, gradient);
  if (watch.start)
    watch.start(weights);
  Random random(plan.seed);
  size_t steps = images.count() / plan.batch;
  for (size_t epoch = 1; epoch <= plan.epochs; ++epoch) {
    std::vector<size_t> order = random.permutation(images.count());
    double loss = 0;
    for (size_t i = 0; i < steps; ++i) {
      loss += lossAndGradient(weights, images, order.data() + plan.batch * i,
                              plan.batch, gradient);
      if (watch.step)
        watch.step(gradient);
      optimizer.step();
    }
    if (watch.epoch)
      watch.epoch(epoch, loss / static_cast<double>(steps));
  }
  return {weights, optimizer.view("average")};
}

} // namespace digits
