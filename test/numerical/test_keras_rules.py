"""Each rule of keras/ against live Keras: parameters and all states.

In f64 the same formulas must give the same numbers up to 1e-12. In f32 each
rule has its own bound, from how far Keras' own rounding is from f64: ROUND is
half a unit in the last place, WEIGHT the error of 1 - 0.999 in f32.
"""

import keras
import numpy as np
import pytest

from harness import assert_close, step, tensors
from keras_side import keras_states, keras_steps

STEPS = 10
ROUND = 2.0**-24
WEIGHT = 1.3e-5
BASE = keras.optimizers


def moved(largest, relative):
    """A bound on the error of p, relative to its largest element (about 2).

    `largest` is how far one step can move an element of p, by that size;
    `relative` how far off Keras' f32 has a step. Besides, each step rounds p
    in both.
    """
    return STEPS * (largest * relative + 2 * ROUND)


# Pipe, optimizer, bounds on p and on the states in f32. Steps are those of a
# rate of 0.05 where none is said.
RULES = {
    # u is at most 1/sqrt(1 - rho) = 3.2, with eight roundings.
    "rmsprop": ("keras/rmsprop(0.05)", lambda: BASE.RMSprop(0.05),
                moved(0.08, 8 * ROUND), STEPS * 3 * ROUND),
    "rmsprop hypers": ("keras/rmsprop(0.05, 0.6, 1e-3)",
                       lambda: BASE.RMSprop(0.05, 0.6, epsilon=1e-3),
                       moved(0.04, 8 * ROUND), STEPS * 3 * ROUND),
    # The buffer is up to ten steps long.
    "rmsprop momentum": ("keras/rmsprop(0.05, momentum = 0.9)",
                         lambda: BASE.RMSprop(0.05, momentum=0.9),
                         moved(0.8, 8 * ROUND), STEPS * 11 * ROUND),
    # v - a^2 is at least rho^10 = 0.35 of v: u is at most 5.3, and the root
    # wrong by 12 roundings more.
    "rmsprop centered": ("keras/rmsprop(0.05, centered = true)",
                         lambda: BASE.RMSprop(0.05, centered=True),
                         moved(0.14, 20 * ROUND), STEPS * 3 * ROUND),
    # Here 0.11 of v, 6.8 and 40, in a buffer up to two steps long.
    "rmsprop all": (
        "keras/rmsprop(0.05, 0.8, 1e-2, momentum = 0.5, centered = true)",
        lambda: BASE.RMSprop(0.05, 0.8, 0.5, 1e-2, True),
        moved(0.34, 48 * ROUND), STEPS * 51 * ROUND),
    # u is at most 1; 1 - 0.9 in f32 is wrong by five roundings.
    "adamax": ("keras/adamax(0.05)", lambda: BASE.Adamax(0.05),
               moved(0.025, 16 * ROUND), STEPS * 3 * ROUND),
    "adamax hypers": ("keras/adamax(0.05, 0.5, 0.9, 0.1)",
                      lambda: BASE.Adamax(0.05, 0.5, 0.9, 0.1),
                      moved(0.05, 16 * ROUND), STEPS * 3 * ROUND),
    # p is z/q, and z a sum of terms no larger than n^0.5/rate * p, which has
    # twelve roundings: powers are wrong by one unit in the last place each.
    "ftrl": ("keras/ftrl(0.05)", lambda: BASE.Ftrl(0.05),
             moved(1, 12 * ROUND), STEPS * 12 * ROUND),
    "ftrl power": ("keras/ftrl(0.05, -0.7, 0.5)",
                   lambda: BASE.Ftrl(0.05, -0.7, 0.5),
                   moved(1, 12 * ROUND), STEPS * 12 * ROUND),
    "ftrl fixed rate": ("keras/ftrl(0.05, 0)", lambda: BASE.Ftrl(0.05, 0.0),
                        moved(1, 12 * ROUND), STEPS * 12 * ROUND),
    "ftrl regularized": (
        "keras/ftrl(0.3, -0.5, 0.2, 0.4, 0.1, 0.05, 0.7)",
        lambda: BASE.Ftrl(0.3, -0.5, 0.2, 0.4, 0.1, 0.05, 0.7),
        moved(1, 12 * ROUND), STEPS * 12 * ROUND),
    # The step is a sign. The buffer's 1 - 0.99 is wrong by 50 roundings.
    "lion": ("keras/lion(0.05)", lambda: BASE.Lion(0.05),
             moved(0.025, 2 * ROUND), 55 * ROUND + STEPS * 3 * ROUND),
    "lion hypers": ("keras/lion(0.05, 1, 0.5)",
                    lambda: BASE.Lion(0.05, 1.0, 0.5),
                    moved(0.025, 2 * ROUND), STEPS * 3 * ROUND),
    # A step is as long as p; what the bias corrections are wrong by, half of
    # WEIGHT for the root, leaves with the norm of u. Sums of 24 numbers.
    "lamb": ("keras/lamb(0.05)", lambda: BASE.Lamb(0.05),
             moved(0.25, 48 * ROUND), STEPS * 3 * ROUND),
    "lamb hypers": ("keras/lamb(0.05, 0.5, 0.9, 0.1)",
                    lambda: BASE.Lamb(0.05, 0.5, 0.9, 0.1),
                    moved(0.25, 48 * ROUND), STEPS * 3 * ROUND),
    # u is at most 1 at first, then 3, off by half of 6e-5: pow(0.999, t) rounds
    # before it is taken from 1. 1 - beta_2 is WEIGHT off.
    "schedule_free_adamw": (
        "keras/schedule_free_adamw(0.05)",
        lambda: BASE.ScheduleFreeAdamW(0.05),
        moved(0.08, 3e-5), max(WEIGHT, moved(0.08, 3e-5))),
    "schedule_free_adamw hypers": (
        "keras/schedule_free_adamw(0.05, 0.4, 0.9, 1e-3, 6)",
        lambda: BASE.ScheduleFreeAdamW(0.05, 0.4, 0.9, 1e-3, 6),
        moved(0.08, 50 * ROUND), moved(0.08, 50 * ROUND)),
}


@pytest.mark.parametrize("case", RULES)
def test_rule(tmp_path, dtype, case):
    pipe, optimizer, bound, state_bound = RULES[case]
    params = tensors(1, dtype)
    grads = [tensors(2 + i, dtype) for i in range(STEPS)]
    for index in (0, 4):
        del grads[index]["b"]
    optimizer = optimizer()
    ours = step(tmp_path, pipe, params, grads)
    if dtype == np.float64:
        bound = state_bound = 1e-12
    assert_close(ours, keras_steps(optimizer, params, grads), bound)
    states = keras_states(optimizer, ours.keys() - params.keys())
    assert_close(ours, states, state_bound)


def test_average_of_schedule_free(tmp_path, float64):
    """The view x is the mean of all z so far, and p at beta_1 = 1."""
    params = tensors(1, float64)
    grads = [tensors(2 + i, float64) for i in range(STEPS)]
    z = []
    for calls in range(1, STEPS + 1):
        ours = step(tmp_path, "keras/schedule_free_adamw(0.05, 0.7)", params,
                    grads[:calls], views=["x"])
        z.append({name: ours[f"{name}.momentum"] for name in params})
    assert_close(ours, {f"{name}.x": np.mean([one[name] for one in z], axis=0)
                        for name in params}, 1e-12)
    ours = step(tmp_path, "keras/schedule_free_adamw(0.05, 1)", params, grads,
                views=["x"])
    assert_close(ours, {f"{name}.x": ours[name] for name in params}, 1e-12)
