/*===- FakeKernels.c - The kernels of the fake programs ---------------------===
 *
 * AdamW as compiled code would do it: f64 scalars once a tensor, f32 elements,
 * sums of blocks of 4096 by 128 lanes, lists folded by 128 lanes in f64.
 *
 *===----------------------------------------------------------------------===*/

#include "FakeKernels.h"
#include "FakeProgram.h"

#include <math.h>

static Row *rowAt(const updraft_frame *frame, uint64_t row) {
  return (Row *)frame->tensors + row;
}

static double *groupAt(const updraft_frame *frame, uint64_t group) {
  return frame->groups + GROUP_SLOTS * group;
}

/* 128 lanes in f64, halved at the end. */
static double fold(const double *list, uint64_t count) {
  double lanes[128] = {0};
  for (uint64_t i = 0; i < count; ++i)
    lanes[i % 128] += list[i];
  for (int h = 64; h; h /= 2)
    for (int i = 0; i < h; ++i)
      lanes[i] += lanes[i + h];
  return lanes[0];
}

/*===- Init and check -----------------------------------------------------===*/

void initModel(const updraft_frame *frame, uint64_t first, uint64_t count) {
  frame->model[SLOT_STEP] = 1;
}

void initTensor(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t i = first; i < first + count; ++i)
    rowAt(frame, i)->slot[SLOT_T] = 1;
}

void initElement(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t c = first; c < first + count; ++c) {
    const updraft_chunk *chunk = frame->chunks + c;
    Row *row = rowAt(frame, chunk->tensor);
    for (uint64_t i = chunk->first; i < chunk->first + chunk->count; ++i) {
      row->array[ARRAY_M][i] = 0;
      row->array[ARRAY_V][i] = 0;
    }
  }
}

void checkGroup(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t g = first; g < first + count; ++g) {
    double *group = groupAt(frame, g);
    group[SLOT_ORDERED] = group[SLOT_BETA1] <= group[SLOT_BETA2];
  }
}

/*===- Reductions ---------------------------------------------------------===*/

static void squares(const updraft_frame *frame, uint64_t first, uint64_t count,
                    int array) {
  for (uint64_t c = first; c < first + count; ++c) {
    const updraft_chunk *chunk = frame->chunks + c;
    const Row *row = rowAt(frame, chunk->tensor);
    if (!row->head.active)
      continue;
    for (uint64_t b = chunk->first; b < chunk->first + chunk->count;
         b += UPDRAFT_BLOCK) {
      uint64_t end = b + UPDRAFT_BLOCK;
      if (end > chunk->first + chunk->count)
        end = chunk->first + chunk->count;
      const float *x = row->array[array];
      float lanes[128] = {0};
      for (uint64_t i = b; i < end; ++i)
        lanes[(i - b) % 128] += x[i] * x[i];
      for (int h = 64; h; h /= 2)
        for (int i = 0; i < h; ++i)
          lanes[i] += lanes[i + h];
      frame->partials[row->head.first_partial + b / UPDRAFT_BLOCK] = lanes[0];
    }
  }
}

void square(const updraft_frame *frame, uint64_t first, uint64_t count) {
  squares(frame, first, count, ARRAY_G);
}

void foldTensor(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t r = first; r < first + count; ++r) {
    const updraft_tensor *row = &rowAt(frame, r)->head;
    uint64_t blocks = (row->size + UPDRAFT_BLOCK - 1) / UPDRAFT_BLOCK;
    frame->totals[row->id] =
        row->active ? fold(frame->partials + row->first_partial, blocks) : 0;
  }
}

void foldGroup(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t g = first; g < first + count; ++g)
    groupAt(frame, g)[SLOT_SQUARES] =
        fold(frame->totals + frame->spans[g].first, frame->spans[g].count);
}

static double allSquares(const updraft_frame *frame) {
  double lanes[128] = {0};
  for (uint64_t g = 0; g < frame->group_count; ++g)
    lanes[g % 128] += groupAt(frame, g)[SLOT_SQUARES];
  return fold(lanes, 128);
}

void foldModel(const updraft_frame *frame, uint64_t first, uint64_t count) {
  double factor =
      frame->model[SLOT_MAX_NORM] / (sqrt(allSquares(frame)) + 1e-6);
  frame->model[SLOT_FACTOR] = factor < 1 ? factor : 1;
}

/*===- The update ---------------------------------------------------------===*/

static void adamwElements(float *restrict p, const float *restrict g,
                          float *restrict m, float *restrict v, uint64_t size,
                          const double *hypers, double decay, double bias1,
                          double bias2, double factor) {
  float b1 = (float)(1 - hypers[SLOT_BETA1]);
  float b2 = (float)(1 - hypers[SLOT_BETA2]);
  float eps = (float)hypers[SLOT_EPS], lr = (float)hypers[SLOT_LR];
  float keep = (float)(1 - hypers[SLOT_LR] * decay), clip = (float)factor;
  float c1 = (float)bias1, c2 = (float)bias2;
  for (uint64_t i = 0; i < size; ++i) {
    float gradient = clip * g[i];
    float m1 = fmaf(gradient - m[i], b1, m[i]);
    float v1 = fmaf(gradient * gradient - v[i], b2, v[i]);
    m[i] = m1;
    v[i] = v1;
    p[i] = fmaf(keep, p[i], -(lr * ((m1 / c1) / (sqrtf(v1 / c2) + eps))));
  }
}

