"""Threads, processes, signals and memory of the drop-ins."""

import gc
import itertools
import os
import pathlib
import re
import signal
import threading

import keras
import numpy as np
import pytest
from common import BACKEND, assert_close, values

import updraft.keras as ours

COUNT = {"numpy": 10_000, "torch": 1000}[BACKEND]


def make(kind):
    if kind == "scaled":
        return ours.LossScaleOptimizer(ours.Adafactor(0.1, name="a"), name="b")
    return getattr(ours, kind)(0.1, name="a")


def trained(kind, steps=5, shape=(300, 300)):
    v = keras.Variable(np.ones(shape, "f4"))
    optimizer = make(kind)
    for step in range(steps):
        optimizer.apply([keras.ops.full(shape, step + 1.0)], [v])
    return values([v])


# pytest keeps every warning, and Keras gives NumPy 2.4 two a step.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_leak():
    kinds = ["Adafactor", "Ftrl", "ScheduleFreeAdamW", "scaled"]

    def drop(count):
        for i in range(count):
            trained(kinds[i % 4], 1, (32, 32))
        gc.collect()
        # Not ru_maxrss, which counts what the process was before exec.
        status = pathlib.Path("/proc/self/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    before = drop(COUNT // 10)
    # A variable and three slots, 16 kB each time, would be 16 MB and more.
    assert drop(COUNT) - before < 4000


@pytest.mark.parametrize("kind", ["Adafactor", "scaled"])
def test_threads(kind):
    wanted, results = trained(kind), []
    threads = [threading.Thread(target=lambda: results.append(trained(kind)))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        assert_close(result, wanted, 0)


@pytest.mark.skipif(BACKEND == "torch", reason="torch's threads do not fork")
def test_fork():
    wanted = trained("scaled")
    child = os.fork()
    if child == 0:
        os._exit(int(not np.array_equal(trained("scaled")[0], wanted[0])))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_interrupt():
    """Ctrl-C ends a loop of steps; the optimizer goes on afterwards."""
    # What was started in the background may ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    v, optimizer = keras.Variable(np.ones((300, 300), "f4")), make("scaled")
    # To and fro: a thousand steps one way are more than f32 holds.
    grads = [keras.ops.ones((300, 300)), -keras.ops.ones((300, 300))]
    optimizer.apply([grads[0]], [v])
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for step in itertools.count():
            optimizer.apply([grads[step % 2]], [v])
    timer.join()
    signal.signal(signal.SIGINT, before)
    steps = int(optimizer.iterations)
    optimizer.apply([grads[0]], [v])
    assert int(optimizer.iterations) == steps + 1
    assert np.isfinite(values([v])[0]).all()
