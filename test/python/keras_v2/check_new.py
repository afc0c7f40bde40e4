"""updraft.keras.v2 against tf_keras: optimizers of 2.11 to 2.15."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from peers import (BOUNDS, SHAPES, assert_close, compare, gradients, state,
                   train, variables)

import updraft.keras.v2 as ours

stock = tf_keras.optimizers
NAMES = [name for name in ours.__all__ if name != "legacy"]
FTRL = dict(learning_rate_power=-0.7, beta=0.1, l1_regularization_strength=0.02,
            l2_regularization_strength=0.1,
            l2_shrinkage_regularization_strength=0.1)
CLASSES = {
    "SGD": ("SGD", {}),
    "SGD momentum": ("SGD", dict(momentum=0.9)),
    "SGD nesterov": ("SGD", dict(momentum=0.9, nesterov=True)),
    "Adam": ("Adam", dict(beta_1=0.8, epsilon=1e-4)),
    "Adam amsgrad": ("Adam", dict(amsgrad=True, beta_2=0.5)),
    "Adam adaptive": ("Adam", dict(adaptive_epsilon=True, epsilon=0.1)),
    "AdamW": ("AdamW", dict(weight_decay=0.1)),
    "Adadelta": ("Adadelta", dict(rho=0.9)),
    "Adafactor": ("Adafactor", dict(clip_threshold=0.7, epsilon_2=0.1)),
    "Adagrad": ("Adagrad", dict(initial_accumulator_value=0.3)),
    "Adamax": ("Adamax", dict(beta_1=0.8)),
    "Ftrl": ("Ftrl", FTRL),
    "Lion": ("Lion", dict(beta_1=0.8)),
    "Nadam": ("Nadam", dict(beta_1=0.8)),
    "RMSprop": ("RMSprop", dict(rho=0.8)),
    "RMSprop all": ("RMSprop", dict(momentum=0.5, centered=True,
                                    epsilon=1e-3)),
}
OPTIONS = {
    "clipnorm": dict(clipnorm=0.7),
    "global_clipnorm": dict(global_clipnorm=0.7),
    "clipvalue": dict(clipvalue=0.3),
    "the first clip": dict(clipvalue=0.3, clipnorm=0.7),
    "decay": dict(weight_decay=0.1),
    "ema": dict(use_ema=True, ema_momentum=0.8),
    "all": dict(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3,
                global_clipnorm=0.5, weight_decay=0.1),
}
MISSING = [(0, 1), (2, 0), (3, 0), (5, 2)]


@pytest.mark.parametrize("case", CLASSES)
def test_class(dtype, case):
    name, arguments = CLASSES[case]
    compare(getattr(ours, name), getattr(stock, name), dtype,
            **{"learning_rate": 0.05, **arguments})


@pytest.mark.parametrize("name", NAMES)
def test_defaults(name):
    compare(getattr(ours, name), getattr(stock, name), "float32")


@pytest.mark.parametrize("case", OPTIONS)
@pytest.mark.parametrize("name", ["SGD", "Nadam"])
def test_options(dtype, case, name):
    compare(getattr(ours, name), getattr(stock, name), dtype,
            learning_rate=0.05, **OPTIONS[case])


@pytest.mark.parametrize("case", ["ema", "all"])
def test_missing_gradients(dtype, case):
    def build(cls):
        def make(**arguments):
            optimizer = cls(**arguments)
            optimizer.build(held[-1])
            return optimizer
        return make

    held = []
    compare(build(ours.Adam), build(stock.Adam), dtype, MISSING, held.append,
            learning_rate=0.05, **OPTIONS[case])


def test_schedules_and_setters():
    s = stock.schedules
    for schedule in (s.CosineDecay(0.1, 5), s.PiecewiseConstantDecay(
            [1, 4], [0.1, 0.05, 0.01]), s.ExponentialDecay(0.1, 3, 0.5)):
        pair = compare(ours.Adam, stock.Adam, "float32",
                       learning_rate=schedule, weight_decay=0.1)
        assert float(pair[0].learning_rate) == float(pair[1].learning_rate)
        with pytest.raises(TypeError, match="not settable"):
            pair[0].learning_rate = 0.1
    results = []
    for library in (ours, stock):
        vs = variables("float32")
        optimizer = library.Adam(0.1)
        for step, each in enumerate(gradients(vs)):
            if step == 2:
                optimizer.learning_rate = 0.01
            if step == 3:
                optimizer.clipnorm, optimizer.beta_1 = 0.5, 0.5
            if step == 4:
                optimizer.weight_decay = 0.2
            if step == 5:
                optimizer.lr = 0.3
            optimizer.apply_gradients(zip(each, vs))
        results.append(train(optimizer, vs, []))
    assert_close(results[0][0], results[1][0], BOUNDS["float32"])


def test_exclude_from_weight_decay():
    results = []
    for library in (ours, stock):
        vs = variables("float64")
        optimizer = library.AdamW(0.05, weight_decay=0.5)
        optimizer.exclude_from_weight_decay([vs[0]], var_names=["bi.s"])
        results.append(train(optimizer, vs, gradients(vs))[0])
        with pytest.raises(ValueError, match="before"):
            optimizer.exclude_from_weight_decay([vs[1]])
    assert_close(*results, 1e-12)


def test_minimize_and_finalize():
    results = []
    for library in (ours, stock):
        vs = variables("float64")
        optimizer = library.Adam(0.05, use_ema=True, jit_compile=True)

        def loss():
            return tf.add_n([tf.reduce_sum(v**2) for v in vs])

        for _ in range(3):
            optimizer.minimize(loss, vs)
        with tf.GradientTape() as tape:
            value = loss()
        optimizer.minimize(value, vs, tape=tape)
        with pytest.raises(ValueError, match="tape"):
            optimizer.minimize(value, vs)
        pairs = optimizer.compute_gradients(loss, vs)
        assert [v is w for (_, v), w in zip(pairs, vs)] == [True] * len(vs)
        assert optimizer.apply_gradients(pairs) == 5
        optimizer.finalize_variable_values(vs)
        results.append([v.numpy() for v in vs])
    assert_close(*results, 1e-12)


def test_constraints():
    def constrain(vs):
        vs[0] = tf.Variable(vs[0], constraint=tf_keras.constraints.NonNeg())

    compare(ours.SGD, stock.SGD, "float32", (), constrain, learning_rate=0.5)


@pytest.mark.parametrize("to_stock", [False, True])
@pytest.mark.parametrize("name", [n for n in NAMES if n != "Nadam"])
def test_weights_are_exchanged(name, to_stock):
    """Three steps here, saved, five steps there: as eight in one place. (Keras
    does not save Nadam's product.)"""
    first, second = (ours, stock) if to_stock else (stock, ours)
    arguments = dict(learning_rate=0.05, use_ema=True, clipnorm=1.0)
    vs, wanted = variables("float32"), variables("float32")
    grads = gradients(vs)
    one = getattr(first, name)(**arguments)
    train(one, vs, grads[:3])
    two, three = (getattr(second, name)(**arguments) for _ in range(2))
    with pytest.raises(ValueError, match="not\\s+yet been built"):
        two.set_weights(state(one))
    two.build(vs)
    three.build(vs)
    store = {}
    one.save_own_variables(store)
    three.load_own_variables(store)
    two.set_weights(state(one))
    assert_close(state(three), state(two), 0)
    train(two, vs, grads[3:])
    whole = train(getattr(first, name)(**arguments), wanted, grads)
    assert int(two.iterations) == 8
    assert_close([v.numpy() for v in vs], whole[0], BOUNDS["float32"])
    assert_close(state(two), whole[1], BOUNDS["float32"])


def test_checkpoint(tmp_path):
    vs = variables("float32")
    grads = gradients(vs)
    one, two = ours.Adam(0.05), stock.Adam(0.05)
    train(one, vs, grads[:4])
    path = tf.train.Checkpoint(optimizer=one, vs=vs).save(str(tmp_path / "c"))
    again = variables("float32", SHAPES)
    two.build(again)
    tf.train.Checkpoint(optimizer=two, vs=again).restore(
        path).assert_consumed()
    results = [train(optimizer, held, grads[4:])
               for optimizer, held in ((one, vs), (two, again))]
    assert_close(results[0][0], results[1][0], BOUNDS["float32"])
    assert_close(results[0][1], results[1][1], BOUNDS["float32"])


@pytest.mark.parametrize("name", NAMES)
def test_config(name):
    arguments = dict(learning_rate=0.05, use_ema=True, clipvalue=0.5)
    first = getattr(ours, name)(**arguments)
    other = getattr(stock, name)(**arguments)
    assert first.get_config() == other.get_config()
    again = type(first).from_config(first.get_config())
    assert again.get_config() == first.get_config()
    for wrong in (dict(decay=0.1), dict(clipnorm=1, global_clipnorm=1),
                  dict(use_ema=True, ema_momentum=2)):
        with pytest.raises(ValueError):
            getattr(ours, name)(**wrong)
    with pytest.raises(TypeError):
        getattr(ours, name)(unknown=1)


def test_sparse_gradients():
    """Rows that occur twice are summed; clipped ones take the stock step."""
    def slices(library, **arguments):
        vs = variables("float64", {"table": (6, 3), "bias": (3,)})
        optimizer = library.Adam(0.1, **arguments)
        for each in gradients(vs, 4):
            rows = tf.IndexedSlices(each[0][:4], [1, 4, 1, 2], (6, 3))
            optimizer.apply_gradients([(rows, vs[0]), (each[1], vs[1])])
        return [v.numpy() for v in vs] + state(optimizer)

    assert_close(slices(ours), slices(stock), 1e-12)
    with pytest.warns(UserWarning, match="sparse gradients that are clipped"):
        clipped = slices(ours, clipnorm=0.5)
    assert_close(clipped, slices(stock, clipnorm=0.5), 1e-12)
    assert np.abs(clipped[0] - slices(stock)[0]).max() > 1e-3
