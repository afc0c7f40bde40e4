//===- Optimizer.cpp - From a program and tensors to an optimizer ---------===//
//
// Creation checks everything before it makes anything, then builds the tables,
// then lets the program's own kernels check the hypers and set the states.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

#include <algorithm>
#include <unordered_set>

using namespace updraft::runtime;

updraft_optimizer::updraft_optimizer(const updraft_options &options)
    : threads(options), seed(options.seed),
      hasStates(!(options.flags & UPDRAFT_STATES_GIVEN)) {}

updraft_optimizer::~updraft_optimizer() {
  // What the device still does reads our memory.
  CudaEntered entered(codeOf(*this));
  if (device && device->code() && !entered.enter())
    (void)device->code()->driver().synchronize();
  updraft_program_release(loaded);
}

const CudaModule *updraft::runtime::codeOf(const Optimizer &optimizer) {
  return optimizer.device ? optimizer.device->code() : nullptr;
}

double *updraft_optimizer::scalarAt(const updraft_scalar &scalar,
                                    uint32_t group, const Param *param) const {
  switch (scalar.level) {
  case UPDRAFT_MODEL:
    return modelRow() + scalar.slot;
  case UPDRAFT_GROUP:
    return groupRow(group) + scalar.slot;
  default:
    return slotsOf(*param) + scalar.slot;
  }
}

const Shape &updraft_optimizer::shapeOf(const Param &param, size_t k) const {
  const Table &table = tables[param.variant];
  if (table.axisShapes.empty() || !table.arrays[k].extent.space)
    return param;
  return table.axisShapes[param.row * table.arrays.size() + k];
}

static updraft_status takeOptions(const updraft_options *given,
                                  updraft_options &options) {
  if (updraft_status status = takeStruct("updraft_options", given, options))
    return status;
  if (options.executor && !options.executor->run)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "options: the executor's run is null");
  return UPDRAFT_OK;
}

static updraft_status checkNames(const Optimizer &optimizer) {
  std::unordered_set<std::string_view> names;
  for (const Param &param : optimizer.params)
    if (!names.insert(param.name).second)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: two parameters are called '%s'", optimizer.rule(),
                  param.name.c_str());
  return UPDRAFT_OK;
}

/// Rows and columns are of matrices: a rule that has some asks for the rank.
static updraft_status checkRank(const Optimizer &optimizer,
                                const Param &param) {
  const updraft_program *program = optimizer.program();
  const updraft_variant &variant =
      items<updraft_variant>(program, program->variants)[param.variant];
  for (const updraft_array &array :
       items<updraft_array>(program, variant.arrays))
    if (needsMatrix(array.extent) && param.rank < 2)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: parameter '%s' has rank %u, '%s' needs rank 2 or more",
                  optimizer.rule(), param.name.c_str(), param.rank,
                  text(program, array.name));
  return UPDRAFT_OK;
}

static updraft_status takeParams(Optimizer &optimizer,
                                 const updraft_param *params, size_t count) {
  if (count && !params)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: the parameters are null",
                optimizer.rule());
  if (count >= kStates - 1)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %zu parameters are too many",
                optimizer.rule(), count);
  optimizer.params.resize(count);
  for (size_t i = 0; i < count; ++i) {
    Param &param = optimizer.params[i];
    if (updraft_status status = describeParam(optimizer, params[i], i, param))
      return status;
    if (updraft_status status = chooseVariant(optimizer, params[i], param))
      return status;
    if (updraft_status status = checkRank(optimizer, param))
      return status;
    if (!param.size)
      continue;
    uintptr_t begin = reinterpret_cast<uintptr_t>(params[i].array.data);
    optimizer.ranges.push_back(
        {begin, begin + param.size * bytesOf(optimizer.program()->param),
         uint32_t(i)});
  }
  if (updraft_status status = checkNames(optimizer))
    return status;
  return sortRanges(optimizer, optimizer.ranges);
}

/// What sets states in memory that is not there yet.
static void dropArrays(Schedule &schedule) {
  for (Segment &segment : schedule)
    for (Chain &chain : segment.chains)
      std::erase_if(chain.kernels, [](const Kernel &kernel) {
        return kernel.level >= UPDRAFT_AXIS;
      });
}

/// From the checks of all that was given to the states' first values.
static updraft_status fill(Optimizer &optimizer, const updraft_group *groups,
                           const updraft_param *params, size_t paramCount) {
  if (updraft_status status = takeParams(optimizer, params, paramCount))
    return status;
  if (updraft_status status = buildTables(optimizer, params))
    return status;
  divide(optimizer);
  const updraft_program *description = optimizer.program();
  optimizer.atInit = schedule(description, UPDRAFT_AT_INIT);
  optimizer.atCheck = schedule(description, UPDRAFT_AT_CHECK);
  optimizer.atStep = schedule(description, UPDRAFT_AT_STEP);
  if (updraft_status status = initHypers(optimizer, groups))
    return status;
  if (updraft_status status = checkRequires(optimizer))
    return status;
  if (!optimizer.hasStates)
    dropArrays(optimizer.atInit);
  if (!optimizer.device) {
    // The same threads as in a step, so that memory lies near who works on it.
    runAll(optimizer, optimizer.atInit, optimizer.shareCount);
    return UPDRAFT_OK;
  }
  if (updraft_status status = optimizer.device->place())
    return status;
  return optimizer.device->init();
}

