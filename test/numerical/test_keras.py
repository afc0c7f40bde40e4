"""Keras' rules and boxes against live Keras.

In f64 the same formula must give the same numbers up to 1e-12. In f32 both
round each operation, in different orders, and Keras computes 1 - beta^t in f32,
which alone is wrong by 6e-6 at the first step (2^-24 / (1 - 0.999), halved by
the root where one is taken): see F32 below.
"""

import keras
import numpy as np
import pytest

from harness import assert_close, step, tensors
from keras_side import keras_states, keras_steps

STEPS = 10
# Bound on the error of p in f32, relative to the largest element. A step moves
# p by at most `rate` (0.05 here); Keras' bias corrections are off by 1e-5 of
# it, and each of ten steps rounds p twice by 2^-24: 10 * (0.05e-5 + 1.2e-7).
F32 = 7e-6
# Bound on the error of a state. Nadam computes 1 - beta_2 in f32, which for
# 0.999 is wrong by 1.3e-5; ten steps round twice: 1.3e-5 + 10 * 1.2e-7.
F32_STATE = 1.5e-5

BASE = keras.optimizers


def compare(folder, dtype, pipe, optimizer, settings=(), options=(),
            params=None, grads=None, bound=F32):
    params = params or tensors(1, dtype)
    grads = grads or [tensors(2 + i, dtype) for i in range(STEPS)]
    ours = step(folder, pipe, params, grads, settings, options)
    exact = dtype == np.float64
    assert_close(ours, keras_steps(optimizer, params, grads),
                 1e-12 if exact else bound)
    assert_close(ours, keras_states(optimizer, ours.keys() - params.keys()),
                 1e-12 if exact else F32_STATE)
    return ours


RULES = {
    "sgd": ("keras/sgd(0.05)", lambda: BASE.SGD(0.05), ()),
    "sgd momentum": ("keras/sgd(0.05, momentum = 0.9)",
                     lambda: BASE.SGD(0.05, momentum=0.9), ()),
    "sgd nesterov": ("keras/sgd(0.05, momentum = 0.9, nesterov = true)",
                     lambda: BASE.SGD(0.05, momentum=0.9, nesterov=True), ()),
    "sgd nesterov without momentum": (
        "keras/sgd(0.05, nesterov = true)",
        lambda: BASE.SGD(0.05, nesterov=True), ()),
    "adam": ("keras/adam(0.05)", lambda: BASE.Adam(0.05), ()),
    "adam betas": ("keras/adam(0.05, 0.8, 0.9, 1e-3)",
                   lambda: BASE.Adam(0.05, 0.8, 0.9, 1e-3), ()),
    "adam amsgrad": ("keras/adam(0.05, beta_2 = 0.5, amsgrad = true)",
                     lambda: BASE.Adam(0.05, beta_2=0.5, amsgrad=True), ()),
    "adamw": ("keras/adamw(0.05)", lambda: BASE.AdamW(0.05), ()),
    "adamw decay": ("keras/adamw(0.05, 0.3, amsgrad = true)",
                    lambda: BASE.AdamW(0.05, 0.3, amsgrad=True), ()),
    "adadelta": ("keras/adadelta(1.0)", lambda: BASE.Adadelta(1.0), ()),
    "adadelta rho": ("keras/adadelta(0.05, 0.7, 1e-3)",
                     lambda: BASE.Adadelta(0.05, 0.7, 1e-3), ()),
    "adagrad": ("keras/adagrad(0.05)", lambda: BASE.Adagrad(0.05), ()),
    "adagrad start": ("keras/adagrad(0.05, 1.5, 0.1)",
                      lambda: BASE.Adagrad(0.05, 1.5, 0.1), ()),
    "nadam": ("keras/nadam(0.05)", lambda: BASE.Nadam(0.05), ()),
    "nadam betas": ("keras/nadam(0.05, 0.5, 0.9, 1e-3)",
                    lambda: BASE.Nadam(0.05, 0.5, 0.9, 1e-3), ()),
    "settings": ("keras/adam",
                 lambda: BASE.Adam(0.05, 0.8, amsgrad=True),
                 ("learning_rate=0.05", "beta_1=0.8", "amsgrad=true")),
}


