"""The hand-written loops of hand.c as candidates."""

import ctypes
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from timing import Candidate

SOURCE = Path(__file__).with_name("hand.c")
floats = ctypes.POINTER(ctypes.c_void_p)


class Task(ctypes.Structure):
    _fields_ = [(name, floats) for name in "pgabe"] + [
        ("start", ctypes.c_void_p), ("tensors", ctypes.c_int64),
        ("threads", ctypes.c_int64), ("c", ctypes.c_float * 10)]


def load_openmp():
    """Makes the OpenMP runtime that is in the process already, if any, serve
    the loops too: two pools of threads would disturb each other."""
    with open("/proc/self/maps") as maps:
        loaded = {line.split()[-1] for line in maps if "libgomp" in line}
    name = min(loaded) if loaded else "libgomp.so.1"
    return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)


def load():
    return compiled(SOURCE.read_text())


def compiled(text):
    """Compiles C for this processor and loads it."""
    load_openmp()
    with tempfile.TemporaryDirectory() as folder:
        made, library = f"{folder}/hand.o", f"{folder}/hand.so"
        subprocess.run(["gcc", "-std=c11", "-O3", "-march=native", "-fopenmp",
                        "-fno-math-errno", "-fPIC", "-x", "c", "-c", "-", "-o",
                        made], input=text, text=True, check=True)
        # Without -fopenmp here: the runtime is the one loaded above.
        subprocess.run(["gcc", "-shared", made, "-o", library, "-lm"],
                       check=True)
        return ctypes.CDLL(library)


def coefficients(rule, rate):
    """The scalars of the first step. Later steps cost the same."""
    b1, b2 = 0.1, 0.001
    decay = 1 - rate * 1e-2
    adamw = [b1, b2, 1 / b2, 1e-8, rate / b1, decay]
    u, u1 = (0.9 * (1 - 0.5 * 0.96**t) for t in (1, 2))
    return {
        "adamw": adamw,
        "clip_adamw_ema": adamw + [1.0, 1e-3],
        "adadelta": [0.05, 1e-7, rate],
        "nadam": [b1, b2, 1 / b2, 1e-7, rate * u1 / (1 - u * u1), rate],
        "lion": [0.9, 0.1, 0.01, rate],
    }[rule]


def pointers(arrays):
    values = [array.ctypes.data for array in arrays]
    return ctypes.cast((ctypes.c_void_p * len(values))(*values), floats)


def candidate(library, rule, rate, params, grads, threads):
    params = [np.array(p) for p in params]
    states = [[np.zeros_like(p) for p in params] for _ in "ab"]
    average = [np.array(p) for p in params] if "ema" in rule else []
    start = np.cumsum([0] + [p.size for p in params]).astype(np.int64)
    lists = [pointers(a) for a in (params, grads, *states, average)]
    task = Task(*lists, start.ctypes.data, len(params), threads,
                (ctypes.c_float * 10)(*coefficients(rule, rate)))
    run = getattr(library, f"hand_{rule}")
    run.restype = None
    keep = (states, average, start, grads, lists)

    def step(task=ctypes.byref(task), keep=keep):
        run(task)

    return Candidate("hand-written C", step, lambda: params)
