#!/usr/bin/env python3
"""Times updraft.keras beside the stock classes, in turns in one process, and
prints how many times as long the stock ones take.

  KERAS_BACKEND=torch tools/bench/keras_step.py
  KERAS_BACKEND=jax tools/bench/keras_step.py --small

On torch a turn is apply(); on JAX stateless_apply() under jit with everything
donated, as fit() calls it.
"""

import argparse
import functools
import os
import pathlib
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, os.environ.get("UPDRAFT_PACKAGE",
                                  str(ROOT / "build/python")))

import keras
import numpy as np

import rows
import timing
import updraft.keras

EXTRAS = dict(global_clipnorm=1.0, weight_decay=0.01, use_ema=True,
              ema_momentum=0.999)
RULES = [("Adadelta", {}), ("Lion", {}), ("Lamb", {}), ("Adafactor", {}),
         ("Adam", {}), ("Nadam", {}), ("RMSprop", {}), ("Adagrad", {}),
         ("SGD", dict(momentum=0.9)), ("Adam", EXTRAS), ("Adafactor", EXTRAS)]


def shapes(small):
    side = 64 if small else 4096
    return {"one of 16 Mi": [(side, side)],
            "one of 64 Mi": [(2 * side, 2 * side)],
            "ResNet-50": rows.resnet50()[:9] if small else rows.resnet50(),
            "1,000 of 1,000": [(1000,)] * (10 if small else 1000)}


def candidate(library, name, arguments, params, grads):
    optimizer = getattr(library, name)(1e-3, **arguments)
    held = [keras.Variable(value, dtype="float32") for value in params]
    optimizer.build(held)
    if keras.config.backend() == "jax":
        return jitted(library.__name__, optimizer, held, grads)
    grads = [keras.ops.convert_to_tensor(g) for g in grads]

    def step():
        optimizer.apply(grads, held)

    return timing.Candidate(library.__name__, step, lambda: [
        keras.ops.convert_to_numpy(v) for v in held])


def jitted(name, optimizer, held, grads):
    import jax

    # What goes in and what comes out have one order, as in fit(): JAX pairs
    # donated memory with results of the same shape in the order of both.
    @functools.partial(jax.jit, donate_argnums=0)
    def apply(state, grads):
        variables, slots = state
        return optimizer.stateless_apply(slots, grads, variables)

    grads = [jax.numpy.asarray(g) for g in grads]
    # Copies: the variables' own arrays stay as they are.
    state = ([jax.numpy.array(v.value) for v in held],
             [jax.numpy.array(v.value) for v in optimizer.variables])

    def step():
        nonlocal state
        state = apply(state, grads)

    return timing.Candidate(name, step,
                            lambda: [np.asarray(x) for x in state[0]],
                            lambda: jax.block_until_ready(state))


def row(name, arguments, list_of_shapes, random, rounds):
    """[what, seconds of ours, how many times as long the stock class takes]"""
    params, grads = ([
        random.standard_normal(shape, np.float32) * np.float32(scale)
        for shape in list_of_shapes] for scale in (0.05, 0.01))
    pair = [candidate(library, name, arguments, params, grads)
            for library in (updraft.keras, keras.optimizers)]
    for one in pair:
        one.burst()
    for a, b in zip(*(one.values() for one in pair)):
        assert np.abs(a - b).max() < 1e-5, name
    timing.measure(pair, rounds)
    return [name + (" + clip + decay + EMA" if arguments is EXTRAS else ""),
            timing.duration(min(pair[0].seconds)),
            f"{timing.ratio(pair[1], pair[0]):.2f}"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true",
                        help="little tensors and two rounds")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="rules with this name")
    parser.add_argument("--tensors", default="", help="lists with this title")
    options = parser.parse_args()
    if not any(options.only in name for name, _ in RULES) or not any(
            options.tensors in title for title in shapes(True)):
        parser.error("there is no such rule or list")
    random = np.random.default_rng(0)
    for title, list_of_shapes in shapes(options.small).items():
        if options.tensors not in title:
            continue
        print(f"updraft.keras on {keras.config.backend()}, {title}\n")
        timing.table(["rule", "ours", "stock / ours"], [
            row(name, arguments, list_of_shapes, random,
                2 if options.small else options.rounds)
            for name, arguments in RULES if options.only in name])


if __name__ == "__main__":
    main()
