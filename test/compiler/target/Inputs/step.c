/* Runs one step of torch/adamw from its object alone, on tables built by hand,
   and compares every bit with the equations written in C. */
#include "runtime/abi.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const updraft_program updraft_program_adamw;

static const char *at(updraft_rel rel) {
  return (const char *)&updraft_program_adamw + rel;
}

static float *array(size_t size, unsigned seed, float scale) {
  float *items = malloc(size * sizeof(float) + 4);
  for (size_t i = 0; i < size; ++i) {
    seed = seed * 1664525u + 1013904223u;
    items[i] = scale * ((float)(seed >> 8) / 16777216.0f - 0.5f);
  }
  return items;
}

static void runKernels(const updraft_frame *frame, uint64_t chunks) {
  const updraft_program *program = &updraft_program_adamw;
  const updraft_kernel *kernels =
      (const updraft_kernel *)at(program->kernels.at);
  for (uint64_t i = 0; i < program->kernels.count; ++i) {
    if (kernels[i].when != UPDRAFT_AT_STEP)
      continue;
    updraft_entry *entry;
    const char *code = at(kernels[i].entry);
    memcpy(&entry, &code, sizeof(entry));
    entry(frame, 0, kernels[i].level == UPDRAFT_ELEMENT ? chunks : 1);
  }
}

/* The first step: t = 1. */
static int check(size_t size) {
  const updraft_program *program = &updraft_program_adamw;
  const updraft_variant *variant =
      (const updraft_variant *)at(program->variants.at);
  const updraft_hyper *hypers = (const updraft_hyper *)at(program->hypers.at);
  char *row = calloc(1, variant->row_bytes);
  updraft_tensor head = {size, 0, 0, 0, 0, 1, 0};
  memcpy(row, &head, sizeof(head));
  float *now[4], *before[4];
  for (int i = 0; i < 4; ++i) {
    now[i] = array(size, 7 * i + 1, 1);
    before[i] = array(size, 7 * i + 1, 1);
    if (i == 3)
      for (size_t j = 0; j < size; ++j)
        now[3][j] = before[3][j] *= before[3][j];
    memcpy(row + sizeof(head) + 8 * i, &now[i], 8);
  }
  double *slots = (double *)(row + sizeof(head) + 8 * variant->arrays.count);
  for (uint32_t i = 0; i < variant->slots; ++i)
    slots[i] = 1;
  double *model = calloc(program->model_slots + 1, 8);
  double *group = calloc(program->group_slots + 1, 8);
  model[0] = 1;
  for (uint64_t i = 0; i < program->hypers.count; ++i)
    group[hypers[i].slot] = hypers[i].initial;
  uint64_t chunks = 0;
  updraft_chunk table[16];
  for (size_t first = 0; first < size; first += UPDRAFT_CHUNK) {
    size_t left = size - first;
    updraft_chunk chunk = {
        first, (uint32_t)(left < UPDRAFT_CHUNK ? left : UPDRAFT_CHUNK), 0};
    table[chunks++] = chunk;
  }
  updraft_span span = {0, 1};
  updraft_shape shape = {{size}, 1};
  updraft_frame frame = {model, group, row, table, &shape, &span,
                         NULL,  NULL,  0,   0,     0,      1};
  runKernels(&frame, chunks);
  float w1 = (float)(1 - 0.9), w2 = (float)(1 - 0.999), eps = (float)1e-8;
  float c1 = (float)(1 - 0.9), c2 = (float)(1 - 0.999), lr = (float)1e-3;
  float decay = (float)__builtin_fma(-1e-3, 1e-2, 1.0);
  int wrong = 0;
  for (size_t j = 0; j < size; ++j) {
    float p = before[0][j], g = before[1][j];
    float m = __builtin_fmaf(g - before[2][j], w1, before[2][j]);
    float v = __builtin_fmaf(g * g - before[3][j], w2, before[3][j]);
    float u = m / c1 / (__builtin_sqrtf(v / c2) + eps);
    p = __builtin_fmaf(decay, p, -(lr * u));
    wrong += memcmp(&p, &now[0][j], 4) || memcmp(&m, &now[2][j], 4) ||
             memcmp(&v, &now[3][j], 4);
  }
  if (wrong)
    printf("%d of %zu elements differ\n", wrong, size);
  return wrong != 0;
}

int main(void) {
  static const size_t sizes[] = {0,    1,    7,     15,    16,    17,    127,
                                 4096, 4097, 16384, 16385, 33000, 100003};
  int failures = 0;
  for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); ++i)
    failures += check(sizes[i]);
  printf("%d failures\n", failures);
  return failures != 0;
}
