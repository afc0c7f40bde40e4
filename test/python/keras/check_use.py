"""Configs, files, fit(), stateless use, setters, errors."""

import keras
import numpy as np
import pytest
from common import (BACKEND, assert_close, bound, gradients, shapes_for,
                    train, values, variables)

import updraft.keras as ours

stock = keras.optimizers
# Those around others are in check_wrappers.py, any rule in check_rules.py.
NAMES = [name for name in ours.__all__ if "Optimizer" not in name]
FULL = dict(learning_rate=0.05, use_ema=True, ema_momentum=0.8,
            global_clipnorm=0.5, weight_decay=0.1,
            gradient_accumulation_steps=2)
needs_gradients = pytest.mark.skipif(
    BACKEND == "numpy", reason="Keras does not train on NumPy")


@pytest.mark.parametrize("name", NAMES)
def test_config(name):
    first = getattr(ours, name)(**FULL)
    assert isinstance(first, getattr(stock, name))
    for again in (type(first).from_config(first.get_config()),
                  stock.deserialize(stock.serialize(first))):
        assert type(again) is type(first)
        assert again.get_config() == first.get_config()
    other = getattr(stock, name)(**FULL)
    same = first.get_config() | {"name": ""}
    assert same == other.get_config() | {"name": ""}
    assert getattr(stock, name).from_config(first.get_config())
    schedule = stock.schedules.CosineDecay(0.1, 10)
    again = stock.deserialize(stock.serialize(getattr(ours, name)(schedule)))
    assert again.learning_rate == schedule(0)


@pytest.mark.parametrize("name", ["Nadam", "Adafactor"] if BACKEND == "jax"
                         else NAMES)
@pytest.mark.parametrize("to_stock", [False, True])
def test_states_are_exchanged(name, to_stock):
    """Three steps here, saved, four steps there: as seven in one place."""
    first, second = (ours, stock) if to_stock else (stock, ours)
    vs, wanted = [variables("float32", shapes_for(name)) for _ in range(2)]
    grads = gradients(vs)
    one = getattr(first, name)(**FULL)
    one.build(vs)
    for each in grads[:3]:
        one.apply(each, vs)
    store = {}
    one.save_own_variables(store)
    two = getattr(second, name)(**FULL)
    two.build(vs)
    two.load_own_variables(store)
    # A scalar is called variable_1 and so on, by a count of all.
    paths = [[v.path.split("/")[-1] for v in optimizer.variables]
             for optimizer in (one, two)]
    assert all(a == b or a.startswith("variable") for a, b in zip(*paths))
    for each in grads[3:]:
        two.apply(each, vs)
    whole = getattr(first, name)(**FULL)
    whole.build(wanted)
    for each in grads:
        whole.apply(each, wanted)
    assert int(two.iterations) == int(whole.iterations) == 3
    assert_close(values(vs), values(wanted), bound("float32"))
    assert_close(values(two.variables), values(whole.variables),
                 bound("float32"))


def model(optimizer):
    keras.utils.set_random_seed(3)
    net = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu"),
                            keras.layers.BatchNormalization(),
                            keras.layers.Dense(3, "softmax")])
    # Inside of XLA TensorFlow has no compiled step.
    jit = False if BACKEND == "tensorflow" else "auto"
    net.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=jit)
    return net


def data():
    random = np.random.default_rng(0)
    x = random.normal(size=(96, 8)).astype("f4")
    return x, (x[:, 0] > 0).astype("i4") + (x[:, 1] > 0.5)


@needs_gradients
@pytest.mark.parametrize("case", [
    ("Adam", {}), ("SGD", dict(momentum=0.9, nesterov=True)), ("Nadam", {}),
    ("AdamW", dict(use_ema=True, ema_momentum=0.9, clipnorm=1.0,
                   gradient_accumulation_steps=2))], ids=lambda c: c[0])
