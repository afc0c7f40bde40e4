#!/usr/bin/env python3
"""Trains two small networks with stock Keras and with Updraft, from the same
weights on the same batches, and draws the losses over each other.

  KERAS_BACKEND=torch examples/keras/compare.py
  KERAS_BACKEND=jax examples/keras/compare.py --epochs 10 --picture curves.png

Prints, for each network and optimizer: the loss of the last batch of both; how
far the losses of a batch are apart at most, and how far stock Keras is from
itself when its first weights are one rounding away; test accuracy; the time of
an optimizer's step; and what its variables hold.
"""

import argparse
import os
import pathlib
import statistics
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [os.environ.get("UPDRAFT_PACKAGE", str(ROOT / "build/python")),
                str(ROOT / "tools/bench")]

import keras
import numpy as np

import networks
import timing
import updraft.keras

LIBRARIES = {"Keras": keras.optimizers, "Updraft": updraft.keras}
BACKEND = keras.config.backend()


def optimizers(library):
    """What is compared; the numbers are usual ones for networks so small."""
    cosine = keras.optimizers.schedules.CosineDecay(3e-3, 800)
    return {
        "SGD": library.SGD(0.05, momentum=0.9, nesterov=True),
        "Adagrad": library.Adagrad(0.02),
        "Adadelta": library.Adadelta(1.0),
        "Nadam": library.Nadam(2e-3, global_clipnorm=1.0, use_ema=True),
        "AdamW": library.AdamW(cosine, weight_decay=0.01),
        "Lion": library.Lion(5e-4, weight_decay=0.01),
    }


def optimizer_time(optimizer, variables, turns=9, steps=10):
    """Seconds that one step of such an optimizer takes on such variables, the
    best of some turns: other work on the machine only adds to it. New ones are
    made: on JAX evaluate() leaves stock averages without memory."""
    optimizer = type(optimizer).from_config(optimizer.get_config())
    variables = [keras.Variable(np.array(v), name=v.name) for v in variables]
    optimizer.build(variables)
    grads = [keras.ops.convert_to_tensor(np.full(v.shape, 1e-3, "float32"))
             for v in variables]
    if BACKEND == "jax":
        import jax

        step = jax.jit(optimizer.stateless_apply, donate_argnums=(0, 2))
        held = [[keras.ops.copy(v.value) for v in each]
                for each in (optimizer.variables, variables)]

        def once():
            held[1], held[0] = step(held[0], grads, held[1])

        def wait():
            jax.block_until_ready(held)
    else:
        def once():
            optimizer.apply(grads, variables)

        def wait():
            pass

    for _ in range(2):
        once()
    wait()
    seconds = []
    for _ in range(turns):
        begin = time.perf_counter()
        for _ in range(steps):
            once()
        wait()
        seconds.append((time.perf_counter() - begin) / steps)
    return min(seconds)


def held_bytes(optimizer):
    """What an optimizer's variables take."""
    return sum(int(np.prod(v.shape)) * np.dtype(str(v.dtype)).itemsize
               for v in optimizer.variables)


def run(network, name, epochs):
    """library -> what came of training; the libraries take turns."""
    result = {}
    for library, classes in LIBRARIES.items():
        optimizer = optimizers(classes)[name]
        net, losses = networks.train(network, optimizer, epochs)
        accuracy = net.evaluate(*networks.digits()[1], verbose=0)[1]
        result[library] = dict(losses=losses, accuracy=accuracy,
                               bytes=held_bytes(optimizer), net=net)
    _, nudged = networks.train(network, optimizers(keras.optimizers)[name],
                               epochs, nudged=True)
    for each in result.values():
        each["seconds"] = optimizer_time(
            each["net"].optimizer, each.pop("net").trainable_variables)
        each["apart"] = np.abs(each["losses"] - (
            result["Keras"]["losses"] if each is not result["Keras"] else nudged
        )).max()
    return result


HEADER = ["network, optimizer", "last loss", "apart", "rounding", "accuracy",
          "ms a step", "KiB held"]


def cells(network, name, result):
    """A row of the table; two values are Keras' and ours."""
    stock, ours = (result[library] for library in LIBRARIES)

    def both(key, form, scale=1):
        return ", ".join(format(each[key] * scale, form)
                         for each in (stock, ours))

    for each in (stock, ours):
        each["last"] = each["losses"][-1]
    return [f"{network}, {name}", both("last", ".5f"), f"{ours['apart']:.0e}",
            f"{stock['apart']:.0e}", both("accuracy", ".1%"),
            both("seconds", ".3f", 1e3), both("bytes", ".0f", 1 / 1024)]


def draw(results, names, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, grid = pyplot.subplots(
        3, len(names), figsize=(2.6 * len(names), 7), squeeze=False,
        layout="constrained")
    for column, name in enumerate(names):
        for row, network in enumerate(networks.NETWORKS):
            axes, result = grid[row][column], results[network, name]
            axes.plot(result["Keras"]["losses"], color="#f2a65a", linewidth=4,
                      label="Keras")
            axes.plot(result["Updraft"]["losses"], color="#1f3b73",
                      linewidth=0.9, label="Updraft")
            axes.set_yscale("log")
            axes.set_title(f"{name}, {network}", fontsize=9)
            axes.tick_params(which="both", labelsize=7)
        axes = grid[2][column]
        for place, library in enumerate(LIBRARIES):
            times = [results[network, name][library]["seconds"] * 1e3
                     for network in networks.NETWORKS]
            axes.bar(np.arange(len(times)) + 0.4 * place, times, 0.38,
                     color=("#f2a65a", "#1f3b73")[place])
        axes.set_xticks(np.arange(len(networks.NETWORKS)) + 0.2,
                        list(networks.NETWORKS), fontsize=7)
        axes.tick_params(axis="y", labelsize=7)
    grid[0][0].legend(fontsize=8)
    for axes, text in zip(grid[:, 0], ("loss of a batch", "loss of a batch",
                                       "optimizer's step, ms")):
        axes.set_ylabel(text, fontsize=8)
    figure.suptitle(f"Stock Keras and Updraft on the {BACKEND} backend",
                    fontsize=11)
    figure.savefig(path, dpi=90)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--optimizers", metavar="A,B", default=",".join(
        optimizers(keras.optimizers)), help="which of these")
    parser.add_argument("--picture", metavar="FILE",
                        default=f"curves-{BACKEND}.png")
    options = parser.parse_args()
    names = options.optimizers.split(",")
    unknown = set(names) - set(optimizers(keras.optimizers))
    if unknown or options.epochs < 1:
        parser.error(f"no optimizer here: {', '.join(sorted(unknown))}"
                     if unknown else "at least one epoch")
    print(f"{BACKEND} backend, {options.epochs} epochs: Keras, Updraft\n")
    results = {}
    for network in networks.NETWORKS:
        for name in names:
            results[network, name] = run(network, name, options.epochs)
            print(f"\r{network}, {name:12}", end="", file=sys.stderr)
    print("\r", end="", file=sys.stderr)
    timing.table(HEADER, [cells(*key, result)
                          for key, result in results.items()])
    faster = statistics.geometric_mean(
        r["Keras"]["seconds"] / r["Updraft"]["seconds"]
        for r in results.values())
    print(f"an optimizer's step takes Keras {faster:.1f} times as long")
    draw(results, names, options.picture)
    print(f"curves: {options.picture}")


if __name__ == "__main__":
    main()
