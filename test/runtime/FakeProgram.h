/*===- FakeProgram.h - Programs as a compiler would emit them ------*- C -*-===
 *
 * The runtime is tested without the compiler: these programs are laid out by
 * hand and their kernels are written in C.
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_TEST_FAKEPROGRAM_H
#define UPDRAFT_TEST_FAKEPROGRAM_H

#include "runtime/abi.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Two variants (tag "no_decay" or not), states m and v, view `direction` of
   element, `power` of tensor and `norm` of model level, counters `step` and
   `t`, hypers lr beta1 beta2 eps weight_decay; requires beta1 <= beta2. */
const updraft_program *fakeAdamw(void);

/* The same in two passes, with clip_by_global_norm.max_norm of model level;
   five segments. */
const updraft_program *fakeClipAdamw(void);

/* Hypers of every kind: k (whole, required, model), a.scale, b.scale, rate
   (computed); inputs `loss` and `h`; p' = p - k*h*loss. */
const updraft_program *fakeInputs(void);

/* Made anew, to be changed and freed. Arrays p g r c m s fr fc fm twice runs
   columns. A step adds to r its row's sum of g (at first 100), to c its
   column's, to m, fr, fc and fm 1, to s 2; f: folded. View `twice` is 2*r. */
updraft_program *fakeAxis(void);

/* An image file of `p' = p - lr*g` with real machine code in it. Free it. */
char *fakeImage(size_t *bytes);
/* Computes the checksum of a changed image again. */
void sealImage(char *image, size_t bytes);

/* The target of this processor's fake programs. */
uint32_t fakeTarget(void);

/* What the compiler of C makes of the kernels: AdamW on one tensor. */
typedef struct {
  double lr, beta1, beta2, eps, weightDecay;
} AdamwHypers;
void adamwReference(float *p, const float *g, float *m, float *v, size_t size,
                    const AdamwHypers *hypers, double t, double factor);
/* The same with the powers known: bias1 is 1 - beta1^t. */
void adamwLoop(float *p, const float *g, float *m, float *v, size_t size,
               const AdamwHypers *hypers, double bias1, double bias2);

#ifdef __cplusplus
}
#endif

#endif /* UPDRAFT_TEST_FAKEPROGRAM_H */
