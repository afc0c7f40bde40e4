/*===- HyperTest.c - Hypers and inputs --------------------------------------===
 *
 * Defaults, domains, whole numbers, NaN, names, rates of routes, requirements;
 * scalar and array inputs.
 *
 *===----------------------------------------------------------------------===*/

#include "Check.h"
#include "FakeBuilder.h"
#include "Tensors.h"

#define BAD UPDRAFT_INVALID_ARGUMENT

static updraft_loaded_program *adamw, *inputs;

static updraft_status createWith(updraft_loaded_program *program,
                                 const updraft_setting *settings,
                                 size_t count) {
  updraft_optimizer *optimizer = NULL;
  updraft_group group = {settings, count};
  updraft_status status =
      updraft_optimizer_create(program, &group, 1, NULL, 0, NULL, &optimizer);
  updraft_optimizer_destroy(optimizer);
  return status;
}

static void atCreation(void) {
  updraft_setting s[2] = {{"lr", 0.5}, {"beta1", 0.5}};
  CHECK_OK(createWith(adamw, s, 2));
  s[0].value = -1;
  CHECK_FAILS(createWith(adamw, s, 2), BAD,
              "adamw: hyper 'lr' is -1, it must be in [0, inf)");
  s[0].value = INFINITY;
  CHECK_FAILS(createWith(adamw, s, 2), BAD, "hyper 'lr' is inf");
  s[0].value = NAN;
  CHECK_FAILS(createWith(adamw, s, 2), BAD, "hyper 'lr' cannot be NaN");
  s[0].name = "betta1";
  CHECK_FAILS(createWith(adamw, s, 2), UPDRAFT_NOT_FOUND,
              "adamw: no hyper 'betta1'; did you mean 'beta1'?");
  s[0].name = NULL;
  CHECK_FAILS(createWith(adamw, s, 2), BAD, "the hyper's name is null");
  s[0].name = "beta1", s[0].value = 0.25;
  CHECK_FAILS(createWith(adamw, s, 2), BAD,
              "hyper 'beta1' is given twice, as 0.25 and as 0.5");
  s[0].name = "beta2", s[0].value = 0.25;
  CHECK_FAILS(createWith(adamw, s, 2), BAD,
              "adamw: group 0: beta1 must be at most beta2");
}

static void kinds(void) {
  updraft_setting s[2] = {{"k", 2}, {"scale", 0.5}};
  CHECK_OK(createWith(inputs, s, 1));
  CHECK_FAILS(createWith(inputs, s, 2), BAD,
              "inputs: hyper 'scale' could be 'a.scale', 'b.scale'");
  CHECK_FAILS(createWith(inputs, s, 0), BAD,
              "hyper 'k' has no default and is not given for group 0");
  s[0].value = 2.5;
  CHECK_FAILS(createWith(inputs, s, 1), BAD,
              "hyper 'k' is 2.5, it must be a whole number");
  s[0].name = "rate";
  CHECK_FAILS(createWith(inputs, s, 1), BAD,
              "hyper 'rate' is computed by the step itself");
}

static void setAndGet(void) {
  updraft_optimizer *optimizer = NULL;
  updraft_loaded_program *clip = NULL;
  double value = 0;
  CHECK_OK(updraft_program_from(fakeClipAdamw(), &clip));
  updraft_group groups[2] = {{NULL, 0}, {NULL, 0}};
  CHECK_OK(
      updraft_optimizer_create(clip, groups, 2, NULL, 0, NULL, &optimizer));
  updraft_program_release(clip);
  CHECK_OK(updraft_optimizer_set_hyper(optimizer, 1, "lr", 0.125));
  CHECK_OK(updraft_optimizer_get_hyper(optimizer, 1, "lr", &value));
  CHECK(value == 0.125);
  CHECK_OK(updraft_optimizer_get_hyper(optimizer, 0, "lr", &value));
  CHECK(value == 1e-3);
  CHECK_OK(updraft_optimizer_set_hyper(optimizer, 7, "max_norm", 2));
  CHECK_OK(updraft_optimizer_get_hyper(optimizer, 0,
                                       "clip_by_global_norm.max_norm", &value));
  CHECK(value == 2);
  CHECK_FAILS(updraft_optimizer_set_hyper(optimizer, 0, "max_norm", 0), BAD,
              "hyper 'clip_by_global_norm.max_norm' is 0, it must be in "
              "(0, inf)");
  CHECK_FAILS(updraft_optimizer_set_hyper(optimizer, 2, "lr", 1), BAD,
              "hyper 'lr' of group 2: there are 2 groups");
  CHECK_FAILS(updraft_optimizer_set_hyper(optimizer, 1, "beta1", 0.9999), BAD,
              "group 1: beta1 must be at most beta2");
  CHECK_OK(updraft_optimizer_get_hyper(optimizer, 1, "beta1", &value));
  CHECK(value == 0.9);
  CHECK_FAILS(updraft_optimizer_set_hyper(optimizer, 0, "lr", NAN), BAD,
              "cannot be NaN");
  CHECK_FAILS(updraft_optimizer_get_hyper(optimizer, 0, "lr", NULL), BAD,
              "value is null");
  updraft_optimizer_destroy(optimizer);
}

