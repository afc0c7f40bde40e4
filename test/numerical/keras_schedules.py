"""Rates of Keras' schedules in f64, as JSON: a process of its own.

Keras fixes its backend at import, and of those without TensorFlow only JAX
evaluates schedules in f64.
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np

keras.config.set_floatx("float64")


def rates(name, arguments, options, count):
    # A float64 of NumPy, since Keras takes Python's for 32 bits.
    arguments = [np.float64(a) if isinstance(a, float) else a
                 for a in arguments]
    schedule = getattr(keras.optimizers.schedules, name)(*arguments, **options)
    values = [np.asarray(schedule(n)) for n in range(count)]
    assert name == "PiecewiseConstantDecay" or values[0].dtype == np.float64
    return [float(value) for value in values]


print(json.dumps({key: rates(*case)
                  for key, case in json.load(sys.stdin).items()}))
