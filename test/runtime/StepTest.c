/*===- StepTest.c - Steps give the right bits on any number of threads ------===
 *
 * Compiled AdamW against the same loop called directly, and against itself on
 * more threads, in groups, with absent and empty tensors.
 *
 *===----------------------------------------------------------------------===*/

#include "Check.h"
#include "FakeProgram.h"
#include "Tensors.h"
#include "Threads.h"

static const int64_t ragged[] = {0,      1,     7,      127,   4096,
                                 4097,   16384, 16385,  100,   100003,
                                 300000, 64,    700001, 20000, 5};
enum { RAGGED = sizeof ragged / sizeof *ragged };

static updraft_optimizer *make(const updraft_program *constant, Tensors *t,
                               const updraft_options *options,
                               size_t groupCount) {
  updraft_loaded_program *program = NULL;
  updraft_optimizer *optimizer = NULL;
  updraft_setting second = {"lr", 0.25};
  updraft_group groups[3] = {{NULL, 0}, {&second, 1}, {NULL, 0}};
  CHECK_OK(updraft_program_from(constant, &program));
  CHECK_OK(updraft_optimizer_create(program, groups, groupCount, t->params,
                                    t->count, options, &optimizer));
  updraft_program_release(program);
  return optimizer;
}

static void stepsEqualTheLoop(void) {
  Tensors t = makeTensors(RAGGED, ragged, RAGGED);
  Tensors r = makeTensors(RAGGED, ragged, RAGGED);
  const char *tags[] = {"bias", "no_decay"};
  t.params[3].tags = tags;
  t.params[3].tag_count = 2;
  updraft_optimizer *optimizer = make(fakeAdamw(), &t, NULL, 0);
  for (size_t k = 0; k < r.count; ++k) {
    float *m = calloc((size_t)r.sizes[k] + 1, 4);
    float *v = calloc((size_t)r.sizes[k] + 1, 4);
    AdamwHypers hypers = {1e-3, 0.9, 0.999, 1e-8, k == 3 ? 0 : 1e-2};
    for (int step = 1; step <= 3; ++step)
      adamwReference(r.p[k], r.g[k], m, v, (size_t)r.sizes[k], &hypers, step,
                     1);
    free(m);
    free(v);
  }
  for (int step = 1; step <= 3; ++step)
    CHECK_OK(updraft_optimizer_step(optimizer, t.grads, t.count, NULL));
  CHECK(sameParams(&t, &r));
  double counted = 0;
  updraft_ndarray state;
  CHECK_OK(updraft_optimizer_state(optimizer, "step", 0, &state));
  memcpy(&counted, state.data, 8);
  CHECK(counted == 4 && state.rank == 0 && state.dtype == UPDRAFT_F64);
  updraft_optimizer_destroy(optimizer);
  freeTensors(&t);
  freeTensors(&r);
}

/* 300 tensors in three groups: the clip coefficient depends on every one. */
static void threadsChangeNoBit(void) {
  enum { COUNT = 300 };
  int regions = 0;
  updraft_executor executor = {runOnThreads, &regions, 3};
  updraft_options options[] = {
      {sizeof(updraft_options), 1, NULL, 0, 0},
      {sizeof(updraft_options), 2, NULL, 0, 0},
      {sizeof(updraft_options), 2, &executor, 0, 0},
      {sizeof(updraft_options), 0, &executor, 0, 0},
  };
  Tensors first = {0};
  for (size_t o = 0; o < sizeof options / sizeof *options; ++o) {
    Tensors t = makeTensors(COUNT, ragged, RAGGED);
    for (size_t k = 0; k < COUNT; ++k)
      t.params[k].group = (uint32_t)(k * k % 3);
    updraft_optimizer *optimizer = make(fakeClipAdamw(), &t, &options[o], 3);
    for (int step = 0; step < 3; ++step)
      CHECK_OK(updraft_optimizer_step(optimizer, t.grads, t.count, NULL));
    updraft_optimizer_destroy(optimizer);
    if (!o)
      first = t;
    else {
      CHECK(sameParams(&t, &first));
      freeTensors(&t);
    }
  }
  CHECK(regions == 2 * 4); /* creation and three steps, twice */
  freeTensors(&first);
}

static void groupsHaveTheirOwnHypers(void) {
  int64_t size = 50;
  Tensors t = makeTensors(2, &size, 1), r = makeTensors(2, &size, 1);
  t.params[0].group = 1;
  updraft_optimizer *optimizer = make(fakeAdamw(), &t, NULL, 2);
  CHECK_OK(updraft_optimizer_step(optimizer, t.grads, 2, NULL));
  float m[50] = {0}, v[50] = {0}, m1[50] = {0}, v1[50] = {0};
  AdamwHypers slow = {1e-3, 0.9, 0.999, 1e-8, 1e-2};
  AdamwHypers fast = {0.25, 0.9, 0.999, 1e-8, 1e-2};
  adamwReference(r.p[0], r.g[0], m, v, 50, &fast, 1, 1);
  adamwReference(r.p[1], r.g[1], m1, v1, 50, &slow, 1, 1);
  CHECK(sameParams(&t, &r));
  updraft_optimizer_destroy(optimizer);
  freeTensors(&t);
  freeTensors(&r);
}

