/*===- FakeAxis.c - A program of rows, columns, matrices and blocks ---------===
 *
 * Its kernels visit every item of every extent and add whole numbers, so that
 * any order gives the same: what is missed, met twice or misplaced shows.
 *
 *===----------------------------------------------------------------------===*/

#include "FakeBuilder.h"

enum { P, G, R, C, M, S, FR, FC, FM, V, RUNS, COLUMNS, ARRAYS };
typedef struct {
  updraft_tensor head;
  float *array[ARRAYS];
} Row;

/* The chunk and where it works. */
typedef struct {
  Row *row;
  const updraft_shape *shape;
  uint64_t first, end;
} Part;

static Part partAt(const updraft_frame *frame, uint64_t c) {
  const updraft_chunk *chunk = frame->chunks + c;
  Row *row = (Row *)frame->tensors + chunk->tensor;
  return (Part){row, frame->shapes + row->head.id, chunk->first,
                chunk->first + chunk->count};
}

static uint64_t up(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

static void bands(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t k = first; k < first + count; ++k) {
    Part part = partAt(frame, k);
    uint64_t rows = part.shape->rows[0], cols = part.shape->cols[0];
    uint64_t parts = up(cols, 4096);
    for (uint64_t item = part.first; item < part.end; ++item) {
      uint64_t band = item / parts, left = item % parts * 4096;
      uint64_t right = cols < left + 4096 ? cols : left + 4096;
      uint64_t b = band / up(rows, 64), from = band % up(rows, 64) * 64;
      float *columns = part.row->array[COLUMNS] + band * cols;
      memset(columns + left, 0, (right - left) * sizeof(float));
      for (uint64_t r = from; r < rows && r < from + 64; ++r)
        for (uint64_t c = left; c < right; ++c) {
          uint64_t line = b * rows + r;
          float *run = part.row->array[RUNS] + line * up(cols, 512) + c / 512;
          *run = (c % 512 ? *run : 0) + part.row->array[G][line * cols + c];
          columns[c] += part.row->array[G][line * cols + c];
        }
    }
  }
}

static void rows(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t k = first; k < first + count; ++k) {
    Part part = partAt(frame, k);
    uint64_t runs = up(part.shape->cols[0], 512);
    for (uint64_t i = part.first; i < part.end; ++i)
      for (uint64_t run = 0; run < runs; ++run)
        part.row->array[R][i] += part.row->array[RUNS][i * runs + run];
  }
}

static void columns(const updraft_frame *frame, uint64_t first,
                    uint64_t count) {
  for (uint64_t k = first; k < first + count; ++k) {
    Part part = partAt(frame, k);
    uint64_t cols = part.shape->cols[0], runs = up(part.shape->rows[0], 64);
    for (uint64_t i = part.first; i < part.end; ++i)
      for (uint64_t run = 0; run < runs; ++run)
        part.row->array[C][i] +=
            part.row->array[COLUMNS][(i / cols * runs + run) * cols + i % cols];
  }
}

static void addTo(int array, float value, const updraft_frame *frame,
                  uint64_t first, uint64_t count) {
  for (uint64_t k = first; k < first + count; ++k) {
    Part part = partAt(frame, k);
    for (uint64_t i = part.first; i < part.end; ++i)
      part.row->array[array][i] += value;
  }
}
#define ADD(name, array, value)                                                \
  static void name(const updraft_frame *frame, uint64_t first,                 \
                   uint64_t count) {                                           \
    addTo(array, value, frame, first, count);                                  \
  }
ADD(start, R, 100)
ADD(matrices, M, 1)
ADD(blocks, S, 1)
ADD(foldedRows, FR, 1)
ADD(foldedColumns, FC, 1)
ADD(foldedMatrices, FM, 1)

static void view(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t k = first; k < first + count; ++k) {
    Part part = partAt(frame, k);
    for (uint64_t i = part.first; i < part.end; ++i)
      part.row->array[V][i] = 2 * part.row->array[R][i];
  }
}

