"""Random optimizers against live Keras, in f64: rules, hypers, shapes, missing
and infinite gradients, schedules, and any of the arguments of Keras' base
optimizer through keras/base, constraints and dynamic loss scaling.

Each case compares the parameters and all state after 12 calls, up to 1e-12 of
the largest element of each tensor.
"""

import random

import keras
import numpy as np
import pytest

from harness import assert_close, step, tensors
from keras_side import keras_states, keras_steps

CASES = 320
CALLS = 12
SHAPES = [(), (), (1,), (5,), (130,), (3, 4), (1, 1), (2, 0), (2, 3, 2),
          (3, 1, 0), (2, 1, 3, 2), (1, 1, 1, 1), (0,)]
BASE = keras.optimizers


def uniform(r, low, high):
    """Few digits, so that both read the same number."""
    return float(f"{r.uniform(low, high):.3g}")


def write(name, given):
    """A stage of a pipe; Keras' True is true here."""
    words = [f"{key} = {str(value).lower()}" for key, value in given.items()]
    return f"keras/{name}({', '.join(words)})"


def schedule(r):
    """A rate as a pipe has it, and as Keras has it."""
    initial, steps = uniform(r, 0.001, 0.3), r.randint(1, 9)
    other, part = uniform(r, 0.01, 0.3), uniform(r, 0.1, 0.9)
    flag, keras_schedules = r.randint(0, 1), BASE.schedules
    return r.choice([
        (initial, initial), (initial, initial), (initial, initial),
        (f"exponential_decay({initial}, {steps}, {part}, {flag})",
         keras_schedules.ExponentialDecay(initial, steps, part, bool(flag))),
        (f"inverse_time_decay({initial}, {steps}, {part}, {flag})",
         keras_schedules.InverseTimeDecay(initial, steps, part, bool(flag))),
        (f"polynomial_decay({initial}, {steps}, {other}, {part}, {flag})",
         keras_schedules.PolynomialDecay(initial, steps, other, part,
                                         bool(flag))),
        (f"piecewise_constant_decay({initial}, {steps}, {other})",
         keras_schedules.PiecewiseConstantDecay([steps], [initial, other])),
        (f"cosine_decay({initial}, {steps}, {part})",
         keras_schedules.CosineDecay(initial, steps, part)),
        (f"cosine_decay({initial}, {steps}, {part}, {other}, 3)",
         keras_schedules.CosineDecay(initial, steps, part, warmup_target=other,
                                     warmup_steps=3)),
        (f"cosine_decay_restarts({initial}, {steps}, 2, {part}, 0.1)",
         keras_schedules.CosineDecayRestarts(initial, steps, 2.0, part, 0.1)),
    ])


def betas(r):
    return {"beta_1": uniform(r, 0, 0.95), "beta_2": uniform(r, 0.1, 0.999),
            "epsilon": r.choice([1e-7, 1e-3])}


def heavy(r):
    return r.choice([0.0, uniform(r, 0.1, 0.95)])


# Ours and Keras' arguments, which have the same names.
RULES = {
    "sgd": (BASE.SGD, lambda r: {
        "momentum": heavy(r), "nesterov": r.random() < 0.5}),
    "rmsprop": (BASE.RMSprop, lambda r: {
        "rho": uniform(r, 0.5, 0.95), "epsilon": r.choice([1e-7, 1e-3]),
        "momentum": heavy(r), "centered": r.random() < 0.5}),
    "adam": (BASE.Adam, lambda r: betas(r) | {"amsgrad": r.random() < 0.5}),
    "adamw": (BASE.AdamW, lambda r: betas(r) | {"amsgrad": r.random() < 0.5}),
    "adadelta": (BASE.Adadelta, lambda r: {
        "rho": uniform(r, 0, 0.99), "epsilon": r.choice([1e-7, 1e-3])}),
    "adagrad": (BASE.Adagrad, lambda r: {
        "initial_accumulator_value": uniform(r, 0, 1),
        "epsilon": r.choice([1e-7, 1e-3])}),
    "adamax": (BASE.Adamax, betas),
    "nadam": (BASE.Nadam, betas),
    "ftrl": (BASE.Ftrl, lambda r: {
        "learning_rate_power": r.choice([0.0, -0.5, -0.5, -uniform(r, 0, 1)]),
        "initial_accumulator_value": uniform(r, 0.01, 1),
        "l1_regularization_strength": r.choice([0.0, uniform(r, 0, 2)]),
        "l2_regularization_strength": r.choice([0.0, uniform(r, 0, 1)]),
        "l2_shrinkage_regularization_strength":
            r.choice([0.0, uniform(r, 0, 1)]),
        "beta": r.choice([0.0, uniform(r, 0, 1)])}),
    "lion": (BASE.Lion, lambda r: {
        "beta_1": uniform(r, 0.1, 1), "beta_2": uniform(r, 0, 1)}),
    "lamb": (BASE.Lamb, betas),
    "schedule_free_adamw": (BASE.ScheduleFreeAdamW, lambda r: betas(r) | {
        "beta_1": uniform(r, 0.3, 1), "warmup_steps": r.choice([0, 1, 5])}),
}

