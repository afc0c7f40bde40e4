//===- CudaTables.cpp - The tables and kernels of an optimizer on a GPU ---===//
//
// One block of memory: what the host has, in its order, then the lists that
// only kernels use. Made once, at creation.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

#include <algorithm>
#include <cstring>

using namespace updraft::runtime;

/// Steps that may be on their way with other pointers before one waits, and
/// values of hypers and inputs.
static constexpr size_t kRowPlaces = 4, kSlotPlaces = 32;

static constexpr size_t kAlignment = 256;

updraft_status CudaDevice::open(Optimizer &optimizer) {
  optimizer.device = std::make_unique<CudaDevice>(optimizer);
  return CudaModule::open(*optimizer.loaded, optimizer.place - 1,
                          optimizer.device->module);
}

size_t CudaDevice::layOut(const void *host, size_t bytes) {
  size_t offset = (laidOut + kAlignment - 1) / kAlignment * kAlignment;
  if (host)
    mirrors.push_back({static_cast<const char *>(host), bytes, offset});
  laidOut = offset + bytes;
  return offset;
}

/// The rest follows them.
void CudaDevice::layOutTables() {
  layOut(optimizer.model.data(), optimizer.model.bytes());
  layOut(optimizer.groups.data(), optimizer.groups.bytes());
  for (Table &table : optimizer.tables) {
    layOut(table.rows.data(), table.rows.bytes());
    for (Items &items : table.items)
      layOut(items.chunks.data(), items.chunks.size() * sizeof(updraft_chunk));
  }
  layOut(optimizer.shapes.data(),
         optimizer.shapes.size() * sizeof(updraft_shape));
  layOut(optimizer.spans.data(), optimizer.spans.size() * sizeof(updraft_span));
}

char *CudaDevice::addressOf(const void *mirror) const {
  const char *at = static_cast<const char *>(mirror);
  for (const Mirror &each : mirrors)
    if (at >= each.host && at < each.host + each.bytes)
      return tables.data() + each.offset + (at - each.host);
  // Of a table without entries; kernels follow no address into it.
  return nullptr;
}

template <class T> static T *moved(const CudaDevice &device, const T *mirror) {
  return reinterpret_cast<T *>(device.addressOf(mirror));
}

/// The first is that of model and group kernels; then by table and extent.
std::vector<updraft_frame> CudaDevice::framesForDevice(size_t partials,
                                                       size_t totals) {
  std::vector<updraft_frame> result = {optimizer.frame};
  for (const Table &table : optimizer.tables)
    for (const Items &items : table.items)
      result.push_back(items.frame);
  for (updraft_frame &frame : result) {
    frame.model = moved(*this, frame.model);
    frame.groups = moved(*this, frame.groups);
    frame.tensors = moved(*this, frame.tensors);
    frame.chunks = moved(*this, frame.chunks);
    frame.shapes = moved(*this, frame.shapes);
    frame.spans = moved(*this, frame.spans);
    frame.partials = reinterpret_cast<double *>(tables.data() + partials);
    frame.totals = reinterpret_cast<double *>(tables.data() + totals);
  }
  return result;
}

