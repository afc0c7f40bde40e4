"""Rows, columns, matrices and blocks in the interpreter.

Reductions against NumPy written down from the specification, bit for bit; the
Keras rules that need them against live Keras.
"""

import keras
import numpy as np
import pytest

import harness
from harness import assert_close, step, tensors

SHAPES = {
    "one_row": (1, 700), "one_column": (70, 1), "no_row": (0, 3),
    "no_column": (3, 0), "ragged": (65, 513), "even": (64, 512),
    "short": (63, 511), "stack": (3, 5, 7), "deep": (2, 3, 70, 4),
}


@pytest.fixture(autouse=True)
def on_interpreter(monkeypatch):
    monkeypatch.setattr(harness, "ON", "interpreter")


def lanes(items):
    """The sum of a list in 128 lanes, which are then halved."""
    total = np.zeros(128, items.dtype)
    for start in range(0, len(items), 128):
        part = items[start:start + 128]
        total[:len(part)] += part
    half = 64
    while half:
        total[:half] += total[half:2 * half]
        half //= 2
    return total[0]


def in_order(items):
    total = items.dtype.type(0)
    for item in items:
        total += item
    return total


def runs(items, length, within, among):
    parts = [within(items[i:i + length])
             for i in range(0, len(items), length)]
    return among(np.array(parts, np.float64))


def of_list(items):
    return runs(items, 4096, lanes, lanes)


def of_row(items):
    return runs(items, 512, lanes, in_order)


def of_column(items):
    return runs(items, 64, in_order, in_order)


def folded(array):
    return array.reshape(array.shape[0], int(np.prod(array.shape[1:])))


def along(array, axis, total, finish):
    """One number for each list along an axis, in the array's type."""
    moved = np.moveaxis(array, axis, -1)
    result = [finish(total(np.ascontiguousarray(row)), len(row))
              for row in moved.reshape(int(np.prod(moved.shape[:-1])),
                                       moved.shape[-1])]
    return np.array(result, array.dtype).reshape(moved.shape[:-1])


def mean(total, count):
    return total / count if count else 0.0


def root(total, count):
    return np.sqrt(total)


RULE = """
rule axes {{
  {fold}
  require rank(p) >= 2, "matrices"
  state r: rows p = 0
  state c: cols p = 0
  state m: matrix p = 0
  state b: block(100) p = 0
  state total: tensor = 0
  r' = mean(g over cols)
  c' = norm(g over rows)
  m' = sum(r' over rows)
  b' = sum(g over block(100))
  total' = mean(c')
  p' = r'*c' + m'*p
}}
"""