@pytest.mark.parametrize("case", RULES)
def test_rule(tmp_path, dtype, case):
    pipe, optimizer, settings = RULES[case]
    compare(tmp_path, dtype, pipe, optimizer(), settings)


@pytest.mark.parametrize("case", ["sgd momentum", "adam", "adadelta", "nadam"])
def test_absent_gradients(tmp_path, dtype, case):
    """Keras' step counts all calls, also for a variable left out of some."""
    pipe, optimizer, settings = RULES[case]
    grads = [tensors(2 + i, dtype) for i in range(STEPS)]
    for index in (0, 3, 4):
        del grads[index]["b"]
    del grads[9]["d"]
    compare(tmp_path, dtype, pipe, optimizer(), settings, grads=grads)


BOXES = {
    "clipnorm": ("keras/clipnorm(1.5)", dict(clipnorm=1.5)),
    "global_clipnorm": ("keras/global_clipnorm(1.5)",
                        dict(global_clipnorm=1.5)),
    "global_clipnorm far": ("keras/global_clipnorm(1e4)",
                            dict(global_clipnorm=1e4)),
    "clipvalue": ("keras/clipvalue(0.3)", dict(clipvalue=0.3)),
    "weight_decay": ("weight_decay(0.3)", dict(weight_decay=0.3)),
    "ema": ("keras/ema(0.8)", dict(use_ema=True, ema_momentum=0.8)),
    "ema overwrite": (
        "keras/ema(0.8, overwrite_frequency = 3)",
        dict(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3)),
    "accumulate": ("accumulate(3)", dict(gradient_accumulation_steps=3)),
    "loss_scale": ("loss_scale(1024)", dict(loss_scale_factor=1024.0)),
    "all": ("keras/ema(0.8, overwrite_frequency = 2) | loss_scale(3)"
            " | accumulate(4) | keras/global_clipnorm(0.5)"
            " | weight_decay(0.1)",
            dict(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2,
                 loss_scale_factor=3.0, gradient_accumulation_steps=4,
                 global_clipnorm=0.5, weight_decay=0.1)),
}


@pytest.mark.parametrize("rule", ["sgd", "adam", "nadam"])
@pytest.mark.parametrize("case", BOXES)
def test_box(tmp_path, dtype, case, rule):
    pipe, base = BOXES[case]
    core, optimizer = {
        "sgd": ("keras/sgd(0.05, momentum = 0.9)",
                lambda **k: BASE.SGD(0.05, 0.9, **k)),
        "adam": ("keras/adam(0.05)", lambda **k: BASE.Adam(0.05, **k)),
        "nadam": ("keras/nadam(0.05)", lambda **k: BASE.Nadam(0.05, **k)),
    }[rule]
    compare(tmp_path, dtype, f"{pipe} | {core}", optimizer(**base))


def test_ema_over_accumulate(tmp_path, dtype):
    """Nine calls by four: the average is a copy in calls 1 to 4."""
    params = tensors(1, dtype)
    grads = [tensors(2 + i, dtype) for i in range(9)]
    for calls in range(1, 10):
        ours = compare(
            tmp_path, dtype,
            "keras/ema(0.8) | accumulate(4) | keras/adam(0.05)",
            BASE.Adam(0.05, use_ema=True, ema_momentum=0.8,
                      gradient_accumulation_steps=4),
            params=params, grads=grads[:calls])
        if calls <= 4:
            for name in params:
                assert np.array_equal(ours[f"{name}.ema.average"], ours[name])


def test_absent_in_the_last_of_four_calls(tmp_path, float64):
    """It is not updated, and what it had gathered is lost with the rest. (On
    JAX Keras keeps what such a variable had gathered, on no other back end.)"""
    grads = [tensors(2 + i, float64) for i in range(8)]
    del grads[3]["b"]
    del grads[5]["c"]
    for calls in (4, 8):
        ours = compare(
            tmp_path, float64, "accumulate(4) | keras/adam(0.05)",
            BASE.Adam(0.05, gradient_accumulation_steps=4), grads=grads[:calls])
        assert np.any(ours["b.momentum"]) == (calls == 8)
        assert not np.any(ours["b.accumulate.total"])


