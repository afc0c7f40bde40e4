"""What needs TensorFlow, in the environment that has it: updraft.keras on that
backend, and updraft.keras.v2 beside tf_keras.

UPDRAFT_TF_PYTHON names another interpreter, of the same version as that which
the extension module was built for. The cases are in keras/check_*.py and
keras_v2/check_*.py.
"""

import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
PYTHON = os.environ.get("UPDRAFT_TF_PYTHON", str(
    HERE.parents[1] / ".venv-tf/bin/python"))


@pytest.mark.skipif("UPDRAFT_PYTHON" in os.environ
                    and not os.path.exists(PYTHON),
                    reason="UPDRAFT_TF_PYTHON names no interpreter")
@pytest.mark.parametrize("part", sorted(
    f"{path.parent.name}/{path.name}" for path in HERE.glob("keras*/check_*")
    # There the step is its compiler's.
    if path.stem != "check_life"))
def test_tensorflow(part):
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow",
                   "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-x",
         str(HERE / part)],
        capture_output=True, text=True, env=environment, timeout=1200)
    print(done.stdout[-8000:], done.stderr[-2000:])
    assert done.returncode == 0
    assert " passed" in done.stdout
