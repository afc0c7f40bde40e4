"""Every class and every option against the stock class."""

import warnings

import keras
import numpy as np
import pytest
from common import (BACKEND, assert_close, bound, gradients, shapes_for,
                    train, values, variables)

import updraft.keras as ours

stock = keras.optimizers
RATE = 0.05

CLASSES = {
    "SGD": ("SGD", {}),
    "SGD momentum": ("SGD", dict(momentum=0.9)),
    "SGD nesterov": ("SGD", dict(momentum=0.9, nesterov=True)),
    "Adam": ("Adam", dict(beta_1=0.8, beta_2=0.95, epsilon=1e-4)),
    "Adam amsgrad": ("Adam", dict(amsgrad=True, beta_2=0.5)),
    "AdamW": ("AdamW", dict(weight_decay=0.1)),
    "Adadelta": ("Adadelta", dict(rho=0.9)),
    "Adagrad": ("Adagrad", dict(initial_accumulator_value=0.3)),
    "Nadam": ("Nadam", dict(beta_1=0.8)),
    "Lion": ("Lion", dict(beta_1=0.8)),
    "Adamax": ("Adamax", dict(beta_1=0.8)),
    "Lamb": ("Lamb", dict(beta_1=0.8)),
    "Ftrl": ("Ftrl", dict(learning_rate_power=-0.7, beta=0.1,
                          l1_regularization_strength=0.02,
                          l2_regularization_strength=0.1,
                          l2_shrinkage_regularization_strength=0.1)),
    "Adafactor": ("Adafactor", dict(beta_2_decay=-0.7, clip_threshold=0.7,
                                    epsilon_2=0.1)),
    "ScheduleFreeAdamW": ("ScheduleFreeAdamW", dict(beta_1=0.8,
                                                    warmup_steps=4)),
    "RMSprop": ("RMSprop", dict(rho=0.8)),
    "RMSprop all": ("RMSprop", dict(momentum=0.5, centered=True,
                                    epsilon=1e-3)),
}
OPTIONS = {
    "none": {},
    "clipnorm": dict(clipnorm=0.7),
    "global_clipnorm": dict(global_clipnorm=0.7),
    "clipvalue": dict(clipvalue=0.3),
    "clip of 0": dict(clipvalue=0.0),
    "decay": dict(weight_decay=0.1),
    "scale": dict(loss_scale_factor=8.0),
    "ema": dict(use_ema=True, ema_momentum=0.8),
    "overwrite": dict(use_ema=True, ema_momentum=0.8,
                      ema_overwrite_frequency=3),
    "accumulate": dict(gradient_accumulation_steps=3),
    "all": dict(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2,
                loss_scale_factor=3.0, gradient_accumulation_steps=3,
                global_clipnorm=0.5, weight_decay=0.1),
}