void adamwReference(float *p, const float *g, float *m, float *v, size_t size,
                    const AdamwHypers *hypers, double t, double factor) {
  const double row[] = {hypers->lr, hypers->beta1, hypers->beta2, hypers->eps};
  adamwElements(p, g, m, v, size, row, hypers->weightDecay,
                1 - pow(hypers->beta1, t), 1 - pow(hypers->beta2, t), factor);
}

void adamwLoop(float *p, const float *g, float *m, float *v, size_t size,
               const AdamwHypers *hypers, double bias1, double bias2) {
  const double row[] = {hypers->lr, hypers->beta1, hypers->beta2, hypers->eps};
  adamwElements(p, g, m, v, size, row, hypers->weightDecay, bias1, bias2, 1);
}

void bias(const updraft_frame *frame, uint64_t first, uint64_t count) {
  double t = NAN, bias1 = 0, bias2 = 0;
  uint32_t group = UPDRAFT_NONE;
  for (uint64_t r = first; r < first + count; ++r) {
    Row *row = rowAt(frame, r);
    if (row->slot[SLOT_T] != t || row->head.group != group) {
      t = row->slot[SLOT_T];
      group = row->head.group;
      const double *hypers = groupAt(frame, group);
      bias1 = 1 - pow(hypers[SLOT_BETA1], t);
      bias2 = 1 - pow(hypers[SLOT_BETA2], t);
    }
    row->slot[SLOT_BIAS1] = bias1;
    row->slot[SLOT_BIAS2] = bias2;
  }
}

static void updates(const updraft_frame *frame, uint64_t first, uint64_t count,
                    int decays) {
  for (uint64_t c = first; c < first + count; ++c) {
    const updraft_chunk *chunk = frame->chunks + c;
    const Row *row = rowAt(frame, chunk->tensor);
    const double *hypers = groupAt(frame, row->head.group);
    if (row->head.active)
      adamwElements(row->array[ARRAY_P] + chunk->first,
                    row->array[ARRAY_G] + chunk->first,
                    row->array[ARRAY_M] + chunk->first,
                    row->array[ARRAY_V] + chunk->first, chunk->count, hypers,
                    decays ? hypers[SLOT_WEIGHT_DECAY] : 0,
                    row->slot[SLOT_BIAS1], row->slot[SLOT_BIAS2],
                    frame->model[SLOT_FACTOR]);
  }
}

void update(const updraft_frame *frame, uint64_t first, uint64_t count) {
  updates(frame, first, count, 1);
}

void updateNoDecay(const updraft_frame *frame, uint64_t first, uint64_t count) {
  updates(frame, first, count, 0);
}

void advanceTensor(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t r = first; r < first + count; ++r)
    rowAt(frame, r)->slot[SLOT_T] += rowAt(frame, r)->head.active;
}

void advanceModel(const updraft_frame *frame, uint64_t first, uint64_t count) {
  frame->model[SLOT_STEP] += 1;
}

/*===- Views --------------------------------------------------------------===*/

void viewDirection(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t c = first; c < first + count; ++c) {
    const updraft_chunk *chunk = frame->chunks + c;
    const Row *row = rowAt(frame, chunk->tensor);
    float eps = (float)groupAt(frame, row->head.group)[SLOT_EPS];
    for (uint64_t i = chunk->first; i < chunk->first + chunk->count; ++i)
      row->array[ARRAY_DIRECTION][i] =
          row->array[ARRAY_M][i] / (sqrtf(row->array[ARRAY_V][i]) + eps);
  }
}

void viewPower(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t r = first; r < first + count; ++r) {
    Row *row = rowAt(frame, r);
    row->slot[SLOT_POWER] =
        pow(groupAt(frame, row->head.group)[SLOT_BETA1], row->slot[SLOT_T]);
  }
}

void viewSquare(const updraft_frame *frame, uint64_t first, uint64_t count) {
  squares(frame, first, count, ARRAY_P);
}

void viewNorm(const updraft_frame *frame, uint64_t first, uint64_t count) {
  frame->model[SLOT_VIEW_NORM] = sqrt(allSquares(frame));
}

/*===- Inputs -------------------------------------------------------------===*/

void inputUpdate(const updraft_frame *frame, uint64_t first, uint64_t count) {
  for (uint64_t c = first; c < first + count; ++c) {
    const updraft_chunk *chunk = frame->chunks + c;
    char *row = frame->tensors +
                chunk->tensor * (sizeof(updraft_tensor) + 8 * INPUT_ARRAYS);
    float **array = (float **)(row + sizeof(updraft_tensor));
    float factor = (float)(frame->model[INPUT_K] * frame->model[INPUT_LOSS]);
    if (((updraft_tensor *)row)->active)
      for (uint64_t i = chunk->first; i < chunk->first + chunk->count; ++i)
        array[INPUT_ARRAY_P][i] -= factor * array[INPUT_ARRAY_H][i];
  }
}
