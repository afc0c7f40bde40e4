//===- Inputs.cpp - What a caller gives besides gradients -----------------===//
//
// `input loss: scalar` is a slot, `input h: like p` a pointer in a tensor's
// row. Both stay until they are set again.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"
#include "Names.h"

using namespace updraft::runtime;

static updraft_status setInput(Optimizer &optimizer, const char *name,
                               double value) {
  const updraft_program *program = optimizer.program();
  auto scalars = items<updraft_scalar>(program, program->scalars);
  std::vector<const char *> names;
  std::vector<size_t> places;
  for (size_t i = 0; i < scalars.size(); ++i)
    if (scalars[i].kind == UPDRAFT_SCALAR_INPUT) {
      names.push_back(text(program, scalars[i].name));
      places.push_back(i);
    }
  size_t found = 0;
  if (!name)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: the input's name is null",
                optimizer.rule());
  if (updraft_status status =
          findName(names, name, optimizer.rule(), "scalar input", found))
    return status;
  const updraft_scalar &scalar = scalars[places[found]];
  if (scalar.level > UPDRAFT_GROUP)
    return fail(UPDRAFT_UNSUPPORTED, "%s: input '%s' is of tensor level",
                optimizer.rule(), names[found]);
  std::vector<double *> slots;
  uint32_t rows = scalar.level == UPDRAFT_MODEL ? 1 : optimizer.groupCount;
  for (uint32_t g = 0; g < rows; ++g)
    slots.push_back(optimizer.scalarAt(scalar, g, nullptr));
  std::vector<double> before;
  for (double *slot : slots)
    before.push_back(std::exchange(*slot, value));
  if (optimizer.device)
    if (updraft_status status = optimizer.device->send(slots)) {
      for (size_t i = 0; i < slots.size(); ++i)
        *slots[i] = before[i];
      return status;
    }
  optimizer.inputsGiven[places[found]] = 1;
  return UPDRAFT_OK;
}

updraft_status updraft_optimizer_set_input(updraft_optimizer *optimizer,
                                           const char *name, double value) {
  return call(optimizer, [&] { return setInput(*optimizer, name, value); });
}

static updraft_status setArrayInput(Optimizer &optimizer, const char *name,
                                    size_t index,
                                    const updraft_ndarray *array) {
  if (!name || !array || index >= optimizer.params.size())
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: name or array is null or parameter %zu does not exist",
                optimizer.rule(), index);
  const Param &param = optimizer.params[index];
  const Table &table = optimizer.tables[param.variant];
  std::vector<const char *> names;
  std::vector<size_t> places;
  for (size_t k = 0; k < table.arrays.size(); ++k)
    if (table.arrays[k].role == UPDRAFT_INPUT) {
      names.push_back(text(optimizer.program(), table.arrays[k].name));
      places.push_back(k);
    }
  size_t found = 0;
  if (updraft_status status =
          findName(names, name, optimizer.rule(), "array input", found))
    return status;
  uint32_t format = table.arrays[places[found]].format;
  std::string what =
      std::string("input '") + names[found] + "' of '" + param.name + "'";
  if (updraft_status status =
          checkArray(optimizer, param, *array, format, what))
    return status;
  if (updraft_status status = checkOverlap(optimizer, array->data,
                                           param.size * bytesOf(format), what))
    return status;
  return replace(optimizer, optimizer.arraysOf(param)[places[found]],
                 array->data);
}

updraft_status updraft_optimizer_set_array_input(updraft_optimizer *optimizer,
                                                 const char *name, size_t index,
                                                 const updraft_ndarray *array) {
  return call(optimizer,
              [&] { return setArrayInput(*optimizer, name, index, array); });
}
