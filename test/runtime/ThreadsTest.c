/*===- ThreadsTest.c - Hosts with threads and processes of their own --------===
 *
 * Two optimizers in two threads, one optimizer in two threads, a fork after
 * parallel steps.
 *
 *===----------------------------------------------------------------------===*/

#include "Threads.h"
#include "Check.h"
#include "FakeProgram.h"
#include "Tensors.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WATCHED 1
#endif
#endif

static const int64_t sizes[] = {400000, 100, 70000, 3};

static updraft_optimizer *make(Tensors *t, const updraft_options *options) {
  updraft_loaded_program *program = NULL;
  updraft_optimizer *optimizer = NULL;
  CHECK_OK(updraft_program_from(fakeClipAdamw(), &program));
  CHECK_OK(updraft_optimizer_create(program, NULL, 0, t->params, t->count,
                                    options, &optimizer));
  updraft_program_release(program);
  return optimizer;
}

static void *stepFiveTimes(void *argument) {
  Tensors *t = argument;
  updraft_optimizer *optimizer = make(t, NULL);
  for (int step = 0; step < 5; ++step)
    CHECK_OK(updraft_optimizer_step(optimizer, t->grads, t->count, NULL));
  updraft_optimizer_destroy(optimizer);
  return NULL;
}

static void differentOptimizersInDifferentThreads(void) {
  Tensors a = makeTensors(8, sizes, 4), b = makeTensors(8, sizes, 4);
  Tensors alone = makeTensors(8, sizes, 4);
  stepFiveTimes(&alone);
  pthread_t first, second;
  pthread_create(&first, NULL, stepFiveTimes, &a);
  pthread_create(&second, NULL, stepFiveTimes, &b);
  pthread_join(first, NULL);
  pthread_join(second, NULL);
  CHECK(sameParams(&a, &alone) && sameParams(&b, &alone));
  freeTensors(&a);
  freeTensors(&b);
  freeTensors(&alone);
}

/*===- Busy ---------------------------------------------------------------===*/

static updraft_optimizer *shared;
static atomic_int answer;

static void *askForHyper(void *argument) {
  double value = 0;
  atomic_store(&answer,
               (int)updraft_optimizer_get_hyper(shared, 0, "lr", &value));
  return NULL;
}

/* Another thread asks while the executor runs the step. */
static void intrude(void *context, uint32_t threads,
                    void (*body)(void *, uint32_t, uint32_t), void *argument) {
  pthread_t other;
  if (shared) {
    pthread_create(&other, NULL, askForHyper, NULL);
    pthread_join(other, NULL);
  }
  runOnThreads(context, threads, body, argument);
}

static void oneOptimizerInTwoThreadsIsBusy(void) {
  int regions = 0;
  updraft_executor executor = {intrude, &regions, 2};
  updraft_options options = {sizeof options, 0, &executor, 0, 0};
  Tensors t = makeTensors(4, sizes, 4);
  shared = make(&t, &options);
  CHECK_OK(updraft_optimizer_step(shared, t.grads, t.count, NULL));
  CHECK(atomic_load(&answer) == UPDRAFT_BUSY);
  askForHyper(NULL);
  CHECK(atomic_load(&answer) == UPDRAFT_OK);
  CHECK(regions == 2);
  updraft_optimizer_destroy(shared);
  freeTensors(&t);
}

/*===- Fork ---------------------------------------------------------------===*/

static void usableAfterFork(void) {
#if !defined(WATCHED) /* the tool does not follow a fork with threads */
  updraft_options options = {sizeof options, 2, NULL, 0, 0};
  Tensors t = makeTensors(8, sizes, 4), r = makeTensors(8, sizes, 4);
  updraft_optimizer *a = make(&t, &options), *b = make(&r, &options);
  CHECK_OK(updraft_optimizer_step(a, t.grads, t.count, NULL));
  CHECK_OK(updraft_optimizer_step(b, r.grads, r.count, NULL));
  CHECK_OK(updraft_optimizer_step(b, r.grads, r.count, NULL));
  fflush(stdout);
  pid_t child = fork();
  if (!child) {
    alarm(60);
    int wrong = updraft_optimizer_step(a, t.grads, t.count, NULL) != UPDRAFT_OK;
    _exit(wrong || !sameParams(&t, &r));
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK_OK(updraft_optimizer_step(a, t.grads, t.count, NULL));
  CHECK(sameParams(&t, &r));
  updraft_optimizer_destroy(a);
  updraft_optimizer_destroy(b);
  freeTensors(&t);
  freeTensors(&r);
#endif
}

/* A host that gives one thread only, whatever was asked for. */
static void runAlone(void *context, uint32_t threads,
                     void (*body)(void *, uint32_t, uint32_t), void *argument) {
  ++*(int *)context;
  body(argument, 0, 1);
}

static void fewerThreadsThanAskedFor(void) {
  int regions = 0;
  updraft_executor executor = {runAlone, &regions, 4};
  updraft_options options = {sizeof options, 0, &executor, 0, 0};
  Tensors t = makeTensors(8, sizes, 4), r = makeTensors(8, sizes, 4);
  updraft_optimizer *a = make(&t, &options), *b = make(&r, NULL);
  CHECK_OK(updraft_optimizer_step(a, t.grads, t.count, NULL));
  CHECK_OK(updraft_optimizer_step(b, r.grads, r.count, NULL));
  CHECK(regions == 2 && sameParams(&t, &r));
  updraft_optimizer_destroy(a);
  updraft_optimizer_destroy(b);
  freeTensors(&t);
  freeTensors(&r);
}

int main(void) {
  differentOptimizersInDifferentThreads();
  oneOptimizerInTwoThreadsIsBusy();
  usableAfterFork();
  fewerThreadsThanAskedFor();
  return CHECK_RESULT();
}
