//===- CudaStep.cpp - One step on a GPU -----------------------------------===//
//
// If the gradients are where they were, a step is its launches and nothing
// else. Else the rows that changed are sent before. A captured graph may run
// between any two steps and reads the rows as it finds them: from the first
// capture on, a step with other gradients, captured or not, sends the rows that
// the graphs know back when it is done.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

#include <algorithm>
#include <cstring>

using namespace updraft::runtime;

//===- Launches -----------------------------------------------------------===//

updraft_status CudaDevice::launch(const Launch &launch, uint64_t first,
                                  uint64_t count, uint64_t round,
                                  CudaHandle stream) const {
  const updraft_kernel &kernel = *launch.kernel;
  if (!launch.function || !count)
    return UPDRAFT_OK;
  uint64_t wanted = (count + kernel.gpu_items - 1) / kernel.gpu_items;
  // A model or group kernel and those within its launch wait for one another.
  uint64_t blocks = kernel.level < UPDRAFT_TENSOR
                        ? 1
                        : std::min<uint64_t>(wanted, launch.blocks);
  CudaAddress frame = launch.frame;
  void *parameters[] = {&frame, &first, &count, &round};
  CudaResult result = module->driver().launch(launch.function, unsigned(blocks),
                                              1, 1, kernel.gpu_threads, 1, 1, 0,
                                              stream, parameters, nullptr);
  if (!result)
    return UPDRAFT_OK;
  return module->check(result, std::string("launching kernel '") +
                                   text(optimizer.program(), kernel.gpu_entry) +
                                   "'");
}

updraft_status CudaDevice::launchAll(const Kernel &kernel, uint32_t round,
                                     CudaHandle stream) {
  const Launch &all = launches[kernel.index];
  return launch(all, 0, all.count, round, stream);
}

updraft_status CudaDevice::launchRows(const Kernel &kernel, const Table &table,
                                      uint32_t row, bool everywhere,
                                      uint32_t round) {
  if (everywhere)
    return launchAll(kernel, round, nullptr);
  const Launch &one = launches[kernel.index];
  if (kernel.level == UPDRAFT_TENSOR)
    return launch(one, row, 1, round, nullptr);
  const Items &items = table.items[kernel.items];
  return launch(one, items.firstChunk[row], items.chunksOf(row), round,
                nullptr);
}

updraft_status CudaDevice::launchSteps(CudaHandle stream) const {
  for (size_t i = 0; i < steps.size(); ++i) {
    const Launch &one = *steps[i].launch;
    updraft_status status = launch(one, 0, one.count, steps[i].round, stream);
    if (status && i)
      return fail(status,
                  "%s (after %zu of the step's %zu launches: parameters and "
                  "states are not those of a whole step)",
                  std::string(updraft_last_error()).c_str(), i, steps.size());
    if (status)
      return status;
  }
  return UPDRAFT_OK;
}

//===- Rows ---------------------------------------------------------------===//

/// Notes which rows differ from what the device has.
bool CudaDevice::findChanges(const updraft_ndarray *grads) {
  bool any = false;
  for (size_t t = 0; t < optimizer.tables.size(); ++t) {
    const Table &table = optimizer.tables[t];
    Change change = {table.rowCount, 0};
    for (uint32_t row = 0; row < table.rowCount; ++row) {
      const void *data = grads[table.paramOf[row]].data;
      if (table.arraysOf(row)[1] == data &&
          table.row(row)->active == (data != nullptr))
        continue;
      change.first = std::min(change.first, row);
      change.end = row + 1;
    }
    changes[t] = change;
    any |= change.end != 0;
  }
  return any;
}

void CudaDevice::everythingChanges() {
  for (size_t t = 0; t < changes.size(); ++t)
    changes[t] = {0, optimizer.tables[t].rowCount};
}

