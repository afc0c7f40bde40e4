//===- Extents.cpp - How many values rows, columns and blocks have --------===//

#include "Extents.h"

#include <algorithm>
#include <new>

using namespace updraft::runtime;

/// The product; the greatest number where it has none: a tensor without
/// elements may have any number of rows.
static uint64_t times(uint64_t a, uint64_t b) {
  uint64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static uint64_t ceilDivide(uint64_t a, uint64_t b) {
  return a / b + (a % b != 0);
}

updraft_shape updraft::runtime::describeShape(const Shape &param) {
  updraft_shape result = {};
  result.rank = param.rank;
  std::copy_n(param.shape, param.rank, result.dims);
  if (param.rank < 2)
    return result;
  result.batch[0] = result.batch[1] = result.cols[1] = 1;
  for (uint32_t axis = 0; axis + 2 < param.rank; ++axis)
    result.batch[0] = times(result.batch[0], result.dims[axis]);
  result.rows[0] = result.dims[param.rank - 2];
  result.cols[0] = result.dims[param.rank - 1];
  result.rows[1] = result.dims[0];
  for (uint32_t axis = 1; axis < param.rank; ++axis)
    result.cols[1] = times(result.cols[1], result.dims[axis]);
  return result;
}

/// Of a square with `side`.
static uint64_t countSquareTiles(uint64_t side) {
  uint64_t blocks = ceilDivide(side, UPDRAFT_TILE_COLS), tiles = 0;
  for (uint64_t row = 0; row < side; row += UPDRAFT_TILE_ROWS)
    tiles += blocks - row / UPDRAFT_TILE_COLS;
  return tiles;
}

static uint64_t countOf(const updraft_extent &extent,
                        const updraft_shape &shape, uint64_t size) {
  uint64_t batch = shape.batch[extent.folded];
  uint64_t rows = shape.rows[extent.folded], cols = shape.cols[extent.folded];
  uint64_t side = std::min(shape.rows[1], shape.cols[1]);
  uint64_t bands = times(batch, ceilDivide(rows, UPDRAFT_ROW_RUN));
  switch (extent.space) {
  case UPDRAFT_ROWS:
    return times(batch, rows);
  case UPDRAFT_COLS:
    return times(batch, cols);
  case UPDRAFT_MATRICES:
    return batch;
  case UPDRAFT_BLOCKS:
    return ceilDivide(size, extent.block);
  case UPDRAFT_ROW_RUNS:
    return times(times(batch, rows), ceilDivide(cols, UPDRAFT_COL_RUN));
  case UPDRAFT_COL_RUNS:
    return times(bands, cols);
  case UPDRAFT_BANDS:
    return times(bands, ceilDivide(cols, UPDRAFT_BAND_COLS));
  case UPDRAFT_SQUARES:
    return times(side, side);
  case UPDRAFT_TILES:
    return times(ceilDivide(shape.rows[1], UPDRAFT_TILE_ROWS),
                 ceilDivide(shape.cols[1], UPDRAFT_TILE_COLS));
  case UPDRAFT_SQUARE_TILES:
    return countSquareTiles(side);
  default:
    return size;
  }
}

uint64_t updraft::runtime::itemsOf(const updraft_extent &extent,
                                   const updraft_shape &shape, uint64_t size) {
  uint64_t items = countOf(extent, shape, size);
  if (items > uint64_t(INT64_MAX))
    throw std::bad_alloc();
  return items;
}

Shape updraft::runtime::shapeOf(const updraft_extent &extent,
                                const Shape &param) {
  if (extent.space == UPDRAFT_ELEMENTS)
    return param;
  Shape result;
  result.size = itemsOf(extent, describeShape(param), param.size);
  bool isList = extent.space > UPDRAFT_MATRICES;
  if (isList || extent.folded) {
    result.rank = isList || extent.space != UPDRAFT_MATRICES;
    result.shape[0] = int64_t(result.size);
    return result;
  }
  for (uint32_t axis = 0; axis < param.rank; ++axis) {
    bool isColumn = axis + 1 == param.rank, isRow = axis + 2 == param.rank;
    if ((isColumn && extent.space != UPDRAFT_COLS) ||
        (isRow && extent.space != UPDRAFT_ROWS))
      continue;
    result.shape[result.rank++] = param.shape[axis];
  }
  return result;
}

uint64_t updraft::runtime::itemsOfChunk(const updraft_extent &extent,
                                        const updraft_shape &shape,
                                        bool onGpu) {
  constexpr uint64_t kValues = 1024, kGpuValues = 256;
  uint64_t elements = 1;
  if (onGpu && extent.space == UPDRAFT_ELEMENTS)
    return UPDRAFT_BLOCK;
  if (onGpu && (extent.space == UPDRAFT_BLOCKS ||
                extent.space == UPDRAFT_BANDS || isTile(extent)))
    return 1;
  if (onGpu)
    return kGpuValues;
  if (extent.space == UPDRAFT_BLOCKS)
    elements = extent.block;
  else if (extent.space == UPDRAFT_BANDS)
    elements = std::min<uint64_t>(shape.rows[extent.folded], UPDRAFT_ROW_RUN) *
               std::min<uint64_t>(shape.cols[extent.folded], UPDRAFT_BAND_COLS);
  else if (isTile(extent))
    return 1;
  else if (extent.space != UPDRAFT_ELEMENTS)
    return kValues;
  return std::max<uint64_t>(UPDRAFT_CHUNK / std::max<uint64_t>(elements, 1), 1);
}

std::vector<updraft_extent>
updraft::runtime::walkedExtents(const updraft_program *program,
                                uint32_t variant) {
  std::vector<updraft_extent> result(1);
  for (const updraft_kernel &kernel :
       items<updraft_kernel>(program, program->kernels))
    if (kernel.variant == variant &&
        std::find(result.begin(), result.end(), kernel.extent) == result.end())
      result.push_back(kernel.extent);
  return result;
}
