"""updraft.keras.v2.legacy against tf_keras: optimizers of 2.0 to 2.10."""

import copy

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from peers import BOUNDS, assert_close, compare, gradients, train, variables

import updraft.keras.v2.legacy as ours

stock = tf_keras.optimizers.legacy
NAMES = ours.__all__
FTRL = dict(learning_rate_power=-0.7, beta=0.1, l1_regularization_strength=0.02,
            l2_regularization_strength=0.1)
CLASSES = {
    "SGD": ("SGD", {}),
    "SGD momentum": ("SGD", dict(momentum=0.9)),
    "SGD nesterov": ("SGD", dict(momentum=0.9, nesterov=True)),
    "Adam": ("Adam", dict(beta_1=0.8, epsilon=1e-4)),
    "Adam amsgrad": ("Adam", dict(amsgrad=True, beta_2=0.5)),
    "Adadelta": ("Adadelta", dict(rho=0.9)),
    "Adagrad": ("Adagrad", dict(initial_accumulator_value=0.3, epsilon=0.5)),
    "Adamax": ("Adamax", dict(beta_1=0.8)),
    "Ftrl": ("Ftrl", FTRL),
    "Ftrl shrinkage": ("Ftrl", FTRL | dict(
        l2_shrinkage_regularization_strength=0.1)),
    "Ftrl root": ("Ftrl", {}),
    "Nadam": ("Nadam", dict(beta_1=0.8)),
    "Nadam schedule": ("Nadam", dict(schedule_decay=0.1)),
    "RMSprop": ("RMSprop", dict(rho=0.8)),
    "RMSprop centered": ("RMSprop", dict(centered=True, epsilon=1e-3)),
    "RMSprop momentum": ("RMSprop", dict(momentum=0.5, epsilon=1e-3)),
    "RMSprop all": ("RMSprop", dict(momentum=0.5, centered=True,
                                    epsilon=1e-3)),
}
OPTIONS = {
    "decay": dict(decay=0.3),
    "clipnorm": dict(clipnorm=0.7),
    "global_clipnorm": dict(global_clipnorm=0.7),
    "clipvalue": dict(clipvalue=0.3),
    "all clips": dict(clipvalue=0.3, global_clipnorm=0.7, decay=0.1),
}


@pytest.mark.parametrize("case", CLASSES)
def test_class(dtype, case):
    name, arguments = CLASSES[case]
    pair = compare(getattr(ours, name), getattr(stock, name), dtype,
                   **{"learning_rate": 0.05, **arguments})
    assert pair[0].get_slot_names() == pair[1].get_slot_names()


@pytest.mark.parametrize("name", NAMES)
def test_defaults(name):
    compare(getattr(ours, name), getattr(stock, name), "float32")


@pytest.mark.parametrize("case", OPTIONS)
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_options(dtype, case, name):
    compare(getattr(ours, name), getattr(stock, name), dtype,
            learning_rate=0.05, **OPTIONS[case])


def test_missing_gradients(dtype):
    """Slots are made when a variable has a gradient for the first time."""
    missing = [(0, 1), (2, 0), (3, 0), (5, 2)]
    for name in ("Nadam", "SGD"):
        compare(getattr(ours, name), getattr(stock, name), dtype, missing)


def test_rates():
    s = tf_keras.optimizers.schedules
    rates = [s.CosineDecay(0.1, 5), s.ExponentialDecay(0.1, 3, 0.5),
             lambda: 0.03, tf.Variable(0.02)]
    for rate in rates:
        compare(ours.Adam, stock.Adam, "float64", learning_rate=rate,
                decay=0.1)
    with pytest.raises(ValueError, match="does not support"):
        ours.Nadam(rates[0])
    with pytest.warns(UserWarning, match="`lr` argument is deprecated"):
        old = ours.SGD(lr=0.3)
    assert float(old.lr) == float(old.learning_rate) == np.float32(0.3)
    assert ours.SGD.from_config(dict(lr=0.5)).get_config() == (
        stock.SGD(0.5).get_config())


def test_hypers_may_change():
    results = []
    for library in (ours, stock):
        vs = variables("float64")
        optimizer = library.RMSprop(0.1, momentum=0.9)
        for step, each in enumerate(gradients(vs)):
            if step == 2:
                optimizer.lr = 0.01
            if step == 3:
                optimizer.rho, optimizer.clipnorm = 0.5, 0.5
            if step == 5:
                optimizer.momentum = 0.0
            optimizer.apply_gradients(zip(each, vs))
        results.append(train(optimizer, vs, []))
    assert_close(results[0][0], results[1][0], 1e-12)
    assert_close(results[0][1], results[1][1], 1e-12)


