"""Real training: the networks of examples/keras learn three epochs of digits
with the stock classes and with ours, batch for batch the same loss.

The bound is about what f32 makes of two orders of the same sums: two stock runs
whose weights differ by one rounding at the start are 1e-5 apart. Keras' bias
corrections in f32, exact to 1e-5 of a step, take Adam's kin further.
"""

import pathlib
import sys

import keras
import numpy as np
import pytest
from common import BACKEND

import updraft.keras as ours

EXAMPLE = pathlib.Path(__file__).resolve().parents[3] / "examples/keras"
sys.path.insert(0, str(EXAMPLE))
import networks  # noqa: E402


def optimizer(library, network):
    if network == "convolution":
        return library.Nadam(2e-3, global_clipnorm=1.0, use_ema=True,
                             ema_overwrite_frequency=50)
    cosine = keras.optimizers.schedules.CosineDecay(
        1e-4, 100, warmup_target=5e-3, warmup_steps=30)
    return library.AdamW(cosine, weight_decay=0.01, clipnorm=1.0,
                         gradient_accumulation_steps=2)


@pytest.mark.parametrize("network", networks.NETWORKS)
def test_same_curve(network):
    (one, losses), (two, theirs) = (
        networks.train(network, optimizer(library, network), 3)
        for library in (ours, keras.optimizers))
    assert len(losses) == 3 * 44 and theirs[-10:].mean() < theirs[0] / 3
    assert np.abs(losses - theirs).max() < 2e-4
    images, labels = networks.digits()[1]
    accuracy = [net.evaluate(images, labels, verbose=0)[1]
                for net in (one, two)]
    assert min(accuracy) > 0.85
    # Of 359 images, two may lie on the border.
    assert abs(accuracy[0] - accuracy[1]) < 0.006
