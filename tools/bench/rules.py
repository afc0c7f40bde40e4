"""Every rule of the library, and every transform around one, beside loops that
do nothing but move the same bytes over the same arrays."""

import ctypes
import gc
import json
import math
import statistics
import subprocess
from dataclasses import dataclass

import numpy as np

import hand
import ours
import timing

INNER = "torch/adamw"
#: Arguments of transforms that have no defaults for all of them.
ARGUMENTS = {"accumulate": "4", "clip_by_norm": "1", "clip_by_value": "1",
             "keras/clipnorm": "1", "keras/clipvalue": "1",
             "keras/global_clipnorm": "1", "l2": "0.01", "loss_scale": "2",
             "weight_decay": "0.01"}
#: Conditions that do not hold in every call: how often, and else never.
PERIODS = {"accumulate.last": 4, "t == 1": None}


@dataclass(frozen=True)
class Pass:
    """One walk over the elements: of how many arrays, in place."""
    reads: int
    writes: int

    @property
    def name(self):
        return f"pass_{self.reads}_{self.writes}"

    @property
    def bytes(self):
        return 4 * (self.reads + self.writes)


#-- what a rule moves ----------------------------------------------------------

def updraftc(*arguments):
    tool = ours.build_folder() / "bin" / "updraftc"
    return json.loads(subprocess.run([tool, *arguments, "--json"], check=True,
                                     capture_output=True, text=True).stdout)


def pipes():
    for entry in updraftc("--list"):
        name, kind = entry["name"], entry["kind"]
        if kind == "rule" and name != "keras/muon_matrices":  # see muon.py
            yield name
        elif kind == "transform":
            given = f"({ARGUMENTS[name]})" if name in ARGUMENTS else ""
            yield f"{name}{given} | {INNER}"


def holds(tests, rank):
    """Whether a tensor without tags belongs to a variant."""
    text = tests.replace("rank(p)", str(rank)).replace("&&", "and")
    text = text.replace("||", "or").replace("!tag", "not tag")
    return not tests or eval(text, {"tag": lambda name: False})


def conditions_of(where):
    """(condition, wanted) for each part of an outcome's name."""
    for part in where.split(", "):
        condition = part.removeprefix("not ")
        if condition != part and condition.startswith("("):
            condition = condition[1:-1]
        yield condition, condition == part


def happens(where, call):
    """Whether the outcome is that of a call; calls count from 0."""
    def holds(condition):
        period = PERIODS.get(condition, 1)
        return period is not None and (call + 1) % period == 0
    return all(holds(condition) == wanted
               for condition, wanted in conditions_of(where))


