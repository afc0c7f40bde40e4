//===- Tables.cpp - What the kernels see of the tensors -------------------===//
//
// Rows, chunks, spans and the memory of states. The layout is decided here and
// nowhere else; kernels find everything through the frame.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

#include <algorithm>

using namespace updraft::runtime;

namespace {
/// Arrays are offset against each other: streams whose addresses agree modulo a
/// page collide in the cache's sets and in the processor's test of loads
/// against stores (6 to 13 % of the speed), large ones at a distance near a
/// power of two meet in the same banks of memory (a third and more).
struct Offset {
  size_t fromBytes; ///< of arrays that are placed so
  size_t period;    ///< what addresses should not agree modulo
  size_t step;      ///< from one array of a tensor to the next
};
} // namespace

static constexpr Offset kOffsets[] = {
    {size_t(8) << 20, size_t(1) << 20, (72 << 10) + 576},
    {size_t(16) << 10, 4096, 576},
};

static void orderById(Optimizer &optimizer) {
  auto &params = optimizer.params;
  optimizer.spans.assign(optimizer.groupCount, {});
  for (const Param &param : params)
    ++optimizer.spans[param.group].count;
  uint64_t first = 0;
  for (updraft_span &span : optimizer.spans) {
    span.first = first;
    first += span.count;
  }
  std::vector<uint64_t> next(optimizer.groupCount);
  for (size_t g = 0; g < next.size(); ++g)
    next[g] = optimizer.spans[g].first;
  optimizer.paramOfId.resize(params.size());
  optimizer.shapes.assign(std::max<size_t>(params.size(), 1), {});
  for (uint32_t i = 0; i < params.size(); ++i) {
    Param &param = params[i];
    param.id = uint32_t(next[param.group]++);
    optimizer.paramOfId[param.id] = i;
    optimizer.shapes[param.id] = describeShape(param);
  }
}

static void addChunks(Items &items, const updraft_shape &shape,
                      const Param &param, bool onGpu) {
  items.firstChunk.push_back(items.chunks.size());
  uint64_t count = itemsOf(items.extent, shape, param.size);
  uint64_t most = itemsOfChunk(items.extent, shape, onGpu);
  for (uint64_t at = 0; at < count; at += most)
    items.chunks.push_back(
        {at, uint32_t(std::min(count - at, most)), param.row});
}

/// Asks for the memory of all chunks at once, so that an absurd size fails
/// before anything is filled.
static void reserveChunks(Optimizer &optimizer) {
  for (uint32_t v = 0; v < optimizer.tables.size(); ++v)
    for (Items &items : optimizer.tables[v].items) {
      uint64_t count = 0;
      for (const Param &param : optimizer.params) {
        if (param.variant != v)
          continue;
        const updraft_shape &shape = optimizer.shapes[param.id];
        count += itemsOf(items.extent, shape, param.size) /
                     itemsOfChunk(items.extent, shape, optimizer.place) +
                 1;
      }
      items.chunks.reserve(count);
    }
}

/// The shapes of a parameter's arrays, where some are of an axis.
static void addShapes(Table &table, const Param &param) {
  auto isAxis = [](const updraft_array &array) { return array.extent.space; };
  if (std::none_of(table.arrays.begin(), table.arrays.end(), isAxis))
    return;
  for (const updraft_array &array : table.arrays)
    table.axisShapes.push_back(shapeOf(array.extent, param));
}

/// Gives every tensor its row; the rows of a variant are in order of ids.
static void layRows(Optimizer &optimizer) {
  const updraft_program *program = optimizer.program();
  auto variants = items<updraft_variant>(program, program->variants);
  optimizer.tables.resize(variants.size());
  for (size_t v = 0; v < variants.size(); ++v) {
    Table &table = optimizer.tables[v];
    table.variant = &variants[v];
    table.arrays = items<updraft_array>(program, variants[v].arrays);
    for (const updraft_array &array : table.arrays)
      table.hasInputs |= array.role == UPDRAFT_INPUT;
    for (const updraft_extent &extent : walkedExtents(program, uint32_t(v)))
      table.items.push_back({extent, {}, {}, {}});
    for (const updraft_kernel &kernel :
         items<updraft_kernel>(program, program->kernels))
      if (kernel.variant == v && kernel.when == UPDRAFT_AT_STEP &&
          kernel.extent.space == UPDRAFT_TILES)
        table.rounds += kernel.rounds;
  }
  reserveChunks(optimizer);
  for (uint32_t i : optimizer.paramOfId) {
    Param &param = optimizer.params[i];
    Table &table = optimizer.tables[param.variant];
    param.row = table.rowCount++;
    table.paramOf.push_back(i);
    addShapes(table, param);
    for (Items &items : table.items)
      addChunks(items, optimizer.shapes[param.id], param, optimizer.place);
  }
  for (Table &table : optimizer.tables) {
    for (Items &items : table.items)
      items.firstChunk.push_back(items.chunks.size());
    table.rows = Block(size_t(table.rowCount) * table.variant->row_bytes);
  }
}