def test_fit(case, tmp_path):
    name, arguments = case
    x, y = data()
    losses, weights = [], []
    for library in (ours, stock):
        net = model(getattr(library, name)(learning_rate=0.01, **arguments))
        history = net.fit(x, y, batch_size=32, epochs=4, verbose=0,
                          shuffle=False)
        losses.append(history.history["loss"])
        weights.append(net.get_weights())
    np.testing.assert_allclose(*losses, rtol=2e-4)
    assert_close(*weights, 2e-3)
    assert losses[0][-1] < losses[0][0]


def moved(net, optimizer):
    """A copy of a model that goes on with another optimizer's class."""
    other = model(optimizer)
    # Copies: JAX would share what it is about to donate.
    other.set_weights([np.array(w) for w in net.get_weights()])
    other.optimizer.build(other.trainable_variables)
    store = {}
    net.optimizer.save_own_variables(store)
    other.optimizer.load_own_variables(
        {key: np.array(value) for key, value in store.items()})
    return other


@needs_gradients
def test_keras_files(tmp_path):
    """A file goes on as what it was; stock and ours take one another's."""
    x, y = data()
    here, there = tmp_path / "ours.keras", tmp_path / "stock.keras"
    net = model(ours.Nadam(0.01, use_ema=True))
    net.fit(x, y, verbose=0, shuffle=False)
    net.save(here)
    again = keras.saving.load_model(here)
    assert type(again.optimizer) is ours.Nadam
    as_stock = moved(again, stock.Nadam(0.01, use_ema=True))
    as_stock.save(there)
    back = moved(keras.saving.load_model(there),
                 ours.Nadam(0.01, use_ema=True))
    results = []
    for each in (net, again, as_stock, back):
        each.fit(x, y, verbose=0, shuffle=False)
        results.append(each.get_weights())
    for result in results[1:]:
        assert_close(result, results[0], 1e-4)


@pytest.mark.skipif(BACKEND == "tensorflow",
                    reason="Keras has no stateless_apply there")
@pytest.mark.parametrize("name", ["Adam", "Nadam", "SGD", "Adafactor"])
def test_stateless(name):
    """The values given stay; those returned are what apply() makes."""
    vs = variables("float32")
    optimizer = getattr(ours, name)(**FULL)
    optimizer.build(vs)
    held = [v.value for v in vs], [v.value for v in optimizer.variables]
    before = values(vs), values(optimizer.variables)
    grads = gradients(vs)
    for each in grads:
        held = optimizer.stateless_apply(held[1], each, held[0])
    assert_close(values(vs), before[0], 0)
    assert_close(values(optimizer.variables), before[1], 0)
    for each in grads:
        optimizer.apply(each, vs)
    got = [[np.asarray(keras.ops.convert_to_numpy(x)) for x in part]
           for part in held]
    assert_close(got[0], values(vs), 0)
    for variable, own, theirs in zip(optimizer.variables, got[1],
                                       values(optimizer.variables)):
        # Adafactor's v of a matrix is a value of the step in the one, and made
        # by Keras' operations where it is read in the other: a place apart.
        is_made = type(variable).__name__ == "_Velocity"
        assert_close([own], [theirs], 2**-23 if is_made else 0)


@pytest.mark.skipif(BACKEND in ("jax", "tensorflow"),
                    reason="all its values are arrays")
def test_adafactor_has_no_velocity_of_matrices():
    """The list is Keras', and there is nothing behind that entry of it."""
    vs = variables("float32", {"matrix": (6, 5), "conv": (2, 3, 4),
                               "vector": (7,)})
    optimizer, whole = ours.Adafactor(0.1), stock.Adafactor(0.1)
    for each in gradients(vs):
        optimizer.build(vs)
        optimizer.apply(each, vs)
    whole.build(vs)
    assert [(v.shape, v.dtype) for v in optimizer.variables] == [
        (v.shape, v.dtype) for v in whole.variables]
    held = sum(int(np.prod(v.shape)) for v in optimizer.variables[2:]
               if v._value is not None)
    assert held == (6 + 5) + (2*3 + 2*4) + 7 + 2
    # Set to anything, it is what rows and columns say.
    before = values(optimizer.variables)
    assert all(np.any(v) for v in before[4:5] + before[7:8])
    optimizer.set_weights([v if v.shape not in {(6, 5), (2, 3, 4)} else 7 + v
                           for v in before])
    assert_close(values(optimizer.variables), before, 0)


