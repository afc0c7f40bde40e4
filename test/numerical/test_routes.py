"""Routers: what is reduced over the tensors of one route has the same bits in
the interpreter and in compiled code, whatever stands in the routes, around
them, and however many tensors are routed elsewhere.
"""

import random

import numpy as np
import pytest

from harness import call, tensors, write
from test_compositions import BOXES, RULES, SIZES, TARGETS, whole

CASES = 40
CONDITIONS = ['tag("x")', 'tag("x") && size(p) > 16', "size(p) > 100",
              'size(p) != 1 || tag("x")', 'tag("x") && tag("y")']

REDUCERS = """
rule reducers {
  rate lr = 0.1
  state m: like p = 0
  state total: group = 0
  m' = lerp(m, g, 0.5)
  total' = total + sum(g over group) + mean(m' over group)
  a = norm(g over model) + rms(m' over model) + max_of(g over group)
  b = min_of(norm(g) over model) + count(g > 0 over model)
  c = any(g > 5 over group) ? 0.5 : all(is_finite(m) over model) ? 1 : 2
  d = sum(size(p) over model) + mean(norm(m) over group)
  p' = p - lr*c*m'/(1 + abs(a) + abs(b) + d + abs(total'))
}
rule matrices {
  rate lr = 0.1
  state r: rows p = 0
  r' = lerp(r, mean(g^2 over cols), 0.5)
  s  = sum(mean(g over rows) over model) + max_of(r' over group)
  p' = p - lr*g/(1 + norm(r' over model) + abs(s))
}
optimizer two   = reducers where tag("x") else other: reducers
optimizer three = matrices where rank(p) >= 2 else two
optimizer held  = accumulate(2) | three
"""


def pipe(r, route):
    """A rule behind boxes, each with a name of its own."""
    _, rule = r.choice(RULES)
    chosen = r.sample(sorted(set(BOXES) - {"dynamic_loss_scale"}),
                      r.randint(0, 2))
    # Most routes reduce over the model.
    if r.random() < 0.7 and "clip_by_global_norm" not in chosen:
        chosen.insert(r.randint(0, len(chosen)), "clip_by_global_norm")
    stages = [BOXES[name](r) for name in chosen] + [rule(r)]
    return " | ".join(f"{route}{i}: {stage}" for i, stage in enumerate(stages))


def routed(r):
    """An optimizer of two or three routes, and perhaps boxes around it."""
    text, route = f"optimizer last = {pipe(r, 'last')}\n", "last"
    for name in ["first", "second"][:r.randint(1, 2)]:
        text += (f"optimizer {name} = {pipe(r, name)} where"
                 f" {r.choice(CONDITIONS)} else {route}\n")
        route = name
    boxes = {"clip_by_global_norm", "ema", "accumulate", "clip_by_norm",
             "dynamic_loss_scale"}
    around = [BOXES[name](r) for name in r.sample(sorted(boxes),
                                                  r.randint(0, 2))]
    return text + f"optimizer whole = {' | '.join([*around, route])}\n"


@pytest.mark.parametrize("case", range(CASES))
def test_random(tmp_path, case):
    r = random.Random(case)
    path = tmp_path / "routed.upd"
    path.write_text(routed(r))
    count = r.choice([2, 9, 9, 300])
    sizes = [r.choice(SIZES if count < 10 else SIZES[:5])
             for _ in range(count)]
    given = [f"{path}:whole", "--check", "--sizes", ",".join(map(str, sizes)),
             "--seed", whole(r, 0, 999999), "--tag", f"x:t*{whole(r, 0, 1)}",
             "--tag", "y:t0", "--param", r.choice(["f32", "f32", "f64"])]
    if r.random() < 0.4:
        given += ["--group", "t[0-1]*"]
    for threads, target in TARGETS:
        call([*given, "--threads", threads, "--target", target])


SHAPES = {f"w{i}": [(5,), (), (3, 4), (2, 3, 5), (0,), (70, 600)][i % 6]
          for i in range(140)}


@pytest.mark.parametrize("param", ["f32", "f64"])
@pytest.mark.parametrize("name", ["two", "three", "held"])
def test_reducers(tmp_path, name, param):
    """Every reducer, of every level; absent tensors keep their place."""
    path = tmp_path / "reducers.upd"
    path.write_text(REDUCERS)
    dtype = {"f32": np.float32, "f64": np.float64}[param]
    write(tmp_path / "params", tensors(1, dtype, SHAPES))
    files = []
    for index in range(3):
        grads = tensors(2 + index, dtype, SHAPES)
        files.append(tmp_path / f"grads{index}")
        write(files[-1], {w: g for i, (w, g) in enumerate(grads.items())
                          if (i + index) % 4})
    for threads, target in TARGETS:
        call([f"{path}:{name}", "--params", tmp_path / "params", "--grads",
              *files, "--out", tmp_path / "out", "--check", "--tag",
              "x:w*[1357]", "--group", "w1*", "--threads", threads,
              "--target", target])


def test_no_tensor(tmp_path):
    """Of a route that nobody takes there is nothing to reduce."""
    path = tmp_path / "reducers.upd"
    path.write_text(REDUCERS)
    call([f"{path}:two", "--sizes", "3,5", "--check"])
    call([f"{path}:two", "--sizes", "3,5", "--tag", "x:*", "--check"])