static updraft_status create(updraft_loaded_program *program,
                             const updraft_group *groups, size_t groupCount,
                             const updraft_param *params, size_t paramCount,
                             const updraft_options *given,
                             updraft_optimizer **result) {
  if (!program || !result)
    return fail(UPDRAFT_INVALID_ARGUMENT, "program or result is null");
  updraft_options options = {};
  if (updraft_status status = takeOptions(given, options))
    return status;
  auto optimizer = std::make_unique<updraft_optimizer>(options);
  updraft_program_retain(program);
  optimizer->loaded = program;
  if (groupCount >= UINT32_MAX || (groupCount && !groups))
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: the groups are null",
                optimizer->rule());
  optimizer->groupCount = std::max(uint32_t(groupCount), 1u);
  // All are where the first is; the others' checks say so.
  optimizer->place = params && paramCount ? params[0].array.device : 0;
  if (optimizer->place)
    if (updraft_status status = CudaDevice::open(*optimizer))
      return status;
  CudaEntered entered(codeOf(*optimizer));
  if (updraft_status status = entered.enter())
    return status;
  if (updraft_status status =
          fill(*optimizer, groupCount ? groups : nullptr, params, paramCount))
    return status;
  *result = optimizer.release();
  return UPDRAFT_OK;
}

updraft_status updraft_optimizer_create(
    updraft_loaded_program *program, const updraft_group *groups,
    size_t group_count, const updraft_param *params, size_t param_count,
    const updraft_options *options, updraft_optimizer **result) {
  return guarded([&] {
    return create(program, groups, group_count, params, param_count, options,
                  result);
  });
}

void updraft_optimizer_destroy(updraft_optimizer *optimizer) {
  delete optimizer;
}

updraft_status updraft::runtime::checkInputs(const Optimizer &optimizer,
                                             uintptr_t begin, uint64_t bytes,
                                             const std::string &what) {
  for (const Param &other : optimizer.params) {
    const Table &table = optimizer.tables[other.variant];
    for (size_t k = 0; table.hasInputs && k < table.arrays.size(); ++k) {
      if (table.arrays[k].role != UPDRAFT_INPUT)
        continue;
      uintptr_t input =
          reinterpret_cast<uintptr_t>(optimizer.arraysOf(other)[k]);
      uint64_t size = other.size * bytesOf(table.arrays[k].format);
      if (input && input < begin + bytes && begin < input + size)
        return fail(UPDRAFT_INVALID_ARGUMENT,
                    "%s: %s overlaps input '%s' of parameter '%s'",
                    optimizer.rule(), what.c_str(),
                    text(optimizer.program(), table.arrays[k].name),
                    other.name.c_str());
    }
  }
  return UPDRAFT_OK;
}

updraft_status updraft::runtime::replace(Optimizer &optimizer, void *&pointer,
                                         void *data) {
  void *before = std::exchange(pointer, data);
  updraft_status status =
      optimizer.device ? optimizer.device->rowsChanged() : UPDRAFT_OK;
  if (status)
    pointer = before;
  return status;
}

/// Notes that a parameter lies elsewhere.
static void moveRange(Optimizer &optimizer, uint32_t index, uintptr_t begin,
                      uint64_t bytes) {
  auto &ranges = optimizer.ranges;
  auto byBegin = [](const Range &a, const Range &b) {
    return a.begin < b.begin;
  };
  std::erase_if(ranges, [&](const Range &r) { return r.param == index; });
  Range range = {begin, begin + bytes, index};
  ranges.insert(std::upper_bound(ranges.begin(), ranges.end(), range, byBegin),
                range);
  std::fill(optimizer.checkedGrads.begin(), optimizer.checkedGrads.end(), 0);
}

static updraft_status rebind(Optimizer &optimizer, size_t index,
                             const updraft_ndarray *array) {
  if (!array || index >= optimizer.params.size())
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: array is null or parameter %zu does not exist",
                optimizer.rule(), index);
  const Param &param = optimizer.params[index];
  uint32_t format = optimizer.program()->param;
  std::string what = "the new memory of '" + param.name + "'";
  if (updraft_status status =
          checkArray(optimizer, param, *array, format, what))
    return status;
  uint64_t bytes = param.size * bytesOf(format);
  if (updraft_status status =
          checkOverlap(optimizer, array->data, bytes, what, uint32_t(index)))
    return status;
  uintptr_t begin = reinterpret_cast<uintptr_t>(array->data);
  if (updraft_status status = checkInputs(optimizer, begin, bytes, what))
    return status;
  if (updraft_status status =
          replace(optimizer, optimizer.arraysOf(param)[0], array->data))
    return status;
  if (bytes)
    moveRange(optimizer, uint32_t(index), begin, bytes);
  return UPDRAFT_OK;
}

updraft_status updraft_optimizer_rebind(updraft_optimizer *optimizer,
                                        size_t index,
                                        const updraft_ndarray *array) {
  return call(optimizer, [&] { return rebind(*optimizer, index, array); });
}