void CudaDevice::swapIn(const updraft_ndarray *grads) {
  for (size_t t = 0; t < changes.size(); ++t) {
    const Table &table = optimizer.tables[t];
    for (uint32_t row = changes[t].first; row < changes[t].end; ++row) {
      void *&grad = table.arraysOf(row)[1];
      updraft_tensor *head = table.row(row);
      replaced[t][row] = {grad, head->active};
      grad = grads[table.paramOf[row]].data;
      head->active = grad != nullptr;
    }
  }
}

void CudaDevice::swapBack() {
  for (size_t t = 0; t < changes.size(); ++t) {
    const Table &table = optimizer.tables[t];
    for (uint32_t row = changes[t].first; row < changes[t].end; ++row) {
      table.arraysOf(row)[1] = replaced[t][row].grad;
      table.row(row)->active = replaced[t][row].active;
    }
  }
}

/// Copies a part of the rows in one change; `place` moves on.
updraft_status CudaDevice::sendPart(const Table &table, Change change,
                                    Part part, char *&place,
                                    CudaHandle stream) {
  const char *from = reinterpret_cast<char *>(table.row(change.first));
  size_t pitch = table.variant->row_bytes;
  CudaCopy2D copy = {};
  copy.fromType = kCudaHostMemory;
  copy.fromHost = place;
  copy.fromPitch = copy.bytes = part.bytes;
  copy.toType = kCudaDeviceMemory;
  copy.toDevice = reinterpret_cast<CudaAddress>(addressOf(from)) + part.offset;
  copy.toPitch = pitch;
  copy.rows = change.end - change.first;
  for (size_t row = 0; row < copy.rows; ++row) {
    memcpy(place, from + row * pitch + part.offset, part.bytes);
    place += part.bytes;
  }
  return module->check(module->driver().copyRowsAsync(&copy, stream),
                       "sending the tensors' addresses");
}

/// Sends heads and pointers of the rows in `changes`, one copy a variant. The
/// slots behind them are the device's. A graph takes what is of gradients
/// alone: the parameters may have moved when it runs.
updraft_status CudaDevice::sendRows(bool capturing, CudaHandle stream) {
  static constexpr Part kActive = {offsetof(updraft_tensor, active), 4};
  static constexpr Part kGrad = {sizeof(updraft_tensor) + 8, 8};
  char *place = nullptr;
  if (updraft_status status =
          capturing ? rows.takeForGood(place) : rows.take(place))
    return status;
  for (size_t t = 0; t < changes.size(); ++t) {
    const Table &table = optimizer.tables[t];
    if (changes[t].first >= changes[t].end)
      continue;
    Part all = {0, table.headBytes()};
    updraft_status status =
        sendPart(table, changes[t], capturing ? kActive : all, place, stream);
    if (!status && capturing)
      status = sendPart(table, changes[t], kGrad, place, stream);
    if (status)
      return status;
  }
  return capturing ? UPDRAFT_OK : rows.sent(stream);
}

updraft_status CudaDevice::rowsChanged() {
  rowsMissing = true;
  if (!captured)
    return UPDRAFT_OK;
  updraft_status status = UPDRAFT_OK;
  if (isCapturing(stream, status) || status)
    return status;
  everythingChanges();
  status = sendRows(false, stream);
  rowsMissing = status != UPDRAFT_OK;
  return status;
}

//===- The step -----------------------------------------------------------===//

