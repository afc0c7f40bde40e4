"""Learning-rate schedules against live Keras.

Each call gives a gradient of 1 to one parameter alone, which starts at 0: what
it then holds is minus the rate of that call. Keras' schedules are evaluated in
f64; errors are relative to the largest rate, since a cosine near its end is the
difference of two numbers near 1.
"""

import keras
import numpy as np
import pytest

from harness import step


def rates(folder, schedule, count):
    params = {f"w{i:04}": np.zeros(1) for i in range(count)}
    grads = [{name: np.ones(1)} for name in params]
    out = step(folder, f"keras/sgd({schedule})", params, grads)
    return np.array([-out[name][0] for name in params])


# Ours; Keras' class, arguments, options; number of calls.
CASES = {
    "exponential": ("exponential_decay(0.5, 7, 0.3)",
                    "ExponentialDecay", [0.5, 7, 0.3], {}, 30),
    "exponential staircase": ("exponential_decay(0.5, 7, 0.3, staircase = 1)",
                              "ExponentialDecay", [0.5, 7, 0.3],
                              {"staircase": True}, 30),
    "inverse time": ("inverse_time_decay(0.5, 7, 0.3)",
                     "InverseTimeDecay", [0.5, 7, 0.3], {}, 30),
    "inverse time staircase": ("inverse_time_decay(0.5, 7, 0.3, 1)",
                               "InverseTimeDecay", [0.5, 7, 0.3],
                               {"staircase": True}, 30),
    "polynomial": ("polynomial_decay(0.5, 10)",
                   "PolynomialDecay", [0.5, 10], {}, 14),
    "polynomial power": ("polynomial_decay(0.5, 10, 0.1, 2.5)",
                         "PolynomialDecay", [0.5, 10, 0.1, 2.5], {}, 14),
    "polynomial cycle": ("polynomial_decay(0.5, 10, 0.1, 0.5, cycle = 1)",
                         "PolynomialDecay", [0.5, 10, 0.1, 0.5],
                         {"cycle": True}, 45),
    "polynomial power 0": ("polynomial_decay(0.5, 10, 0.1, 0)",
                           "PolynomialDecay", [0.5, 10, 0.1, 0.0], {}, 14),
    "piecewise one": ("piecewise_constant_decay(0.5, 3, 0.25)",
                      "PiecewiseConstantDecay", [[3], [0.5, 0.25]], {}, 8),
    "piecewise five": (
        "piecewise_constant_decay(1, 0, 0.75, 3, 0.5, 4, 0.25, 9, 2, 12, 3)",
        "PiecewiseConstantDecay",
        [[0, 3, 4, 9, 12], [1.0, 0.75, 0.5, 0.25, 2.0, 3.0]], {}, 16),
    "cosine": ("cosine_decay(0.5, 12)", "CosineDecay", [0.5, 12], {}, 16),
    "cosine alpha": ("cosine_decay(0.5, 12, 0.2)",
                     "CosineDecay", [0.5, 12, 0.2], {}, 16),
    "cosine warm-up": (
        "cosine_decay(0.1, 12, 0.2, warmup_target = 0.5, warmup_steps = 5)",
        "CosineDecay", [0.1, 12, 0.2],
        {"warmup_target": 0.5, "warmup_steps": 5}, 22),
    "cosine warm-up of 0 steps": (
        "cosine_decay(0.1, 12, 0.2, warmup_target = 0.5)",
        "CosineDecay", [0.1, 12, 0.2], {"warmup_target": 0.5}, 16),
    "cosine no target to warm up to": (
        "cosine_decay(0.1, 12, 0.2, warmup_steps = 5)",
        "CosineDecay", [0.1, 12, 0.2], {"warmup_steps": 5}, 22),
    "restarts": ("cosine_decay_restarts(0.5, 4)",
                 "CosineDecayRestarts", [0.5, 4], {}, 34),
    "restarts lower": ("cosine_decay_restarts(0.5, 4, 1.5, 0.8, 0.1)",
                       "CosineDecayRestarts", [0.5, 4, 1.5, 0.8, 0.1], {}, 40),
    "restarts alike": (
        "cosine_decay_restarts(0.5, 6, t_mul = 1, m_mul = 0.9)",
        "CosineDecayRestarts", [0.5, 6], {"t_mul": 1.0, "m_mul": 0.9}, 20),
    # Far beyond the end: hundreds of times as many calls as steps.
    "far exponential": ("exponential_decay(0.5, 1, 0.9, 1)",
                        "ExponentialDecay", [0.5, 1, 0.9],
                        {"staircase": True}, 400),
    "far inverse time": ("inverse_time_decay(0.5, 1, 3)",
                         "InverseTimeDecay", [0.5, 1, 3.0], {}, 400),
    "far polynomial": ("polynomial_decay(0.5, 1, 0.1, 2)",
                       "PolynomialDecay", [0.5, 1, 0.1, 2.0], {}, 400),
    "far polynomial cycle": ("polynomial_decay(0.5, 3, 0.1, 1, 1)",
                             "PolynomialDecay", [0.5, 3, 0.1, 1.0],
                             {"cycle": True}, 400),
    "far cosine": ("cosine_decay(0.5, 1, 0.1, 0.6, 1)",
                   "CosineDecay", [0.5, 1, 0.1],
                   {"warmup_target": 0.6, "warmup_steps": 1}, 400),
    "far restarts": ("cosine_decay_restarts(0.5, 1, 2, 0.9, 0.1)",
                     "CosineDecayRestarts", [0.5, 1, 2.0, 0.9, 0.1], {}, 400),
    "far restarts alike": ("cosine_decay_restarts(0.5, 1, 1, 0.99)",
                           "CosineDecayRestarts", [0.5, 1, 1.0, 0.99], {}, 400),
}