def calls_of(table, rank):
    """The passes of each call until all repeats. What has one value a row or a
    column is not counted: whole arrays only."""
    variants = [variant["name"] for variant in table.get("variants", ())
                if holds(variant["tests"], rank)]
    kernels = [kernel for kernel in table["kernels"]
               if kernel["level"] == "element"
               and kernel["variant"] in ("", *variants[:1])]
    length = math.lcm(*(PERIODS.get(condition) or 1 for kernel in kernels
                        for one in kernel.get("outcomes", ())
                        for condition, _ in conditions_of(one["where"])))

    def moved(kernel, call):
        outcomes = [one for one in kernel.get("outcomes", ())
                    if happens(one["where"], call)]
        return outcomes[0] if outcomes else kernel

    return [[Pass(int(one["reads"] // 4), int(one["writes"] // 4))
             for one in (moved(kernel, call) for kernel in kernels)
             if one["reads"] + one["writes"] >= 4] for call in range(length)]


#-- the loops ------------------------------------------------------------------

HEAD = """
#include <stdint.h>
enum { kLanes = 64 };
static int64_t bound(int64_t size, int64_t k, int64_t n) {
  return k == n ? size : size / n * k / 16 * 16;
}
"""


def source(one):
    """A pass in C. The first arrays are written; times 0 changes nothing."""
    read = [f"a{i}[k]" for i in range(one.reads)]
    names = [f"a{i}" for i in range(max(one.reads, one.writes))]
    sums = " + ".join(read) or "0"
    stores = "".join(f"      a{i}[k] = {f'a{i}[k] + ' * (i < one.reads)}"
                     "zero * x;\n" for i in range(one.writes))
    arrays = "".join(f"    float *restrict {name} = all[{i}];\n"
                     for i, name in enumerate(names))
    loop = (f"    for (int64_t k = low; k < high; ++k) {{\n"
            f"      float x = {sums};\n{stores}    }}\n")
    if not one.writes:
        lanes = sums.replace("[k]", "[k + j]")
        loop = (f"    float lane[kLanes] = {{0}};\n"
                f"    for (int64_t k = low; k < high / kLanes * kLanes;"
                f" k += kLanes)\n"
                f"      for (int j = 0; j < kLanes; ++j)\n"
                f"        lane[j] += {lanes};\n"
                f"    for (int j = 0; j < kLanes; ++j)\n"
                f"      sum += lane[j];\n")
    return (f"float {one.name}(float **all, int64_t size, int64_t threads,"
            f" float zero) {{\n"
            f"  float sum = 0;\n"
            f"#pragma omp parallel for schedule(static, 1)"
            f" num_threads((int)threads) reduction(+ : sum)\n"
            f"  for (int64_t t = 0; t < threads; ++t) {{\n"
            f"    int64_t low = bound(size, t, threads);\n"
            f"    int64_t high = bound(size, t + 1, threads);\n"
            f"{arrays}{loop}  }}\n  return sum;\n}}\n")


def loops(library, arrays, calls, threads):
    """A step that only moves the bytes: g, the last array, is never written."""
    pointers = hand.pointers(arrays)
    work = [(getattr(library, one.name), pointers,
             ctypes.c_int64(arrays[0].size), ctypes.c_int64(threads),
             ctypes.c_float(0)) for call in calls for one in call]
    for one in (one for call in calls for one in call):
        if max(one.reads, one.writes) > len(arrays):
            raise ValueError(f"{one} over {len(arrays)} arrays")

    def step(keep=arrays):
        for run, *arguments in work:
            run(*arguments)

    return timing.Candidate("copy-free loop", step, list)


#-- timing ---------------------------------------------------------------------

def candidates(libraries, pipe, shape, calls, threads):
    """Ours and the loops, on the same memory, fresh each time."""
    random = np.random.default_rng(0)
    p, g = (random.standard_normal(shape, np.float32) * np.float32(scale)
            for scale in (0.05, 0.01))
    front, generated = libraries
    optimizer = ours.Optimizer(front, pipe, [p], [g], threads)
    arrays = [p, *optimizer.states_like(p), g]

    def step():
        for _ in calls:
            optimizer.step()

    return [timing.Candidate("updraft", step, list),
            loops(generated, arrays, calls, threads)]


def measure(libraries, pipe, shape, calls, options):
    """The loops' time over ours, a median over turns for each allocation; and
    our seconds a call."""
    ratios, seconds, previous = [], [], None
    for _ in range(2 if options.small else options.allocations):
        both = candidates(libraries, pipe, shape, calls, options.threads)
        # Memory is given back only now, so that the new lies elsewhere.
        previous = both
        gc.collect()
        timing.measure(both, 2 if options.small else options.rounds, turn=0.01)
        ratios.append(timing.ratio(both[1], both[0]))
        seconds.append(statistics.median(both[0].seconds) / len(calls))
    del previous
    return ratios, statistics.median(seconds)


def shapes(table, small):
    """A vector; a matrix too where the rank decides what is done."""
    side = 64 if small else 4096
    yield (side * side,)
    if any("rank" in one["tests"] for one in table.get("variants", ())):
        yield (side, side)


def report(options):
    work = []
    for pipe in pipes():
        if options.only.lower() not in pipe.lower():
            continue
        try:
            table = updraftc("-e", pipe, "--explain")
        except subprocess.CalledProcessError as error:
            print(f"{pipe}: {error.stderr.strip().splitlines()[0]}\n")
            continue
        for shape in shapes(table, options.small):
            work.append((pipe, shape, calls_of(table, len(shape))))
    text = HEAD + "".join(source(one) for one in sorted(
        {one for *_, calls in work for call in calls for one in call},
        key=lambda one: one.name))
    libraries = ours.load(), hand.compiled(text)
    rows, data = [], []
    for pipe, shape, calls in work:
        ratios, seconds = measure(libraries, pipe, shape, calls, options)
        moved = sum(one.bytes for call in calls for one in call) / len(calls)
        rate = moved * math.prod(shape) / seconds / 1e9
        title = pipe if len(shape) == 1 else f"{pipe}, a matrix"
        median = statistics.median(ratios)
        rows.append([title, f"{moved:g}", timing.duration(seconds),
                     f"{rate:.1f}", f"{median:.2f}",
                     f"{min(ratios):.2f} to {max(ratios):.2f}"])
        data.append({"row": pipe, "shape": shape, "bytes": moved,
                     "seconds": seconds, "of_loop": ratios})
    timing.table(["rule", "bytes", "a step", "GB/s", "of the loop", "spread"],
                 rows)
    return data