updraft_status CudaDevice::step(const updraft_ndarray *grads,
                                CudaHandle given) {
  updraft_status status = UPDRAFT_OK;
  bool capturing = isCapturing(given, status);
  if (status)
    return status;
  stream = given;
  captured |= capturing;
  if (!slotsMissing.empty() && !capturing) {
    std::vector<double *> missing = std::move(slotsMissing);
    slotsMissing.clear();
    if ((status = send(missing)))
      return status;
  }
  if (rowsMissing && capturing)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: tensors have moved since the last step: take one before "
                "a graph is captured",
                optimizer.rule());
  if ((status = awaitNumbers(capturing, given)))
    return status;
  numberSent = nullptr;
  bool changed = findChanges(grads);
  if (!changed && !rowsMissing)
    return launchSteps(stream);
  if (rowsMissing)
    everythingChanges();
  swapIn(grads);
  if ((status = sendRows(capturing, stream))) {
    swapBack();
    rowsMissing = true;
    return status;
  }
  rowsMissing = false;
  status = launchSteps(stream);
  if (!captured || !changed)
    return status;
  swapBack();
  updraft_status back = status ? status : sendRows(capturing, stream);
  rowsMissing |= back != UPDRAFT_OK;
  return back;
}

//===- Values -------------------------------------------------------------===//

updraft_status CudaDevice::sendOne(const double *value) {
  char *place = nullptr;
  if (updraft_status status = slots.take(place))
    return status;
  memcpy(place, value, sizeof *value);
  CudaAddress to = reinterpret_cast<CudaAddress>(addressOf(value));
  if (updraft_status status = module->check(
          module->driver().copyToAsync(to, place, sizeof *value, stream),
          "sending a number"))
    return status;
  if (updraft_status status = slots.sent(stream))
    return status;
  numberSent = slots.event();
  numberStream = stream;
  return UPDRAFT_OK;
}

/// What is given to another stream comes after numbers that are on their way.
updraft_status CudaDevice::awaitNumbers(bool capturing, CudaHandle given) {
  if (!numberSent || numberStream == given)
    return UPDRAFT_OK;
  const CudaDriver &cuda = module->driver();
  const char *what = "waiting for a number";
  if (!capturing)
    return module->check(cuda.streamWait(given, numberSent, 0), what);
  // A graph cannot wait for what is not in it.
  CudaRelaxed relaxed(*module);
  if (updraft_status status = relaxed.enter())
    return status;
  return module->check(cuda.eventWait(numberSent), what);
}

updraft_status CudaDevice::send(const std::vector<double *> &values) {
  if (updraft_status status = refuseCapture())
    return status;
  if (updraft_status status = awaitNumbers(false, stream))
    return status;
  for (double *value : values) {
    updraft_status status = sendOne(value);
    if (!status)
      continue;
    // The caller takes the numbers back; some have gone already.
    sendLater(values);
    return status;
  }
  return UPDRAFT_OK;
}

//===- Views --------------------------------------------------------------===//

updraft_status CudaDevice::beginView() {
  if (updraft_status status = settle())
    return status;
  for (size_t i = 0; i < optimizer.params.size(); ++i) {
    const Param &param = optimizer.params[i];
    uint32_t &active = optimizer.tables[param.variant].row(param.row)->active;
    activeBefore[i] = active;
    active = 1;
  }
  everythingChanges();
  updraft_status status = sendRows(false, nullptr);
  if (status) {
    takeActiveBack();
    rowsMissing = true;
  }
  return status;
}

void CudaDevice::takeActiveBack() {
  for (size_t i = 0; i < optimizer.params.size(); ++i) {
    const Param &param = optimizer.params[i];
    optimizer.tables[param.variant].row(param.row)->active = activeBefore[i];
  }
}

updraft_status CudaDevice::endView(updraft_status status) {
  std::string problem = updraft_last_error();
  takeActiveBack();
  everythingChanges();
  updraft_status back = sendRows(false, nullptr);
  if (!back)
    back = settle();
  rowsMissing = back != UPDRAFT_OK;
  return status ? failWith(status, problem) : back;
}

updraft_status updraft_optimizer_set_stream(updraft_optimizer *optimizer,
                                            void *stream) {
  return call(optimizer, [&] {
    if (optimizer->device)
      optimizer->device->setStream(stream);
    else if (stream)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: a stream was given, but this is not a device",
                  optimizer->rule());
    return UPDRAFT_OK;
  });
}
