//===- hand.c - What a careful person would write by hand -----------------===//
//
// One loop for each rule over a list of tensors, in one parallel region that
// deals out elements, not tensors: the yardstick of the benchmarks. Scalars of
// the step (bias corrections and the like) come in ready made.
//
//===----------------------------------------------------------------------===//

#include <math.h>
#include <stdint.h>

/* Mirrored by hand.py. start[i] counts the elements before tensor i. */
typedef struct {
  float **p, **g, **a, **b, **e;
  const int64_t *start;
  int64_t tensors;
  int64_t threads;
  float c[10];
} task;

typedef void body(const task *t, int64_t i, int64_t first, int64_t count);

/* Runs body on every tensor's part that lies in [low, high) of the list. */
static void part(const task *t, body *run, int64_t low, int64_t high) {
  int64_t left = 0, right = t->tensors;
  while (left + 1 < right) {
    int64_t middle = (left + right) / 2;
    if (t->start[middle] <= low)
      left = middle;
    else
      right = middle;
  }
  for (int64_t i = left; i < t->tensors && low < high; ++i) {
    int64_t end = t->start[i + 1] < high ? t->start[i + 1] : high;
    run(t, i, low - t->start[i], end - low);
    low = end;
  }
}

/* Thread k of n works on the k-th part; parts begin at whole cache lines. */
static int64_t bound(const task *t, int64_t k) {
  int64_t all = t->start[t->tensors];
  return k == t->threads ? all : all / t->threads * k / 16 * 16;
}

static void each(const task *t, body *run) {
#pragma omp parallel for schedule(static, 1) num_threads((int)t->threads)
  for (int64_t k = 0; k < t->threads; ++k)
    part(t, run, bound(t, k), bound(t, k + 1));
}

/* c: 1 - beta1, 1 - beta2, 1/(1 - beta2^t), eps, lr/(1 - beta1^t), 1 - lr*wd */
static void adamw(const task *t, int64_t i, int64_t first, int64_t count) {
  float *restrict p = t->p[i] + first, *restrict m = t->a[i] + first;
  float *restrict v = t->b[i] + first;
  const float *restrict g = t->g[i] + first, *c = t->c;
  float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], c4 = c[4], c5 = c[5];
  for (int64_t k = 0; k < count; ++k) {
    m[k] += (g[k] - m[k]) * c0;
    v[k] += (g[k] * g[k] - v[k]) * c1;
    p[k] = c5 * p[k] - c4 * m[k] / (sqrtf(v[k] * c2) + c3);
  }
}

/* The same on c[6]*g, and an average e that moves by c[7]. */
static void adamwEma(const task *t, int64_t i, int64_t first, int64_t count) {
  float *restrict p = t->p[i] + first, *restrict m = t->a[i] + first;
  float *restrict v = t->b[i] + first, *restrict e = t->e[i] + first;
  const float *restrict g = t->g[i] + first, *c = t->c;
  float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], c4 = c[4], c5 = c[5];
  float scale = c[6], c7 = c[7];
  for (int64_t k = 0; k < count; ++k) {
    float x = scale * g[k];
    m[k] += (x - m[k]) * c0;
    v[k] += (x * x - v[k]) * c1;
    p[k] = c5 * p[k] - c4 * m[k] / (sqrtf(v[k] * c2) + c3);
    e[k] += (p[k] - e[k]) * c7;
  }
}

/* c: 1 - rho, eps, lr */
static void adadelta(const task *t, int64_t i, int64_t first, int64_t count) {
  float *restrict p = t->p[i] + first, *restrict a = t->a[i] + first;
  float *restrict b = t->b[i] + first;
  const float *restrict g = t->g[i] + first;
  float c0 = t->c[0], eps = t->c[1], lr = t->c[2];
  for (int64_t k = 0; k < count; ++k) {
    a[k] += (g[k] * g[k] - a[k]) * c0;
    float u = sqrtf(b[k] + eps) / sqrtf(a[k] + eps) * g[k];
    b[k] += (u * u - b[k]) * c0;
    p[k] -= lr * u;
  }
}

/* c: 1 - beta1, 1 - beta2, 1/(1 - beta2^t), eps, lr*weight of m, lr*of g */
static void nadam(const task *t, int64_t i, int64_t first, int64_t count) {
  float *restrict p = t->p[i] + first, *restrict m = t->a[i] + first;
  float *restrict v = t->b[i] + first;
  const float *restrict g = t->g[i] + first, *c = t->c;
  float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], c4 = c[4], c5 = c[5];
  for (int64_t k = 0; k < count; ++k) {
    m[k] += (g[k] - m[k]) * c0;
    v[k] += (g[k] * g[k] - v[k]) * c1;
    p[k] -= (c4 * m[k] + c5 * g[k]) / (sqrtf(v[k] * c2) + c3);
  }
}

/* c: beta1, 1 - beta1, 1 - beta2, lr */
static void lion(const task *t, int64_t i, int64_t first, int64_t count) {
  float *restrict p = t->p[i] + first, *restrict m = t->a[i] + first;
  const float *restrict g = t->g[i] + first;
  float c0 = t->c[0], c1 = t->c[1], c2 = t->c[2], lr = t->c[3];
  for (int64_t k = 0; k < count; ++k) {
    float u = c0 * m[k] + c1 * g[k];
    p[k] -= u > 0 ? lr : u < 0 ? -lr : 0.0f;
    m[k] += (g[k] - m[k]) * c2;
  }
}

void hand_adamw(const task *t) { each(t, adamw); }
void hand_adadelta(const task *t) { each(t, adadelta); }
void hand_nadam(const task *t) { each(t, nadam); }
void hand_lion(const task *t) { each(t, lion); }

enum { kLanes = 64 };

/* The sum of squares of one part, in lanes that vectorise. */
static double squares(const task *t, int64_t low, int64_t high) {
  double sum = 0;
  for (int64_t i = 0; i < t->tensors; ++i) {
    int64_t from = t->start[i] > low ? t->start[i] : low;
    int64_t to = t->start[i + 1] < high ? t->start[i + 1] : high;
    const float *g = t->g[i] - t->start[i];
    float lane[kLanes] = {0};
    int64_t k = from;
    for (; k + kLanes <= to; k += kLanes)
      for (int j = 0; j < kLanes; ++j)
        lane[j] += g[k + j] * g[k + j];
    for (; k < to; ++k)
      lane[0] += g[k] * g[k];
    for (int j = 0; j < kLanes; ++j)
      sum += lane[j];
  }
  return sum;
}

/* c[6] is the largest norm; it is replaced by the factor. */
void hand_clip_adamw_ema(const task *given) {
  task t = *given;
  double sum = 0;
#pragma omp parallel num_threads((int)t.threads)
  {
#pragma omp for schedule(static, 1) reduction(+ : sum)
    for (int64_t k = 0; k < t.threads; ++k)
      sum += squares(&t, bound(&t, k), bound(&t, k + 1));
#pragma omp single
    {
      float factor = given->c[6] / ((float)sqrt(sum) + 1e-6f);
      t.c[6] = factor < 1 ? factor : 1;
    }
#pragma omp for schedule(static, 1)
    for (int64_t k = 0; k < t.threads; ++k)
      part(&t, adamwEma, bound(&t, k), bound(&t, k + 1));
  }
}
