/*===- Threads.h - An executor for tests ---------------------------*- C -*-===
 *
 * Starts a thread for each index and joins them: slow, simple, and visible to
 * tools that watch threads.
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_TEST_THREADS_H
#define UPDRAFT_TEST_THREADS_H

#include "runtime/updraft.h"

#include <pthread.h>

typedef struct {
  void (*body)(void *, uint32_t, uint32_t);
  void *argument;
  uint32_t index, threads;
} ThreadCall;

static inline void *threadMain(void *call) {
  ThreadCall *c = call;
  c->body(c->argument, c->index, c->threads);
  return NULL;
}

/* context: an int that counts the regions. */
static inline void runOnThreads(void *context, uint32_t threads,
                                void (*body)(void *, uint32_t, uint32_t),
                                void *argument) {
  pthread_t handles[64];
  ThreadCall calls[64];
  ++*(int *)context;
  for (uint32_t i = 0; i < threads; ++i) {
    ThreadCall call = {body, argument, i, threads};
    calls[i] = call;
    if (i)
      pthread_create(&handles[i], NULL, threadMain, &calls[i]);
  }
  threadMain(&calls[0]);
  for (uint32_t i = 1; i < threads; ++i)
    pthread_join(handles[i], NULL);
}

#endif /* UPDRAFT_TEST_THREADS_H */