/* Rates of three routes, the last by a schedule, and a hyper that ends alike in
   a box of one of them. */
static updraft_loaded_program *routes(void) {
  Builder to = begin("routed", "rule routed { ... }");
  updraft_hyper hypers[] = {
      hyper(&to, "a.lr", 1, 0, 10, UPDRAFT_GROUP, 0, UPDRAFT_HYPER_RATE),
      hyper(&to, "b.lr", 2, 0, 5, UPDRAFT_MODEL, 0, UPDRAFT_HYPER_RATE),
      hyper(&to, "c.lr", 3, 0, 1, UPDRAFT_GROUP, 1,
            UPDRAFT_HYPER_RATE | UPDRAFT_HYPER_COMPUTED),
      hyper(&to, "a.eps", 0.5, 0, 1, UPDRAFT_GROUP, 2, 0),
      hyper(&to, "b.eps", 0.5, 0, 1, UPDRAFT_GROUP, 3, 0)};
  updraft_array arrays[] = {
      {text(&to, "p"), 0, UPDRAFT_PARAM, UPDRAFT_F32, 0, 0, {0, 0, 0}},
      {text(&to, "g"), 0, UPDRAFT_GRAD, UPDRAFT_F32, 0, 0, {0, 0, 0}}};
  updraft_variant variants[] = {{text(&to, "v0"),
                                 {0, 0},
                                 LIST(&to, arrays),
                                 0,
                                 sizeof(updraft_tensor) + 16,
                                 0,
                                 0}};
  to.program->model_slots = 1, to.program->group_slots = 4;
  to.program->hypers = LIST(&to, hypers);
  to.program->variants = LIST(&to, variants);
  updraft_loaded_program *result = NULL;
  CHECK_OK(updraft_program_from(end(&to), &result));
  return result;
}

static double get(updraft_optimizer *optimizer, uint32_t group,
                  const char *name) {
  double value = -1;
  CHECK_OK(updraft_optimizer_get_hyper(optimizer, group, name, &value));
  return value;
}

static void ratesOfRoutes(void) {
  updraft_loaded_program *program = routes();
  updraft_setting own[2] = {{"b.lr", 4}, {"lr", 3}}, all = {"lr", 7};
  updraft_group groups[2] = {{own, 2}, {NULL, 0}};
  updraft_optimizer *o = NULL;
  /* A rate's own name goes first, wherever it stands. */
  CHECK_OK(updraft_optimizer_create(program, groups, 2, NULL, 0, NULL, &o));
  CHECK(get(o, 0, "a.lr") == 3 && get(o, 1, "a.lr") == 1);
  CHECK(get(o, 0, "b.lr") == 4 && get(o, 0, "c.lr") == 3);
  double value = 0;
  CHECK_FAILS(updraft_optimizer_get_hyper(o, 0, "lr", &value), BAD,
              "routed: hyper 'lr' has no one value: 'a.lr' is 3, 'b.lr' is 4");
  CHECK_OK(updraft_optimizer_set_hyper(o, 1, "lr", 2.5));
  CHECK(get(o, 0, "a.lr") == 3 && get(o, 1, "a.lr") == 2.5);
  CHECK(get(o, 0, "b.lr") == 2.5 && get(o, 1, "lr") == 2.5);
  CHECK(get(o, 1, "c.lr") == 3);
  /* All of them or none. */
  CHECK_FAILS(updraft_optimizer_set_hyper(o, 1, "lr", 7), BAD,
              "routed: hyper 'b.lr' is 7, it must be in [0, 5]");
  CHECK(get(o, 1, "lr") == 2.5);
  CHECK_FAILS(updraft_optimizer_set_hyper(o, 2, "lr", 1), BAD,
              "hyper 'a.lr' of group 2: there are 2 groups");
  CHECK_FAILS(updraft_optimizer_set_hyper(o, 0, "c.lr", 1), BAD,
              "hyper 'c.lr' is computed by the step itself");
  CHECK_FAILS(updraft_optimizer_set_hyper(o, 0, "eps", 1), BAD,
              "routed: hyper 'eps' could be 'a.eps', 'b.eps'");
  CHECK_FAILS(updraft_optimizer_set_hyper(o, 0, "momentum", 1),
              UPDRAFT_NOT_FOUND,
              "routed: no hyper 'momentum'; there are 'a.lr', 'b.lr', 'c.lr', "
              "'a.eps', 'b.eps'");
  updraft_optimizer_destroy(o);
  CHECK_FAILS(createWith(program, &all, 1), BAD, "hyper 'b.lr' is 7");
  own[0].name = "lr";
  CHECK_FAILS(createWith(program, own, 2), BAD,
              "hyper 'a.lr' is given twice, as 4 and as 3");
  updraft_program_release(program);
}

