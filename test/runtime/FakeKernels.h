/*===- FakeKernels.h - The kernels of the fake programs ------------*- C -*-===
 *
 * Slots and kernels, shared by those who lay a program out and those who run.
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_TEST_FAKEKERNELS_H
#define UPDRAFT_TEST_FAKEKERNELS_H

#include "runtime/abi.h"

/* Model row. */
enum { SLOT_STEP, SLOT_FACTOR, SLOT_MAX_NORM, SLOT_VIEW_NORM, MODEL_SLOTS };
/* Group row. */
enum {
  SLOT_LR,
  SLOT_BETA1,
  SLOT_BETA2,
  SLOT_EPS,
  SLOT_WEIGHT_DECAY,
  SLOT_ORDERED, /* of the requirement */
  SLOT_SQUARES,
  GROUP_SLOTS
};
/* Tensor row. */
enum { SLOT_T, SLOT_BIAS1, SLOT_BIAS2, SLOT_POWER, TENSOR_SLOTS };
/* Pointers of a row. */
enum { ARRAY_P, ARRAY_G, ARRAY_M, ARRAY_V, ARRAY_DIRECTION, ARRAYS };

typedef struct {
  updraft_tensor head;
  float *array[ARRAYS];
  double slot[TENSOR_SLOTS];
} Row;

updraft_entry initModel, initTensor, initElement, checkGroup, square,
    foldTensor, foldGroup, foldModel, bias, update, updateNoDecay,
    advanceTensor, advanceModel, viewDirection, viewPower, viewSquare, viewNorm;

/* The program of inputs. */
enum { INPUT_K, INPUT_LOSS, INPUT_A, INPUT_B, INPUT_RATE, INPUT_SLOTS };
enum { INPUT_ARRAY_P, INPUT_ARRAY_G, INPUT_ARRAY_H, INPUT_ARRAYS };
updraft_entry inputUpdate;

#endif /* UPDRAFT_TEST_FAKEKERNELS_H */