updraft_status CudaDevice::place() {
  const updraft_program *program = optimizer.program();
  layOutTables();
  size_t frameCount = 1;
  for (const Table &table : optimizer.tables)
    frameCount += table.items.size();
  size_t frames = layOut(nullptr, frameCount * sizeof(updraft_frame));
  size_t sent = laidOut;
  size_t partials = layOut(nullptr, optimizer.frame.partial_stride *
                                        program->partial_lists * 8);
  size_t totals =
      layOut(nullptr, optimizer.frame.total_stride * program->total_lists * 8);
  if (updraft_status status = allocate(laidOut, "tables", tables))
    return status;
  std::vector<char> image(sent);
  for (const Mirror &mirror : mirrors)
    if (mirror.bytes)
      memcpy(image.data() + mirror.offset, mirror.host, mirror.bytes);
  std::vector<updraft_frame> made = framesForDevice(partials, totals);
  memcpy(image.data() + frames, made.data(),
         made.size() * sizeof(updraft_frame));
  if (updraft_status status = write(tables.data(), image.data(), sent))
    return status;
  CudaAddress frame = reinterpret_cast<CudaAddress>(tables.data() + frames);
  launches.resize(program->kernels.count);
  for (size_t k = 0; k < launches.size(); ++k)
    launches[k].frame = frame;
  size_t first = 1;
  for (uint32_t v = 0; v < optimizer.tables.size(); ++v) {
    for (size_t k = 0; k < launches.size(); ++k) {
      const updraft_kernel &kernel =
          items<updraft_kernel>(program, program->kernels)[k];
      if (kernel.variant == v)
        launches[k].frame +=
            (first + itemsPlace(program, kernel)) * sizeof(updraft_frame);
    }
    first += optimizer.tables[v].items.size();
  }
  return prepare();
}

/// All of what a kernel works on.
static uint64_t countOf(const Optimizer &optimizer,
                        const updraft_kernel &kernel) {
  if (kernel.level == UPDRAFT_MODEL)
    return 1;
  if (kernel.level == UPDRAFT_GROUP)
    return optimizer.groupCount;
  const Table &table = optimizer.tables[kernel.variant];
  if (kernel.level == UPDRAFT_TENSOR)
    return table.rowCount;
  return table.items[itemsPlace(optimizer.program(), kernel)].chunks.size();
}

updraft_status CudaDevice::prepare() {
  const updraft_program *program = optimizer.program();
  auto kernels = items<updraft_kernel>(program, program->kernels);
  for (size_t k = 0; k < kernels.size(); ++k) {
    Launch &launch = launches[k];
    launch.kernel = &kernels[k];
    launch.count = countOf(optimizer, kernels[k]);
    // Requirements are the host's to check.
    if (!kernels[k].gpu_entry || kernels[k].when == UPDRAFT_AT_CHECK)
      continue;
    if (updraft_status status = module->entry(
            text(program, kernels[k].gpu_entry), kernels[k].gpu_threads,
            launch.function, launch.blocks))
      return status;
  }
  steps = flatten(optimizer.atStep);
  size_t rowBytes = 0;
  changes.resize(optimizer.tables.size());
  for (const Table &table : optimizer.tables) {
    rowBytes += table.rowCount * table.headBytes();
    replaced.emplace_back(table.rowCount);
  }
  activeBefore.resize(optimizer.params.size());
  known.reserve(kKnown);
  if (updraft_status status = rows.open(*module, rowBytes, kRowPlaces))
    return status;
  return slots.open(*module, sizeof(double), kSlotPlaces);
}

/// The launches of a schedule in their order, without those of nothing.
std::vector<CudaDevice::Turned>
CudaDevice::flatten(const Schedule &schedule) const {
  std::vector<Turned> result;
  auto add = [&](const Kernel &kernel, uint32_t round) {
    const Launch &launch = launches[kernel.index];
    if (launch.function && launch.count)
      result.push_back({&launch, round});
  };
  for (const Segment &segment : schedule) {
    for (const Kernel &kernel : segment.coarse)
      add(kernel, 0);
    for (const Chain &chain : segment.chains)
      for (size_t begin = 0, end; begin < chain.kernels.size(); begin = end) {
        end = endOfTurns(chain.kernels, begin);
        for (uint32_t r = 0; r < chain.kernels[begin].rounds; ++r)
          for (size_t k = begin; k < end; ++k)
            add(chain.kernels[k], r);
      }
  }
  return result;
}

updraft_status CudaDevice::init() {
  // The parameters may still be on their way, on any stream.
  if (updraft_status status = settle())
    return status;
  for (const Turned &turned : flatten(optimizer.atInit))
    if (updraft_status status = launch(*turned.launch, 0, turned.launch->count,
                                       turned.round, nullptr))
      return status;
  return settle();
}
