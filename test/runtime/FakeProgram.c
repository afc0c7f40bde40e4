/*===- FakeProgram.c - Programs as a compiler would emit them ---------------===
 *
 * AdamW by itself, behind clipping, and a rule with inputs.
 *
 *===----------------------------------------------------------------------===*/

#include "FakeBuilder.h"
#include "FakeKernels.h"

#include <math.h>

uint32_t fakeTarget(void) {
#if defined(__aarch64__)
  return UPDRAFT_AARCH64;
#else
  return UPDRAFT_X86_64_V3;
#endif
}

static void addHypers(Builder *to, int clips) {
  updraft_hyper hypers[] = {
      hyper(to, "lr", 1e-3, 0, INFINITY, UPDRAFT_GROUP, SLOT_LR,
            UPDRAFT_HYPER_RATE | UPDRAFT_HYPER_HIGH_OPEN),
      hyper(to, "beta1", 0.9, 0, 1, UPDRAFT_GROUP, SLOT_BETA1,
            UPDRAFT_HYPER_HIGH_OPEN),
      hyper(to, "beta2", 0.999, 0, 1, UPDRAFT_GROUP, SLOT_BETA2,
            UPDRAFT_HYPER_HIGH_OPEN),
      hyper(to, "eps", 1e-8, 0, INFINITY, UPDRAFT_GROUP, SLOT_EPS,
            UPDRAFT_HYPER_HIGH_OPEN),
      hyper(to, "weight_decay", 1e-2, 0, INFINITY, UPDRAFT_GROUP,
            SLOT_WEIGHT_DECAY, UPDRAFT_HYPER_HIGH_OPEN),
      hyper(to, "clip_by_global_norm.max_norm", 1, 0, INFINITY, UPDRAFT_MODEL,
            SLOT_MAX_NORM, UPDRAFT_HYPER_LOW_OPEN | UPDRAFT_HYPER_HIGH_OPEN)};
  to->program->hypers = LIST(to, hypers);
  to->program->hypers.count -= !clips;
}

static void addVariants(Builder *to) {
  updraft_array arrays[] = {
      {text(to, "p"), 0, UPDRAFT_PARAM, UPDRAFT_F32, 0, 0, {0, 0, 0}},
      {text(to, "g"), 0, UPDRAFT_GRAD, UPDRAFT_F32, 0, 0, {0, 0, 0}},
      {text(to, "m"),
       0,
       UPDRAFT_STATE,
       UPDRAFT_F32,
       UPDRAFT_ARRAY_VIEW,
       0,
       {0, 0, 0}},
      {text(to, "v"), 0, UPDRAFT_STATE, UPDRAFT_F32, 0, 0, {0, 0, 0}},
      {text(to, "direction"), 0, UPDRAFT_VIEW, UPDRAFT_F32, 0, 0, {0, 0, 0}}};
  updraft_test tests[] = {
      {UPDRAFT_TEST_TAG, 0, UPDRAFT_EQ, 0, 0, text(to, "no_decay")}};
  updraft_list shown = LIST(to, arrays), none = {0, 0};
  updraft_variant variants[] = {
      {text(to, "v0"), LIST(to, tests), shown, TENSOR_SLOTS, sizeof(Row), 64,
       0},
      {text(to, "v1"), none, shown, TENSOR_SLOTS, sizeof(Row), 64, 0}};
  to->program->variants = LIST(to, variants);
}

static void addScalars(Builder *to) {
  updraft_scalar scalars[] = {
      {text(to, "step"), 0, UPDRAFT_MODEL, SLOT_STEP, UPDRAFT_SCALAR_COUNTER,
       UPDRAFT_NONE},
      {text(to, "t"), 0, UPDRAFT_TENSOR, SLOT_T, UPDRAFT_SCALAR_COUNTER, 0},
      {text(to, "t"), 0, UPDRAFT_TENSOR, SLOT_T, UPDRAFT_SCALAR_COUNTER, 1},
      {text(to, "norm"), 0, UPDRAFT_MODEL, SLOT_VIEW_NORM, UPDRAFT_SCALAR_VIEW,
       UPDRAFT_NONE},
      {text(to, "power"), 0, UPDRAFT_TENSOR, SLOT_POWER, UPDRAFT_SCALAR_VIEW,
       0},
      {text(to, "power"), 0, UPDRAFT_TENSOR, SLOT_POWER, UPDRAFT_SCALAR_VIEW,
       1}};
  to->program->scalars = LIST(to, scalars);
  updraft_view views[] = {{text(to, "m"), 0, UPDRAFT_ELEMENT, 0},
                          {text(to, "direction"), 0, UPDRAFT_ELEMENT, 1},
                          {text(to, "power"), 0, UPDRAFT_TENSOR, 2},
                          {text(to, "norm"), 0, UPDRAFT_MODEL, 3}};
  to->program->views = LIST(to, views);
  updraft_require require[] = {{text(to, "beta1 must be at most beta2"),
                                UPDRAFT_GROUP, SLOT_ORDERED, UPDRAFT_NONE, 0}};
  to->program->requires_ = LIST(to, require);
}