def compare(name, dtype, missing=(), **arguments):
    results = []
    for library in (ours, stock):
        vs = variables(dtype, shapes_for(name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(train(getattr(library, name)(**arguments), vs,
                                 gradients(vs, missing=missing)))
    assert_close(results[0][0], results[1][0], bound(dtype))
    assert_close(results[0][1], results[1][1], bound(dtype))


@pytest.mark.parametrize("case", CLASSES)
def test_class(dtype, case):
    name, arguments = CLASSES[case]
    compare(name, dtype, **{"learning_rate": RATE, **arguments})


@pytest.mark.parametrize("case", CLASSES)
def test_defaults(case):
    name, _ = CLASSES[case]
    compare(name, "float32")


@pytest.mark.parametrize("name", ["Nadam"] if BACKEND == "jax" else
                         ["SGD", "Adam", "Nadam"])
@pytest.mark.parametrize("case", OPTIONS)
def test_options(dtype, case, name):
    compare(name, dtype, learning_rate=RATE, **OPTIONS[case])


@pytest.mark.parametrize("case", ["all"] if BACKEND == "jax" else
                         ["none", "ema", "accumulate", "all"])
def test_missing_gradients(dtype, case):
    # JAX keeps the accumulator of a variable without gradient: see below.
    last = case in ("accumulate", "all") and BACKEND == "jax"
    missing = [(0, 1), (3, 0)] if last else [(0, 1), (2, 0), (3, 0), (5, 2)]
    compare("Adam", dtype, missing, learning_rate=RATE, **OPTIONS[case])


def schedules():
    s = stock.schedules
    return {
        "exponential": s.ExponentialDecay(0.1, 3, 0.5),
        "staircase": s.ExponentialDecay(0.1, 3, 0.5, staircase=True),
        "inverse": s.InverseTimeDecay(0.1, 3, 0.5),
        "polynomial": s.PolynomialDecay(0.1, 4, 0.01, power=2.0),
        "cycle": s.PolynomialDecay(0.1, 3, 0.01, cycle=True),
        "piecewise": s.PiecewiseConstantDecay([1, 4], [0.1, 0.05, 0.01]),
        "cosine": s.CosineDecay(0.1, 5, alpha=0.1),
        "warmup": s.CosineDecay(0.01, 5, warmup_target=0.1, warmup_steps=3),
        "restarts": s.CosineDecayRestarts(0.1, 2, t_mul=2.0, m_mul=0.9),
    }


@pytest.mark.parametrize("case", schedules())
def test_schedule_is_compiled(case):
    schedule = schedules()[case]
    for accumulate in (None, 2) if BACKEND != "jax" else (2,):
        compare("Adam", "float32", learning_rate=schedule, weight_decay=0.1,
                gradient_accumulation_steps=accumulate)
    optimizer = ours.SGD(schedule)
    assert optimizer._recipe().rate is None


class Own(stock.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1.0 + keras.ops.cast(step, "float32"))


def test_schedule_of_the_user():
    assert ours.SGD(Own())._recipe().rate == "learning_rate"
    compare("Adam", "float32", learning_rate=Own())
    s = stock.schedules
    # Keras computes this one in whole numbers, and that one has no room.
    whole = s.ExponentialDecay(1, 3, 0.5)
    many = s.PiecewiseConstantDecay([1, 2, 3, 4, 5, 6],
                                    [.7, .6, .5, .4, .3, .2, .1])
    for schedule in (whole, many):
        assert ours.SGD(schedule)._recipe().rate == "learning_rate"
    compare("SGD", "float32", learning_rate=many)


def test_callable_rate():
    compare("Adam", "float32", learning_rate=lambda: 0.03)


def test_subset_and_order():
    results = []
    for library in (ours, stock):
        vs = variables("float32")
        optimizer = library.Adam(RATE)
        optimizer.build(vs)
        for grads in gradients(vs):
            optimizer.apply_gradients([(grads[2], vs[2]), (grads[0], vs[0])])
        results.append(values(vs))
    assert_close(*results, bound("float32"))


def test_exclude_from_weight_decay():
    for late in (False, True):
        results = []
        for library in (ours, stock):
            vs = variables("float32")
            optimizer = library.AdamW(RATE, weight_decay=0.5)
            optimizer.build(vs)
            for step, grads in enumerate(gradients(vs)):
                if step == (3 if late else 0):
                    optimizer.exclude_from_weight_decay(
                        [vs[2]], var_names=["bi.s", "scalar"])
                optimizer.apply(grads, vs)
                if step == 3 and late:
                    optimizer._exclude_from_weight_decay_cache = {}
            results.append(values(vs))
        assert_close(*results, bound("float32"))


def test_constraints():
    results = []
    for library in (ours, stock):
        vs = variables("float32")
        vs[0].constraint = keras.constraints.NonNeg()
        vs[1].constraint = keras.constraints.MaxNorm(0.5, axis=0)
        results.append(train(library.SGD(0.5), vs, gradients(vs))[0])
    assert_close(*results, bound("float32"))
    assert (results[0][0] >= 0).all()


@pytest.mark.parametrize("accumulate", [None, 2])
def test_overwrite_with_gradient(accumulate):
    results = []
    for library in (ours, stock):
        vs = variables("float32")
        vs[1].overwrite_with_gradient = True
        optimizer = library.Adam(RATE, use_ema=True,
                                 gradient_accumulation_steps=accumulate)
        results.append(train(optimizer, vs, gradients(vs)))
    assert_close(results[0][0], results[1][0], bound("float32"))
    assert_close(results[0][1], results[1][1], bound("float32"))


@pytest.mark.parametrize("low", ["bfloat16", "float16"])
def test_low_precision(low):
    """Slots in the variable's dtype, as Keras; the step itself is in f32."""
    results = []
    for library in (ours, stock):
        vs = variables("float32", {"kernel": (4, 5), "bias": (5,)})
        vs = [keras.Variable(v.value, dtype=low) for v in vs]
        grads = [[keras.ops.cast(g, low) for g in each]
                 for each in gradients(variables("float32", {
                     "kernel": (4, 5), "bias": (5,)}))]
        # Of Adam's 0.999 bfloat16 makes 1, which stops Keras' Adam.
        optimizer = library.SGD(0.1, momentum=0.5, use_ema=True)
        optimizer.build(vs)
        for each in grads:
            optimizer.apply(each, vs)
        assert all(keras.backend.standardize_dtype(v.dtype) == low
                   for v in optimizer.variables[2:])
        results.append([np.asarray(keras.ops.convert_to_numpy(
            keras.ops.cast(v, "float32"))) for v in vs])
    # Keras rounds each operation to 8 bits (or 11) in seven steps of 0.1.
    assert_close(*results, 0.06 if low == "bfloat16" else 0.01)


@pytest.mark.skipif(BACKEND == "tensorflow",
                    reason="there Keras adds no matrices without rows")
def test_adafactor_without_rows():
    """A matrix without rows has columns: Keras' become NaN, ours stay 0."""
    vs = variables("float32")
    optimizer = ours.Adafactor(RATE)
    train(optimizer, vs, gradients(vs))
    assert all(np.isfinite(x).all() for x in values(vs))
    empty = [s for s in values(optimizer.variables) if s.shape == (3,)]
    assert len(empty) == 1 and not empty[0].any()


def test_loss_scale_optimizer():
    results = []
    for library in (ours, stock):
        vs = variables("float32")
        inner = library.Adam(RATE)
        optimizer = stock.LossScaleOptimizer(inner, initial_scale=64.0,
                                             dynamic_growth_steps=3)
        grads = gradients(vs)
        grads[2][0] = grads[2][0] * np.float32(np.inf)
        grads = [[g * 64.0 for g in each] for each in grads]
        results.append(train(optimizer, vs, grads))
    assert_close(results[0][0], results[1][0], bound("float32"))
    assert_close(results[0][1], results[1][1], bound("float32"))