static double counter(updraft_optimizer *optimizer, const char *name,
                      size_t index) {
  updraft_ndarray state = {0};
  CHECK_OK(updraft_optimizer_state(optimizer, name, index, &state));
  return state.data ? *(double *)state.data : NAN;
}

static void absentTensorsStay(void) {
  int64_t size = 10;
  Tensors t = makeTensors(2, &size, 1), r = makeTensors(2, &size, 1);
  updraft_optimizer *optimizer = make(fakeAdamw(), &t, NULL, 0);
  float *kept = t.grads[0].data;
  t.grads[0].data = NULL;
  CHECK_OK(updraft_optimizer_step(optimizer, t.grads, 2, NULL));
  CHECK(!memcmp(t.p[0], r.p[0], 40) && memcmp(t.p[1], r.p[1], 40));
  CHECK(counter(optimizer, "t", 0) == 1 && counter(optimizer, "t", 1) == 2);
  CHECK(counter(optimizer, "step", 0) == 2);
  /* Nobody present: nothing happens. */
  t.grads[1].data = NULL;
  CHECK_OK(updraft_optimizer_step(optimizer, t.grads, 2, NULL));
  CHECK(counter(optimizer, "step", 0) == 2);
  t.grads[0].data = kept;
  CHECK_OK(updraft_optimizer_step(optimizer, t.grads, 2, NULL));
  CHECK(memcmp(t.p[0], r.p[0], 40));
  CHECK(counter(optimizer, "t", 0) == 2 && counter(optimizer, "t", 1) == 2);
  updraft_optimizer_destroy(optimizer);
  freeTensors(&t);
  freeTensors(&r);
}

static void nothingAtAllWorks(void) {
  Tensors none = {0};
  updraft_optimizer *optimizer = make(fakeClipAdamw(), &none, NULL, 0);
  CHECK_OK(updraft_optimizer_step(optimizer, NULL, 0, NULL));
  updraft_optimizer_destroy(optimizer);
}

static void modesOfTheHostDoNotMatter(void) {
#if defined(__x86_64__)
  int64_t size = 1000;
  Tensors t = makeTensors(1, &size, 1), r = makeTensors(1, &size, 1);
  for (int i = 0; i < size; ++i)
    t.g[0][i] = r.g[0][i] = 1e-39f * (float)(i + 1);
  updraft_optimizer *a = make(fakeAdamw(), &t, NULL, 0);
  updraft_optimizer *b = make(fakeAdamw(), &r, NULL, 0);
  CHECK_OK(updraft_optimizer_step(a, t.grads, 1, NULL));
  unsigned before = __builtin_ia32_stmxcsr();
  unsigned odd = before | 0x8040 | 0x6000; /* FTZ, DAZ, toward zero */
  __builtin_ia32_ldmxcsr(odd);
  updraft_status status = updraft_optimizer_step(b, r.grads, 1, NULL);
  unsigned after = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before);
  CHECK_OK(status);
  CHECK((after & 0xe040) == (odd & 0xe040));
  CHECK(sameParams(&t, &r));
  updraft_ndarray state;
  CHECK_OK(updraft_optimizer_state(b, "m", 0, &state));
  CHECK(((float *)state.data)[0] != 0);
  updraft_optimizer_destroy(a);
  updraft_optimizer_destroy(b);
  freeTensors(&t);
  freeTensors(&r);
#endif
}

static void rebindFollowsTheHost(void) {
  int64_t size = 20000;
  Tensors t = makeTensors(2, &size, 1), r = makeTensors(2, &size, 1);
  updraft_optimizer *a = make(fakeAdamw(), &t, NULL, 0);
  updraft_optimizer *b = make(fakeAdamw(), &r, NULL, 0);
  CHECK_OK(updraft_optimizer_step(a, t.grads, 2, NULL));
  CHECK_OK(updraft_optimizer_step(b, r.grads, 2, NULL));
  float *moved = malloc((size_t)size * 4);
  memcpy(moved, t.p[0], (size_t)size * 4);
  updraft_ndarray place = t.params[0].array;
  place.data = moved;
  CHECK_OK(updraft_optimizer_rebind(a, 0, &place));
  free(t.p[0]);
  t.p[0] = moved;
  CHECK_OK(updraft_optimizer_step(a, t.grads, 2, NULL));
  CHECK_OK(updraft_optimizer_step(b, r.grads, 2, NULL));
  CHECK(sameParams(&t, &r));
  place.data = t.p[1];
  CHECK_FAILS(updraft_optimizer_rebind(a, 0, &place), UPDRAFT_INVALID_ARGUMENT,
              "adamw: the new memory of '0' overlaps parameter '1'");
  place.data = t.g[1];
  CHECK_OK(updraft_optimizer_rebind(a, 0, &place));
  CHECK_FAILS(updraft_optimizer_step(a, t.grads, 2, NULL),
              UPDRAFT_INVALID_ARGUMENT,
              "adamw: the gradient of '1' overlaps parameter '0'");
  updraft_optimizer_destroy(a);
  updraft_optimizer_destroy(b);
  freeTensors(&t);
  freeTensors(&r);
}

int main(void) {
  stepsEqualTheLoop();
  threadsChangeNoBit();
  groupsHaveTheirOwnHypers();
  absentTensorsStay();
  nothingAtAllWorks();
  modesOfTheHostDoNotMatter();
  rebindFollowsTheHost();
  return CHECK_RESULT();
}
