"""Variables of several dtypes, which no one program has."""

import keras
import pytest
from common import BACKEND, assert_close, bound, gradients, train, variables

import updraft.keras as ours

stock = keras.optimizers


@pytest.mark.parametrize("options", [
    {}, dict(use_ema=True, gradient_accumulation_steps=2),
    pytest.param(
        dict(global_clipnorm=0.5, loss_scale_factor=2.0, use_ema=True),
        marks=pytest.mark.skipif(BACKEND == "tensorflow", reason="there Keras "
                                 "multiplies no f32 with the f64 norm"))],
    ids=["none", "apart", "together"])
def test_several_dtypes(options):
    """A program each; Keras' own step where a norm is of all."""
    for name in ("Nadam", "Adafactor"):
        results = []
        for library in (ours, stock):
            vs = (variables("float32", {"kernel": (4, 5)})
                  + variables("float64", {"bias": (5,)}))
            optimizer = getattr(library, name)(0.05, **options)
            missing = [(2, 0), (3, 1)] if BACKEND != "jax" else []
            results.append(train(optimizer, vs,
                                 gradients(vs, missing=missing)))
            if library is ours:
                parts = optimizer.__dict__["_parts"]
                assert len(parts) == (0 if "global_clipnorm" in options else 2)
        assert_close(results[0][0], results[1][0], bound("float32"))
        assert_close(results[0][1], results[1][1], bound("float32"))


def test_a_rule_that_sums_over_dtypes():
    vs = (variables("float32", {"kernel": (4, 5)})
          + variables("float64", {"bias": (5,)}))
    optimizer = ours.Optimizer("clip_by_global_norm(1.0) | keras/sgd")
    optimizer.build(vs)
    with pytest.raises(NotImplementedError, match="several dtypes"):
        train(optimizer, vs, gradients(vs))
