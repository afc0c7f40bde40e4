"""The examples beside the demo, as a reader runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(os.environ.get("UPDRAFT_BIN", ROOT / "build" / "bin"))


def run(*command, **environment):
    return subprocess.run(list(map(str, command)), capture_output=True,
                          text=True, timeout=600,
                          env={**os.environ, **environment})


def test_options():
    done = run(BIN / "options")
    assert done.returncode == 0, done.stderr
    accuracy = re.findall(r"accuracy ([\d.]+) %", done.stdout)
    assert len(accuracy) == 4 and float(accuracy[-1]) >= 95


def test_comparison(tmp_path):
    script, picture = ROOT / "examples/keras/compare.py", tmp_path / "c.png"
    done = run(sys.executable, script, "--epochs", 1, "--optimizers", "SGD",
               "--picture", picture, KERAS_BACKEND="torch")
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (\w+), SGD ", done.stdout, re.M)
    assert rows == ["convolution", "transformer"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    done = run(sys.executable, script, "--optimizers", "SGD,Nosuch",
               KERAS_BACKEND="torch")
    assert done.returncode == 2 and "Nosuch" in done.stderr