static updraft_kernel viewKernel(updraft_kernel kernel, uint32_t view) {
  kernel.view = view;
  return kernel;
}

enum { NONE = (int)UPDRAFT_NONE };

static void initFactor(const updraft_frame *frame, uint64_t first,
                       uint64_t count) {
  frame->model[SLOT_FACTOR] = 1;
}

/* Everything but the step. */
static int outside(Builder *to, updraft_kernel *k) {
  int n = 0;
  k[n++] =
      kernel(to, "init", initModel, UPDRAFT_AT_INIT, UPDRAFT_MODEL, NONE, NONE);
  k[n++] = kernel(to, "factor", initFactor, UPDRAFT_AT_INIT, UPDRAFT_MODEL,
                  NONE, NONE);
  k[n++] = kernel(to, "check", checkGroup, UPDRAFT_AT_CHECK, UPDRAFT_GROUP,
                  NONE, NONE);
  for (uint32_t v = 0; v < 2; ++v) {
    k[n++] = kernel(to, "init_t", initTensor, UPDRAFT_AT_INIT, UPDRAFT_TENSOR,
                    v, NONE);
    k[n++] = kernel(to, "init_m", initElement, UPDRAFT_AT_INIT, UPDRAFT_ELEMENT,
                    v, NONE);
    k[n++] = viewKernel(kernel(to, "direction", viewDirection, UPDRAFT_AT_VIEW,
                               UPDRAFT_ELEMENT, v, NONE),
                        1);
    k[n++] = viewKernel(kernel(to, "power", viewPower, UPDRAFT_AT_VIEW,
                               UPDRAFT_TENSOR, v, NONE),
                        2);
    k[n++] = viewKernel(kernel(to, "squares", viewSquare, UPDRAFT_AT_VIEW,
                               UPDRAFT_ELEMENT, v, NONE),
                        3);
    k[n++] = viewKernel(kernel(to, "fold", foldTensor, UPDRAFT_AT_VIEW,
                               UPDRAFT_TENSOR, v, UPDRAFT_TENSOR),
                        3);
  }
  k[n++] = viewKernel(kernel(to, "groups", foldGroup, UPDRAFT_AT_VIEW,
                             UPDRAFT_GROUP, NONE, UPDRAFT_GROUP),
                      3);
  k[n++] = viewKernel(kernel(to, "norm", viewNorm, UPDRAFT_AT_VIEW,
                             UPDRAFT_MODEL, NONE, UPDRAFT_MODEL),
                      3);
  return n;
}

static int clipping(Builder *to, updraft_kernel *k, int n) {
  for (uint32_t v = 0; v < 2; ++v) {
    k[n++] =
        kernel(to, "square", square, UPDRAFT_AT_STEP, UPDRAFT_ELEMENT, v, NONE);
    k[n - 1].reads_milli = 4000;
    k[n++] = kernel(to, "fold", foldTensor, UPDRAFT_AT_STEP, UPDRAFT_TENSOR, v,
                    UPDRAFT_TENSOR);
  }
  k[n++] = kernel(to, "groups", foldGroup, UPDRAFT_AT_STEP, UPDRAFT_GROUP, NONE,
                  UPDRAFT_GROUP);
  k[n++] = kernel(to, "norm", foldModel, UPDRAFT_AT_STEP, UPDRAFT_MODEL, NONE,
                  UPDRAFT_MODEL);
  return n;
}

