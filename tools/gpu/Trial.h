//===- Trial.h - The same steps on the host and on a GPU ------------------===//
//
// An image holds a rule for the processor and for GPUs. Both are given the same
// parameters, gradients, inputs and hypers, and every bit of parameters and
// states must be the same afterwards.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TOOLS_GPU_TRIAL_H
#define UPDRAFT_TOOLS_GPU_TRIAL_H

#include "Driver.h"

#include "runtime/updraft.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace updraft::gpu {

using Shape = std::vector<int64_t>;

/// A tensor that the trial made, on the host and on the device.
struct Tensor {
  Tensor(const Shape &shape, uint32_t dtype, size_t offset);

  /// Everyday numbers, a few zeros, denormals and large ones among them.
  void makeUp(uint64_t seed, double scale);
  Array array(unsigned device) const; ///< 0: the host's

  Shape shape;
  uint32_t dtype;
  size_t count;
  std::vector<uint8_t> bytes;
  Memory memory;
};

/// What a program needs besides parameters: values for hypers without default.
Group settingsFor(const updraft_program &program);

/// Shapes for `program`: of every kind where its rule takes them.
std::vector<Shape> shapesFor(const Program &program, bool small);

class Trial {
public:
  Trial(const Program &program, const std::vector<Shape> &shapes,
        const Device &device);

  /// One step of both, `round` from 0: other gradients, some of them absent.
  void step(unsigned round);
  /// The same gradients again, as a graph on the device, with other rates.
  void replay(unsigned times);
  /// What differs first, as a sentence; none: nothing does.
  std::optional<std::string> difference();
  size_t tensors() const { return params.size(); }

private:
  struct Side {
    std::unique_ptr<Optimizer> optimizer;
    std::vector<updraft_ndarray> grads;
  };
  void make(Side &side, unsigned device);
  void setInputs(Side &side, unsigned device);
  void setRate(double value);
  std::optional<std::string> stateDifference(const std::string &name,
                                             size_t index);

  const Program &program;
  const Device &device;
  std::vector<Tensor> params, grads, inputs;
  std::vector<uint8_t> present;
  Side host, gpu;
};

} // namespace updraft::gpu

#endif // UPDRAFT_TOOLS_GPU_TRIAL_H
