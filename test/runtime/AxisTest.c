/*===- AxisTest.c - Arrays and kernels of rows, columns, ... ----------------===
 *
 * Every item is visited once, whatever the shape and however many threads.
 * Shapes of states, views and files; states in the caller's memory; refused
 * tensors and programs.
 *
 *===----------------------------------------------------------------------===*/

#include "Check.h"
#include "FakeProgram.h"
#include "Tensors.h"

#include <unistd.h>

#define BAD UPDRAFT_INVALID_ARGUMENT

/* The arrays' places. */
enum { P = 0, R = 2, S = 5, RUNS = 10 };

static updraft_program *axis;

/*===- Tensors of higher rank ---------------------------------------------===*/

enum { COUNT = 11 };
static const struct {
  uint32_t rank;
  int64_t dims[4];
} shapes[COUNT] = {{2, {1, 1}},       {2, {130, 1030}},  {2, {3, 700000}},
                   {2, {700000, 3}},  {3, {5, 65, 513}}, {4, {2, 3, 4, 5}},
                   {2, {0, 5}},       {2, {5, 0}},       {3, {0, 2, 3}},
                   {4, {2, 3, 0, 4}}, {2, {600, 1}}};

static Tensors shaped(void) {
  int64_t sizes[COUNT];
  for (int k = 0; k < COUNT; ++k) {
    sizes[k] = 1;
    for (uint32_t i = 0; i < shapes[k].rank; ++i)
      sizes[k] *= shapes[k].dims[i];
  }
  Tensors t = makeTensors(COUNT, sizes, COUNT);
  for (int k = 0; k < COUNT; ++k) {
    for (int64_t i = 0; i < sizes[k]; ++i)
      t.g[k][i] = (float)(i * 7 % 5 - 2);
    t.params[k].array.rank = t.grads[k].rank = shapes[k].rank;
    t.params[k].array.shape = t.grads[k].shape = shapes[k].dims;
  }
  return t;
}

static updraft_optimizer *optimizerOf(Tensors *t, uint32_t threads,
                                      uint32_t flags) {
  updraft_loaded_program *program = NULL;
  updraft_optimizer *optimizer = NULL;
  updraft_options options = {sizeof options, threads, NULL, 0, flags};
  CHECK_OK(updraft_program_from(axis, &program));
  CHECK_OK(updraft_optimizer_create(program, NULL, 0, t->params, t->count,
                                    &options, &optimizer));
  updraft_program_release(program);
  return optimizer;
}

static uint64_t countOf(const updraft_ndarray *array) {
  uint64_t count = 1;
  for (uint32_t i = 0; i < array->rank; ++i)
    count *= (uint64_t)array->shape[i];
  return count;
}

/* What the row or column with number `line` is, from the elements. */
static float sumOf(const Tensors *t, int k, int isRow, uint64_t line) {
  const int64_t *last = shapes[k].dims + shapes[k].rank - 2;
  uint64_t rows = (uint64_t)last[0], cols = (uint64_t)last[1];
  float sum = 0;
  for (uint64_t j = 0; j < (isRow ? cols : rows); ++j)
    sum += t->g[k][isRow ? line * cols + j
                         : (line / cols * rows + j) * cols + line % cols];
  return sum;
}

static void everyItemOnce(updraft_optimizer *o, const Tensors *t, float steps) {
  static const struct {
    const char *name;
    float each;
  } counted[] = {{"m", 1}, {"s", 2}, {"fr", 1}, {"fc", 1}, {"fm", 1}};
  updraft_ndarray a;
  for (int k = 0; k < COUNT; ++k) {
    for (int isRow = 0; isRow < 2; ++isRow) {
      CHECK_OK(updraft_optimizer_state(o, isRow ? "r" : "c", (size_t)k, &a));
      int wrong = 0;
      for (uint64_t i = 0; i < countOf(&a); ++i)
        wrong += ((float *)a.data)[i] !=
                 (isRow ? 100.0f : 0.0f) + steps * sumOf(t, k, isRow, i);
      CHECK(!wrong);
    }
    for (size_t j = 0; j < sizeof counted / sizeof *counted; ++j) {
      CHECK_OK(updraft_optimizer_state(o, counted[j].name, (size_t)k, &a));
      int wrong = 0;
      for (uint64_t i = 0; i < countOf(&a); ++i)
        wrong += ((float *)a.data)[i] != counted[j].each * steps;
      CHECK(!wrong);
    }
  }
}

static void hasShape(updraft_optimizer *o, const char *name, size_t index,
                     uint32_t rank, int64_t first, int64_t second,
                     int64_t third) {
  int64_t wanted[] = {first, second, third};
  updraft_ndarray a;
  CHECK_OK(updraft_optimizer_state(o, name, index, &a));
  CHECK(a.rank == rank && a.dtype == UPDRAFT_F32);
  CHECK(!memcmp(a.shape, wanted, rank * sizeof *wanted));
}

