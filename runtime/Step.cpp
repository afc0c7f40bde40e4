//===- Step.cpp - One step, wholly or not at all --------------------------===//
//
// The threads first check the gradients of their own tensors and note the
// pointers, then wait, then run the kernels: with thousands of small tensors
// the checks are as much work as the step. If one thread has found something
// wrong nobody goes on, and the caller's thread words the error.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

using namespace updraft::runtime;

namespace {

constexpr uint32_t kNothingWrong = UINT32_MAX;

struct StepCall {
  Optimizer &optimizer;
  const updraft_ndarray *grads;
  std::atomic<uint32_t> wrong{kNothingWrong}; ///< the least index
  std::atomic<uint64_t> present{0};
  /// What the driver said of a gradient, on a device; there one thread looks.
  updraft_status where = UPDRAFT_OK;
};

std::string gradientText(const Param &param) {
  return "the gradient of '" + param.name + "'";
}

/// Looks at the gradients of some rows, and notes them on the host, for one
/// thread.
class Binder {
public:
  Binder(StepCall &call, Table &table)
      : call(call), table(table), param(call.optimizer.program()->param) {}

  void look(uint32_t row);
  void bind(uint32_t row);
  void finish();

private:
  bool fits(const updraft_ndarray &grad, uint32_t index,
            const updraft_tensor &row);
  bool hasInputs(uint32_t row) const;

  StepCall &call;
  Table &table;
  uint32_t param;
  uint32_t wrong = kNothingWrong;
  uint64_t present = 0;
};

bool Binder::fits(const updraft_ndarray &grad, uint32_t index,
                  const updraft_tensor &row) {
  if (!arrayFits(grad, call.optimizer.shapes[row.id], param,
                 call.optimizer.place))
    return false;
  uintptr_t begin = reinterpret_cast<uintptr_t>(grad.data);
  uintptr_t &checked = call.optimizer.checkedGrads[index];
  if (begin == checked)
    return true;
  uint64_t bytes = row.size * bytesOf(param);
  if (begin + bytes < begin ||
      overlapping(call.optimizer.ranges, begin, begin + bytes))
    return false;
  if (call.optimizer.device &&
      !call.optimizer.device->knows(grad.data, bytes)) {
    call.where = call.optimizer.device->checkPointer(
        grad.data, bytes, gradientText(call.optimizer.params[index]));
    if (call.where)
      return false;
  }
  checked = begin;
  return true;
}

bool Binder::hasInputs(uint32_t row) const {
  if (!table.hasInputs || !table.row(row)->size)
    return true;
  for (size_t k = 0; k < table.arrays.size(); ++k)
    if (table.arrays[k].role == UPDRAFT_INPUT && !table.arraysOf(row)[k])
      return false;
  return true;
}

void Binder::look(uint32_t row) {
  uint32_t index = table.paramOf[row];
  const updraft_ndarray &grad = call.grads[index];
  if (!grad.data)
    return;
  ++present;
  if (index < wrong && (!fits(grad, index, *table.row(row)) || !hasInputs(row)))
    wrong = index;
}

void Binder::bind(uint32_t row) {
  void *data = call.grads[table.paramOf[row]].data;
  table.arraysOf(row)[1] = data;
  table.row(row)->active = data != nullptr;
  look(row);
}

void Binder::finish() {
  call.present.fetch_add(present, std::memory_order_relaxed);
  uint32_t least = call.wrong.load(std::memory_order_relaxed);
  while (wrong < least && !call.wrong.compare_exchange_weak(
                              least, wrong, std::memory_order_relaxed))
    ;
}

void bindShare(StepCall &call, Table &table, uint32_t share, uint32_t shares) {
  Binder binder(call, table);
  for (size_t i = share; i < table.shared.size(); i += shares)
    binder.bind(table.shared[i]);
  for (const Piece &piece : table.own[share])
    for (uint32_t row = 0; row < piece.rowCount; ++row)
      binder.bind(piece.firstRow + row);
  binder.finish();
}

void stepOnTeam(void *argument, const Team &team) {
  StepCall &call = *static_cast<StepCall *>(argument);
  uint32_t shares = call.optimizer.shareCount;
  for (Table &table : call.optimizer.tables)
    for (uint32_t share = team.index; share < shares; share += team.count)
      bindShare(call, table, share, shares);
  team.wait();
  if (call.wrong.load(std::memory_order_relaxed) != kNothingWrong ||
      !call.present.load(std::memory_order_relaxed))
    return;
  walk(call.optimizer, call.optimizer.atStep, team);
}

/// Words what a thread has found wrong with one tensor.
updraft_status explain(const Optimizer &optimizer, uint32_t index,
                       const updraft_ndarray &grad) {
  const Param &param = optimizer.params[index];
  uint32_t format = optimizer.program()->param;
  std::string what = gradientText(param);
  if (updraft_status status = checkArray(optimizer, param, grad, format, what))
    return status;
  if (updraft_status status = checkOverlap(optimizer, grad.data,
                                           param.size * bytesOf(format), what))
    return status;
  const Table &table = optimizer.tables[param.variant];
  for (size_t k = 0; k < table.arrays.size(); ++k)
    if (table.arrays[k].role == UPDRAFT_INPUT && !table.arraysOf(param.row)[k])
      return fail(
          UPDRAFT_INVALID_ARGUMENT,
          "%s: input '%s' of parameter '%s' has not been set", optimizer.rule(),
          text(optimizer.program(), table.arrays[k].name), param.name.c_str());
  return fail(UPDRAFT_INTERNAL, "internal error: %s was refused", what.c_str());
}

updraft_status checkScalarInputs(const Optimizer &optimizer) {
  const updraft_program *program = optimizer.program();
  auto scalars = items<updraft_scalar>(program, program->scalars);
  for (size_t i = 0; i < scalars.size(); ++i)
    if (scalars[i].kind == UPDRAFT_SCALAR_INPUT && !optimizer.inputsGiven[i])
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: input '%s' has not been set",
                  optimizer.rule(), text(program, scalars[i].name));
  return UPDRAFT_OK;
}

