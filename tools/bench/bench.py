#!/usr/bin/env python3
"""Times our steps beside hand-written loops and live peers, in one process and
in turns, and prints tables of ratios.

  ./dev bench                       everything, about ten minutes
  ./dev bench --small               the same on little tensors: does all run?
  ./dev bench --only lion --compile
  ./dev bench --rules               every rule beside loops that move its bytes
"""

import argparse
import functools
import gc
import json
import os
import sys

# Before any thread pool starts.
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np

import hand
import latency
import ours
import rows
import rules
import timing


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--small", action="store_true",
                        help="little tensors and two rounds")
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="rows whose title has TEXT in it")
    parser.add_argument("--rounds", type=int, default=9,
                        help="turns, in each of two allocations")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true",
                        help="torch.compile too, which takes long to compile")
    parser.add_argument("--huge-pages", action="store_true",
                        help="huge pages for malloc, which helps optax")
    parser.add_argument("--no-peers", action="store_true",
                        help="only the hand-written loops")
    parser.add_argument("--rules", action="store_true",
                        help="every rule beside loops that move its bytes")
    parser.add_argument("--allocations", type=int, default=5,
                        help="with --rules: how often memory is fresh")
    parser.add_argument("--json", metavar="FILE", help="writes the numbers")
    return parser.parse_args()


def with_huge_pages():
    """glibc reads this once, at the start of a process."""
    if "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"
        os.execv(sys.executable, [sys.executable, *sys.argv])


def candidates_of(row, options, libraries, peers, backwards):
    """The parameters at the start and the candidates that move them; backwards:
    the last is the first to be made, and takes the memory that there is."""
    random = np.random.default_rng(0)
    params, grads = ([random.standard_normal(shape, np.float32) * scale
                      for shape in row.shapes]
                     for scale in (np.float32(0.05), np.float32(0.01)))
    front, loops = libraries
    job = row.rule, row.rate, params, grads
    makers = [lambda: ours.candidate(front, row.pipe, params, grads,
                                     options.threads),
              lambda: hand.candidate(loops, *job, options.threads)]
    if peers:
        makers += [functools.partial(peers.torch_candidate, how, *job,
                                     options.threads)
                   for how in row.torch if how != "compile" or options.compile]
    if peers and row.optax:
        makers.append(lambda: peers.optax_candidate(*job))
    order = -1 if backwards else 1
    return params, [make() for make in makers[::order]][::order]


def compare(row, params, candidates):
    """After one step everybody has the same parameters, but for one per cent of
    the longest move."""
    for one in candidates:
        one.burst()
    expected = candidates[0].values()
    bound = 1e-2 * max(float(np.max(np.abs(a - b)))
                       for a, b in zip(expected, params))
    for one in candidates[1:]:
        if (row.rule, one.name) == ("nadam", "optax jit"):
            continue  # another formula
        apart = max(float(np.max(np.abs(a - b)))
                    for a, b in zip(expected, one.values()))
        if not apart <= bound:
            sys.exit(f"bench: {row.title}: {one.name} differs by {apart}")


def beside_peers_of(row, options, libraries, peers):
    """Half of the turns with each order of allocation: pages that a process
    gets first are not always as quick as later ones."""
    earlier = {}
    for backwards in (False, True):
        params, candidates = candidates_of(row, options, libraries, peers,
                                           backwards)
        compare(row, params, candidates)
        timing.measure(candidates, 2 if options.small else options.rounds)
        for one in candidates:
            one.seconds = earlier.pop(one.name, []) + one.seconds
        if not backwards:
            earlier = {one.name: one.seconds for one in candidates}
            del candidates
            gc.collect()
    elements = sum(int(np.prod(shape)) for shape in row.shapes)
    return timing.report(row.title, candidates, elements, row.bytes)


def beside_peers(options):
    peers = None
    if not options.no_peers:
        import peers  # first: it may bring an OpenMP runtime
    libraries = ours.load(), hand.load()
    results = []
    for row in rows.rows(options.small):
        if options.only.lower() not in row.title.lower():
            continue
        results += beside_peers_of(row, options, libraries, peers)
    if options.only.lower() in latency.TITLE.lower():
        results += latency.report(options.small, peers is not None)
    return results


def main():
    options = arguments()
    if options.huge_pages:
        with_huge_pages()
    print(f"{options.threads} threads; time over ours, median of rounds\n")
    results = (rules.report if options.rules else beside_peers)(options)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
