import os
import sys

# The reference implementations: Keras without a compiler of its own.
os.environ["KERAS_BACKEND"] = "numpy"
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
