/*===- FakeBuilder.h - Laying out a program by hand ----------------*- C -*-===
 *
 * A builder appends strings and lists behind the head and notes their
 * distances. Code is wherever the linker has put it: a distance too.
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_TEST_FAKEBUILDER_H
#define UPDRAFT_TEST_FAKEBUILDER_H

#include "FakeProgram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 16 };

typedef struct {
  updraft_program *program;
  uint64_t used;
} Builder;

static inline updraft_rel put(Builder *to, const void *bytes, uint64_t count) {
  to->used = (to->used + 7) / 8 * 8;
  memcpy((char *)to->program + to->used, bytes, count);
  to->used += count;
  return (updraft_rel)(to->used - count);
}

static inline updraft_rel text(Builder *to, const char *string) {
  return put(to, string, strlen(string) + 1);
}

#define LIST(to, items)                                                        \
  (updraft_list) {                                                             \
    put(to, items, sizeof(items)), sizeof(items) / sizeof(*items)              \
  }

static inline Builder begin(const char *name, const char *rule) {
  Builder to = {calloc(1, ROOM), sizeof(updraft_program)};
  updraft_program *program = to.program;
  memcpy(program->magic, UPDRAFT_MAGIC, sizeof program->magic);
  program->abi = UPDRAFT_ABI;
  program->header_bytes = sizeof *program;
  program->name = text(&to, name);
  program->rule = text(&to, rule);
  program->target = fakeTarget();
  program->target_name = text(&to, "this processor");
  program->param = UPDRAFT_F32;
  return to;
}

static inline updraft_program *end(Builder *to) {
  to->program->bytes = to->used;
  return to->program;
}

static inline updraft_kernel kernel(Builder *to, const char *name,
                                    updraft_entry *entry, uint32_t when,
                                    uint32_t level, uint32_t variant,
                                    uint32_t after) {
  updraft_kernel result = {0};
  result.name = text(to, name);
  result.entry = (char *)entry - (char *)to->program;
  result.when = when;
  result.level = level;
  result.variant = variant;
  result.after = after;
  return result;
}

/* Gives kernels entries NAME_0, NAME_1, ... of PTX that does nothing: who runs
   it says what they do. One of group or model level behind another is within
   its launch. */
static inline void addGpu(Builder *to, updraft_kernel *kernels, size_t count) {
  static const char head[] = ".version 8.0\n.target sm_75\n.address_size 64\n";
  char *ptx = calloc(count + 1, 512), name[40];
  strcpy(ptx, head);
  for (size_t k = 0; k < count; ++k) {
    int isWithin = k && kernels[k].level < UPDRAFT_TENSOR &&
                   kernels[k - 1].level < UPDRAFT_TENSOR &&
                   kernels[k - 1].when == kernels[k].when &&
                   kernels[k - 1].view == kernels[k].view;
    kernels[k].gpu_threads = 128;
    kernels[k].gpu_items = 4;
    if (isWithin)
      continue;
    snprintf(name, sizeof name, "%s_%zu",
             (char *)to->program + to->program->name, k);
    kernels[k].gpu_entry = text(to, name);
    snprintf(ptx + strlen(ptx), 512,
             ".visible .entry %s(.param .u64 %s_0, .param .u64 %s_1, "
             ".param .u64 %s_2, .param .u64 %s_3)\n{\nret;\n}\n",
             name, name, name, name, name);
  }
  updraft_gpu_code codes[] = {
      {75, UPDRAFT_PTX, text(to, ptx), strlen(ptx) + 1}};
  to->program->gpu = LIST(to, codes);
  free(ptx);
}

static inline updraft_hyper hyper(Builder *to, const char *name, double initial,
                                  double low, double high, uint32_t level,
                                  uint32_t slot, uint32_t flags) {
  return (updraft_hyper){text(to, name), 0,    initial, low, high,
                         level,          slot, flags,   0};
}

#endif /* UPDRAFT_TEST_FAKEBUILDER_H */
