/*===- Bench.c - The runtime against a loop written by hand -----------------===
 *
 * The same AdamW loop, once through the runtime and once called directly by
 * the threads of one OpenMP region over the list of tensors. What is left
 * between the two is the price of tables, checks and kernels' calls.
 *
 *===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "FakeProgram.h"
#include "Tensors.h"

#include <dlfcn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void (*parallel)(void (*)(void *), void *, unsigned, unsigned);
static int (*threadIndex)(void);

typedef struct {
  Tensors *t;
  float **m, **v;
  unsigned threads;
  double step;
} Hand;

static void handThread(void *argument) {
  Hand *hand = argument;
  AdamwHypers hypers = {1e-3, 0.9, 0.999, 1e-8, 1e-2};
  double bias1 = 1 - pow(0.9, hand->step), bias2 = 1 - pow(0.999, hand->step);
  size_t count = hand->t->count, index = (size_t)threadIndex();
  if (count == 1) {
    size_t size = (size_t)hand->t->sizes[0] / hand->threads;
    size_t at = size * index;
    adamwLoop(hand->t->p[0] + at, hand->t->g[0] + at, hand->m[0] + at,
              hand->v[0] + at, size, &hypers, bias1, bias2);
    return;
  }
  size_t end = count * (index + 1) / hand->threads;
  for (size_t k = count * index / hand->threads; k < end; ++k)
    adamwLoop(hand->t->p[k], hand->t->g[k], hand->m[k], hand->v[k],
              (size_t)hand->t->sizes[k], &hypers, bias1, bias2);
}

static float *largeZeros(size_t count, size_t skew) {
  size_t bytes = (count * 4 + skew + (2u << 20)) >> 21 << 21;
  char *memory = aligned_alloc(2u << 20, bytes + (2u << 20));
  madvise(memory, bytes, MADV_HUGEPAGE);
  memset(memory, 0, bytes);
  return (float *)(memory + skew);
}

static int byValue(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static const char *wanted = "";

/* Memory for the moments of the hand-written loop. A single large tensor gets
   the same kind of pages as ours, its arrays `skew` bytes apart. */
static void place(Tensors *ours, Tensors *theirs, Hand *hand, size_t count,
                  int64_t size, size_t skew) {
  for (size_t k = 0; k < count; ++k) {
    if (count == 1) { /* both on the same kind of pages */
      free(ours->p[0]), free(ours->g[0]), free(theirs->p[0]),
          free(theirs->g[0]);
      ours->params[0].array.data = ours->p[0] = largeZeros((size_t)size, 0);
      ours->grads[0].data = ours->g[0] = largeZeros((size_t)size, skew);
      theirs->p[0] = largeZeros((size_t)size, 0);
      theirs->g[0] = largeZeros((size_t)size, skew);
      hand->m[k] = largeZeros((size_t)size, 2 * skew);
      hand->v[k] = largeZeros((size_t)size, 3 * skew);
    } else {
      size_t bytes = ((size_t)size * 4 + 63) / 64 * 64;
      hand->m[k] = memset(aligned_alloc(64, bytes), 0, bytes);
      hand->v[k] = memset(aligned_alloc(64, bytes), 0, bytes);
    }
  }
}

/* One row, if its name contains what was asked for. */
static void compare(const char *name, size_t count, int64_t size, int rounds,
                    unsigned threads, int skewed) {
  if (!strstr(name, wanted))
    return;
  Tensors t = makeTensors(count, &size, 1), r = makeTensors(count, &size, 1);
  Hand hand = {&r, malloc(count * 8), malloc(count * 8), threads, 1};
  size_t skew = skewed ? 256 : 0;
  place(&t, &r, &hand, count, size, skew);
  updraft_loaded_program *program = NULL;
  updraft_optimizer *optimizer = NULL;
  updraft_options options = {sizeof options, threads, NULL, 0, 0};
  if (updraft_program_from(fakeAdamw(), &program) ||
      updraft_optimizer_create(program, NULL, 0, t.params, count, &options,
                               &optimizer)) {
    puts(updraft_last_error());
    exit(1);
  }
  double *ours = malloc(sizeof(double) * (size_t)rounds);
  double *theirs = malloc(sizeof(double) * (size_t)rounds);
  for (int round = -3; round < rounds; ++round) {
    double start = seconds();
    if (updraft_optimizer_step(optimizer, t.grads, count, NULL))
      puts(updraft_last_error());
    double middle = seconds();
    parallel(handThread, &hand, threads, 0);
    double end = seconds();
    hand.step += 1;
    if (round >= 0)
      ours[round] = middle - start, theirs[round] = end - middle;
  }
  qsort(ours, (size_t)rounds, sizeof *ours, byValue);
  qsort(theirs, (size_t)rounds, sizeof *theirs, byValue);
  /* The best of all: others may use the machine too. */
  double a = ours[0], b = theirs[0];
  printf("%-24s %u threads: %9.4f ms, by hand %9.4f ms, speed %.3f\n", name,
         threads, a * 1e3, b * 1e3, b / a);
  updraft_optimizer_destroy(optimizer);
  updraft_program_release(program);
  for (size_t k = 0; k < count; ++k) {
    free((char *)hand.m[k] - (count == 1 ? 2 * skew : 0));
    free((char *)hand.v[k] - (count == 1 ? 3 * skew : 0));
    if (count == 1)
      t.g[k] = (float *)((char *)t.g[k] - skew),
      r.g[k] = (float *)((char *)r.g[k] - skew);
  }
  free(hand.m), free(hand.v), free(ours), free(theirs);
  freeTensors(&t);
  freeTensors(&r);
}

int main(int argc, char **argv) {
  wanted = argc > 1 ? argv[1] : "";
  void *openMp = dlopen("libgomp.so.1", RTLD_NOW);
  if (!openMp)
    return puts("libgomp.so.1 is needed"), 1;
  *(void **)&parallel = dlsym(openMp, "GOMP_parallel");
  *(void **)&threadIndex = dlsym(openMp, "omp_get_thread_num");
  for (unsigned threads = 1; threads <= 2; ++threads) {
    compare("10 x 100", 10, 100, 2001, threads, 0);
    compare("10,000 x 100", 10000, 100, 501, threads, 0);
    compare("1,000 x 1,000", 1000, 1000, 501, threads, 0);
    compare("100 x 250,000", 100, 250000, 21, threads, 0);
    compare("64 Mi", 1, 64 << 20, 11, threads, 0);
    compare("64 Mi, hand offset", 1, 64 << 20, 11, threads, 1);
  }
  return 0;
}
