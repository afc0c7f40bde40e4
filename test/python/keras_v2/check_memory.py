"""Where a step on TensorFlow writes, in eager mode and in graphs; fit()."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from peers import BOUNDS, assert_close, gradients, state, variables

import updraft.keras.v2 as ours

stock = tf_keras.optimizers
SHAPES = {"kernel": (4, 5), "scalar": (), "one": (1,), "empty": (0, 3),
          "none": (3, 0)}


def stepper(optimizer, vs, mode):
    optimizer.build(vs)

    def step(grads):
        return optimizer.apply_gradients(list(zip(grads, vs)))

    return step if mode == "eager" else tf.function(step)


def address(variable):
    # A reading of a scalar is a copy, that of a reshaped one a view.
    return tf.reshape(variable.read_value(), [-1])._numpy(
        ).__array_interface__["data"][0]


modes = pytest.mark.parametrize("mode", ["eager", "function"])


@modes
def test_in_place(mode):
    vs = variables("float32", SHAPES)
    grads = gradients(vs)
    optimizer = ours.Adam(0.1, use_ema=True)
    step = stepper(optimizer, vs, mode)
    step(grads[0])
    held = [v for v in vs + optimizer.variables[1:] if np.prod(v.shape)]
    before = [address(v) for v in held]
    for each in grads[1:]:
        step(each)
    assert [address(v) for v in held] == before


@modes
@pytest.mark.parametrize("kind", ["float64", "float32", "bfloat16", "float16"])
def test_tensors_stay(mode, kind):
    """What was read before, or made a variable's value, does not change."""
    given = {name: np.full(shape, 2.0) for name, shape in SHAPES.items()}
    tensors = [tf.constant(x, kind) for x in given.values()]
    vs = [tf.Variable(t) for t in tensors]
    twins = [tf.Variable(v) for v in vs]
    optimizer = ours.SGD(0.5, momentum=0.5)
    step = stepper(optimizer, vs, mode)
    ones = [tf.ones_like(v) for v in vs]
    step(ones)
    reads = [v.read_value() for v in vs + optimizer.variables]
    before = [t.numpy() for t in reads]
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.add_n([tf.reduce_sum(v**2) for v in vs])
    step(ones)
    for tensor, array in zip(reads, before):
        np.testing.assert_array_equal(tensor.numpy(), array)
    for held in (tensors, twins):
        assert all((t.numpy() == 2.0).all() for t in held)
    for v, old, g in zip(vs, before, tape.gradient(loss, vs)):
        np.testing.assert_array_equal(g.numpy(), 2 * old)
        np.testing.assert_array_equal(v.numpy(), old - np.asarray(
            0.75, old.dtype))


@modes
def test_after_updates_by_rows(mode):
    """A scatter makes each reading of a variable a copy from then on."""
    v, = variables("float32", {"kernel": (4, 5)})
    step = stepper(ours.SGD(1.0), [v], mode)
    for _ in range(2):
        v.scatter_add(tf.IndexedSlices(tf.ones((1, 5)), [2]))
        before = v.numpy()
        step([tf.ones((4, 5))])
        np.testing.assert_array_equal(v.numpy(), before - 1)


@modes
@pytest.mark.parametrize("name", ["Nadam", "AdamW"])
def test_readings_wait(mode, name):
    """Readings in a graph after a step see it, those before it do not."""
    results = []
    for library in (ours, stock):
        vs = variables("float64")
        optimizer = getattr(library, name)(0.1, use_ema=True)
        optimizer.build(vs)

        def step(grads):
            before = [v * 1.0 for v in vs]
            optimizer.apply_gradients(list(zip(grads, vs)))
            after = [v * 1.0 for v in vs]
            optimizer.apply_gradients(list(zip(grads, vs)))
            return before + after

        # In a graph stock Keras' Nadam takes the wrong product.
        step = tf.function(step) if mode == "function" and (
            library is ours) else step
        reads = [t for each in gradients(vs) for t in step(each)]
        results.append([t.numpy() for t in reads + vs] + state(optimizer))
    assert_close(*results, 1e-12)


@modes
def test_legacy_in_graphs(mode):
    results = []
    for library in (ours.legacy, stock.legacy):
        vs = variables("float64")
        optimizer = library.RMSprop(0.1, momentum=0.5, decay=0.1)
        optimizer._create_all_weights(vs)

        def step(grads):
            optimizer.apply_gradients(list(zip(grads, vs)))

        step = tf.function(step) if mode == "function" else step
        for number, each in enumerate(gradients(vs), 1):
            if number == 4:
                optimizer.learning_rate = 0.01
            step(each)
            assert optimizer.iterations == number
        results.append([v.numpy() for v in vs] + optimizer.get_weights())
    assert_close(*results, 1e-12)


