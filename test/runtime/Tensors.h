/*===- Tensors.h - Parameters and gradients for tests --------------*- C -*-===
 *
 * A list of tensors of rank 1 with values that depend on the position only.
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_TEST_TENSORS_H
#define UPDRAFT_TEST_TENSORS_H

#include "runtime/updraft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  size_t count;
  int64_t *sizes;
  float **p, **g;
  updraft_param *params;
  updraft_ndarray *grads;
} Tensors;

static inline float valueAt(size_t tensor, int64_t i, int salt) {
  uint32_t x = (uint32_t)(tensor * 7919 + (size_t)i * 104729) + (uint32_t)salt;
  x ^= x >> 15;
  x *= 0x2c1b3c6du;
  x ^= x >> 12;
  return (float)(int32_t)x / 2147483648.0f;
}

static inline Tensors makeTensors(size_t count, const int64_t *sizes,
                                  size_t sizeCount) {
  Tensors t = {count,
               malloc(count * sizeof(int64_t)),
               malloc(count * sizeof(float *)),
               malloc(count * sizeof(float *)),
               calloc(count, sizeof(updraft_param)),
               calloc(count, sizeof(updraft_ndarray))};
  for (size_t k = 0; k < count; ++k) {
    t.sizes[k] = sizes[k % sizeCount];
    size_t bytes = ((size_t)t.sizes[k] * 4 + 64) / 64 * 64;
    t.p[k] = aligned_alloc(64, bytes);
    t.g[k] = aligned_alloc(64, bytes);
    for (int64_t i = 0; i < t.sizes[k]; ++i) {
      t.p[k][i] = valueAt(k, i, 1);
      t.g[k][i] = valueAt(k, i, 2);
    }
    updraft_ndarray p = {t.p[k], UPDRAFT_F32, 1, &t.sizes[k], NULL, 0};
    updraft_ndarray g = {t.g[k], UPDRAFT_F32, 1, &t.sizes[k], NULL, 0};
    t.params[k].array = p;
    t.grads[k] = g;
  }
  return t;
}

static inline void freeTensors(Tensors *t) {
  for (size_t k = 0; k < t->count; ++k) {
    free(t->p[k]);
    free(t->g[k]);
  }
  free(t->sizes);
  free(t->p);
  free(t->g);
  free(t->params);
  free(t->grads);
}

static inline int sameParams(const Tensors *a, const Tensors *b) {
  for (size_t k = 0; k < a->count; ++k)
    if (memcmp(a->p[k], b->p[k], (size_t)a->sizes[k] * 4))
      return 0;
  return 1;
}

#endif /* UPDRAFT_TEST_TENSORS_H */
