#!/usr/bin/env python3
"""How long it takes from text to a program: in a fresh process, in a warm one,
and from the cache; and what the first jitted step of optax takes."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

TITLE = "compilation"
PIPES = {
    "AdamW": "torch/adamw",
    "ema | clip | AdamW": "ema(0.999) | clip_by_global_norm(1.0) | torch/adamw",
}


def timed(action):
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def child(kind, pipe, cache):
    """Prints the seconds of one measurement of this process."""
    if kind == "optax":
        return print(first_jitted_step())
    import ours
    library = ours.load()
    if kind == "warm":
        # The first compilation of a process loads the compiler.
        ours.compile_pipe(library, "keras/sgd")
    print(timed(lambda: ours.compile_pipe(library, pipe, cache)))
    print(library.updraft_get_compile_counts().compiled)


def first_jitted_step():
    import jax
    import peers
    transform, step = peers.optax_step("adamw", 1e-4)
    params, grads = [jax.numpy.ones(1000)], [jax.numpy.ones(1000)]
    state = transform.init(params)
    return timed(lambda: jax.block_until_ready(
        step((params, state, []), grads)))


def measure(kind, pipe, cache, times):
    """Median seconds over fresh processes, and what the last one compiled."""
    seconds = []
    for _ in range(times):
        done = subprocess.run([sys.executable, __file__, kind, pipe, cache],
                              check=True, capture_output=True, text=True)
        lines = done.stdout.split()
        seconds.append(float(lines[0]))
    return statistics.median(seconds), lines[1:]


def report(small, with_peers):
    import timing
    times = 2 if small else 11
    rows, data = [], []
    for name, pipe in PIPES.items():
        with tempfile.TemporaryDirectory() as cache:
            os.chmod(cache, 0o700)
            fresh, _ = measure("fresh", pipe, "", times)
            warm, _ = measure("warm", pipe, "", times)
            measure("fresh", pipe, cache, 1)
            cached, compiled = measure("fresh", pipe, cache, times)
            if compiled != ["0"]:
                sys.exit(f"bench: the cache did not serve '{pipe}'")
        seconds = fresh, warm, cached
        rows.append([name, *map(timing.duration, seconds)])
        data.append({"row": TITLE, "name": name, "seconds": seconds})
    if with_peers:
        first, _ = measure("optax", "", "", 2 if small else 5)
        rows.append(["optax.adamw, first jitted step",
                     timing.duration(first), "-", "-"])
    print("From text to a program\n")
    timing.table(["rule", "fresh process", "warm process", "cached"], rows)
    return data


if __name__ == "__main__":
    child(*sys.argv[1:])
