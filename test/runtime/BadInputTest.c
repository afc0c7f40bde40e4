/*===- BadInputTest.c - Every wrong argument is a clear error ---------------===
 *
 * Nothing may be changed by a call that fails; the text names rule, tensor,
 * what was given and what is needed.
 *
 *===----------------------------------------------------------------------===*/

#include "Check.h"
#include "FakeProgram.h"
#include "Tensors.h"

#define BAD UPDRAFT_INVALID_ARGUMENT

static updraft_loaded_program *program;

static updraft_status createWith(const updraft_param *params, size_t count) {
  updraft_optimizer *optimizer = NULL;
  updraft_status status = updraft_optimizer_create(program, NULL, 0, params,
                                                   count, NULL, &optimizer);
  CHECK(status ? !optimizer : !!optimizer);
  updraft_optimizer_destroy(optimizer);
  return status;
}

static updraft_status createOne(updraft_ndarray array) {
  updraft_param param = {"w", array, 0, 0, NULL};
  return createWith(&param, 1);
}

static void wrongParameters(void) {
  static float data[16];
  int64_t shape[] = {3, 4}, negative[] = {3, -4}, huge[] = {1ll << 40, 1 << 30};
  int64_t empty[] = {0, 1ll << 62, 1ll << 62};
  int64_t columns[] = {1, 3}, rows[] = {4, 1}, deep[9] = {1, 1, 1, 1, 1, 1, 1};
  updraft_ndarray good = {data, UPDRAFT_F32, 2, shape, NULL, 0}, a = good;
  CHECK_OK(createOne(good));
  a.strides = rows;
  CHECK_OK(createOne(a));
  a.strides = columns;
  CHECK_FAILS(createOne(a), BAD,
              "adamw: parameter 'w' is not contiguous: shape [3, 4] has "
              "strides [1, 3]");
  a = good, a.dtype = UPDRAFT_F64;
  CHECK_FAILS(createOne(a), BAD,
              "adamw: parameter 'w' has dtype f64, f32 is needed");
  a = good, a.dtype = 77;
  CHECK_FAILS(createOne(a), BAD, "has dtype ?, f32 is needed");
  a = good, a.rank = 9, a.shape = deep;
  CHECK_FAILS(createOne(a), BAD,
              "parameter 'w' has rank 9, at most 8 is supported");
  a = good, a.shape = NULL;
  CHECK_FAILS(createOne(a), BAD, "parameter 'w' has rank 2 and no shape");
  a = good, a.shape = negative;
  CHECK_FAILS(createOne(a), BAD, "a negative shape [3, -4]");
  a = good, a.shape = huge;
  CHECK_FAILS(createOne(a), BAD, "more elements than can be addressed");
  a = good, a.data = NULL;
  CHECK_FAILS(createOne(a), BAD, "parameter 'w' has null data and 12 elements");
  a = good, a.data = (char *)data + 2;
  CHECK_FAILS(createOne(a), BAD, "is not aligned");
  a = good, a.data = NULL, a.shape = empty, a.rank = 3;
  CHECK_OK(createOne(a));
  a = good, a.rank = 0, a.shape = NULL;
  CHECK_OK(createOne(a));
}

static void wrongLists(void) {
  static float data[32];
  int64_t size = 8;
  updraft_param params[2] = {
      {"a", {data, UPDRAFT_F32, 1, &size, NULL, 0}, 0, 0, NULL},
      {"b", {data + 8, UPDRAFT_F32, 1, &size, NULL, 0}, 0, 0, NULL}};
  CHECK_OK(createWith(params, 2));
  params[1].array.data = data + 7;
  CHECK_FAILS(createWith(params, 2), BAD,
              "adamw: parameters 'a' and 'b' overlap");
  params[1].array.data = data;
  CHECK_FAILS(createWith(params, 2), BAD,
              "adamw: parameters 'a' and 'b' are the same memory");
  params[1].array.data = data + 8;
  params[1].name = "a";
  CHECK_FAILS(createWith(params, 2), BAD,
              "adamw: two parameters are called 'a'");
  params[1].name = NULL; /* its position: "1" */
  params[0].name = "1";
  CHECK_FAILS(createWith(params, 2), BAD,
              "adamw: two parameters are called '1'");
  params[1].group = 1;
  CHECK_FAILS(createWith(params, 2), BAD, "is in group 1, there are 1 groups");
  params[1].group = 0, params[1].tag_count = 1;
  CHECK_FAILS(createWith(params, 2), BAD, "has null tags");
  CHECK_FAILS(createWith(NULL, 2), BAD, "the parameters are null");
}

