//===- Optimizer.h - A program with Python's tensors ------------*- C++ -*-===//

#ifndef UPDRAFT_PYTHON_OPTIMIZER_H
#define UPDRAFT_PYTHON_OPTIMIZER_H

#include "Program.h"
#include "Tensor.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace updraft::python {

/// A parameter as Python gives it: name, tensor, group, tags.
using GivenParam =
    std::tuple<std::string, nb::object, uint32_t, std::vector<std::string>>;
using GivenGroup = std::vector<std::pair<std::string, double>>;
using OptimizerHandle =
    std::unique_ptr<updraft_optimizer, void (*)(updraft_optimizer *)>;

/// What steps without Python's tensors need. Valid as long as the object lives.
struct StepHandle {
  updraft_optimizer *optimizer;
  std::vector<double *> scalars; ///< in the order of scalar_names()
  std::mutex *turn;              ///< held for the length of a call
};
/// Of an instance of _core.Optimizer.
StepHandle stepHandleOf(nb::handle optimizer);

/// Lists of tensors, read anew in every call into memory that stays.
class TensorList {
public:
  explicit TensorList(uint32_t format) : reader(format) {}

  /// Reads `objects`; `what(i)` names one. `kept` holds what keeps the memory.
  template <class What>
  void read(const nb::list &objects, Access access, What &&what);
  const updraft_ndarray *data() const { return arrays.data(); }
  size_t size() const { return arrays.size(); }
  /// Whether the addresses are those of the last call.
  bool isMoved() const { return moved; }
  void forget() { arrays.clear(); }

  std::vector<nb::object> kept;
  Reader reader;

private:
  std::unique_ptr<Tensor[]> tensors;
  std::vector<updraft_ndarray> arrays;
  size_t capacity = 0;
  bool moved = true;
};

template <class What>
void TensorList::read(const nb::list &objects, Access access, What &&what) {
  size_t count = objects.size();
  moved = count != arrays.size();
  if (capacity < count) {
    tensors = std::make_unique<Tensor[]>(count);
    capacity = count;
  }
  arrays.resize(count);
  kept.resize(count);
  for (size_t i = 0; i < count; ++i) {
    nb::handle object = objects[i];
    Tensor &tensor = tensors[i];
    if (object.is_none()) {
      tensor.array = {};
      kept[i] = nb::object();
    } else {
      kept[i] = reader.read(object, access, tensor, [&] { return what(i); });
    }
    moved |= arrays[i].data != tensor.array.data;
    arrays[i] = tensor.array;
  }
}

} // namespace updraft::python

#endif // UPDRAFT_PYTHON_OPTIMIZER_H
