//===- States.cpp - All states of an optimizer, by name -------------------===//
//
// Arrays live in the rows' pointers, scalars in the slots of their level.
//
//===----------------------------------------------------------------------===//

#include "States.h"
#include "CudaDevice.h"
#include "Names.h"

using namespace updraft::runtime;

static bool isState(const updraft_scalar &scalar) {
  return scalar.kind == UPDRAFT_SCALAR_STATE ||
         scalar.kind == UPDRAFT_SCALAR_COUNTER;
}

/// Where a slot is for the kernels.
static void *placed(const Optimizer &optimizer, double *slot) {
  return optimizer.device
             ? static_cast<void *>(optimizer.device->addressOf(slot))
             : slot;
}

std::vector<State> updraft::runtime::statesOf(const Optimizer &optimizer,
                                              const Param &param) {
  const updraft_program *program = optimizer.program();
  const Table &table = optimizer.tables[param.variant];
  std::vector<State> result;
  for (size_t k = 0; k < table.arrays.size(); ++k)
    if (table.arrays[k].role == UPDRAFT_STATE)
      result.push_back({text(program, table.arrays[k].name),
                        table.arrays[k].format, &optimizer.shapeOf(param, k),
                        optimizer.arraysOf(param)[k]});
  for (const updraft_scalar &scalar :
       items<updraft_scalar>(program, program->scalars))
    if (isState(scalar) && scalar.level == UPDRAFT_TENSOR &&
        scalar.variant == param.variant)
      result.push_back(
          {text(program, scalar.name), UPDRAFT_F64, nullptr,
           placed(optimizer, optimizer.scalarAt(scalar, param.group, &param))});
  return result;
}

std::vector<State> updraft::runtime::statesOf(const Optimizer &optimizer,
                                              updraft_level level,
                                              uint32_t group) {
  const updraft_program *program = optimizer.program();
  std::vector<State> result;
  for (const updraft_scalar &scalar :
       items<updraft_scalar>(program, program->scalars))
    if (isState(scalar) && scalar.level == uint32_t(level))
      result.push_back(
          {text(program, scalar.name), UPDRAFT_F64, nullptr,
           placed(optimizer, optimizer.scalarAt(scalar, group, nullptr))});
  return result;
}

/// What `index` stands for: a parameter's own states; at the end, those of
/// groups and the model.
static std::vector<State> listed(const Optimizer &optimizer, size_t index) {
  if (index < optimizer.params.size())
    return statesOf(optimizer, optimizer.params[index]);
  std::vector<State> result = statesOf(optimizer, UPDRAFT_GROUP, 0);
  for (const State &state : statesOf(optimizer, UPDRAFT_MODEL, 0))
    result.push_back(state);
  return result;
}

static updraft_status findState(const Optimizer &optimizer, const char *name,
                                size_t index, State &found) {
  if (!name)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: the state's name is null",
                optimizer.rule());
  bool own = index < optimizer.params.size();
  std::vector<State> states;
  if (own)
    states = statesOf(optimizer, optimizer.params[index]);
  uint32_t group = own ? optimizer.params[index].group : 0;
  for (updraft_level level : {UPDRAFT_GROUP, UPDRAFT_MODEL})
    for (const State &state : statesOf(optimizer, level, group))
      states.push_back(state);
  std::vector<const char *> names;
  for (const State &state : states)
    names.push_back(state.name);
  size_t place = 0;
  if (updraft_status status =
          findName(names, name, optimizer.rule(), "state", place))
    return status;
  found = states[place];
  return UPDRAFT_OK;
}

updraft_status updraft_optimizer_state(updraft_optimizer *optimizer,
                                       const char *name, size_t index,
                                       updraft_ndarray *state) {
  return call(optimizer, [&] {
    if (!state)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: state is null",
                  optimizer->rule());
    State found = {};
    if (updraft_status status = findState(*optimizer, name, index, found))
      return status;
    *state = {found.data,
              found.format,
              found.shape ? found.shape->rank : 0,
              found.shape ? found.shape->shape : nullptr,
              nullptr,
              optimizer->place};
    return UPDRAFT_OK;
  });
}

size_t updraft_optimizer_state_count(const updraft_optimizer *optimizer,
                                     size_t index) {
  size_t count = 0;
  guarded([&] {
    count = optimizer ? listed(*optimizer, index).size() : 0;
    return UPDRAFT_OK;
  });
  return count;
}

const char *updraft_optimizer_state_name(const updraft_optimizer *optimizer,
                                         size_t index, size_t state) {
  const char *name = nullptr;
  guarded([&] {
    if (!optimizer)
      return UPDRAFT_OK;
    std::vector<State> states = listed(*optimizer, index);
    name = state < states.size() ? states[state].name : nullptr;
    return UPDRAFT_OK;
  });
  return name;
}
