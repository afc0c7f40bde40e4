"""Rules that are given more than gradients."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from harness import call, write

RULE = """rule scaled {
  rate lr = 0.5 in [0, inf)
  input h: like p
  input loss: scalar
  p' = p - lr*loss*g*h
}
"""


@pytest.fixture
def rule(tmp_path):
    (tmp_path / "scaled.upd").write_text(RULE)
    return tmp_path / "scaled.upd"


BOTH = pytest.mark.parametrize("on", ["interpreter", "cpu"])


@BOTH
def test_each_step_has_its_own(rule, tmp_path, on):
    """What a file lacks keeps its value, and so do steps without a file."""
    random = np.random.default_rng(7)
    shapes = {"a": (2, 3), "b": (5,), "none": (0,)}
    start, first, second, *grads = (
        {name: random.normal(size=shape) for name, shape in shapes.items()}
        for _ in range(6))
    del second["b"]
    write(tmp_path / "p", start)
    for index, arrays in enumerate(grads):
        write(tmp_path / f"g{index}", arrays)
    write(tmp_path / "i0", {f"{n}.h": v for n, v in first.items()}
          | {"loss": np.float64(3)})
    write(tmp_path / "i1", {f"{n}.h": v for n, v in second.items()})
    call([rule, f"--on={on}", "--params", tmp_path / "p", "--grads",
          *[tmp_path / f"g{i}" for i in range(3)], "--inputs", tmp_path / "i0",
          tmp_path / "i1", "--out", tmp_path / "out"])
    out = load_file(tmp_path / "out")
    h = [first, first | second, first | second]
    for name, value in start.items():
        for step in range(3):
            value = value - 1.5*grads[step][name]*h[step][name]
        assert np.allclose(out[name], value, rtol=1e-14, atol=1e-14), name


@pytest.mark.parametrize("param", ["f64", "f32", "bf16", "f16"])
@pytest.mark.parametrize("more", [[], ["--input", "loss=0.5"]])
def test_made_up(rule, param, more):
    assert "no bit differs" in call(
        [rule, "--check", "--param", param, *more]).stderr


def test_of_a_box(rule):
    """In a pipe the names are those of the flat rule."""
    text = rule.read_text().replace("loss*", "").replace(
        "  input loss: scalar\n", "")
    rule.write_text(text + "transform box {\n  input h: like p\n"
                    "  inner.g = g + h\n}\noptimizer all = box | scaled\n")
    done = call([rule, "--params", "w=1", "--grads", "w=1", "--inputs",
                 "w.h=2;w.box.h=3", "--out", "-"])
    assert done.stdout == "w F32 [1] = -3\n"


@BOTH
@pytest.mark.parametrize("words, inputs", [
    ("'w.q' belongs to nothing; the rule has <param>.h, loss",
     "w.h=1,2;loss=3;w.q=1"),
    ("'v.h' belongs to nothing", "v.h=1,2"),
    ("'w.loss' belongs to nothing", "w.loss=1,2"),
    ("'w.h' is F32 [1], its parameter F32 [2]", "w.h=1;loss=3"),
    ("'w.h' is F32 [2, 1], its parameter F32 [2]", "w.h[2x1]=1,2;loss=3"),
    ("'loss' is a scalar, found F32 [2]", "w.h=1,2;loss=3,4"),
    ("'w.h' stands here twice", "w.h=1,2;w.h=1,2"),
    ("'h'", "loss=3"),
    ("'loss'", "w.h=1,2"),
    ("No such file", "nosuch.safetensors"),
])
def test_wrong_inputs(rule, words, inputs, on):
    done = call([rule, f"--on={on}", "--params", "w=1,2", "--grads", "w=1,1",
                 "--inputs", inputs], check=False)
    assert done.returncode == 1
    assert words in done.stderr


@BOTH
def test_wrong_dtype(rule, tmp_path, on):
    write(tmp_path / "i", {"w.h": np.ones(2), "loss": np.ones(())})
    done = call([rule, f"--on={on}", "--params", "w=1,2", "--grads", "w=1,1",
                 "--inputs", tmp_path / "i"], check=False)
    assert done.returncode == 1
    assert "'w.h' is F64 [2], its parameter F32 [2]" in done.stderr
