//===- Bind.cpp - Tensors and states in memory of the caller's ------------===//
//
// Everything is checked before anything changes: the new ranges are built
// beside the old ones and take their place at the end.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"
#include "States.h"

#include <algorithm>

using namespace updraft::runtime;

namespace {

class Binding {
public:
  Binding(Optimizer &optimizer, const updraft_ndarray *params,
          const updraft_ndarray *states)
      : optimizer(optimizer), params(params), states(states) {}

  updraft_status check(size_t stateCount);
  updraft_status take();

private:
  updraft_status add(const Param &param, const Shape &shape,
                     const updraft_ndarray &array, uint32_t format,
                     uint32_t range, const char *state);
  updraft_status addStates(const Param &param, const updraft_ndarray *&state);
  size_t arrayStates() const;
  void swapPointers();

  Optimizer &optimizer;
  const updraft_ndarray *params, *states;
  std::vector<Range> ranges;
  std::vector<void *> others; ///< the new pointers, then those before
};

size_t Binding::arrayStates() const {
  size_t count = 0;
  for (const Table &table : optimizer.tables)
    for (const updraft_array &array : table.arrays)
      count += array.role == UPDRAFT_STATE ? table.rowCount : 0;
  return count;
}

/// `state` is null for the parameter itself.
updraft_status Binding::add(const Param &param, const Shape &shape,
                            const updraft_ndarray &array, uint32_t format,
                            uint32_t range, const char *state) {
  auto what = [&] {
    return state ? std::string("state '") + state + "' of '" + param.name + "'"
                 : "the new memory of '" + param.name + "'";
  };
  // The text is only worth making where it is needed.
  const Shape *axis = &shape == &param ? nullptr : &shape;
  uint64_t bytes = shape.size * bytesOf(format);
  if (axis || !array.data ||
      !arrayFits(array, optimizer.shapes[param.id], format, optimizer.place) ||
      (optimizer.device && !optimizer.device->knows(array.data, bytes)))
    if (updraft_status status =
            checkArray(optimizer, param, array, format, what(), axis))
      return status;
  uintptr_t begin = reinterpret_cast<uintptr_t>(array.data);
  if (begin + bytes < begin)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s does not lie in memory",
                optimizer.rule(), what().c_str());
  if (bytes)
    ranges.push_back({begin, begin + bytes, range});
  return UPDRAFT_OK;
}

/// Those of one parameter; `state` moves on to the next one's.
updraft_status Binding::addStates(const Param &param,
                                  const updraft_ndarray *&state) {
  const updraft_program *program = optimizer.program();
  auto arrays = optimizer.tables[param.variant].arrays;
  for (size_t k = 0; k < arrays.size(); ++k)
    if (arrays[k].role == UPDRAFT_STATE)
      if (updraft_status status =
              add(param, optimizer.shapeOf(param, k), *state++,
                  arrays[k].format, kStates, text(program, arrays[k].name)))
        return status;
  return UPDRAFT_OK;
}

updraft_status Binding::check(size_t stateCount) {
  if (states && stateCount != arrayStates())
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: %zu states were given, there are %zu", optimizer.rule(),
                stateCount, arrayStates());
  const updraft_ndarray *state = states;
  const updraft_program *program = optimizer.program();
  for (uint32_t i = 0; i < optimizer.params.size(); ++i) {
    const Param &param = optimizer.params[i];
    if (updraft_status status =
            add(param, param, params[i], program->param, i, nullptr))
      return status;
    if (states)
      if (updraft_status status = addStates(param, state))
        return status;
  }
  if (!states)
    for (const Range &range : optimizer.ranges)
      if (range.param == kStates)
        ranges.push_back(range);
  if (updraft_status status = sortRanges(optimizer, ranges))
    return status;
  for (const Table &table : optimizer.tables)
    if (table.hasInputs)
      for (const Range &range : ranges)
        if (updraft_status status =
                checkInputs(optimizer, range.begin, range.end - range.begin,
                            "the new memory"))
          return status;
  return UPDRAFT_OK;
}

/// Of parameters and states, in their order.
void Binding::swapPointers() {
  size_t next = 0;
  for (const Param &param : optimizer.params) {
    auto arrays = optimizer.tables[param.variant].arrays;
    void **pointers = optimizer.arraysOf(param);
    std::swap(pointers[0], others[next++]);
    for (size_t k = 0; states && k < arrays.size(); ++k)
      if (arrays[k].role == UPDRAFT_STATE)
        std::swap(pointers[k], others[next++]);
  }
}

updraft_status Binding::take() {
  const updraft_ndarray *state = states;
  for (size_t i = 0; i < optimizer.params.size(); ++i) {
    others.push_back(params[i].data);
    for (const updraft_array &array :
         optimizer.tables[optimizer.params[i].variant].arrays)
      if (states && array.role == UPDRAFT_STATE)
        others.push_back((state++)->data);
  }
  swapPointers();
  if (optimizer.device)
    if (updraft_status status = optimizer.device->rowsChanged()) {
      swapPointers();
      return status;
    }
  optimizer.ranges = std::move(ranges);
  std::fill(optimizer.checkedGrads.begin(), optimizer.checkedGrads.end(), 0);
  // A rule without arrays of state has nothing to wait for.
  optimizer.hasStates |= states || !arrayStates();
  if (states)
    optimizer.states = Block();
  return UPDRAFT_OK;
}

} // namespace

updraft_status updraft::runtime::requireStates(const Optimizer &optimizer) {
  return optimizer.hasStates
             ? UPDRAFT_OK
             : fail(UPDRAFT_INVALID_ARGUMENT,
                    "%s: the states have no memory: updraft_optimizer_bind "
                    "gives it",
                    optimizer.rule());
}

updraft_status updraft_optimizer_bind(updraft_optimizer *optimizer,
                                      const updraft_ndarray *params,
                                      size_t param_count,
                                      const updraft_ndarray *states,
                                      size_t state_count) {
  return call(optimizer, [&] {
    if (param_count != optimizer->params.size())
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: %zu parameters were given, there are %zu",
                  optimizer->rule(), param_count, optimizer->params.size());
    if ((param_count && !params) || (state_count && !states))
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: params or states is null",
                  optimizer->rule());
    Binding binding(*optimizer, params, states);
    if (updraft_status status = binding.check(state_count))
      return status;
    return binding.take();
  });
}
