/*===- ViewTest.c - Views and states ----------------------------------------===
 *
 * Views of every level, conversion of states, and that looking changes nothing.
 *
 *===----------------------------------------------------------------------===*/

#include "Check.h"
#include "FakeProgram.h"
#include "Tensors.h"

#define BAD UPDRAFT_INVALID_ARGUMENT

static const int64_t sizes[] = {6, 5000, 20000};
static updraft_optimizer *optimizer;
static Tensors t;

static void elements(void) {
  float shown[6], again[6];
  int64_t six = 6, seven = 7;
  updraft_ndarray out = {shown, UPDRAFT_F32, 1, &six, NULL, 0}, m, v;
  CHECK_OK(updraft_optimizer_state(optimizer, "m", 0, &m));
  CHECK_OK(updraft_optimizer_state(optimizer, "v", 0, &v));
  CHECK(m.rank == 1 && m.shape[0] == 6 && m.dtype == UPDRAFT_F32);
  CHECK_OK(updraft_optimizer_view(optimizer, "m", 0, &out));
  CHECK(!memcmp(shown, m.data, sizeof shown));
  CHECK_OK(updraft_optimizer_view(optimizer, "direction", 0, &out));
  for (int i = 0; i < 6; ++i)
    CHECK(shown[i] ==
          ((float *)m.data)[i] / (sqrtf(((float *)v.data)[i]) + 1e-8f));
  out.data = again;
  CHECK_OK(updraft_optimizer_view(optimizer, "direction", 0, &out));
  CHECK(!memcmp(shown, again, sizeof shown));
  out.shape = &seven;
  CHECK_FAILS(updraft_optimizer_view(optimizer, "m", 0, &out), BAD,
              "adamw: the output for view 'm' has shape [7], parameter '0' has "
              "shape [6]");
  out.shape = &six, out.dtype = UPDRAFT_BF16;
  CHECK_FAILS(updraft_optimizer_view(optimizer, "m", 0, &out), BAD,
              "has dtype bf16, f32 is needed");
  out.dtype = UPDRAFT_F32, out.data = t.p[0];
  CHECK_FAILS(updraft_optimizer_view(optimizer, "m", 0, &out), BAD,
              "overlaps parameter '0'");
  out.data = again;
  CHECK_FAILS(updraft_optimizer_view(optimizer, "mm", 0, &out),
              UPDRAFT_NOT_FOUND, "no view 'mm'; did you mean 'm'?");
  CHECK_FAILS(updraft_optimizer_view(optimizer, "m", 3, &out), BAD,
              "view 'm' of parameter 3: there are 3 parameters");
}

static void scalars(void) {
  double value = 0, sum = 0;
  updraft_ndarray out = {&value, UPDRAFT_F64, 0, NULL, NULL, 0};
  CHECK_OK(updraft_optimizer_view(optimizer, "power", 1, &out));
  CHECK(value == pow(0.9, 2));
  CHECK_OK(updraft_optimizer_view(optimizer, "norm", 0, &out));
  for (int k = 0; k < 3; ++k)
    for (int64_t i = 0; i < t.sizes[k]; ++i)
      sum += (double)t.p[k][i] * t.p[k][i];
  CHECK(fabs(value / sqrt(sum) - 1) < 1e-5);
  CHECK_OK(updraft_optimizer_view(optimizer, "norm", 99, &out));
  out.dtype = UPDRAFT_F32;
  CHECK_FAILS(updraft_optimizer_view(optimizer, "norm", 0, &out), BAD,
              "view 'norm' is one number");
  updraft_ndarray state;
  CHECK_FAILS(updraft_optimizer_state(optimizer, "u", 0, &state),
              UPDRAFT_NOT_FOUND, "adamw: no state 'u'");
  CHECK_FAILS(updraft_optimizer_state(optimizer, NULL, 0, &state), BAD, "null");
}

int main(void) {
  updraft_loaded_program *program = NULL;
  t = makeTensors(3, sizes, 3);
  Tensors r = makeTensors(3, sizes, 3);
  updraft_optimizer *other = NULL;
  CHECK_OK(updraft_program_from(fakeAdamw(), &program));
  CHECK_OK(updraft_optimizer_create(program, NULL, 0, t.params, 3, NULL,
                                    &optimizer));
  CHECK_OK(
      updraft_optimizer_create(program, NULL, 0, r.params, 3, NULL, &other));
  updraft_program_release(program);
  CHECK_OK(updraft_optimizer_step(optimizer, t.grads, 3, NULL));
  elements();
  scalars();
  /* Looking changed nothing. */
  CHECK_OK(updraft_optimizer_step(optimizer, t.grads, 3, NULL));
  CHECK_OK(updraft_optimizer_step(other, r.grads, 3, NULL));
  CHECK_OK(updraft_optimizer_step(other, r.grads, 3, NULL));
  CHECK(sameParams(&t, &r));
  updraft_optimizer_destroy(optimizer);
  updraft_optimizer_destroy(other);
  freeTensors(&t);
  freeTensors(&r);
  return CHECK_RESULT();
}
