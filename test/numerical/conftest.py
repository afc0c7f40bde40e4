import os
import sys

# Of Keras' back ends without TensorFlow only JAX computes in f64.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, os.path.dirname(__file__))

import numpy as np
import pytest


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    """The parameters' type; Keras computes in it too."""
    import keras

    keras.config.set_floatx(request.param)
    yield np.dtype(request.param)
    keras.config.set_floatx("float32")


@pytest.fixture
def float64():
    import keras

    keras.config.set_floatx("float64")
    yield np.dtype("float64")
    keras.config.set_floatx("float32")
