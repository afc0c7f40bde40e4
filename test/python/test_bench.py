"""The benchmarks run, and their first step agrees with the hand-written one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "tools" / "bench" / "bench.py"


def bench(*arguments):
    return subprocess.run([sys.executable, BENCH, "--small", *arguments],
                          capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("only", ["AdamW, one", "Adadelta", "NAdam", "Lion",
                                  "EMA, one", "EMA, ResNet", "10,000"])
def test_row(tmp_path, only):
    file = tmp_path / "numbers.json"
    done = bench("--no-peers", "--only", only, "--json", file)
    assert done.returncode == 0, done.stderr
    numbers = json.loads(file.read_text())
    assert [one["name"] for one in numbers] == ["updraft", "hand-written C"]
    assert all(one["seconds"] > 0 for one in numbers)


def test_peers(tmp_path):
    file = tmp_path / "numbers.json"
    done = bench("--only", "EMA, one", "--json", file)
    assert done.returncode == 0, done.stderr
    names = [one["name"] for one in json.loads(file.read_text())]
    assert names[2:] == ["torch fused", "torch foreach", "optax jit"]


def test_compilation(tmp_path):
    file = tmp_path / "numbers.json"
    done = bench("--no-peers", "--only", "compilation", "--json", file)
    assert done.returncode == 0, done.stderr
    for one in json.loads(file.read_text()):
        fresh, warm, cached = one["seconds"]
        assert cached < fresh


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_keras(backend):
    """Its own check: after one step stock and ours have the same values."""
    done = subprocess.run(
        [sys.executable, BENCH.with_name("keras_step.py"), "--small",
         "--only", "Adam"], capture_output=True, text=True, timeout=600,
        env={**os.environ, "KERAS_BACKEND": backend})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Adam + clip + decay + EMA") == 4


def test_rules(tmp_path):
    """Among them one whose calls differ and one whose bytes follow the rank."""
    file = tmp_path / "numbers.json"
    for only, bytes_a_call in (("accumulate", [18]), ("paper/lion", [20]),
                               ("keras/adafactor", [32, 24])):
        done = bench("--rules", "--only", only, "--json", file)
        assert done.returncode == 0, done.stderr
        numbers = json.loads(file.read_text())
        assert [one["bytes"] for one in numbers] == bytes_a_call
        assert all(ratio > 0 for one in numbers for ratio in one["of_loop"])