CONSTRAINTS = {
    "non_neg": (keras.constraints.NonNeg, lambda r: {}),
    "unit_norm": (keras.constraints.UnitNorm, lambda r: {"axis": None}),
    "max_norm": (keras.constraints.MaxNorm, lambda r: {
        "max_value": uniform(r, 0.5, 4), "axis": None}),
    "min_max_norm": (keras.constraints.MinMaxNorm, lambda r: {
        "min_value": uniform(r, 0, 1), "max_value": uniform(r, 1, 4),
        "rate": uniform(r, 0, 1), "axis": None}),
}


def base(r):
    """Any of the base optimizer's arguments."""
    given = {}
    if r.random() < 0.5:
        given[r.choice(["clipnorm", "global_clipnorm", "clipvalue"])] = \
            uniform(r, 0.1, 4)
    if r.random() < 0.5:
        given["weight_decay"] = r.choice([0.0, uniform(r, 0, 0.5)])
    if r.random() < 0.5:
        given["use_ema"] = True
        given["ema_momentum"] = uniform(r, 0, 1)
        if r.random() < 0.6:
            given["ema_overwrite_frequency"] = r.randint(1, 4)
    if r.random() < 0.4:
        given["loss_scale_factor"] = uniform(r, 0.1, 1024)
    if r.random() < 0.5:
        given["gradient_accumulation_steps"] = r.randint(2, 5)
    return given


def gradients(r, shapes, infinite):
    """Some gradients missing, but never all of a call."""
    result = []
    for call in range(CALLS):
        arrays = tensors(r.randint(0, 10**6), np.float64, shapes,
                         10.0**r.randint(-1, 1))
        for name in sorted(shapes):
            if len(arrays) > 1 and r.random() < 0.1:
                del arrays[name]
        if infinite and r.random() < 0.3:
            name = r.choice(sorted(arrays))
            arrays[name][...] = r.choice([np.inf, -np.inf, np.nan])
        result.append(arrays)
    return result


def optimizer_of(r, name, dynamic):
    """A pipe and what Keras makes of the same arguments."""
    rule, hypers = RULES[name]
    hypers, common = hypers(r), base(r)
    rate, keras_rate = schedule(r)
    if dynamic:  # Keras resets it in what LossScaleOptimizer wraps.
        common.pop("loss_scale_factor", None)
    ours, around = dict(hypers, learning_rate=rate), dict(common)
    if name == "adamw":  # its own argument, here as there
        common["weight_decay"] = uniform(r, 0, 0.5)
        ours["weight_decay"] = common["weight_decay"]
        around.pop("weight_decay", None)
    return (f"{write('base', around)} | {write(name, ours)}",
            rule(keras_rate, **hypers, **common))


def constraint_of(r):
    """A box and Keras' object, which calls the strength rate."""
    name = r.choice(sorted(CONSTRAINTS))
    constraint, arguments = CONSTRAINTS[name]
    arguments = arguments(r)
    ours = {("strength" if key == "rate" else key): value
            for key, value in arguments.items() if key != "axis"}
    return write(name, ours), constraint(**arguments)


@pytest.mark.parametrize("case", range(CASES))
def test_random_optimizer(tmp_path, float64, case):
    r = random.Random(case)
    dynamic = r.random() < 0.3
    pipe, optimizer = optimizer_of(r, list(RULES)[case % len(RULES)], dynamic)
    shapes = {f"w{i}": r.choice(SHAPES) for i in range(r.randint(1, 5))}

    options, constraint = [], None
    spared = [name for name in shapes if r.random() < 0.2]
    if spared:
        options = ["--tag", "no_decay:" + ",".join(spared)]
        optimizer.exclude_from_weight_decay(
            var_names=[f"^{name}$" for name in spared])
    if r.random() < 0.3:
        box, constraint = constraint_of(r)
        pipe = f"{box} | {pipe}"
    if dynamic:
        growth, scale = r.randint(1, 4), 2.0**r.randint(0, 9)
        pipe = f"dynamic_loss_scale({growth}, {scale}) | {pipe}"
        optimizer = BASE.LossScaleOptimizer(optimizer, scale, growth)

    params = tensors(case, np.float64, shapes)
    grads = gradients(r, shapes, dynamic)
    print(pipe, options)
    ours = step(tmp_path, pipe, params, grads, options=options)
    assert_close(ours, keras_steps(optimizer, params, grads, constraint), 1e-12)
    assert_close(ours, keras_states(optimizer, ours.keys() - params.keys()),
                 1e-12)