/* Older versions are shorter, newer ones longer. */
static void versionsOfOptions(void) {
  updraft_optimizer *optimizer = NULL;
  updraft_executor executor = {NULL, NULL, 1};
  struct {
    updraft_options known;
    uint64_t unknown[2];
  } newer = {{sizeof newer, 1, NULL, 0, 0}, {0, 0}};
  CHECK_OK(updraft_optimizer_create(program, NULL, 0, NULL, 0, &newer.known,
                                    &optimizer));
  updraft_optimizer_destroy(optimizer);
  newer.unknown[1] = (uint64_t)1 << 40;
  CHECK_FAILS(updraft_optimizer_create(program, NULL, 0, NULL, 0, &newer.known,
                                       &optimizer),
              BAD,
              "updraft_options has 48 bytes, this library knows 32, and byte "
              "45 is not 0: it was made for a newer version");
  /* What a shorter one lacks is not read: here an executor that cannot run. */
  newer.known.executor = &executor;
  newer.known.struct_bytes = offsetof(updraft_options, executor);
  CHECK_OK(updraft_optimizer_create(program, NULL, 0, NULL, 0, &newer.known,
                                    &optimizer));
  updraft_optimizer_destroy(optimizer);
  newer.known.struct_bytes = offsetof(updraft_options, seed);
  CHECK_FAILS(updraft_optimizer_create(program, NULL, 0, NULL, 0, &newer.known,
                                       &optimizer),
              BAD, "the executor's run is null");
  newer.known.struct_bytes = 0;
  CHECK_FAILS(updraft_optimizer_create(program, NULL, 0, NULL, 0, &newer.known,
                                       &optimizer),
              BAD,
              "updraft_options.struct_bytes is 0: set it to "
              "sizeof(updraft_options)");
}

static void wrongOptions(void) {
  updraft_optimizer *optimizer = NULL;
  updraft_options options = {4, 1, NULL, 0, 0};
  updraft_executor executor = {NULL, NULL, 1};
  CHECK_FAILS(
      updraft_optimizer_create(program, NULL, 0, NULL, 0, &options, &optimizer),
      BAD, "struct_bytes is 4");
  options.struct_bytes = sizeof options;
  options.executor = &executor;
  CHECK_FAILS(
      updraft_optimizer_create(program, NULL, 0, NULL, 0, &options, &optimizer),
      BAD, "the executor's run is null");
  CHECK_FAILS(
      updraft_optimizer_create(NULL, NULL, 0, NULL, 0, NULL, &optimizer), BAD,
      "program or result is null");
  CHECK_FAILS(
      updraft_optimizer_create(program, NULL, 2, NULL, 0, NULL, &optimizer),
      BAD, "the groups are null");
}

