import os
import sys

os.environ["KERAS_BACKEND"] = "numpy"
sys.path.insert(0, os.path.dirname(__file__))

import numpy as np
import pytest


@pytest.fixture(scope="session", autouse=True)
def wide_keras():
    """Keras' promotion rules make f32 of every f64, as JAX does by default;
    without that table its formulas are computed in f64."""
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE.pop("float64")


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