static updraft_array array(Builder *to, const char *name, uint32_t role,
                           uint16_t space, uint16_t folded) {
  return (updraft_array){text(to, name),
                         0,
                         role,
                         UPDRAFT_F32,
                         0,
                         0,
                         {space, folded, space == UPDRAFT_BLOCKS ? 100 : 0}};
}

static updraft_kernel walk(Builder *to, updraft_entry *entry, uint32_t when,
                           uint32_t level, uint16_t space, uint16_t folded) {
  updraft_kernel result =
      kernel(to, "kernel", entry, when, level, 0, UPDRAFT_TENSOR);
  result.extent =
      (updraft_extent){space, folded, space == UPDRAFT_BLOCKS ? 100 : 0};
  return result;
}

updraft_program *fakeAxis(void) {
  Builder to = begin("axis", "rule axis { ... }");
  enum { STATE = UPDRAFT_STATE, SCRATCH = UPDRAFT_SCRATCH };
  updraft_array arrays[ARRAYS] = {
      array(&to, "p", UPDRAFT_PARAM, 0, 0),
      array(&to, "g", UPDRAFT_GRAD, 0, 0),
      array(&to, "r", STATE, UPDRAFT_ROWS, 0),
      array(&to, "c", STATE, UPDRAFT_COLS, 0),
      array(&to, "m", STATE, UPDRAFT_MATRICES, 0),
      array(&to, "s", STATE, UPDRAFT_BLOCKS, 0),
      array(&to, "fr", STATE, UPDRAFT_ROWS, 1),
      array(&to, "fc", STATE, UPDRAFT_COLS, 1),
      array(&to, "fm", STATE, UPDRAFT_MATRICES, 1),
      array(&to, "twice", UPDRAFT_VIEW, UPDRAFT_ROWS, 0),
      array(&to, "runs", SCRATCH, UPDRAFT_ROW_RUNS, 0),
      array(&to, "columns", SCRATCH, UPDRAFT_COL_RUNS, 0)};
  updraft_variant variants[] = {
      {text(&to, "all"), {0, 0}, LIST(&to, arrays), 0, sizeof(Row), 0, 0}};
  enum { STEP = UPDRAFT_AT_STEP, AXIS = UPDRAFT_AXIS };
  updraft_kernel kernels[] = {
      walk(&to, start, UPDRAFT_AT_INIT, AXIS, UPDRAFT_ROWS, 0),
      walk(&to, bands, STEP, UPDRAFT_ELEMENT, UPDRAFT_BANDS, 0),
      walk(&to, blocks, STEP, UPDRAFT_ELEMENT, UPDRAFT_BLOCKS, 0),
      walk(&to, rows, STEP, AXIS, UPDRAFT_ROWS, 0),
      walk(&to, columns, STEP, AXIS, UPDRAFT_COLS, 0),
      walk(&to, matrices, STEP, AXIS, UPDRAFT_MATRICES, 0),
      walk(&to, blocks, STEP, AXIS, UPDRAFT_BLOCKS, 0),
      walk(&to, foldedRows, STEP, AXIS, UPDRAFT_ROWS, 1),
      walk(&to, foldedColumns, STEP, AXIS, UPDRAFT_COLS, 1),
      walk(&to, foldedMatrices, STEP, AXIS, UPDRAFT_MATRICES, 1),
      walk(&to, view, UPDRAFT_AT_VIEW, AXIS, UPDRAFT_ROWS, 0)};
  updraft_view views[] = {{text(&to, "twice"), 0, UPDRAFT_AXIS, 0}};
  addGpu(&to, kernels, sizeof kernels / sizeof *kernels);
  to.program->variants = LIST(&to, variants);
  to.program->kernels = LIST(&to, kernels);
  to.program->views = LIST(&to, views);
  return end(&to);
}
