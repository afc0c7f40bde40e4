/*===- BindTest.c - States and parameters in the caller's memory ------------===
 *
 * The same bits as with states of the optimizer's own; moved from step to step;
 * refused, and nothing changed, where shapes, dtypes or overlaps are wrong.
 *
 *===----------------------------------------------------------------------===*/

#include "Check.h"
#include "FakeProgram.h"
#include "Tensors.h"

#define BAD UPDRAFT_INVALID_ARGUMENT

enum { COUNT = 4 };
static const int64_t sizes[COUNT] = {7, 4097, 0, 40000};

/* m and v of each tensor, one after the other. */
static void makeStates(const Tensors *t, updraft_ndarray *states) {
  for (size_t k = 0; k < 2 * COUNT; ++k) {
    updraft_ndarray state = {calloc((size_t)t->sizes[k / 2] + 16, 4),
                             UPDRAFT_F32,
                             1,
                             &t->sizes[k / 2],
                             NULL,
                             0};
    states[k] = state;
  }
}

static void freeStates(updraft_ndarray *states) {
  for (size_t k = 0; k < 2 * COUNT; ++k)
    free(states[k].data);
}

static void arraysOf(const Tensors *t, updraft_ndarray *arrays) {
  for (size_t k = 0; k < COUNT; ++k)
    arrays[k] = t->params[k].array;
}

static updraft_optimizer *make(const Tensors *t, uint32_t flags) {
  updraft_options options = {sizeof options, 2, NULL, 0, flags};
  updraft_loaded_program *program = NULL;
  updraft_optimizer *optimizer = NULL;
  CHECK_OK(updraft_program_from(fakeClipAdamw(), &program));
  CHECK_OK(updraft_optimizer_create(program, NULL, 0, t->params, COUNT,
                                    &options, &optimizer));
  updraft_program_release(program);
  return optimizer;
}

static void sameBits(void) {
  Tensors own = makeTensors(COUNT, sizes, COUNT);
  Tensors given = makeTensors(COUNT, sizes, COUNT);
  updraft_ndarray states[2 * COUNT], moved[2 * COUNT], params[COUNT];
  makeStates(&given, states);
  makeStates(&given, moved);
  arraysOf(&given, params);
  updraft_optimizer *a = make(&own, 0);
  updraft_optimizer *b = make(&given, UPDRAFT_STATES_GIVEN);
  CHECK_FAILS(updraft_optimizer_step(b, given.grads, COUNT, NULL), BAD,
              "the states have no memory");
  CHECK_FAILS(updraft_optimizer_save(b, "never written"), BAD, "no memory");
  for (int step = 0; step < 4; ++step) {
    updraft_ndarray *now = step % 2 ? moved : states;
    updraft_ndarray *before = step % 2 ? states : moved;
    for (size_t k = 0; k < 2 * COUNT; ++k)
      memcpy(now[k].data, before[k].data, (size_t)sizes[k / 2] * 4);
    CHECK_OK(updraft_optimizer_bind(b, params, COUNT, now, 2 * COUNT));
    CHECK_OK(updraft_optimizer_step(a, own.grads, COUNT, NULL));
    CHECK_OK(updraft_optimizer_step(b, given.grads, COUNT, NULL));
  }
  CHECK(sameParams(&own, &given));
  for (size_t k = 0; k < 2 * COUNT; ++k) {
    updraft_ndarray mine;
    CHECK_OK(updraft_optimizer_state(a, k % 2 ? "v" : "m", k / 2, &mine));
    CHECK(!memcmp(mine.data, moved[k].data, (size_t)sizes[k / 2] * 4));
  }
  updraft_optimizer_destroy(a);
  updraft_optimizer_destroy(b);
  freeStates(states);
  freeStates(moved);
  freeTensors(&own);
  freeTensors(&given);
}

static void refusals(void) {
  Tensors t = makeTensors(COUNT, sizes, COUNT);
  updraft_ndarray states[2 * COUNT], params[COUNT];
  makeStates(&t, states);
  arraysOf(&t, params);
  updraft_optimizer *o = make(&t, UPDRAFT_STATES_GIVEN);
  CHECK_FAILS(updraft_optimizer_bind(o, params, 1, states, 2 * COUNT), BAD,
              "1 parameters were given, there are 4");
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, 3), BAD,
              "3 states were given, there are 8");
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, NULL, 8), BAD, "null");
  updraft_ndarray kept = states[1];
  states[1].dtype = UPDRAFT_F64;
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, 8), BAD,
              "state 'v' of '0' has dtype f64, f32 is needed");
  states[1] = kept, states[1].shape = &sizes[1];
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, 8), BAD,
              "state 'v' of '0' has shape");
  states[1] = kept, states[1].data = NULL;
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, 8), BAD, "null");
  states[1].data = (char *)states[0].data + 4;
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, 8), BAD,
              "the optimizer's states overlaps the optimizer's states");
  states[1].data = params[0].data;
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, 8), BAD,
              "overlaps");
  states[1] = kept;
  CHECK_OK(updraft_optimizer_bind(o, params, COUNT, states, 8));
  t.grads[1].data = states[2].data;
  CHECK_FAILS(updraft_optimizer_step(o, t.grads, COUNT, NULL), BAD,
              "the gradient of '1' overlaps the optimizer's states");
  updraft_optimizer_destroy(o);
  freeStates(states);
  t.grads[1].data = t.g[1];
  freeTensors(&t);
}

/* Only the parameters move. */
static void ownStatesStay(void) {
  Tensors a = makeTensors(COUNT, sizes, COUNT);
  Tensors b = makeTensors(COUNT, sizes, COUNT);
  updraft_ndarray params[COUNT];
  updraft_optimizer *once = make(&a, 0), *twice = make(&b, 0);
  Tensors c = makeTensors(COUNT, sizes, COUNT);
  arraysOf(&c, params);
  for (int step = 0; step < 2; ++step) {
    CHECK_OK(updraft_optimizer_step(once, a.grads, COUNT, NULL));
    CHECK_OK(updraft_optimizer_step(twice, b.grads, COUNT, NULL));
    if (step == 0) {
      for (size_t k = 0; k < COUNT; ++k)
        memcpy(c.p[k], b.p[k], (size_t)sizes[k] * 4);
      CHECK_OK(updraft_optimizer_bind(twice, params, COUNT, NULL, 0));
    }
  }
  CHECK(sameParams(&a, &c) && !sameParams(&a, &b));
  updraft_optimizer_destroy(once);
  updraft_optimizer_destroy(twice);
  freeTensors(&a);
  freeTensors(&b);
  freeTensors(&c);
}

int main(void) {
  sameBits();
  refusals();
  ownStatesStay();
  return CHECK_RESULT();
}