def test_no_decay_tag(tmp_path, float64):
    """What Keras names by exclude_from_weight_decay carries a tag here."""
    for pipe, optimizer in [
            ("weight_decay(0.3) | keras/adam(0.05)",
             BASE.Adam(0.05, weight_decay=0.3)),
            ("keras/adamw(0.05, 0.3)", BASE.AdamW(0.05, 0.3))]:
        optimizer.exclude_from_weight_decay(var_names=["^b$", "^d$"])
        compare(tmp_path, float64, pipe, optimizer,
                options=["--tag", "no_decay:b,d"])


@pytest.mark.parametrize("overflow", [(), (1,), (0, 1, 5), (9,)])
def test_dynamic_loss_scale(tmp_path, float64, overflow):
    """With a schedule: a call that overflows is no call for what is inside."""
    grads = [tensors(2 + i, float64, scale=8.0) for i in range(STEPS)]
    for index, value in zip(overflow, [np.inf, np.nan, -np.inf]):
        grads[index]["c"][1, 2] = value
    schedule = BASE.schedules.ExponentialDecay(0.5, 3, 0.5)
    compare(tmp_path, float64, "dynamic_loss_scale(3, 8) | keras/clipnorm(1)"
            " | keras/adam(exponential_decay(0.5, 3, 0.5))",
            BASE.LossScaleOptimizer(BASE.Adam(schedule, clipnorm=1.0),
                                    initial_scale=8.0, dynamic_growth_steps=3),
            grads=grads)


def test_dynamic_loss_scale_over_accumulation(tmp_path, float64):
    grads = [tensors(2 + i, float64, scale=8.0) for i in range(STEPS)]
    grads[1]["a"][...] = np.inf
    grads[4]["d"][0, 0, 0] = np.nan
    inner = BASE.SGD(0.1, 0.9, gradient_accumulation_steps=2, use_ema=True,
                     ema_overwrite_frequency=2)
    compare(tmp_path, float64, "dynamic_loss_scale(2, 8) | "
            "keras/ema(overwrite_frequency = 2) | accumulate(2) | "
            "keras/sgd(0.1, momentum = 0.9)",
            BASE.LossScaleOptimizer(inner, initial_scale=8.0,
                                    dynamic_growth_steps=2), grads=grads)


def test_norm_that_overflows(tmp_path):
    """4096 squares of 2e19 are infinite in f32: no norm is rescaled."""
    keras.config.set_floatx("float32")
    params = {"w": np.ones(4096, np.float32), "v": np.ones(3, np.float32)}
    grads = [{"w": np.full(4096, 2e19, np.float32),
              "v": np.ones(3, np.float32)}]
    with np.errstate(all="ignore"):
        compare(tmp_path, np.dtype("float32"),
                "keras/global_clipnorm(1) | keras/sgd(0.1)",
                BASE.SGD(0.1, global_clipnorm=1.0), params=params, grads=grads)
    ours = step(tmp_path, "clip_by_norm(1) | keras/sgd(0.1)", params, grads)
    assert np.array_equal(ours["w"], params["w"])  # 2e19 * (1/inf)
    wide = {name: value.astype(np.float64) for name, value in grads[0].items()}
    wide_params = {n: v.astype(np.float64) for n, v in params.items()}
    ours = step(tmp_path, "clip_by_norm(1) | keras/sgd(0.1)", wide_params,
                [wide])
    assert np.allclose(ours["w"], 1 - 0.1 / 64, rtol=1e-12)


def test_empty_tensor(tmp_path, dtype):
    shapes = {"a": (0,), "b": (3,), "c": (0, 4)}
    params = tensors(1, dtype, shapes)
    grads = [tensors(2 + i, dtype, shapes) for i in range(3)]
    compare(tmp_path, dtype, "keras/global_clipnorm(0.1) | keras/adam(0.05)",
            BASE.Adam(0.05, global_clipnorm=0.1), params=params, grads=grads)


def test_300_tensors(tmp_path, dtype):
    shapes = {f"w{i:03}": [(3,), (4, 5), (0,)][i % 3] for i in range(300)}
    params = tensors(1, dtype, shapes)
    grads = [tensors(2 + i, dtype, shapes) for i in range(3)]
    compare(tmp_path, dtype, "keras/global_clipnorm(0.1) | keras/nadam(0.05)",
            BASE.Nadam(0.05, global_clipnorm=0.1), params=params, grads=grads)
