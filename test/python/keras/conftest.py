import keras
import pytest


# On JAX each case of the stock classes takes a second to compile.
DTYPES = {"jax": ["float64"], "tensorflow": ["float32"]}.get(
    keras.config.backend(), ["float32", "float64"])


@pytest.fixture(params=DTYPES)
def dtype(request):
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx("float32")
