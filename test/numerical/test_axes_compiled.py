"""Rows, columns, matrices and blocks: compiled code gives the interpreter's
bits, on shapes around every edge, in every instruction set that this machine
has, with one thread and with two.
"""

import numpy as np
import pytest

from harness import call, check
from test_compositions import TARGETS
from test_targets import hashes

SHAPES = {
    "one": (1, 1), "row": (1, 700), "column": (700, 1), "short": (63, 511),
    "even": (64, 512), "ragged": (65, 513), "tall": (5000, 3),
    "wide": (2, 4500), "stack": (3, 65, 513), "thin": (200, 3, 3),
    "deep": (2, 3, 4, 5), "rows": (0, 5), "columns": (5, 0),
    "matrices": (2, 0, 3), "bias": (5000,), "none": (0,),
    "shared": (600, 600), "broad": (3, 9001), "tiny": (300, 8),
    "vector": (65, 16), "more": (65, 17), "slices": (7, 3, 5),
}

EVERYTHING = """
rule everything {
  fold p
  rate lr = 0.01
  factored = rank(p) >= 2
  state r: rows p = 0.5                if factored
  state c: cols p = 1                  if factored
  state s: block(64) p = 0
  state large: block(5000) p = 0
  state top: matrix p = 0              if factored
  r'     = lerp(mean(g^2 over cols), r, 0.9)             if factored
  c'     = lerp(rms(g over rows), c, 0.9)                if factored
  top'   = max_of(r' over rows) + min_of(c over cols)    if factored
  s'     = lerp(mean(abs(g) over block(64)), s, 0.5)
  large' = norm(g*s' over block(5000))
  w      = factored ? r'/(mean(r' over rows) + 1e-6)*c' : s'
  big    = factored ? (any(g > 2 over cols) ? 1 : 0.5) : 1
  floor_ = factored ? min_of(g over rows) + 0.1*top' : 0
  u      = g/(sqrt(w) + 1e-3)*big + exp(-s) + 0.01*floor_
  p'     = p - lr*(u/(1 + norm(u)) + 0.01*large')
  view scaled = 2*s
  view r
}
"""

RULES = {
    "folded": EVERYTHING,
    "stacked": EVERYTHING.replace("  fold p\n", ""),
}


@pytest.mark.parametrize("threads,target", TARGETS)
@pytest.mark.parametrize("param", ["f32", "f64"])
@pytest.mark.parametrize("rule", RULES)
def test_everything(tmp_path, rule, param, threads, target):
    path = tmp_path / "everything.upd"
    path.write_text(RULES[rule])
    check(tmp_path, [path, "--param", param, "--threads", threads, "--target",
                     target, "--view", "scaled", "--view", "r"], SHAPES, 3,
          {"f32": np.float32, "f64": np.float64}[param])


@pytest.mark.parametrize("threads,target", TARGETS)
@pytest.mark.parametrize("axis", ["rows", "cols"])
def test_one_axis(tmp_path, axis, threads, target):
    """Bands of which only rows or only columns are asked for."""
    path = tmp_path / "one.upd"
    path.write_text("rule one {\n  matrix = rank(p) >= 2\n"
                    f"  m = mean(g over {axis}) if matrix\n"
                    "  p' = p - (matrix ? m : 0)\n}\n")
    check(tmp_path, [path, "--threads", threads, "--target", target], SHAPES, 3)


@pytest.mark.parametrize("pipe", [
    "keras/adafactor(0.05)",
    "accumulate(2) | clip_by_global_norm(1) | keras/adafactor(0.05)",
    "keras/ema(0.9) | weight_decay(0.1) | keras/adafactor(0.05)",
])
def test_adafactor(tmp_path, pipe):
    check(tmp_path, ["-e", pipe, "--threads", "2"], SHAPES, 3)


@pytest.mark.parametrize("param", ["f32", "f64", "bf16"])
def test_other_machines(tmp_path, param):
    found = hashes(tmp_path, "keras/adafactor(0.05)", param)
    assert len(set(found.values())) == 1, found


def test_bfloat16(tmp_path):
    """Random tensors of rank 1, and a matrix by hand."""
    done = call(["keras/adafactor", "--param=bf16", "--check", "--params",
                 "w[2x3]=1,2,3,4,5,6;b=1,2", "--grads",
                 "w[2x3]=1,-2,3,0,5,1;b=1,0", "--out=-"])
    assert "no bit differs" in done.stderr + done.stdout
    assert "w.r F32 [2]" in done.stdout and "w.c F32 [3]" in done.stdout


def test_rank(tmp_path):
    path = tmp_path / "matrices.upd"
    path.write_text("rule m {\n  require rank(p) >= 2, \"matrices only\"\n"
                    "  p' = p - mean(g over cols)\n}\n")
    done = call([path, "--params", "bias=1,2", "--grads", "bias=1,2"],
                check=False)
    assert done.returncode == 1 and "bias" in done.stderr, done.stderr