/// Returns the entries of a partial list.
static uint64_t fillRows(Optimizer &optimizer, const updraft_param *given) {
  uint64_t partials = 0;
  for (uint32_t i : optimizer.paramOfId) {
    const Param &param = optimizer.params[i];
    updraft_tensor *row = optimizer.tables[param.variant].row(param.row);
    *row = {param.size, 0, partials, param.id, param.group, 1, 0};
    partials += (param.size + UPDRAFT_BLOCK - 1) / UPDRAFT_BLOCK;
    optimizer.arraysOf(param)[0] = given[i].array.data;
  }
  return partials;
}

/// What a GPU reads at once is a part of this.
static constexpr size_t kDeviceAlignment = 256;

/// Where the next array goes: `steps` steps away from the parameter's address.
static size_t placed(size_t offset, size_t bytes, uintptr_t param, size_t steps,
                     bool onGpu) {
  if (onGpu)
    return (offset + kDeviceAlignment - 1) / kDeviceAlignment *
           kDeviceAlignment;
  offset = (offset + 63) / 64 * 64;
  for (const Offset &each : kOffsets) {
    if (bytes < each.fromBytes)
      continue;
    size_t wanted = (param / 64 * 64 + steps * each.step) % each.period;
    return offset + (wanted + each.period - offset % each.period) % each.period;
  }
  return offset;
}

/// Places all arrays of a role; with `base` null only measures.
static size_t layArrays(Optimizer &optimizer, uint32_t role, char *base) {
  size_t offset = 0;
  for (uint32_t i : optimizer.paramOfId) {
    const Param &param = optimizer.params[i];
    void **arrays = optimizer.arraysOf(param);
    auto declared = optimizer.tables[param.variant].arrays;
    for (size_t k = 0; k < declared.size(); ++k) {
      if (declared[k].role != role)
        continue;
      size_t bytes = 0;
      if (__builtin_mul_overflow(optimizer.shapeOf(param, k).size,
                                 bytesOf(declared[k].format), &bytes))
        throw std::bad_alloc();
      offset = placed(offset, bytes, reinterpret_cast<uintptr_t>(arrays[0]), k,
                      optimizer.place);
      if (base)
        arrays[k] = base + offset;
      if (__builtin_add_overflow(offset, bytes, &offset))
        throw std::bad_alloc();
    }
  }
  return offset;
}

/// Memory for all arrays of a role.
static updraft_status makeArrays(Optimizer &optimizer, uint32_t role,
                                 const char *what, Block &block) {
  size_t bytes = layArrays(optimizer, role, nullptr);
  if (!optimizer.device)
    block = Block(bytes);
  else if (updraft_status status =
               optimizer.device->allocate(bytes, what, block))
    return status;
  layArrays(optimizer, role, block.data());
  return UPDRAFT_OK;
}

static void addStatesRange(Optimizer &optimizer) {
  uintptr_t begin = reinterpret_cast<uintptr_t>(optimizer.states.data());
  Range range = {begin, begin + optimizer.states.bytes(), kStates};
  if (range.begin == range.end)
    return;
  auto &ranges = optimizer.ranges;
  auto place = std::upper_bound(
      ranges.begin(), ranges.end(), range,
      [](const Range &a, const Range &b) { return a.begin < b.begin; });
  ranges.insert(place, range);
}

static void fillFrames(Optimizer &optimizer, uint64_t partials) {
  const updraft_program *program = optimizer.program();
  updraft_frame &frame = optimizer.frame;
  frame.model = optimizer.modelRow();
  frame.groups = optimizer.groupRow(0);
  frame.shapes = optimizer.shapes.data();
  frame.spans = optimizer.spans.data();
  frame.partial_stride = partials;
  frame.total_stride = optimizer.params.size();
  // A device has its own.
  if (!optimizer.device) {
    optimizer.partials = Block(partials * program->partial_lists * 8);
    optimizer.totals =
        Block(optimizer.params.size() * program->total_lists * 8);
  }
  frame.partials = reinterpret_cast<double *>(optimizer.partials.data());
  frame.totals = reinterpret_cast<double *>(optimizer.totals.data());
  frame.seed = optimizer.seed;
  frame.group_count = optimizer.groupCount;
  for (Table &table : optimizer.tables) {
    for (Items &items : table.items) {
      items.frame = frame;
      items.frame.tensors = table.rows.data();
      items.frame.chunks = items.chunks.data();
    }
  }
}

updraft_status updraft::runtime::buildTables(Optimizer &optimizer,
                                             const updraft_param *given) {
  const updraft_program *program = optimizer.program();
  orderById(optimizer);
  layRows(optimizer);
  optimizer.model = Block(size_t(program->model_slots) * 8);
  optimizer.groups =
      Block(size_t(program->group_slots) * 8 * optimizer.groupCount);
  uint64_t partials = fillRows(optimizer, given);
  if (optimizer.hasStates) {
    if (updraft_status status =
            makeArrays(optimizer, UPDRAFT_STATE, "states", optimizer.states))
      return status;
    addStatesRange(optimizer);
  }
  if (updraft_status status =
          makeArrays(optimizer, UPDRAFT_SCRATCH, "scratch", optimizer.scratch))
    return status;
  fillFrames(optimizer, partials);
  optimizer.checkedGrads.assign(optimizer.params.size(), 0);
  optimizer.inputsGiven.assign(program->scalars.count, 0);
  return UPDRAFT_OK;
}
