import warnings

import pytest


@pytest.fixture(autouse=True)
def compiled():
    """Where nothing else is said, no step may be the stock one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*no compiled step")
        yield


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    return request.param
