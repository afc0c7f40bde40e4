"""The package as the build tree holds it; UPDRAFT_PACKAGE names another."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Run by test_drop_ins.py, once for each backend, and test_tensorflow.py.
collect_ignore = ["keras", "keras_v2"]
PACKAGE = os.environ.get("UPDRAFT_PACKAGE", str(ROOT / "build/python"))

if PACKAGE not in sys.path:
    sys.path.insert(0, PACKAGE)
# For the processes that tests start.
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [PACKAGE, os.environ.get("PYTHONPATH")]))