def keras_rates(name, arguments, options, count):
    schedule = getattr(keras.optimizers.schedules, name)(*arguments, **options)
    return np.array([float(schedule(n)) for n in range(count)])


@pytest.mark.parametrize("case", CASES)
def test_schedule(tmp_path, float64, case):
    ours, *theirs = CASES[case]
    wanted = keras_rates(*theirs)
    got = rates(tmp_path, ours, len(wanted))
    assert np.abs(got - wanted).max() <= 1e-12 * wanted.max()


@pytest.mark.parametrize("factor, first", [(3, 10), (2, 7), (1.5, 4), (10, 2)])
def test_restart_is_found(tmp_path, factor, first):
    """A restart at a step that is one, also where the rounding of Keras'
    logarithms misses it (t_mul = 3, step 40 of first_decay_steps = 10)."""
    restarts, at, length = [], 0, first
    while at + length <= 400 and float(length).is_integer():
        at += int(length)
        length *= factor
        restarts.append(at)
    got = rates(tmp_path, f"cosine_decay_restarts(0.5, {first}, {factor})",
                restarts[-1] + 1)
    assert np.abs(got[restarts] - 0.5).max() <= 1e-12


def test_schedule_of_another_hyper(tmp_path):
    """Any hyper may be scheduled; its arguments stay settable."""
    params = {"w": np.zeros(1)}
    grads = [{"w": np.full(1, 4.0)}] * 3
    pipe = "clip_by_value(exponential_decay(1, 1, 0.5)) | keras/sgd(1)"
    assert step(tmp_path, pipe, params, grads)["w"] == -1.75
    out = step(tmp_path, pipe, params, grads,
               ["clip_by_value.clip_value.initial=2"])
    assert out["w"] == -3.5


def test_schedule_counts_calls(tmp_path, float64):
    """Raw calls, as Keras' do: the held ones of accumulate too."""
    params = {"w": np.zeros(2)}
    grads = [{"w": np.ones(2)}] * 9
    variable = keras.Variable(params["w"], dtype="float64")
    optimizer = keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.5, 7, 0.3),
        gradient_accumulation_steps=3)
    for arrays in grads:
        optimizer.apply([arrays["w"]], [variable])
    ours = step(tmp_path, "accumulate(3)"
                " | keras/sgd(exponential_decay(0.5, 7, 0.3))", params, grads)
    assert np.allclose(ours["w"], variable.numpy(), rtol=1e-12, atol=0)