static const updraft_program *adamw(const char *name, int clips) {
  Builder to = begin(name, "rule adamw { ... }");
  to.program->model_slots = MODEL_SLOTS;
  to.program->group_slots = GROUP_SLOTS;
  to.program->partial_lists = to.program->total_lists = 1;
  addHypers(&to, clips);
  addVariants(&to);
  addScalars(&to);
  updraft_kernel k[40];
  int n = outside(&to, k);
  if (clips)
    n = clipping(&to, k, n);
  for (uint32_t v = 0; v < 2; ++v) {
    k[n++] =
        kernel(&to, "bias", bias, UPDRAFT_AT_STEP, UPDRAFT_TENSOR, v, NONE);
    k[n++] = kernel(&to, "update", v ? update : updateNoDecay, UPDRAFT_AT_STEP,
                    UPDRAFT_ELEMENT, v, clips ? UPDRAFT_MODEL : UPDRAFT_TENSOR);
    k[n - 1].reads_milli = 16000;
    k[n - 1].writes_milli = 12000;
    k[n++] = kernel(&to, "advance", advanceTensor, UPDRAFT_AT_STEP,
                    UPDRAFT_TENSOR, v, UPDRAFT_TENSOR);
  }
  k[n++] = kernel(&to, "advance", advanceModel, UPDRAFT_AT_STEP, UPDRAFT_MODEL,
                  NONE, UPDRAFT_MODEL);
  addGpu(&to, k, (size_t)n);
  to.program->kernels.at = put(&to, k, sizeof *k * (size_t)n);
  to.program->kernels.count = (uint64_t)n;
  return end(&to);
}

const updraft_program *fakeAdamw(void) {
  static const updraft_program *made;
  return made ? made : (made = adamw("adamw", 0));
}

const updraft_program *fakeClipAdamw(void) {
  static const updraft_program *made;
  return made ? made : (made = adamw("clip_adamw", 1));
}

const updraft_program *fakeInputs(void) {
  static const updraft_program *made;
  if (made)
    return made;
  Builder to = begin("inputs", "rule inputs { ... }");
  to.program->model_slots = INPUT_SLOTS;
  updraft_hyper hypers[] = {
      hyper(&to, "k", 0, 1, 10, UPDRAFT_MODEL, INPUT_K,
            UPDRAFT_HYPER_REQUIRED | UPDRAFT_HYPER_INT),
      hyper(&to, "a.scale", 1, 0, 1, UPDRAFT_MODEL, INPUT_A, 0),
      hyper(&to, "b.scale", 1, 0, 1, UPDRAFT_MODEL, INPUT_B, 0),
      hyper(&to, "rate", 0.5, 0, 1, UPDRAFT_MODEL, INPUT_RATE,
            UPDRAFT_HYPER_COMPUTED)};
  updraft_scalar scalars[] = {{text(&to, "loss"), 0, UPDRAFT_MODEL, INPUT_LOSS,
                               UPDRAFT_SCALAR_INPUT, UPDRAFT_NONE}};
  updraft_array arrays[] = {
      {text(&to, "p"), 0, UPDRAFT_PARAM, UPDRAFT_F32, 0, 0, {0, 0, 0}},
      {text(&to, "g"), 0, UPDRAFT_GRAD, UPDRAFT_F32, 0, 0, {0, 0, 0}},
      {text(&to, "h"), 0, UPDRAFT_INPUT, UPDRAFT_F32, 0, 0, {0, 0, 0}}};
  updraft_test tests[] = {{UPDRAFT_TEST_RANK, 0, UPDRAFT_GE, 0, 1, 0},
                          {UPDRAFT_TEST_DIM, 0, UPDRAFT_LT, 0, 1000, 0},
                          {UPDRAFT_TEST_SIZE, 0, UPDRAFT_NE, 0, 13, 0}};
  updraft_variant variants[] = {
      {text(&to, "v0"), LIST(&to, tests), LIST(&to, arrays), 0,
       sizeof(updraft_tensor) + 8 * INPUT_ARRAYS, 0, 0}};
  updraft_kernel kernels[] = {kernel(&to, "update", inputUpdate,
                                     UPDRAFT_AT_STEP, UPDRAFT_ELEMENT, 0,
                                     UPDRAFT_NONE)};
  addGpu(&to, kernels, 1);
  to.program->hypers = LIST(&to, hypers);
  to.program->scalars = LIST(&to, scalars);
  to.program->variants = LIST(&to, variants);
  to.program->kernels = LIST(&to, kernels);
  return made = end(&to);
}
