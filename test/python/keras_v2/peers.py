"""Optimizers of tf_keras and ours on the same variables and gradients.

Bounds are relative to the largest element of each array. In f64 1e-12: where
Keras 2 rounds a number to f32 first, so do we. In f32 each step rounds p and
the slots a few times by 2^-24, and Ftrl makes p anew from sums that cancel.
"""

import numpy as np
import tensorflow as tf

BOUNDS = {"float64": 1e-12, "float32": 4e-6}
SHAPES = {"kernel": (4, 5), "bias": (5,), "scalar": (), "conv": (3, 2, 2, 4)}
STEPS = 8


def variables(dtype, shapes=SHAPES):
    random = np.random.default_rng(0)
    return [tf.Variable(random.normal(size=shape), dtype=dtype, name=name)
            for name, shape in shapes.items()]


def gradients(vs, steps=STEPS, missing=()):
    """One list for each step; `missing`: (step, variable) without gradient."""
    random = np.random.default_rng(1)
    return [[None if (step, i) in missing else tf.constant(
        random.normal(size=v.shape), v.dtype) for i, v in enumerate(vs)]
        for step in range(steps)]


def state(optimizer):
    held = optimizer.variables
    return [v.numpy() for v in (held() if callable(held) else held)]


def train(optimizer, vs, grads):
    """(variables, state) after all steps."""
    for each in grads:
        optimizer.apply_gradients(zip(each, vs))
    return [v.numpy() for v in vs], state(optimizer)


def assert_close(ours, theirs, bound):
    assert len(ours) == len(theirs)
    for i, (a, b) in enumerate(zip(ours, theirs)):
        assert a.shape == b.shape and a.dtype == b.dtype, i
        a, b = a.astype("f8"), b.astype("f8")
        assert np.isfinite(b).all(), i
        if a.size:
            scale = np.abs(b).max() or 1
            assert np.abs(a - b).max() <= bound * scale, (
                i, np.abs(a - b).max() / scale)


def compare(ours, stock, dtype, missing=(), prepare=lambda vs: None,
            **arguments):
    """Makes, trains and compares both; the optimizers."""
    results, made = [], []
    for cls in (ours, stock):
        vs = variables(dtype)
        prepare(vs)
        made.append(cls(**arguments))
        results.append(train(made[-1], vs, gradients(vs, missing=missing)))
    for part in zip(*results):
        assert_close(*part, BOUNDS[dtype])
    held = [m.variables() for m in made]
    assert [v.name for v in held[0]] == [v.name for v in held[1]]
    assert made[0].get_config() == made[1].get_config()
    return made
