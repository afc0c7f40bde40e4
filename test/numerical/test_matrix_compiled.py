"""Products of matrices: compiled code gives the interpreter's bits, around
every edge of a register tile (8 x 48, 4 x 24), a tile (96 x 240) and a chunk of
the sums (256), wide and tall, in every instruction set that this machine has,
with one thread and with several.
"""

import numpy as np
import pytest

from harness import call, check, load_file, tensors, write
from test_compositions import TARGETS
from test_targets import hashes

SHAPES = {
    "one": (1, 1), "row": (1, 300), "column": (300, 1), "register": (8, 48),
    "ragged": (9, 49), "tile": (96, 240), "wide": (97, 530),
    "tall": (530, 97), "square": (257, 257), "rows": (0, 5),
    "columns": (5, 0), "thin": (513, 2),
}
FOLDED = {"conv": (20, 3, 5, 5), "deep": (300, 2, 3), "none": (2, 0, 3)}

# Everything that a newton_schulz can meet: it is iterated again, reduced, shown
# and read in one side of a condition; its numbers are of tensor level.
RULES = {
    "once": """
rule once {
  require rank(p) == 2, "matrices"
  p' = p - newton_schulz(g, 1, 0.5, 3.5, -4.75, 2.03125)
}
""",
    "twice": """
rule twice {
  require rank(p) == 2, "matrices"
  hyper a = 2 in [0, 4]
  state m: like p = 0
  m' = lerp(g, m, 0.5)
  u  = newton_schulz(m', 2, 1e-7, a, -1.5, 0.5)
  v  = newton_schulz(g + u, 3, 1e-7, a/(1 + norm(m)), -1.5, 0.5)
  w  = newton_schulz(u, 3, 0.25, 1.5, -0.5, 0)
  p' = p - (step > 1 ? u + v : w)/(1 + norm(u))
  view shown = newton_schulz(p, 5, 1e-7, 3.4445, -4.7750, 2.0315)
}
""",
    "folded": """
rule folded {
  fold p
  require rank(p) >= 2, "matrices"
  state n: rows p = 0
  u  = newton_schulz(g, 5, 1e-7, 3.4445, -4.7750, 2.0315)
  n' = norm(u over cols)
  p' = p - u/(n' + 1)
}
""",
    "none": """
rule none {
  require rank(p) == 2, "matrices"
  p' = p - newton_schulz(g, 0, 0.5, 3, 1, 1)
}
""",
}


@pytest.mark.parametrize("threads,target", TARGETS)
@pytest.mark.parametrize("param", ["f32", "f64"])
@pytest.mark.parametrize("rule", RULES)
def test_rule(tmp_path, rule, param, threads, target):
    path = tmp_path / "matrix.upd"
    path.write_text(RULES[rule])
    shapes = SHAPES | (FOLDED if rule == "folded" else {})
    view = ["--view", "shown"] if rule == "twice" else []
    check(tmp_path, [path, "--param", param, "--threads", threads, "--target",
                     target, *view], shapes, 2,
          {"f32": np.float32, "f64": np.float64}[param])


@pytest.mark.parametrize("pipe", [
    "keras/muon",
    "accumulate(2) | clip_by_global_norm(1) | keras/muon",
])
def test_muon(tmp_path, pipe):
    shapes = {"wide": (97, 241), "tall": (241, 97), "bias": (300,)}
    check(tmp_path, ["-e", pipe, "--threads", "2"], shapes, 2)


def test_bfloat16(tmp_path):
    done = call(["keras/muon", "--param=bf16", "--check", "--params",
                 "w[2x3]=1,2,3,4,5,6;b=1,2", "--grads",
                 "w[2x3]=1,-2,3,0,5,1;b=1,0", "--out=-"])
    assert "no bit differs" in done.stderr + done.stdout


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, 0.0, 1e-42])
def test_what_is_no_number(tmp_path, bad):
    """In one element, in its row, and everywhere."""
    grads = tensors(3, np.float32, {"one": (50, 70), "line": (70, 50),
                                    "all": (30, 30)})
    grads["one"][17, 5] = grads["line"][5] = grads["all"][:] = bad
    write(tmp_path / "params", tensors(1, np.float32, {
        name: grad.shape for name, grad in grads.items()}))
    write(tmp_path / "grads", grads)
    path = tmp_path / "once.upd"
    path.write_text(RULES["once"])
    done = call([path, "--params", tmp_path / "params", "--grads",
                 tmp_path / "grads", "--out", tmp_path / "out", "--check"])
    assert "no bit differs" in done.stderr + done.stdout


@pytest.mark.parametrize("param", ["f32", "f64", "bf16", "f16"])
def test_other_machines(tmp_path, param):
    found = hashes(tmp_path, "keras/muon", param)
    assert len(set(found.values())) == 1, found


def test_many_threads(tmp_path):
    """A matrix that all of them work on, more threads than tiles too."""
    shapes = {"large": (300, 600)}
    write(tmp_path / "params", tensors(1, np.float32, shapes))
    write(tmp_path / "grads", tensors(2, np.float32, shapes))
    found = []
    for threads in ("1", "2", "3", "16"):
        call(["keras/muon", "--threads", threads, "--params",
              tmp_path / "params", "--grads", tmp_path / "grads", "--out",
              tmp_path / "out"])
        found.append({name: value.tobytes() for name, value
                      in load_file(tmp_path / "out").items()})
    assert all(each == found[0] for each in found[1:])
