//===- replay.c - A recorded training, repeated by an object file ---------===//
//
// Plain C, linked with the object that updraftc made of adamw.upd and with the
// runtime; no compiler is near. It takes the gradients of a run that the demo
// recorded (Recording.h says how) and shows that the weights and their averages
// come out with the same bits.
//
//===----------------------------------------------------------------------===//

#include "averaged_adamw.h"

#include <updraft/updraft.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(int condition, const char *what) {
  if (condition)
    return;
  fprintf(stderr, "replay: error: %s\n", what);
  exit(1);
}

static void check(updraft_status status) {
  require(status == UPDRAFT_OK, updraft_last_error());
}

/* All tensors of a kind lie one after another in one block. */
typedef struct {
  int64_t tensors, size[16], all;
} layout;

static void take(FILE *file, void *to, size_t bytes) {
  require(fread(to, 1, bytes, file) == bytes, "the recording is too short");
}

static layout readLayout(FILE *file) {
  layout result = {0};
  take(file, &result.tensors, sizeof(result.tensors));
  require(result.tensors > 0 && result.tensors <= 16, "not a recording");
  take(file, result.size, 8 * (size_t)result.tensors);
  for (int64_t i = 0; i < result.tensors; ++i)
    result.all += result.size[i];
  return result;
}

static float *allocate(const layout *l) {
  float *values = calloc((size_t)l->all, sizeof(float));
  require(values != NULL, "out of memory");
  return values;
}

/* The bits do not depend on shapes here, so every tensor is given as a row. */
static void describe(const layout *l, float *values, updraft_ndarray *arrays) {
  for (int64_t i = 0; i < l->tensors; values += l->size[i++]) {
    arrays[i].data = values;
    arrays[i].dtype = UPDRAFT_F32;
    arrays[i].rank = 1;
    arrays[i].shape = &l->size[i];
    arrays[i].strides = NULL;
    arrays[i].device = 0;
  }
}

static updraft_optimizer *create(const layout *l, float *weights) {
  updraft_ndarray arrays[16];
  updraft_param params[16] = {{0}};
  updraft_loaded_program *program;
  updraft_optimizer *optimizer;
  describe(l, weights, arrays);
  for (int64_t i = 0; i < l->tensors; ++i)
    params[i].array = arrays[i];
  check(updraft_program_from(&updraft_program_averaged_adamw, &program));
  check(updraft_optimizer_create(program, NULL, 0, params, (size_t)l->tensors,
                                 NULL, &optimizer));
  updraft_program_release(program);
  return optimizer;
}

/* Steps as often as the recording did; returns how often. */
static int repeat(FILE *file, const layout *l, updraft_optimizer *optimizer) {
  updraft_ndarray gradients[16];
  float *values = allocate(l);
  int steps = 0;
  describe(l, values, gradients);
  for (char more; take(file, &more, 1), more; ++steps) {
    take(file, values, 4 * (size_t)l->all);
    check(
        updraft_optimizer_step(optimizer, gradients, (size_t)l->tensors, NULL));
  }
  free(values);
  return steps;
}

/* Whether the next block of the recording is `values`, bit for bit. */
static int same(FILE *file, const layout *l, const float *values) {
  float *recorded = allocate(l);
  take(file, recorded, 4 * (size_t)l->all);
  int result = memcmp(recorded, values, 4 * (size_t)l->all) == 0;
  free(recorded);
  return result;
}

int main(int count, char **arguments) {
  require(count == 2, "usage: replay RECORDING");
  FILE *file = fopen(arguments[1], "rb");
  require(file != NULL, "cannot read the recording");
  layout l = readLayout(file);
  float *weights = allocate(&l), *average = allocate(&l);
  take(file, weights, 4 * (size_t)l.all);
  updraft_optimizer *optimizer = create(&l, weights);
  int steps = repeat(file, &l, optimizer);
  updraft_ndarray averages[16];
  describe(&l, average, averages);
  for (int64_t i = 0; i < l.tensors; ++i)
    check(
        updraft_optimizer_view(optimizer, "average", (size_t)i, &averages[i]));
  int weightsSame = same(file, &l, weights),
      averageSame = same(file, &l, average);
  printf("%d steps of %lld tensors, %lld parameters: weights %s, averages %s\n",
         steps, (long long)l.tensors, (long long)l.all,
         weightsSame ? "have the same bits" : "differ",
         averageSame ? "have the same bits" : "differ");
  updraft_optimizer_destroy(optimizer);
  free(weights);
  free(average);
  fclose(file);
  return weightsSame && averageSame ? 0 : 1;
}
