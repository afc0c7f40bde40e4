"""updraft.keras on each backend of Keras, each in a process of its own.

The cases are in keras/check_*.py; a backend is chosen when Keras is imported.
"""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent / "keras"
PARTS = sorted(p.stem for p in HERE.glob("check_*"))
# Keras does not train on NumPy; on JAX the step is its compiler's.
WITHOUT = [("numpy", "check_training"), ("jax", "check_life")]


@pytest.mark.parametrize("backend,part", [
    (backend, part) for part in PARTS for backend in ("torch", "jax", "numpy")
    if (backend, part) not in WITHOUT])
def test_backend(backend, part):
    environment = {**os.environ, "KERAS_BACKEND": backend,
                   "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "-x", str(HERE / f"{part}.py")],
        capture_output=True, text=True, env=environment, timeout=1200)
    print(done.stdout[-8000:], done.stderr[-2000:])
    assert done.returncode == 0
    assert " passed" in done.stdout