static void shapesOfStates(updraft_optimizer *o) {
  hasShape(o, "r", 5, 3, 2, 3, 4);
  hasShape(o, "c", 5, 3, 2, 3, 5);
  hasShape(o, "m", 5, 2, 2, 3, 0);
  hasShape(o, "s", 5, 1, 2, 0, 0);
  hasShape(o, "fr", 5, 1, 2, 0, 0);
  hasShape(o, "fc", 5, 1, 60, 0, 0);
  hasShape(o, "fm", 5, 0, 0, 0, 0);
  hasShape(o, "m", 1, 0, 0, 0, 0);
  hasShape(o, "r", 7, 1, 5, 0, 0);
  hasShape(o, "s", 7, 1, 0, 0, 0);
}

static void views(updraft_optimizer *o) {
  updraft_ndarray shape, r;
  float shown[325];
  CHECK_OK(updraft_optimizer_view_shape(o, "twice", 4, &shape));
  CHECK(shape.rank == 2 && shape.shape[0] == 5 && shape.shape[1] == 65 &&
        shape.dtype == UPDRAFT_F32 && !shape.data);
  shape.data = shown;
  CHECK_OK(updraft_optimizer_view(o, "twice", 4, &shape));
  CHECK_OK(updraft_optimizer_state(o, "r", 4, &r));
  int wrong = 0;
  for (int i = 0; i < 325; ++i)
    wrong += shown[i] != 2 * ((float *)r.data)[i];
  CHECK(!wrong);
  shape.rank = 1;
  CHECK_FAILS(updraft_optimizer_view(o, "twice", 4, &shape), BAD,
              "the output for view 'twice' has shape [5], [5, 65] is needed");
  shape.shape = NULL;
  CHECK_FAILS(updraft_optimizer_view(o, "twice", 4, &shape), BAD,
              "has rank 1 and no shape");
  CHECK_FAILS(updraft_optimizer_view_shape(o, "once", 4, &shape),
              UPDRAFT_NOT_FOUND, "no view 'once'");
}

/* Threads change nothing, and a saved run goes on. */
static void runs(void) {
  static const char *const path = "axis-test.safetensors";
  Tensors t = shaped();
  updraft_optimizer *one = optimizerOf(&t, 1, 0);
  CHECK_OK(updraft_optimizer_step(one, t.grads, COUNT, NULL));
  everyItemOnce(one, &t, 1);
  shapesOfStates(one);
  views(one);
  CHECK_OK(updraft_optimizer_save(one, path));
  updraft_optimizer_destroy(one);
  updraft_optimizer *three = optimizerOf(&t, 3, 0);
  CHECK_OK(updraft_optimizer_load(three, path));
  CHECK_OK(updraft_optimizer_step(three, t.grads, COUNT, NULL));
  everyItemOnce(three, &t, 2);
  updraft_optimizer_destroy(three);
  unlink(path);
  freeTensors(&t);
}

/*===- In the caller's memory ---------------------------------------------===*/

enum { STATES = 7 };
static const char *const names[STATES] = {"r", "c", "m", "s", "fr", "fc", "fm"};

/* Zeros for all states of all tensors, of the shapes that `like` has; rows
   start at 100, as those of the optimizer's own. */
static void makeStates(updraft_optimizer *like, updraft_ndarray *states) {
  for (size_t k = 0; k < COUNT * STATES; ++k) {
    updraft_ndarray *a = &states[k];
    CHECK_OK(updraft_optimizer_state(like, names[k % STATES], k / STATES, a));
    a->data = calloc((size_t)countOf(a) + 1, sizeof(float));
    for (uint64_t i = 0; k % STATES == 0 && i < countOf(a); ++i)
      ((float *)a->data)[i] = 100;
  }
}

