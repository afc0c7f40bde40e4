/*===- Replay.c - The bits of a program, on whatever machine this is -------===
 *
 * Takes a flat image through a few steps over ragged tensors with special
 * values and absent gradients, and prints a hash of all parameters and states.
 * Two builds of this file for two machines must print the same.
 *
 *   replay IMAGE THREADS
 *
 * Valid C and C++: the build for the other machine has one compiler.
 *
 *===----------------------------------------------------------------------===*/

#include "runtime/updraft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kTensors = 10, kSteps = 7 };
static const struct {
  uint32_t rank;
  int64_t dims[3];
} kShapes[kTensors] = {{1, {0}},      {1, {1}},       {1, {7}},
                       {1, {127}},    {1, {4096}},    {1, {4097}},
                       {1, {33003}},  {2, {70, 520}}, {3, {3, 73, 151}},
                       {2, {301, 50}}};
static const uint32_t kBytes[] = {8, 4, 2, 2};

static int64_t sizeOf(size_t tensor) {
  int64_t size = 1;
  for (uint32_t i = 0; i < kShapes[tensor].rank; ++i)
    size *= kShapes[tensor].dims[i];
  return size;
}

static void die(void) {
  fprintf(stderr, "replay: error: %s\n", updraft_last_error());
  exit(1);
}

static uint32_t hashed(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

/* A number of either sign near 1, now and then zero, tiny or huge. */
static float valueOf(uint32_t seed) {
  uint32_t bits = hashed(seed);
  float value = (float)(int32_t)hashed(bits) * 0x1p-31f;
  switch (bits % 61) {
  case 0:
    return value < 0 ? -0.0f : 0.0f;
  case 1:
    return value * 0x1p-130f;
  case 2:
    return value * 0x1p60f;
  default:
    return value;
  }
}

/* Rounds towards zero, which is all that a test value needs. */
static void store(void *to, uint32_t dtype, float value) {
  uint32_t bits;
  double wide = value;
  memcpy(&bits, &value, 4);
  uint32_t exponent = bits >> 23 & 255;
  uint16_t half = bits >> 16 & 0x8000;
  if (exponent > 112 && exponent < 143)
    half |= (exponent - 112) << 10 | (bits >> 13 & 0x3ff);
  uint16_t brain = bits >> 16;
  const void *from[] = {&wide, &value, &brain, &half};
  memcpy(to, from[dtype], kBytes[dtype]);
}

static void fill(void *data, uint32_t dtype, int64_t size, uint32_t seed) {
  for (int64_t i = 0; i < size; ++i)
    store((char *)data + i * kBytes[dtype], dtype, valueOf(seed + (uint32_t)i));
}

static uint64_t addBytes(uint64_t hash, const void *data, size_t bytes) {
  const unsigned char *byte = (const unsigned char *)data;
  for (size_t i = 0; i < bytes; ++i)
    hash = (hash ^ byte[i]) * 0x100000001b3u;
  return hash;
}

/* A NaN is a NaN: its sign and payload are not promised. */
static uint64_t addNumbers(uint64_t hash, const void *data, uint32_t dtype,
                           size_t count) {
  static const uint64_t kInf[] = {0x7ffull << 52, 0x7f800000, 0x7f80, 0x7c00};
  for (size_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    memcpy(&bits, (const char *)data + i * kBytes[dtype], kBytes[dtype]);
    uint64_t magnitude = bits & ~(1ull << (8 * kBytes[dtype] - 1));
    if (magnitude > kInf[dtype])
      bits = ~0ull;
    hash = addBytes(hash, &bits, sizeof bits);
  }
  return hash;
}

static uint64_t addStates(uint64_t hash, updraft_optimizer *optimizer,
                          size_t index) {
  size_t count = updraft_optimizer_state_count(optimizer, index);
  for (size_t s = 0; s < count; ++s) {
    updraft_ndarray state;
    const char *name = updraft_optimizer_state_name(optimizer, index, s);
    if (updraft_optimizer_state(optimizer, name, index, &state))
      die();
    size_t size = 1;
    for (uint32_t d = 0; d < state.rank; ++d)
      size *= (size_t)state.shape[d];
    hash = addNumbers(hash, state.data, state.dtype, size);
  }
  return hash;
}

int main(int argc, char **argv) {
  updraft_loaded_program *program;
  updraft_optimizer *optimizer;
  if (argc != 3) {
    fprintf(stderr, "usage: replay IMAGE THREADS\n");
    return 2;
  }
  if (updraft_program_open(argv[1], &program))
    die();
  uint32_t dtype = updraft_program_descriptor(program)->param;
  updraft_param params[kTensors];
  updraft_ndarray grads[kTensors];
  memset(params, 0, sizeof params);
  for (size_t k = 0; k < kTensors; ++k) {
    updraft_ndarray array = {malloc((size_t)sizeOf(k) * 8 + 8),
                             dtype,
                             kShapes[k].rank,
                             kShapes[k].dims,
                             NULL,
                             0};
    params[k].array = grads[k] = array;
    grads[k].data = malloc((size_t)sizeOf(k) * 8 + 8);
    fill(array.data, dtype, sizeOf(k), (uint32_t)k << 24);
  }
  updraft_options options = {sizeof options, (uint32_t)atoi(argv[2]), NULL, 0,
                             0};
  if (updraft_optimizer_create(program, NULL, 0, params, kTensors, &options,
                               &optimizer))
    die();
  for (uint32_t step = 0; step < kSteps; ++step) {
    updraft_ndarray given[kTensors];
    for (uint32_t k = 0; k < kTensors; ++k) {
      given[k] = grads[k];
      fill(grads[k].data, dtype, sizeOf(k), 77 + step * 0x10001 + (k << 24));
      if (hashed(step * kTensors + k) % 4 == 0)
        given[k].data = NULL;
    }
    if (updraft_optimizer_step(optimizer, given, kTensors, NULL))
      die();
  }
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t k = 0; k < kTensors; ++k) {
    hash = addNumbers(hash, params[k].array.data, dtype, (size_t)sizeOf(k));
    hash = addStates(hash, optimizer, k);
  }
  hash = addStates(hash, optimizer, kTensors);
  printf("%016llx\n", (unsigned long long)hash);
  return 0;
}