/// The device launches; the caller's thread looks at all gradients first. Ends
/// at the first that the driver knows nothing good of.
updraft_status stepOnDevice(StepCall &call, void *stream) {
  for (Table &table : call.optimizer.tables) {
    Binder binder(call, table);
    for (uint32_t row = 0; row < table.rowCount && !call.where; ++row)
      binder.look(row);
    if (call.where)
      return call.where;
    binder.finish();
  }
  bool goes = call.wrong == kNothingWrong && call.present;
  return goes ? call.optimizer.device->step(call.grads, stream) : UPDRAFT_OK;
}

updraft_status step(Optimizer &optimizer, const updraft_ndarray *grads,
                    size_t count, void *stream) {
  const char *rule = optimizer.rule();
  if (stream && !optimizer.device)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: a stream was given, but this is not a device", rule);
  if (count != optimizer.params.size())
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: %zu gradients were given, there are %zu parameters", rule,
                count, optimizer.params.size());
  if (count && !grads)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: the gradients are null", rule);
  if (!count)
    return UPDRAFT_OK;
  if (updraft_status status = requireStates(optimizer))
    return status;
  if (updraft_status status = checkScalarInputs(optimizer))
    return status;
  StepCall call{optimizer, grads, {kNothingWrong}, {0}, UPDRAFT_OK};
  updraft_status status = UPDRAFT_OK;
  if (optimizer.device)
    status = stepOnDevice(call, stream);
  else
    optimizer.threads.run(optimizer.shareCount, stepOnTeam, &call);
  uint32_t wrong = call.wrong.load(std::memory_order_relaxed);
  return status || wrong == kNothingWrong
             ? status
             : explain(optimizer, wrong, grads[wrong]);
}

} // namespace

updraft_status updraft_optimizer_step(updraft_optimizer *optimizer,
                                      const updraft_ndarray *grads,
                                      size_t grad_count, void *stream) {
  return call(optimizer,
              [&] { return step(*optimizer, grads, grad_count, stream); });
}
