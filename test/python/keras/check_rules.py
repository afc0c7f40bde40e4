"""Rules of the user in Keras."""

import keras
import numpy as np
import pytest
from common import (BACKEND, SHAPES, assert_close, gradients, shapes_for,
                    train, values, variables)

import updraft
import updraft.keras as ours

stock = keras.optimizers


def test_any_rule(tmp_path):
    """A file, a pipe and a text; states saved and restored; boxes around."""
    path = tmp_path / "mine.upd"
    path.write_text("rule mine {\n  rate lr = 0.1 in [0, inf)\n"
                    "  hyper decay = 0.5\n  state seen: like p = p\n"
                    "  state total: model = 1\n  seen' = lerp(seen, g, decay)\n"
                    "  total' = total + 1\n"
                    "  p' = p - lr*seen'/sqrt(total)/t\n}\n")
    vs, again = variables("float32"), variables("float32")
    grads = gradients(vs, missing=[(1, 1)])
    first = ours.Optimizer(path, clipnorm=1.0, hypers={"decay": 0.25},
                           use_ema=True)
    assert float(first.learning_rate) == np.float32(0.1)
    first.build(vs)
    for each in grads[:4]:
        first.apply(each, vs)
    second = stock.deserialize(stock.serialize(first))
    second.build(again)
    store = {}
    first.save_own_variables(store)
    second.load_own_variables(store)
    for v, w in zip(vs, again):
        w.assign(v.value)
    for optimizer, held in ((first, vs), (second, again)):
        for each in grads[4:]:
            optimizer.apply(each, held)
    assert_close(values(vs), values(again), 0)
    if BACKEND == "jax":
        return  # its arrays cannot be written from outside
    plain = {v.name: np.array(keras.ops.convert_to_numpy(v))
             for v in variables("float32")}
    peer = updraft.numpy.Optimizer(updraft.compile(
        source=path.read_text() + "optimizer whole = keras/ema"
        " | keras/clipnorm(1) | mine\n"), plain, decay=0.25)
    for each in grads:
        peer.step({name: None if g is None else np.array(
            keras.ops.convert_to_numpy(g)) for name, g in zip(SHAPES, each)})
    assert_close(list(plain.values()), values(vs), 2e-7)


def test_rows_and_columns_are_slots():
    """What keras/adafactor keeps, and the numbers of Keras' Adafactor."""
    results, shapes = [], []
    for make in (lambda: ours.Optimizer("keras/adafactor", 0.1),
                 lambda: stock.Adafactor(0.1)):
        vs = variables("float32", shapes_for("Adafactor"))
        optimizer = make()
        results.append(train(optimizer, vs, gradients(vs))[0])
        shapes.append([tuple(v.shape) for v in optimizer.variables[2:]])
    assert_close(*results, 7e-6)
    conv = [] if BACKEND == "jax" else [(3, 2, 2), (3, 2, 4)]
    assert sorted(shapes[0][:-1]) == sorted([(4,), (5,), (5,), (), *conv])


ROUTES = 'a: torch/sgd(0.5) where tag("x") else b: torch/sgd(0.5)'


@pytest.mark.parametrize("rate", [
    None, 0.25, keras.optimizers.schedules.InverseTimeDecay(0.25, 1, 0.0)])
def test_rates_of_routes(rate):
    """One learning rate is that of all routes, also after a round trip."""
    optimizer = ours.Optimizer(ROUTES, rate, tags={"x": ["bias"]})
    optimizer = stock.deserialize(stock.serialize(optimizer))
    vs = variables("float32", {"kernel": (2,), "bias": (2,)})
    before, ones = values(vs), keras.ops.ones(2)
    optimizer.apply([ones, ones], vs)
    step = 0.5 if rate is None else 0.25
    assert_close(values(vs), [v - np.float32(step) for v in before], 1e-6)


def test_rates_of_routes_apart():
    apart = ROUTES.replace("sgd(0.5)", "sgd(0.125)", 1)
    with pytest.raises(ValueError, match="has a.lr and b.learning_rate"):
        ours.Optimizer(apart.replace("b: torch", "b: keras"), 0.1)
    optimizer = stock.deserialize(stock.serialize(
        ours.Optimizer(apart, tags={"x": ["bias"]}, hypers={"b.lr": 0.75})))
    vs = variables("float32", {"kernel": (2,), "bias": (2,)})
    before, ones = values(vs), keras.ops.ones(2)
    optimizer.apply([ones, ones], vs)
    assert_close(values(vs), [before[0] - np.float32(0.75),
                              before[1] - np.float32(0.125)], 1e-6)


def test_a_wrong_file_is_shown(tmp_path):
    """With the line and a caret below what is wrong."""
    path = tmp_path / "mine.upd"
    path.write_text("rule mine {\n  rate lr = 0.1\n  p' = p - lr*grad\n}\n")
    with pytest.raises(updraft.CompileError) as caught:
        ours.Optimizer(path)
    first, text, caret = str(caught.value).splitlines()[:3]
    assert first.startswith(f"{path}:3:15: error: ") and "'grad'" in first
    assert text.index("grad") == caret.index("^")


def test_any_rule_refuses():
    with pytest.raises(updraft.CompileError, match="keras/adamm"):
        ours.Optimizer("keras/adamm")
    with pytest.raises(LookupError, match="no hyper 'beta3'"):
        ours.Optimizer("torch/adamw", hypers={"beta3": 1})
    with pytest.raises(ValueError, match="computes its rate"):
        ours.Optimizer("keras/adam(cosine_decay(1, 9))", 0.1)
    tagged = ours.Optimizer("weight_decay(1.0) | keras/sgd", 0.5,
                            tags={"no_decay": ["bias"]})
    vs = variables("float32", {"kernel": (2,), "bias": (2,)})
    before = values(vs)
    tagged.apply([keras.ops.zeros(2), keras.ops.zeros(2)], vs)
    assert_close(values(vs), [before[0] / 2, before[1]], 0)
