//===- Training.cpp - The network, trained by a compiled rule -------------===//

#include "Training.h"

namespace digits {

static std::vector<updraft::Array> arraysOf(Tensors &tensors) {
  std::vector<updraft::Array> arrays;
  for (Tensor &tensor : tensors)
    arrays.push_back(updraft::array(tensor.values.data(), tensor.shape));
  return arrays;
}

static updraft::Optimizer makeOptimizer(const updraft::Program &program,
                                        Tensors &weights) {
  std::vector<updraft::Param> params;
  for (Tensor &tensor : weights)
    params.push_back(
        updraft::param(tensor.name, tensor.values.data(), tensor.shape));
  return updraft::Optimizer(program, params);
}

static Tensors averageOf(const updraft::Optimizer &optimizer) {
  Tensors average = zeroTensors();
  std::vector<updraft::Array> arrays = arraysOf(average);
  for (size_t i = 0; i < arrays.size(); ++i)
    optimizer.view("average", i, arrays[i]);
  return average;
}

Trained train(const updraft::Program &program, const Images &images,
              const Plan &plan, const Watch &watch) {
  Tensors weights = initialWeights(plan.seed), gradient = zeroTensors();
  updraft::Optimizer optimizer = makeOptimizer(program, weights);
  const std::vector<updraft::Array> gradients = arraysOf(gradient);
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
      optimizer.step(gradients);
    }
    if (watch.epoch)
      watch.epoch(epoch, loss / static_cast<double>(steps));
  }
  Tensors average = averageOf(optimizer);
  return {std::move(weights), std::move(average)};
}

} // namespace digits
