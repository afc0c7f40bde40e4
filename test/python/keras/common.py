"""Optimizers of Keras and ours on the same variables and gradients.

Bounds are relative to the largest element, or to 1 where all are smaller: 1e-12
in f64. In f32 each step rounds p and the slots a few times by 2^-24, and Keras'
bias corrections are off by 6e-6 of a step of 0.05 in the first steps. In f64 on
TensorFlow they are, too: Keras' betas are f32 there.
"""

import keras
import numpy as np
from keras.src.backend.common import dtypes

# Wherever two types meet Keras makes f64 f32, but for TensorFlow. An oracle of
# f64 must not.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"

BACKEND = keras.config.backend()
SHAPES = {"kernel": (4, 5), "bias": (5,), "empty": (0, 3), "scalar": ()}
if BACKEND != "jax":  # where each shape is compiled, for minutes
    SHAPES |= {"conv": (3, 2, 2, 4)}
if BACKEND == "tensorflow":  # where Keras cannot add matrices without rows
    del SHAPES["empty"]
STEPS = 7


def shapes_for(name):
    """Of an optimizer: the mean over no rows is NaN in Keras' Adafactor."""
    return {key: shape for key, shape in SHAPES.items()
            if name != "Adafactor" or key != "empty"}


def bound(dtype):
    return 1e-12 if dtype == "float64" and BACKEND != "tensorflow" else 7e-6


def variables(dtype, shapes=SHAPES, seed=0, **options):
    random = np.random.default_rng(seed)
    return [keras.Variable(random.normal(size=shape).astype(dtype),
                           dtype=dtype, name=name, **options)
            for name, shape in shapes.items()]


def gradients(vs, steps=STEPS, seed=1, missing=()):
    """One list for each step; `missing`: (step, variable) without gradient."""
    random = np.random.default_rng(seed)
    return [[None if (step, i) in missing else keras.ops.convert_to_tensor(
        random.normal(size=v.shape).astype(v.dtype)) for i, v in enumerate(vs)]
        for step in range(steps)]


def values(vs):
    # A copy: NumPy's and torch's would change with the next step.
    return [np.array(keras.ops.convert_to_numpy(v)) for v in vs]


def train(optimizer, vs, grads):
    """All steps; on JAX under jit, where its eager mode compiles for ever."""
    optimizer.build(vs)
    if BACKEND == "jax":
        import jax

        step = jax.jit(optimizer.stateless_apply)
        held = [v.value for v in vs], [v.value for v in optimizer.variables]
        for each in grads:
            held = step(held[1], each, held[0])
        return [np.asarray(x) for x in held[0]], [np.asarray(x)
                                                  for x in held[1]]
    for each in grads:
        optimizer.apply(each, vs)
    return values(vs), values(optimizer.variables)


def assert_close(ours, theirs, limit):
    assert len(ours) == len(theirs)
    for i, (a, b) in enumerate(zip(ours, theirs)):
        assert a.shape == b.shape and a.dtype == b.dtype, i
        if a.size:
            a, b = a.astype("f8"), b.astype("f8")
            assert np.isfinite(b).all(), i
            scale = max(np.abs(b).max(), 1)
            assert np.abs(a - b).max() <= limit * scale, (
                i, np.abs(a - b).max() / scale)