static void boundStates(void) {
  static const size_t rows = 4 * STATES;
  Tensors t = shaped();
  updraft_ndarray states[COUNT * STATES], params[COUNT], a;
  updraft_optimizer *like = optimizerOf(&t, 1, 0);
  updraft_optimizer *o = optimizerOf(&t, 2, UPDRAFT_STATES_GIVEN);
  makeStates(like, states);
  for (size_t k = 0; k < COUNT; ++k)
    params[k] = t.params[k].array;
  int64_t swapped[] = {65, 5}, flat[] = {325};
  updraft_ndarray right = states[rows];
  states[rows].shape = swapped;
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, COUNT * STATES),
              BAD, "has shape [65, 5], [5, 65] is needed");
  states[rows].rank = 1;
  states[rows].shape = flat;
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, COUNT * STATES),
              BAD, "state 'r' of '4'");
  states[rows] = right;
  states[rows].data = states[rows + 1].data;
  CHECK_FAILS(updraft_optimizer_bind(o, params, COUNT, states, COUNT * STATES),
              BAD, "overlaps");
  CHECK_FAILS(updraft_optimizer_step(o, t.grads, COUNT, NULL), BAD,
              "the states have no memory");
  states[rows] = right;
  for (int step = 1; step < 3; ++step) {
    CHECK_OK(updraft_optimizer_bind(o, params, COUNT, states, COUNT * STATES));
    CHECK_OK(updraft_optimizer_step(o, t.grads, COUNT, NULL));
    everyItemOnce(o, &t, (float)step);
  }
  CHECK_OK(updraft_optimizer_state(o, "c", 4, &a));
  CHECK(a.data == states[rows + 1].data);
  updraft_optimizer_destroy(o);
  updraft_optimizer_destroy(like);
  for (size_t k = 0; k < COUNT * STATES; ++k)
    free(states[k].data);
  freeTensors(&t);
}

/*===- What is refused ----------------------------------------------------===*/

static void refusedTensors(void) {
  updraft_loaded_program *program = NULL;
  updraft_optimizer *optimizer = NULL;
  int64_t size = 6, huge[] = {INT64_MAX / 2, 0, INT64_MAX / 2};
  Tensors t = makeTensors(1, &size, 1);
  t.params[0].name = "bias";
  CHECK_OK(updraft_program_from(axis, &program));
  CHECK_FAILS(
      updraft_optimizer_create(program, NULL, 0, t.params, 1, NULL, &optimizer),
      BAD, "axis: parameter 'bias' has rank 1, 'r' needs rank 2 or more");
  /* No element, and more columns than any memory has room for. */
  t.params[0].array.rank = 3;
  t.params[0].array.shape = huge;
  CHECK_FAILS(
      updraft_optimizer_create(program, NULL, 0, t.params, 1, NULL, &optimizer),
      UPDRAFT_OUT_OF_MEMORY, "");
  updraft_program_release(program);
  freeTensors(&t);
}

static void refusedArray(int which, updraft_extent extent) {
  updraft_loaded_program *loaded = NULL;
  updraft_program *program = fakeAxis();
  updraft_variant *variant =
      (updraft_variant *)((char *)program + program->variants.at);
  updraft_array *arrays =
      (updraft_array *)((char *)program + variant->arrays.at);
  arrays[which].extent = extent;
  CHECK_FAILS(updraft_program_from(program, &loaded), UPDRAFT_BAD_PROGRAM,
              "an array has an extent that it cannot have");
  free(program);
}

static void refusedKernel(int which, updraft_extent extent) {
  updraft_loaded_program *loaded = NULL;
  updraft_program *program = fakeAxis();
  updraft_kernel *kernels =
      (updraft_kernel *)((char *)program + program->kernels.at);
  kernels[which].extent = extent;
  CHECK_FAILS(updraft_program_from(program, &loaded), UPDRAFT_BAD_PROGRAM,
              "a kernel has an extent that it cannot have");
  free(program);
}

static void refusedPrograms(void) {
  refusedArray(P, (updraft_extent){UPDRAFT_ROWS, 0, 0});
  refusedArray(R, (updraft_extent){UPDRAFT_ROW_RUNS, 0, 0});
  refusedArray(R, (updraft_extent){99, 0, 0});
  refusedArray(R, (updraft_extent){UPDRAFT_ROWS, 2, 0});
  refusedArray(S, (updraft_extent){UPDRAFT_BLOCKS, 0, 0});
  refusedArray(S, (updraft_extent){UPDRAFT_BLOCKS, 1, 100});
  refusedArray(RUNS, (updraft_extent){UPDRAFT_ELEMENTS, 1, 0});
  refusedArray(RUNS, (updraft_extent){UPDRAFT_BANDS, 0, 0});
  refusedArray(RUNS, (updraft_extent){UPDRAFT_TILES, 0, 0});
  refusedArray(R, (updraft_extent){UPDRAFT_SQUARES, 0, 0});
  refusedKernel(1, (updraft_extent){UPDRAFT_ROWS, 0, 0});
  refusedKernel(3, (updraft_extent){UPDRAFT_BANDS, 0, 0});
  refusedKernel(3, (updraft_extent){UPDRAFT_TILES, 0, 0});
  refusedKernel(3, (updraft_extent){UPDRAFT_ELEMENTS, 0, 0});
}

int main(void) {
  axis = fakeAxis();
  runs();
  boundStates();
  refusedTensors();
  refusedPrograms();
  free(axis);
  return CHECK_RESULT();
}