/* Every failed step leaves parameters, states and counters as they were. */
static void wrongGradients(void) {
  static float p[40], g[40];
  int64_t shape[] = {4, 5}, other[] = {5, 4}, longer[] = {21};
  int64_t columns[] = {1, 4};
  updraft_param params[2] = {
      {"w", {p, UPDRAFT_F32, 2, shape, NULL, 0}, 0, 0, NULL},
      {"b", {p + 20, UPDRAFT_F32, 2, shape, NULL, 0}, 0, 0, NULL}};
  updraft_optimizer *optimizer = NULL;
  CHECK_OK(
      updraft_optimizer_create(program, NULL, 0, params, 2, NULL, &optimizer));
  updraft_ndarray state;
  CHECK_OK(updraft_optimizer_state(optimizer, "m", 1, &state));
  updraft_ndarray good[2] = {{g, UPDRAFT_F32, 2, shape, NULL, 0},
                             {g + 20, UPDRAFT_F32, 2, shape, NULL, 0}};
  for (int i = 0; i < 40; ++i)
    p[i] = g[i] = (float)(i + 1);
  struct {
    updraft_ndarray grad;
    const char *message;
  } cases[] = {
      {{g, UPDRAFT_F64, 2, shape, NULL, 0},
       "adamw: the gradient of 'b' has dtype f64, f32 is needed"},
      {{g, UPDRAFT_F32, 2, other, NULL, 0},
       "the gradient of 'b' has shape [5, 4], parameter 'b' has shape [4, 5]"},
      {{g, UPDRAFT_F32, 1, longer, NULL, 0},
       "the gradient of 'b' has rank 1, parameter 'b' has rank 2 [4, 5]"},
      {{g, UPDRAFT_F32, 2, shape, columns, 0},
       "the gradient of 'b' is not contiguous: shape [4, 5] has strides "
       "[1, 4]"},
      {{(char *)g + 1, UPDRAFT_F32, 2, shape, NULL, 0}, "is not aligned"},
      {{p, UPDRAFT_F32, 2, shape, NULL, 0},
       "the gradient of 'b' overlaps parameter 'w'"},
      {{p + 39, UPDRAFT_F32, 2, shape, NULL, 0},
       "the gradient of 'b' overlaps parameter 'b'"},
      {{state.data, UPDRAFT_F32, 2, shape, NULL, 0},
       "the gradient of 'b' overlaps the optimizer's states"},
      {{(void *)(UINTPTR_MAX - 3), UPDRAFT_F32, 2, shape, NULL, 0},
       "is larger than the address space"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    updraft_ndarray grads[2] = {good[0], cases[i].grad};
    CHECK_FAILS(updraft_optimizer_step(optimizer, grads, 2, NULL), BAD,
                cases[i].message);
  }
  CHECK_FAILS(updraft_optimizer_step(optimizer, good, 1, NULL), BAD,
              "adamw: 1 gradients were given, there are 2 parameters");
  CHECK_FAILS(updraft_optimizer_step(optimizer, NULL, 2, NULL), BAD,
              "the gradients are null");
  CHECK_FAILS(updraft_optimizer_step(optimizer, good, 2, g), BAD, "a stream");
  CHECK_FAILS(updraft_optimizer_step(NULL, good, 2, NULL), BAD,
              "optimizer is null");
  for (int i = 0; i < 40; ++i)
    CHECK(p[i] == (float)(i + 1));
  CHECK(((float *)state.data)[0] == 0);
  CHECK_OK(updraft_optimizer_state(optimizer, "t", 0, &state));
  CHECK(*(double *)state.data == 1);
  good[1].shape = NULL, good[1].rank = 0; /* not given: trusted */
  CHECK_OK(updraft_optimizer_step(optimizer, good, 2, NULL));
  updraft_optimizer_destroy(optimizer);
}

/* Sanitizers end the process where too much memory is asked for. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WATCHED 1
#endif
#endif

static void moreThan2To31Elements(void) {
  /* Only the checks: the memory is never touched. */
  int64_t shape[] = {1ll << 20, 1ll << 12};
  updraft_ndarray array = {
      (void *)(1ull << 40), UPDRAFT_F32, 2, shape, NULL, 0};
  updraft_param two[2] = {{"a", array, 0, 0, NULL}, {"b", array, 0, 0, NULL}};
  two[1].array.data = (char *)array.data + (1ull << 34) - 4;
  CHECK_FAILS(createWith(two, 2), BAD, "parameters 'a' and 'b' overlap");
#ifndef WATCHED
  shape[0] = 1ll << 48;
  CHECK_FAILS(createOne(array), UPDRAFT_OUT_OF_MEMORY, "out of memory");
#endif
}

int main(void) {
  CHECK(!strcmp(updraft_last_error(), ""));
  CHECK_OK(updraft_program_from(fakeAdamw(), &program));
  wrongParameters();
  wrongLists();
  versionsOfOptions();
  wrongOptions();
  wrongGradients();
  moreThan2To31Elements();
  updraft_program_release(program);
  return CHECK_RESULT();
}