static void inputValues(void) {
  int64_t size = 4, refused = 13, longDim = 1000;
  float p[4] = {8, 8, 8, 8}, g[4] = {0}, h[4] = {1, 2, 3, 4}, wide[13];
  updraft_param param = {"w", {p, UPDRAFT_F32, 1, &size, NULL, 0}, 0, 0, NULL};
  updraft_ndarray grad = {g, UPDRAFT_F32, 1, &size, NULL, 0};
  updraft_ndarray array = {h, UPDRAFT_F32, 1, &size, NULL, 0};
  updraft_setting k = {"k", 2};
  updraft_group group = {&k, 1};
  updraft_optimizer *o = NULL;
  CHECK_OK(updraft_optimizer_create(inputs, &group, 1, &param, 1, NULL, &o));
  CHECK_FAILS(updraft_optimizer_step(o, &grad, 1, NULL), BAD,
              "inputs: input 'loss' has not been set");
  CHECK_OK(updraft_optimizer_set_input(o, "loss", 0.5));
  CHECK_FAILS(updraft_optimizer_step(o, &grad, 1, NULL), BAD,
              "inputs: input 'h' of parameter 'w' has not been set");
  CHECK_FAILS(updraft_optimizer_set_input(o, "los", 1), UPDRAFT_NOT_FOUND,
              "no scalar input 'los'; did you mean 'loss'?");
  CHECK_FAILS(updraft_optimizer_set_array_input(o, "x", 0, &array),
              UPDRAFT_NOT_FOUND, "no array input 'x'");
  CHECK_FAILS(updraft_optimizer_set_array_input(o, "h", 1, &array), BAD,
              "parameter 1 does not exist");
  array.data = p;
  CHECK_FAILS(updraft_optimizer_set_array_input(o, "h", 0, &array), BAD,
              "input 'h' of 'w' overlaps parameter 'w'");
  array.data = h;
  CHECK_OK(updraft_optimizer_set_array_input(o, "h", 0, &array));
  CHECK_OK(updraft_optimizer_step(o, &grad, 1, NULL));
  CHECK(p[0] == 7 && p[3] == 4);
  CHECK_FAILS(updraft_optimizer_rebind(o, 0, &array), BAD,
              "overlaps input 'h' of parameter 'w'");
  updraft_optimizer_destroy(o);
  /* Tests of rank, dimension and size decide whether a variant exists. */
  param.array.shape = &refused, param.array.data = wide;
  CHECK_FAILS(updraft_optimizer_create(inputs, &group, 1, &param, 1, NULL, &o),
              BAD,
              "inputs: no variant of the rule fits parameter 'w' of rank "
              "1 and size 13");
  param.array.shape = &longDim;
  CHECK_FAILS(updraft_optimizer_create(inputs, &group, 1, &param, 1, NULL, &o),
              BAD, "no variant");
  param.array.rank = 0;
  CHECK_FAILS(updraft_optimizer_create(inputs, &group, 1, &param, 1, NULL, &o),
              BAD, "no variant");
}

int main(void) {
  CHECK_OK(updraft_program_from(fakeAdamw(), &adamw));
  CHECK_OK(updraft_program_from(fakeInputs(), &inputs));
  atCreation();
  kinds();
  setAndGet();
  ratesOfRoutes();
  inputValues();
  updraft_program_release(adamw);
  updraft_program_release(inputs);
  return CHECK_RESULT();
}
