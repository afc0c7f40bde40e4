"""updraft.keras on Keras 3's TensorFlow backend: what is TensorFlow's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from peers import assert_close

import updraft.keras as ours

stock = keras.optimizers
assert keras.config.backend() == "tensorflow"


def words(optimizer, **arguments):
    """A model with an embedding, whose gradient has rows that occur twice."""
    keras.utils.set_random_seed(3)
    net = keras.Sequential([
        keras.Input((6,), dtype="int32"), keras.layers.Embedding(20, 4),
        keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    net.compile(optimizer, "sparse_categorical_crossentropy", **arguments)
    random = np.random.default_rng(0)
    x = random.integers(0, 20, (64, 6))
    history = net.fit(x, x[:, 0] % 3, batch_size=16, epochs=3, verbose=0,
                      shuffle=False)
    return history.history["loss"], net.get_weights()


@pytest.mark.parametrize("options", [
    {}, dict(global_clipnorm=0.1, use_ema=True, ema_overwrite_frequency=2,
             gradient_accumulation_steps=2)], ids=["plain", "all"])
def test_modes(options):
    """Eager, in a graph, and inside of XLA, where the stock step is taken."""
    def make():
        return ours.SGD(0.5, momentum=0.9, loss_scale_factor=4.0, **options)

    eager = words(make(), run_eagerly=True)
    graph = words(make(), jit_compile=False)
    with pytest.warns(UserWarning, match="inside of jit_compile=True"):
        xla = words(make(), jit_compile=True)
    # Where rows are sparse, stock Keras cannot unscale them.
    wanted = words(stock.SGD(0.5, momentum=0.9,
                             **options), jit_compile=False)
    assert wanted[0][-1] < wanted[0][0]
    for loss, weights in (eager, graph, xla):
        np.testing.assert_allclose(loss, wanted[0], rtol=1e-5)
        assert_close(weights, wanted[1], 2e-5)


def test_rows_that_occur_twice():
    """Summed first: Keras adds up their squares, which is not the square."""
    sums = []
    for library in (ours, stock):
        v = keras.Variable(np.zeros((4, 2)), dtype="float32")
        rows = tf.IndexedSlices(tf.ones((3, 2)), [1, 1, 2], (4, 2))
        optimizer = library.Adagrad(1.0, initial_accumulator_value=0.0)
        optimizer.apply([rows], [v])
        sums.append(optimizer._accumulators[0].numpy()[:, 0].tolist())
    assert sums == [[0, 4, 1, 0], [0, 2, 1, 0]]


def test_any_rule_in_a_graph():
    results = []
    for compiled in (False, True):
        vs = [keras.Variable(np.ones((2, 3)), dtype="float32")]
        optimizer = ours.Optimizer("ema(0.5) | torch/adamw", 0.1)
        optimizer.build(vs)

        def step(grad):
            optimizer.apply([grad], vs)

        run = tf.function(step) if compiled else step
        for number in range(4):
            run(tf.fill((2, 3), float(number)))
        results.append([v.numpy() for v in vs + optimizer.variables])
    assert_close(*results, 0)
    with pytest.raises(NotImplementedError, match="inside of jit_compile"):
        tf.function(step, jit_compile=True)(tf.ones((2, 3)))
