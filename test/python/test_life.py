"""Threads, processes, signals and memory."""

import gc
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

import updraft
from updraft.numpy import Optimizer

SIZE = 1 << 20


def stepped(steps=3):
    w = np.ones(SIZE, "f4")
    optimizer = Optimizer("keras/adam", {"w": w})
    for _ in range(steps):
        optimizer.step({"w": np.ones(SIZE, "f4")})
    return w


def test_threads_of_python():
    """Each with an optimizer of its own, and one compiling."""
    wanted, results = stepped(), []
    threads = [threading.Thread(target=lambda: results.append(stepped()))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    updraft.compile("keras/ema(0.123) | keras/adam", cache="")
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, wanted)


def test_one_optimizer_from_two_threads():
    """Refused or in turns, never both at once."""
    w, g = np.ones(SIZE, "f4"), np.ones(SIZE, "f4")
    optimizer = Optimizer("keras/adam", {"w": w})
    done, refused = [], []

    def work():
        for _ in range(20):
            try:
                optimizer.step({"w": g})
                done.append(1)
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert optimizer.state("step") == len(done) + 1
    assert all("in use by another thread" in text for text in refused)


def test_the_lock_is_free_during_a_step():
    w, g = np.ones(16 * SIZE, "f4"), np.ones(16 * SIZE, "f4")
    optimizer = Optimizer("keras/adam", {"w": w}, threads=1)
    ticks, ending = [], threading.Event()

    def tick():
        while not ending.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.perf_counter()
    for _ in range(10):
        optimizer.step({"w": g})
    ended = time.perf_counter()
    ending.set()
    thread.join()
    # A step holds the lock for less than a tick; ten take some 0.1 s.
    assert sum(began < tick < ended for tick in ticks) > 10


FORK = """
import os, sys
sys.path.insert(0, os.path.dirname(sys.argv[1]))
from test_life import stepped
wanted = stepped().tobytes()
child = os.fork()
if child == 0:
    os._exit(stepped().tobytes() != wanted)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_fork():
    done = subprocess.run([sys.executable, "-c", FORK, __file__], check=True,
                          capture_output=True, text=True, timeout=300)
    assert done.stdout == "0\n"


def test_interrupt():
    """Ctrl-C ends a loop of steps with KeyboardInterrupt, between two."""
    # What was started in the background may ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    w, g = np.ones(SIZE, "f4"), np.ones(SIZE, "f4")
    optimizer = Optimizer("keras/adam", {"w": w})
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    steps = 0
    with pytest.raises(KeyboardInterrupt):
        while True:
            optimizer.step({"w": g})
            steps += 1
    timer.join()
    signal.signal(signal.SIGINT, before)
    assert optimizer.state("step") - 1 in (steps, steps + 1)


def test_no_leak():
    program = updraft.compile("keras/adam")
    grads = {"w": np.ones(1000, "f4")}

    def make(count):
        for _ in range(count):
            optimizer = Optimizer(program, {"w": np.ones(1000, "f4")})
            optimizer.step(grads)
            try:
                optimizer.step({"w": np.ones(3, "f4")})
            except ValueError:
                pass
        gc.collect()
        status = pathlib.Path("/proc/self/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    before = make(1000)
    # 12 kB each would be 120 MB.
    assert make(10_000) - before < 4000


def test_memory_is_held_and_given_back():
    w, g = np.ones(1000), np.ones(1000)
    optimizer = Optimizer("keras/sgd(momentum = 0.5)", {"w": w})
    held = weakref.ref(w)
    del w
    gc.collect()
    assert held() is not None
    optimizer.step({"w": g})
    state = optimizer.state("m", "w")
    of_grad = weakref.ref(g)
    del g
    assert of_grad() is None
    del optimizer
    gc.collect()
    # The state's memory is the optimizer's.
    assert state[0] == -0.01 and held() is not None
    del state
    gc.collect()
    assert held() is None


class Held(np.ndarray):
    """An array that may hold what holds it."""


def test_cycle_through_a_parameter():
    w = np.ones(10).view(Held)
    w.optimizer = Optimizer("keras/adam", {"w": w})
    held = weakref.ref(w)
    del w
    gc.collect()
    assert held() is None