@pytest.mark.parametrize("fold", ["", "fold p"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_reductions(tmp_path, dtype, fold):
    path = tmp_path / "axes.upd"
    path.write_text(RULE.format(fold=fold))
    params = tensors(1, dtype, SHAPES)
    grads = tensors(2, dtype, SHAPES)
    harness.write(tmp_path / "params", params)
    harness.write(tmp_path / "grads", grads)
    harness.call([path, "--on=interpreter", "--params", tmp_path / "params",
                  "--grads", tmp_path / "grads", "--out", tmp_path / "out"])
    ours = harness.load_file(tmp_path / "out")
    for name, g in grads.items():
        p = params[name]
        if fold:
            g, p = folded(g), folded(p)
        flat = np.ravel(g)
        r = along(g, -1, of_row, mean)
        c = along(g * g, -2, of_column, root)
        m = along(r, -1, of_list, lambda total, count: total)
        b = np.array([of_list(flat[i:i + 100])
                      for i in range(0, len(flat), 100)], dtype)
        total = mean(of_list(np.ravel(c)), c.size)
        for state, wanted in (("r", r), ("c", c), ("m", m), ("b", b),
                              ("total", np.float64(total))):
            got = ours[f"{name}.{state}"]
            assert got.shape == np.shape(wanted), (name, state)
            assert np.array_equal(got, wanted), (name, state)
        # fma(r, c, m*p): one rounding of r*c + (m*p) in extended precision.
        wanted = (r[..., :, None].astype(np.longdouble) * c[..., None, :]
                  + m[..., None, None] * p).astype(dtype)
        got = ours[name].reshape(wanted.shape)
        assert np.allclose(got, wanted, rtol=4 * np.finfo(dtype).eps,
                           atol=1e-30), name


def newton_schulz(x, steps=5, eps=1e-7, a=3.4445, b=-4.7750, c=2.0315):
    tall = x.shape[0] > x.shape[1]
    x = x / (np.linalg.norm(x) + eps)
    x = x.T if tall else x
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.T if tall else x


@pytest.mark.parametrize("fold", ["", "fold p"])
def test_newton_schulz(tmp_path, fold):
    path = tmp_path / "orthogonal.upd"
    path.write_text(
        f"rule orthogonal {{\n  {fold}\n"
        "  require rank(p) >= 2 && (rank(p) == 2 || size(p) > 0), \"m\"\n"
        + ("" if fold else "  require rank(p) == 2, \"m\"\n") +
        "  p' = newton_schulz(g, 5, 1e-7, 3.4445, -4.7750, 2.0315)\n}\n")
    shapes = {"wide": (5, 300), "tall": (70, 6), "one": (1, 1),
              "row": (1, 9), "none": (0, 4)}
    if fold:
        shapes["conv"] = (8, 3, 2, 2)
    params, grads = (tensors(i, np.float64, shapes) for i in (1, 2))
    harness.write(tmp_path / "params", params)
    harness.write(tmp_path / "grads", grads)
    harness.call([path, "--check", "--params", tmp_path / "params",
                  "--grads", tmp_path / "grads", "--out", tmp_path / "out"])
    ours = harness.load_file(tmp_path / "out")
    assert_close(ours, {name: newton_schulz(folded(g)).reshape(g.shape)
                        for name, g in grads.items()}, 1e-12)


def keras_steps(optimizer, params, grads):
    variables = {name: keras.Variable(value, dtype=str(value.dtype), name=name)
                 for name, value in params.items()}
    optimizer.build(list(variables.values()))
    for arrays in grads:
        optimizer.apply([arrays[name] for name in variables],
                        list(variables.values()))
    return {name: np.asarray(v.numpy()) for name, v in variables.items()}


LAYERS = {"scalar": (), "bias": (3,), "dense": (4, 5), "embedding": (6, 4),
          "wide": (3, 70), "conv": (2, 3, 4), "kernel": (3, 3, 2, 4)}


def compare(folder, pipe, optimizer, settings=(), options=(), bound=1e-12):
    params = tensors(1, np.float64, LAYERS)
    grads = [tensors(2 + i, np.float64, LAYERS) for i in range(10)]
    ours = step(folder, pipe, params, grads, settings, options)
    assert_close(ours, keras_steps(optimizer, params, grads), bound)
    return ours


@pytest.mark.parametrize("pipe,arguments", [
    ("keras/adafactor(0.05)", dict(learning_rate=0.05)),
    ("keras/adafactor(0.5, -0.6, 1e-10, 1e-2, 0.7)",
     dict(learning_rate=0.5, beta_2_decay=-0.6, epsilon_1=1e-10,
          epsilon_2=1e-2, clip_threshold=0.7)),
    ("weight_decay(0.1) | keras/adafactor(0.05)",
     dict(learning_rate=0.05, weight_decay=0.1)),
])
def test_adafactor(tmp_path, float64, pipe, arguments):
    ours = compare(tmp_path, pipe, keras.optimizers.Adafactor(**arguments))
    assert ours["kernel.r"].shape == (3, 3, 2)
    assert ours["kernel.c"].shape == (3, 3, 4)
    assert "kernel.v" not in ours and ours["bias.v"].shape == (3,)


@pytest.mark.parametrize("settings,arguments", [
    ((), {}),
    (("nesterov=false", "momentum=0.8"),
     dict(nesterov=False, momentum=0.8)),
    (("scales=false", "ns_steps=2"), dict(rms_rate=None, ns_steps=2)),
])
def test_muon(tmp_path, float64, settings, arguments):
    ours = compare(tmp_path, "keras/muon",
                   keras.optimizers.Muon(0.05, **arguments),
                   ("learning_rate=0.05", *settings),
                   ("--tag", "embedding:embedding"))
    assert "dense.muon.m" in ours and "dense.adam.momentum" not in ours
    assert "embedding.adam.velocity" in ours and "kernel.adam.velocity" in ours


def test_one_rate_of_two(tmp_path):
    """`muon.learning_rate` leaves Adam's alone."""
    params, grads = (tensors(i, np.float64, LAYERS) for i in (1, 2))
    settings = ("learning_rate=0.05", "muon.learning_rate=0")
    ours = step(tmp_path, "keras/muon", params, [grads], settings)
    assert np.array_equal(ours["dense"], params["dense"])
    assert not np.array_equal(ours["bias"], params["bias"])


def test_norm_of_one_route(tmp_path):
    """Tensors that are routed elsewhere do not stand in the list."""
    pipe = ('clip_by_global_norm(1) | first: torch/sgd(1) where tag("x") '
            'else torch/sgd(1)')
    params, grads = (tensors(i, np.float64, LAYERS) for i in (1, 2))
    ours = step(tmp_path, pipe, params, [grads],
                options=("--tag", "x:dense,wide"))
    norm = np.sqrt(sum(np.sum(grads[n] ** 2) for n in ("dense", "wide")))
    wanted = {name: params[name] - grads[name] * (
        min(1, 1 / (norm + 1e-6)) if name in ("dense", "wide") else 1)
        for name in LAYERS}
    assert_close(ours, wanted, 1e-12)
