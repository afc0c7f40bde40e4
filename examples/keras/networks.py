"""Two small networks and the images that they learn: the handwritten digits of
examples/digits, whose README says where they come from."""

import pathlib

import keras
import numpy as np

DATA = pathlib.Path(__file__).parents[1] / "digits" / "digits.csv"
layers = keras.layers


def digits():
    """Images (n, 8, 8, 1), f32 in [0, 1], and digits (n,), i32: those to learn
    from and those to test with, a fifth, drawn with a fixed seed."""
    table = np.loadtxt(DATA, delimiter=",", dtype="int32")
    table = table[np.random.default_rng(0).permutation(len(table))]
    images = (table[:, :64] / 16).astype("float32").reshape(-1, 8, 8, 1)
    kept = len(table) // 5
    labels = table[:, 64]
    return (images[kept:], labels[kept:]), (images[:kept], labels[:kept])


def convolution():
    """Three convolutions and a dense layer: 24,058 parameters. Smooth: where a
    rectifier has its corner, one rounding takes two trainings apart."""
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(32, 3, padding="same", activation="gelu"),
        layers.Conv2D(32, 3, strides=2, activation="gelu"),
        layers.BatchNormalization(),
        layers.Conv2D(48, 3, activation="gelu"),
        layers.Flatten(),
        layers.Dense(10),
    ])


class Place(layers.Layer):
    """Adds what is learnt about each place in a sequence."""

    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], name="table")

    def call(self, x):
        return x + self.table


def transformer(width=32, heads=4, blocks=2):
    """An encoder of 18,026 parameters: an image's eight rows are its tokens."""
    image = keras.Input((8, 8, 1))
    x = Place()(layers.Dense(width)(layers.Reshape((8, 8))(image)))
    for _ in range(blocks):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(heads, width // heads)(y, y)
        y = layers.LayerNormalization()(x)
        x = x + layers.Dense(width)(layers.Dense(2 * width, "gelu")(y))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(image, layers.Dense(10)(x))


NETWORKS = {"convolution": convolution, "transformer": transformer}


class Losses(keras.callbacks.Callback):
    """Notes the loss of every batch, which Keras only gives averaged."""

    def on_train_begin(self, logs=None):
        self.sums, self.values = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.sums = []

    def on_train_batch_end(self, batch, logs=None):
        # logs has the mean over the epoch so far.
        total = float(logs["loss"]) * (batch + 1)
        self.values.append(total - (self.sums[-1] if self.sums else 0))
        self.sums.append(total)


def train(network, optimizer, epochs, batch=32, seed=1, nudged=False):
    """Trains a new network, equal for equal seeds; returns it and the loss of
    every batch. nudged: from weights that are one rounding away, which shows
    how far rounding alone takes two trainings apart."""
    keras.utils.set_random_seed(seed)
    net = NETWORKS[network]()
    if nudged:
        net.set_weights([np.nextafter(w, np.float32(np.inf))
                         for w in net.get_weights()])
    net.compile(optimizer,
                keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                metrics=["accuracy"])
    (images, labels), _ = digits()
    whole = len(images) // batch * batch
    losses = Losses()
    net.fit(images[:whole], labels[:whole], batch_size=batch, epochs=epochs,
            verbose=0, callbacks=[losses])
    return net, np.array(losses.values)