def address(variable):
    value = variable._value
    if BACKEND == "tensorflow":
        value = keras.ops.reshape(value, (-1,))._numpy()
    return (value.data_ptr() if BACKEND == "torch"
            else value.__array_interface__["data"][0])


@pytest.mark.skipif(BACKEND == "jax", reason="see the next test")
def test_in_place():
    vs = variables("float32")
    optimizer = ours.Adam(use_ema=True)
    optimizer.build(vs)
    held = [v for v in vs + optimizer.variables[2:] if v.shape != (0, 3)]
    grads = gradients(vs)
    # The value that Keras made a variable of may be in use elsewhere.
    optimizer.apply(grads[0], vs)
    before = [address(v) for v in held]
    for each in grads[1:]:
        optimizer.apply(each, vs)
    assert [address(v) for v in held] == before


@pytest.mark.skipif(BACKEND != "jax", reason="donated memory is JAX's")
def test_in_place_where_donated():
    import jax

    vs = variables("float32", {"kernel": (64, 64)})
    optimizer = ours.Adam()
    optimizer.build(vs)
    step = jax.jit(optimizer.stateless_apply, donate_argnums=(0, 2))
    grads = gradients(vs)
    states = [jax.numpy.array(v.value) for v in optimizer.variables]
    params = [jax.numpy.array(v.value) for v in vs]
    before = sorted(x.unsafe_buffer_pointer() for x in params + states[2:])
    for each in grads:
        params, states = step(states, each, params)
    assert sorted(x.unsafe_buffer_pointer()
                  for x in params + states[2:]) == before


@pytest.mark.skipif(BACKEND != "torch", reason="autograd is torch's")
def test_autograd_notices():
    import torch

    v, = variables("float32", {"kernel": (3, 3)})
    optimizer = ours.SGD()
    optimizer.build([v])
    loss = (v.value * v.value).sum()
    optimizer.apply([torch.ones(3, 3)], [v])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_attributes_may_change():
    results = []
    for library in (ours, stock):
        vs = variables("float32")
        optimizer = library.Adam(0.1)
        optimizer.build(vs)
        for step, each in enumerate(gradients(vs)):
            if step == 2:
                optimizer.learning_rate = 0.01
            if step == 3:
                optimizer.clipnorm, optimizer.beta_1 = 0.5, 0.5
            if step == 4:
                optimizer.weight_decay = 0.2
            if step == 5:
                optimizer.learning_rate = stock.schedules.CosineDecay(0.1, 9)
            optimizer.apply(each, vs)
        assert int(optimizer.iterations) == 7
        with pytest.raises(TypeError):
            optimizer.learning_rate = 0.1
        results.append(values(vs))
    assert_close(*results, bound("float32"))


def test_errors_change_nothing():
    vs = variables("float32")
    optimizer = ours.Adam()
    with pytest.raises(ValueError, match="built optimizer"):
        optimizer.apply([1])
    optimizer.apply([], vs)
    optimizer.build(vs)
    good = gradients(vs, 1)[0]
    bad = [*good[:1], keras.ops.zeros((7,)), *good[2:]]
    before = values(vs)
    with pytest.raises(Exception, match="shape"):
        optimizer.apply(bad, vs)
    with pytest.raises(ValueError, match="must match one to one"):
        optimizer.apply(good[:1])
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None] * len(vs), vs)
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply(good, variables("float32"))
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([None, *good[1:]], vs)
    assert_close(values(vs)[:1], before[:1], 0)
    optimizer.learning_rate = -1.0
    with pytest.raises(Exception, match=r"must be in \[0, inf\)"):
        optimizer.apply(good, vs)
