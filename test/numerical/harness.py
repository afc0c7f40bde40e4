"""Runs optimizers through updraft-run and compares arrays.

Everything goes through files, as a user's data would: a safetensors file of
parameters, one of gradients a step, one of results.
"""

import os
import pathlib
import subprocess

import numpy as np
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = pathlib.Path(os.environ.get("UPDRAFT_BIN", ROOT / "build/bin"),
                   "updraft-run")
ON = os.environ.get("UPDRAFT_ON", "cpu")
FAKE_CUDA = RUN.parent.parent / "test/gpu/libcuda-fake.so"


def call(arguments, check=True, env=None):
    """Runs updraft-run; fails with its own words."""
    done = subprocess.run([str(RUN), *map(str, arguments)],
                          capture_output=True, text=True, timeout=600,
                          env=env and os.environ | env)
    if check:
        assert done.returncode == 0, (
            f"{' '.join(map(str, arguments))}\n{done.stderr}")
    return done


def emulate(folder, arguments, shuffle=0, arch=90):
    """--check on a CUDA driver that emulates PTX of a GPU: no bit may differ,
    and no access race or be outside of what was allocated."""
    log = pathlib.Path(folder, "calls")
    done = call([*arguments, "--on=cuda", "--check"], check=False,
                env={"UPDRAFT_LIBCUDA": str(FAKE_CUDA),
                     "UPDRAFT_FAKE_LOG": str(log),
                     "UPDRAFT_FAKE_ARCH": str(arch),
                     "UPDRAFT_FAKE_SHUFFLE": str(shuffle)})
    calls = log.read_text() if log.exists() else ""
    misuse = [line for line in calls.splitlines() if "misuse" in line]
    assert done.returncode == 0 and not misuse, "\n".join(
        [" ".join(map(str, arguments)), done.stderr, *misuse])
    assert "no bit differs" in done.stderr and "cuLaunchKernel" in calls


def step(folder, pipe, params, grads, settings=(), options=(), views=()):
    """Results of one step for each of `grads`: params, states and views.

    A parameter that is missing in a step's dictionary has no gradient then.
    """
    folder = pathlib.Path(folder)
    write(folder / "params", params)
    files = []
    for index, arrays in enumerate(grads):
        files.append(folder / f"grads{index}")
        write(files[-1], arrays)
    arguments = ["-e", pipe, f"--on={ON}", "--params", folder / "params",
                 "--grads", *files, "--out", folder / "out", *options]
    for setting in settings:
        arguments += ["--set", setting]
    for view in views:
        arguments += ["--view", view]
    call(arguments)
    return load_file(folder / "out")


def check(folder, arguments, shapes, steps, dtype=np.float32):
    """Compiled code gives the interpreter's bits.

    The gradients are of several sizes; of three steps each tensor misses one.
    """
    write(folder / "params", tensors(1, dtype, shapes))
    files = []
    for index in range(steps):
        grads = tensors(2 + index, dtype, shapes, 10.0**(index - 1))
        names = [name for i, name in enumerate(shapes) if i % 3 != index]
        files.append(folder / f"grads{index}")
        write(files[-1], {name: grads[name] for name in names})
    done = call([*arguments, "--params", folder / "params", "--grads", *files,
                 "--out", folder / "out", "--check"])
    assert "no bit differs" in done.stderr + done.stdout


def write(path, arrays):
    # safetensors keeps only contiguous bytes, and scalars need an array.
    save_file({name: np.ascontiguousarray(array).reshape(np.shape(array))
               for name, array in arrays.items()}, path)


def tensors(seed, dtype, shapes=None, scale=1.0):
    """Parameters or gradients of a few shapes, of either sign."""
    shapes = shapes or {"a": (), "b": (3,), "c": (4, 5), "d": (2, 3, 4)}
    random = np.random.default_rng(seed)
    return {name: np.asarray(random.normal(size=shape) * scale, dtype)
            for name, shape in shapes.items()}


def assert_close(ours, theirs, bound):
    """Relative to the largest element of each tensor."""
    for name, wanted in theirs.items():
        wanted = np.asarray(wanted)
        got = ours[name]
        assert got.shape == wanted.shape, name
        if wanted.size == 0:
            continue
        nan = np.isnan(wanted)
        assert np.array_equal(np.isnan(got), nan), f"{name}: NaN elsewhere"
        if nan.all():
            continue
        wide = np.asarray(wanted, np.float64)[~nan]
        error = np.abs(np.asarray(got, np.float64)[~nan] - wide).max()
        size = np.abs(wide).max()
        assert error <= bound * size, (
            f"{name}: {error / size:.3g} of its largest element, "
            f"allowed {bound:.3g}")
