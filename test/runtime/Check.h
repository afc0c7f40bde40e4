/*===- Check.h - Assertions for tests in C -------------------------*- C -*-===
 *
 * A check prints what failed and goes on; main ends with CHECK_RESULT().
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_TEST_CHECK_H
#define UPDRAFT_TEST_CHECK_H

#include "runtime/updraft.h"

#include <stdio.h>
#include <string.h>

static _Atomic int checksDone, checksFailed;

static inline void checkThat(int holds, const char *text, const char *file,
                             int line) {
  ++checksDone;
  if (holds)
    return;
  ++checksFailed;
  printf("%s:%d: failed: %s (last error: %s)\n", file, line, text,
         updraft_last_error());
}

static inline void checkFails(updraft_status got, updraft_status wanted,
                              const char *fragment, const char *file,
                              int line) {
  ++checksDone;
  if (got == wanted && (!got || strstr(updraft_last_error(), fragment)))
    return;
  ++checksFailed;
  printf("%s:%d: failed: got '%s' with \"%s\", wanted '%s' with \"%s\"\n", file,
         line, updraft_status_name(got), updraft_last_error(),
         updraft_status_name(wanted), fragment);
}

#define CHECK(condition)                                                       \
  checkThat(!!(condition), #condition, __FILE__, __LINE__)
#define CHECK_OK(call) checkFails(call, UPDRAFT_OK, "", __FILE__, __LINE__)
/* The call fails with `status` and a text that contains `fragment`. */
#define CHECK_FAILS(call, status, fragment)                                    \
  checkFails(call, status, fragment, __FILE__, __LINE__)
#define CHECK_RESULT()                                                         \
  (printf("%d checks, %d failed\n", checksDone, checksFailed),                 \
   checksFailed != 0)

#endif /* UPDRAFT_TEST_CHECK_H */
