#!/usr/bin/env python3
"""Times keras/muon beside the same mathematics by a vendor's matrix products,
in turns in one process, and prints how many times as long that takes.

  tools/bench/muon.py [--threads N] [--rounds N] [--small]

torch and numpy do the products by the libraries that they come with (MKL,
OpenBLAS), everything else as people write it. Ours computes half of what is
symmetric, numpy half of X X^T, torch all of it; GFLOP/s are of all operations,
the same for all: n x m, with n <= m, takes 4 n^2 m + 2 n^3 a round.
"""

import argparse
import os
import statistics

parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--small", action="store_true",
                    help="matrices of a sixteenth of the sides")
OPTIONS = parser.parse_args()
# OpenBLAS reads it when it is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = str(OPTIONS.threads)

import numpy as np
import torch

import ours
import timing

A, B, C = 3.4445, -4.7750, 2.0315
ROUNDS, RATE, MOMENTUM, DECAY, SCALE = 5, 1e-3, 0.95, 4e-3, 0.2
SHAPES = [(1024, 1024), (4096, 1024), (1024, 4096), (512, 512 * 3 * 3)]


def newton_schulz(x, norm):
    tall = x.shape[0] > x.shape[1]
    x = x / (norm(x) + 1e-7)
    x = x.T if tall else x
    for _ in range(ROUNDS):
        square = x @ x.T
        x = A * x + (B * square + C * (square @ square)) @ x
    return x.T if tall else x


class Peer:
    """`make`: an array of the library's own of one of numpy's."""

    def __init__(self, params, grads, make, norm):
        self.params = [make(np.array(p)) for p in params]
        self.grads = [make(g) for g in grads]
        self.sums = [make(np.zeros_like(p)) for p in params]
        self.norm = norm

    def step(self):
        for p, g, m in zip(self.params, self.grads, self.sums):
            m *= MOMENTUM
            m += g
            u = newton_schulz(g + MOMENTUM * m, self.norm)
            p -= RATE * DECAY * p
            p -= RATE * SCALE * max(p.shape)**0.5 * u

    def values(self):
        return [np.asarray(p) for p in self.params]


def operations(shape):
    n, m = min(shape), max(shape)
    return ROUNDS * (4 * n * n * m + 2 * n**3)


def peer(name, *arguments):
    optimizer = Peer(*arguments)
    return timing.Candidate(name, optimizer.step, optimizer.values)


def compare(library, shape, threads, rounds):
    r = np.random.default_rng(0)
    params, grads = ([r.standard_normal(shape, dtype=np.float32)]
                     for _ in range(2))
    candidates = [ours.candidate(library, "keras/muon", params, grads, threads),
                  peer("torch", params, grads, torch.from_numpy, torch.norm),
                  peer("numpy", params, grads, np.asarray, np.linalg.norm)]
    for candidate in candidates:
        candidate.burst()
    for candidate in candidates[1:]:
        off = np.abs(candidate.values()[0] - candidates[0].values()[0]).max()
        assert off < 1e-5, (candidate.name, off)
    timing.measure(candidates, rounds)
    own = candidates[0]
    return [f"{shape[0]} x {shape[1]}",
            *[timing.duration(statistics.median(c.seconds))
              for c in candidates],
            *[f"{operations(shape) / statistics.median(c.seconds) / 1e9:.0f}"
              for c in candidates],
            *[f"{timing.ratio(c, own):.2f}" for c in candidates[1:]]]


def main():
    torch.set_num_threads(OPTIONS.threads)
    library = ours.load()
    shrink = 16 if OPTIONS.small else 1
    rows = [compare(library, tuple(side // shrink for side in shape),
                    OPTIONS.threads, OPTIONS.rounds) for shape in SHAPES]
    names = ["updraft", "torch", "numpy"]
    timing.table(["matrix", *names, *(f"{name} GFLOP/s" for name in names),
                  "torch / ours", "numpy / ours"], rows)


if __name__ == "__main__":
    main()