def model(optimizer, **arguments):
    tf_keras.utils.set_random_seed(3)
    net = tf_keras.Sequential([
        tf_keras.Input((8,)), tf_keras.layers.Dense(16, "relu"),
        tf_keras.layers.BatchNormalization(),
        tf_keras.layers.Dense(3, "softmax")])
    net.compile(optimizer, "sparse_categorical_crossentropy", **arguments)
    return net


def data():
    random = np.random.default_rng(0)
    x = random.normal(size=(96, 8)).astype("f4")
    return x, (x[:, 0] > 0).astype("i4") + (x[:, 1] > 0.5)


def fitted(optimizer, **arguments):
    net = model(optimizer, **arguments)
    history = net.fit(*data(), batch_size=32, epochs=4, verbose=0,
                      shuffle=False)
    return history.history["loss"], net


@pytest.mark.parametrize("eagerly", [True, False])
@pytest.mark.parametrize("make", [
    lambda library: library.AdamW(0.01, use_ema=True, clipnorm=1.0),
    lambda library: library.legacy.SGD(0.1, momentum=0.9, decay=0.01)],
    ids=["new", "legacy"])
def test_fit(eagerly, make):
    losses, nets = zip(*(fitted(make(library), run_eagerly=eagerly)
                         for library in (ours, stock)))
    np.testing.assert_allclose(*losses, rtol=2e-5)
    assert losses[0][-1] < losses[0][0]
    assert_close(*(net.get_weights() for net in nets), 1e-4)


def test_fit_with_xla():
    """Inside of XLA there is no compiled step, but the stock one."""
    with pytest.warns(UserWarning, match="inside of jit_compile=True"):
        loss, _ = fitted(ours.Adam(0.01), jit_compile=True)
    np.testing.assert_allclose(loss, fitted(stock.Adam(0.01))[0], rtol=2e-5)


def test_model_files(tmp_path):
    """A file goes on as what it was."""
    _, net = fitted(ours.Adam(0.01))
    net.save(tmp_path / "net.keras")
    again = tf_keras.saving.load_model(tmp_path / "net.keras")
    assert type(again.optimizer) is ours.Adam
    for each in (net, again):
        each.fit(*data(), verbose=0, shuffle=False)
    assert_close(again.get_weights(), net.get_weights(), BOUNDS["float32"])


def test_mixed_precision():
    try:
        tf_keras.mixed_precision.set_global_policy("mixed_float16")
        losses = [fitted(library.Adam(0.01))[0] for library in (ours, stock)]
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")
    np.testing.assert_allclose(*losses, rtol=1e-3)


def test_errors_change_nothing():
    vs = variables("float32")
    optimizer = ours.Adam(0.1)
    good = gradients(vs, 1)[0]
    before = [v.numpy() for v in vs]
    for wrong, kind in (([None] * len(vs), ValueError),
                        ([tf.zeros((7,)), *good[1:]], ValueError)):
        with pytest.raises(kind):
            optimizer.apply_gradients(zip(wrong, vs))
    with pytest.raises(KeyError, match="not among the variables"):
        optimizer.apply_gradients([(good[0], variables("float32")[0])])
    optimizer.learning_rate = -1.0
    with pytest.raises(ValueError, match=r"must be in \[0, inf\)"):
        optimizer.apply_gradients(zip(good, vs))
    assert optimizer.iterations == 0
    assert_close([v.numpy() for v in vs], before, 0)


def test_several_dtypes():
    """A norm over all of them takes the stock step."""
    results = []
    for library in (ours, stock):
        vs = [tf.Variable(np.ones((2, 3)), dtype=kind)
              for kind in ("float32", "float64")]
        for arguments in ({}, dict(clipnorm=0.5)):
            optimizer = library.Adam(0.1, use_ema=True, **arguments)
            for number in range(3):
                optimizer.apply_gradients(
                    [(tf.fill((2, 3), tf.cast(number, v.dtype)), v)
                     for v in vs])
        results.append([v.numpy() for v in vs])
    assert_close(*results, BOUNDS["float32"])


def test_optimizers_are_freed():
    vs = variables("float32")
    gone = []
    for make in (ours.Adam, ours.legacy.Adam):
        optimizer = make(0.1)
        optimizer.apply_gradients(zip(gradients(vs, 1)[0], vs))
        gone.append(weakref.ref(optimizer))
        del optimizer
    gc.collect()
    assert [each() for each in gone] == [None, None]
