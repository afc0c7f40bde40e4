"""updraft.keras on each backend of Keras, each in a process of its own.

The cases are in keras/check_*.py; a backend is chosen when Keras is imported.
"""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent / "keras"


@pytest.mark.parametrize("backend", ["torch", "jax", "numpy"])
@pytest.mark.parametrize("part", sorted(p.stem for p in HERE.glob("check_*")))
def test_backend(backend, part):
    environment = {**os.environ, "KERAS_BACKEND": backend,
                   "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "-x", str(HERE / f"{part}.py")],
        capture_output=True, text=True, env=environment, timeout=1200)
    print(done.stdout[-8000:], done.stderr[-2000:])
    # Some parts say that they do not concern a backend.
    assert done.returncode == 0
    assert " passed" in done.stdout or " skipped" in done.stdout