def test_minimize():
    results = []
    for library in (ours, stock):
        vs = variables("float64")
        optimizer = library.Adagrad(0.05)

        def loss():
            return tf.add_n([tf.reduce_sum(v**2) for v in vs])

        assert optimizer.minimize(loss, lambda: vs) == 1
        with tf.GradientTape() as tape:
            value = loss()
        assert optimizer.minimize(value, vs, tape=tape) == 2
        with pytest.raises(ValueError, match="tape"):
            optimizer.minimize(value, vs)
        with pytest.raises(ValueError, match="No gradients"):
            optimizer.apply_gradients([(None, vs[0])])
        with pytest.raises(AttributeError):
            optimizer.rho
        results.append([v.numpy() for v in vs] + optimizer.get_weights())
    assert_close(*results, 1e-12)


def test_graph_calls_say_so():
    vs = variables("float32")
    optimizer = ours.Adagrad()
    for call in (optimizer.get_updates, optimizer.get_gradients):
        with pytest.raises(RuntimeError, match="graph mode of TensorFlow 1"):
            call(tf.constant(1.0), vs)


def test_slots_and_weights():
    v, = variables("float32", {"kernel": (4, 5)})
    results = []
    for library in (ours, stock):
        optimizer = library.Adam()
        slot = optimizer.add_slot(v, "m", initializer="ones")
        extra = optimizer.add_weight("extra", (2,), initializer="ones")
        optimizer.iterations = tf.Variable(3, dtype=tf.int64)
        optimizer.apply_gradients([(tf.ones_like(v), v)])
        assert optimizer.get_slot(v, "m") is slot
        assert extra.shape == (2,) and optimizer.iterations == 4
        with pytest.raises(RuntimeError, match="Cannot set `iterations`"):
            optimizer.iterations = tf.Variable(0)
        results.append(optimizer.get_weights())
    assert_close(*results, BOUNDS["float32"])


@pytest.mark.parametrize("to_stock", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_weights_are_exchanged(name, to_stock):
    """Three steps here, saved, five steps there: as eight in one place."""
    first, second = (ours, stock) if to_stock else (stock, ours)
    vs, wanted = variables("float32"), variables("float32")
    grads = gradients(vs)
    one, two = (getattr(library, name)(0.05, clipnorm=1.0)
                for library in (first, second))
    train(one, vs, grads[:3])
    two._create_all_weights(vs)
    with pytest.raises(ValueError, match="weight list of length"):
        two.set_weights(one.get_weights() * 2)
    two.set_weights(one.get_weights())
    train(two, vs, grads[3:])
    whole = train(getattr(first, name)(0.05, clipnorm=1.0), wanted, grads)
    assert int(two.iterations) == 8
    assert_close([v.numpy() for v in vs], whole[0], BOUNDS["float32"])
    assert_close(two.get_weights(), whole[1], BOUNDS["float32"])


@pytest.mark.parametrize("name", NAMES)
def test_config(name):
    arguments = dict(clipvalue=0.5) if name == "Nadam" else dict(
        clipvalue=0.5, decay=0.1)
    first = getattr(ours, name)(learning_rate=0.05, **arguments)
    assert first.get_config() == getattr(stock, name)(
        learning_rate=0.05, **arguments).get_config()
    again = type(first).from_config(first.get_config())
    assert again.get_config()["clipvalue"] == 0.5
    for wrong in (dict(clipnorm=-1.0), dict(clipnorm=1, global_clipnorm=1)):
        with pytest.raises(ValueError):
            getattr(ours, name)(**wrong)
    with pytest.raises(TypeError, match="Unexpected keyword"):
        getattr(ours, name)(weight_decay=0.1)


def test_transformers_and_copies():
    results = []
    for library in (ours, stock):
        vs = variables("float64")
        optimizer = library.SGD(0.1, momentum=0.5, gradient_transformers=[
            lambda pairs: [(2.0 * g, v) for g, v in pairs]])
        grads = gradients(vs)
        train(optimizer, vs, grads[:4])
        results.append(train(copy.deepcopy(optimizer), vs, grads[4:])[0])
    assert_close(*results, 1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adagrad", "Nadam"])
def test_sparse_gradients(name):
    """TensorFlow's lazy kernels, which touch the rows that are there."""
    results = []
    for library in (ours, stock):
        vs = variables("float64", {"table": (6, 3), "bias": (3,)})
        optimizer = getattr(library, name)(0.1)
        for each in gradients(vs, 4):
            rows = tf.IndexedSlices(each[0][:4], [1, 4, 1, 2], (6, 3))
            pairs = [(rows, vs[0]), (each[1], vs[1])]
            if library is ours:
                with pytest.warns(UserWarning, match="rows alone"):
                    optimizer.apply_gradients(pairs)
            else:
                optimizer.apply_gradients(pairs)
        train(optimizer, vs, gradients(vs, 2))
        results.append([v.numpy() for v in vs] + optimizer.get_weights())
    assert_close(*results, 1e-12)
