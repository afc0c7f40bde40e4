"""updraft.numpy: steps in place, on arrays of every library."""

import array

import numpy as np
import pytest

import updraft
from updraft.numpy import Optimizer


def adam(w, grads, rate=0.1, b1=0.9, b2=0.999, eps=1e-7):
    """Keras' Adam in NumPy, in float64."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(grads, 1):
        m += (g - m) * (1 - b1)
        v += (g * g - v) * (1 - b2)
        alpha = rate * np.sqrt(1 - b2**t) / (1 - b1**t)
        w = w - m * alpha / (np.sqrt(v) + eps)
    return w, m, v


def data(shape=(3, 4), dtype="float64", steps=5):
    random = np.random.default_rng(1)
    return (random.normal(size=shape).astype(dtype),
            [random.normal(size=shape).astype(dtype) for _ in range(steps)])


@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 4), (5, 4, 3, 2)])
def test_steps(shape):
    w, grads = data(shape)
    wanted, m, v = adam(w.copy(), grads)
    before = w.__array_interface__["data"]
    optimizer = Optimizer("keras/adam", {"w": w}, learning_rate=0.1)
    for g in grads:
        optimizer.step({"w": g})
    assert w.__array_interface__["data"] == before
    np.testing.assert_allclose(w, wanted, rtol=1e-12)
    np.testing.assert_allclose(optimizer.state("momentum", "w"), m,
                               rtol=1e-12)
    np.testing.assert_allclose(optimizer.state("velocity", "w"), v,
                               rtol=1e-12)
    assert optimizer.state("step") == 6
    assert optimizer.states("w") == ["momentum", "velocity"]
    assert optimizer.states() == ["step"]


def test_absent_gradients():
    w, b = np.ones(3), np.ones(2)
    optimizer = Optimizer("torch/adamw", {"w": w, "b": b}, lr=0.1)
    optimizer.step({"w": np.ones(3)})
    assert (w != 1).all() and (b == 1).all()
    optimizer.step({"w": None, "b": np.ones(2)})
    assert (b != 1).all()
    assert optimizer.state("t", "w") == optimizer.state("t", "b") == 2


def test_groups_and_tags():
    w, b, c = (np.ones(2) for _ in range(3))
    optimizer = Optimizer(
        "weight_decay(1.0) | keras/sgd", {"w": w, "b": b, "c": c},
        groups=[{"params": ["b"], "learning_rate": 0.5}],
        tags={"c": ["no_decay"]}, learning_rate=0.25)
    assert optimizer.get("learning_rate") == 0.25
    assert optimizer.get("learning_rate", 1) == 0.5
    optimizer.step({name: np.zeros(2) for name in "wbc"})
    assert w[0] == 0.75 and b[0] == 0.5 and c[0] == 1
    optimizer.set("learning_rate", 0, 0)
    optimizer.step({name: np.zeros(2) for name in "wbc"})
    assert w[0] == 0.75 and b[0] == 0.25
    with pytest.raises(ValueError, match="in two groups"):
        Optimizer("keras/sgd", {"w": w}, groups=[{"params": "w"},
                                                 {"params": "w"}])


def test_hypers_with_dots_and_views():
    w, g = np.ones(4, "f4"), np.ones(4, "f4")
    optimizer = Optimizer("keras/ema(0.5) | clip_by_global_norm | keras/sgd",
                          {"w": w}, clip_by_global_norm__max_norm=1.0)
    optimizer.step({"w": g})
    assert optimizer.get("max_norm") == 1
    np.testing.assert_array_equal(optimizer.view("ema.average", "w"), w)
    out = np.empty(4, "f4")
    assert optimizer.view("ema.average", "w", out) is out
    scale = Optimizer("dynamic_loss_scale | keras/sgd", {"w": w})
    assert scale.view("scale") == 32768
    scale.step({"w": np.full(4, np.inf, "f4")})
    assert scale.view("scale") == 16384


def test_rates_of_routes():
    w, b, ones = np.ones(2), np.ones(2), np.ones(2)
    pipe = 'a: torch/sgd where tag("x") else b: torch/sgd'
    optimizer = Optimizer(pipe, {"w": w, "b": b}, tags={"w": ["x"]}, lr=0.5,
                          b__lr=0.25)
    optimizer.step({"w": ones, "b": ones})
    assert w[0] == 0.5 and b[0] == 0.75
    with pytest.raises(ValueError, match="'a.lr' is 0.5, 'b.lr' is 0.25"):
        optimizer.get("lr")
    optimizer.set("lr", 0.125)
    assert optimizer.get("a.lr") == optimizer.get("lr") == 0.125
    with pytest.raises(LookupError, match="no hyper 'momentums'; did you"):
        optimizer.set("momentums", 1)
    with pytest.raises(LookupError, match="there are 'a.lr', "):
        optimizer.set("temperature", 1)


def test_inputs():
    program = updraft.compile(source="rule x { input a: scalar\n"
                              " input h: like p\n p' = p - a*h*g }\n",
                              dtype="float64")
    w = np.ones(3)
    optimizer = Optimizer(program, {"w": w})
    with pytest.raises(ValueError, match="'a' has not been set"):
        optimizer.step({"w": np.ones(3)})
    optimizer.set_input("a", 2)
    optimizer.set_input("h", np.array([0, 0.25, 0.5]), "w")
    optimizer.step({"w": np.ones(3)})
    np.testing.assert_array_equal(w, [1, 0.5, 0])


def test_save_and_load(tmp_path):
    (w, grads), path = data(), tmp_path / "state.safetensors"
    a, b = w.copy(), w.copy()
    first = Optimizer("keras/nadam", {"w": a}, learning_rate=0.1)
    for g in grads:
        first.step({"w": g})
    first.save(path)
    second = Optimizer("keras/nadam", {"w": b})
    second.load(path)
    b[...] = a
    first.step({"w": grads[0]})
    second.step({"w": grads[0]})
    np.testing.assert_array_equal(a, b)
    other = Optimizer("keras/adagrad", {"w": np.ones((3, 4))})
    with pytest.raises(ValueError):
        other.load(path)
    with pytest.raises((OSError, LookupError)):
        second.load(tmp_path / "nowhere")


def test_other_libraries():
    """The same bits on memory of torch, jax (read only) and the standard."""
    torch, jnp = pytest.importorskip("torch"), pytest.importorskip("jax.numpy")
    w, grads = data((6,), "float32")
    of_torch = torch.tensor(w, requires_grad=True)
    of_array = array.array("f", w)
    for held, give in [(w, lambda g: g), (of_torch, torch.tensor),
                       (of_array, jnp.asarray)]:
        optimizer = Optimizer("keras/adam", {"w": held}) if held is not (
            of_array) else Optimizer(updraft.compile("keras/adam"),
                                     {"w": held})
        for g in grads:
            optimizer.step({"w": give(g)})
    np.testing.assert_array_equal(of_torch.detach().numpy(), w)
    np.testing.assert_array_equal(np.array(of_array), w)
    with pytest.raises(ValueError, match="'w' is read only"):
        Optimizer("keras/adam", {"w": jnp.ones(3)})
    low = torch.ones(3, dtype=torch.bfloat16)
    Optimizer("keras/adam", {"w": low}, learning_rate=0.5).step(
        {"w": torch.ones(3).bfloat16()})
    assert low.tolist() == [0.5] * 3


W = np.ones((3, 4), "f4")
READ_ONLY = np.ones((3, 4), "f4")
READ_ONLY.flags.writeable = False
PARAMS = {
    "list": ([1.0], TypeError, "is a 'list', an array or tensor is needed"),
    "int": (np.ones(3, "i4"), TypeError, "'w' is of dtype int32, float32"),
    "double": (np.ones(3), TypeError, "'w' is of dtype float64, float32"),
    "big end": (np.ones(3, ">f4"), TypeError, "is of dtype >f4"),
    "read only": (READ_ONLY, ValueError, "'w' is read only"),
    "strided": (np.ones((3, 8), "f4")[:, ::2], ValueError, "not contiguous"),
    "transposed": (W.T, ValueError, "not contiguous"),
    "rank": (np.ones((1,) * 9, "f4"), ValueError, "has rank 9, at most 8"),
    "other": (W, ValueError, "'v' and 'w' are the same memory"),
    "part": (W[1:], ValueError, "'v' and 'w' overlap"),
}


@pytest.mark.parametrize("case", PARAMS)
def test_refused_params(case):
    tensor, error, text = PARAMS[case]
    with pytest.raises(error, match=text.replace("(", r"\(")):
        Optimizer(updraft.compile("keras/adam"), {"v": W, "w": tensor})


GRADS = {
    "name": ({"x": W}, LookupError, "no parameter 'x'"),
    "shape": ({"w": np.ones((4, 3), "f4")}, ValueError, r"shape \[4, 3\]"),
    "dtype": ({"w": W.astype("f8")}, TypeError, "float64, float32 is needed"),
    "strides": ({"w": np.ones((3, 8), "f4")[:, ::2]}, ValueError,
                "not contiguous"),
}


@pytest.mark.parametrize("case", [*GRADS, "itself"])
def test_refused_grads_change_nothing(case):
    w, v = np.ones((3, 4), "f4"), np.ones(2, "f4")
    grads, error, text = GRADS.get(case, ({"w": w}, ValueError, "overlaps"))
    optimizer = Optimizer("keras/adam", {"v": v, "w": w})
    with pytest.raises(error, match=text):
        optimizer.step({"v": np.ones(2, "f4"), **grads})
    assert (w == 1).all() and (v == 1).all()
    assert optimizer.state("step") == 1


def test_refused_values():
    optimizer = Optimizer("keras/adam", {"w": np.ones(3)})
    with pytest.raises(ValueError, match=r"is -1, it must be in \[0, inf\)"):
        optimizer.set("learning_rate", -1)
    with pytest.raises(LookupError, match="no hyper 'lr'"):
        optimizer.set("lr", 1)
    with pytest.raises(LookupError, match="no state 'q'"):
        optimizer.state("q", "w")
    with pytest.raises(ValueError, match="computed"):
        Optimizer("keras/adam(cosine_decay(1, 10))", {"w": np.ones(3)}).set(
            "learning_rate", 1)
