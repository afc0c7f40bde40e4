"""Loss scaling and several optimizers together, as the stock classes."""

import keras
import numpy as np
import pytest
from common import (BACKEND, assert_close, bound, gradients, train, values,
                    variables)

import updraft.keras as ours

stock = keras.optimizers
ALL = dict(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2,
           global_clipnorm=0.5, weight_decay=0.1,
           gradient_accumulation_steps=2)
INNER = {
    "SGD": ("SGD", {}),
    "Nadam": ("Nadam", dict(learning_rate=stock.schedules.CosineDecay(.1, 9))),
    "Adam all": ("Adam", ALL),
    "Lamb": ("Lamb", dict(clipvalue=0.4, loss_scale_factor=3.0)),
}


def scaled(vs, steps=10, missing=()):
    """Gradients of a loss scaled by 64, some of them beyond what is finite."""
    grads = [[None if g is None else g * 64.0 for g in each]
             for each in gradients(vs, steps, missing=missing)]
    grads[2][0] = grads[2][0] * float("inf")
    grads[7][1] = grads[7][1] * float("nan")
    return grads


def both(make, dtype="float32", prepare=lambda vs: None, missing=(), **more):
    """Steps of both libraries; what ours was."""
    results = []
    for library in (ours, stock):
        vs = variables(dtype, **more)
        prepare(vs)
        optimizer = library.LossScaleOptimizer(
            make(library), initial_scale=64.0, dynamic_growth_steps=3)
        results.append((*train(optimizer, vs, scaled(vs, missing=missing)),
                        optimizer))
    for mine, theirs in zip(results[0][:2], results[1][:2]):
        assert_close(mine, theirs, bound(dtype))
    # Eight calls of ten were finite; 64 was halved twice and doubled once.
    counter, scale, iterations = results[0][1][2:5]
    assert (int(counter), float(scale), int(iterations)) == (2, 32.0, 8)
    return results[0][2]


def limited(vs):
    vs[0].constraint = keras.constraints.MaxNorm(0.5, axis=0)


@pytest.mark.parametrize("case", INNER if BACKEND != "jax" else ["Adam all"])
def test_loss_scale_is_compiled(dtype, case):
    name, arguments = INNER[case]

    def make(library):
        inner = getattr(library, name)(**arguments)
        if "loss_scale_factor" in arguments:  # set later, it divides as well
            inner.loss_scale_factor = arguments["loss_scale_factor"]
        return inner

    optimizer = both(make, dtype, limited)
    part, = optimizer.inner_optimizer.__dict__["_parts"]
    assert "keras_loss_scale.scale" in part.program.states


def overwritten(vs):
    vs[1].overwrite_with_gradient = True


def test_loss_scale_beside_the_program():
    """Where the test for finite gradients reads what the program does not."""
    def inner(library):
        return library.Adam(0.05)

    both(inner, prepare=overwritten, shapes={"kernel": (4, 5), "bias": (5,)})
    if BACKEND != "jax":
        both(lambda library: stock.Adam(0.05))
    many = [keras.Variable(np.ones(3), dtype=d) for d in ("float32", "float64")]
    optimizer = ours.LossScaleOptimizer(ours.SGD(1.0), initial_scale=2.0)
    after, _ = train(optimizer, many, [[keras.ops.full((3,), 2.0, v.dtype)
                                        for v in many]])
    assert_close(after, [np.zeros(3, "f4"), np.zeros(3)], 0)


@pytest.mark.skipif(BACKEND == "jax", reason="as accumulation in check_parity")
def test_loss_scale_and_missing_gradients():
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        both(lambda library: library.Adam(0.05),
             missing=[(0, 1), (2, 3), (5, 0)])
    vs = variables("float32")
    optimizer = ours.LossScaleOptimizer(ours.Adam())
    optimizer.build(vs)
    before = values(optimizer.variables)
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None] * len(vs), vs)
    assert_close(values(optimizer.variables), before, 0)


@pytest.mark.parametrize("rule", ["keras/adam", "accumulate(2) | keras/adam"])
def test_loss_scale_around_any_rule(rule):
    """Its counters stand one box further in than its slots are called."""
    results = []
    every = 2 if "accumulate" in rule else None
    for library, inner in ((ours, ours.Optimizer(rule, 0.05)), (
            stock, stock.Adam(0.05, gradient_accumulation_steps=every))):
        vs = variables("float32")
        optimizer = library.LossScaleOptimizer(
            inner, initial_scale=64.0, dynamic_growth_steps=3)
        results.append(train(optimizer, vs, scaled(vs))[0])
    assert_close(*results, 7e-6)


def test_loss_scale_config():
    first = ours.LossScaleOptimizer(ours.Adam(0.5), 8.0, 5)
    assert isinstance(first, stock.LossScaleOptimizer)
    again = stock.deserialize(stock.serialize(first))
    assert type(again) is type(first)
    assert type(again.inner_optimizer) is ours.Adam
    assert again.get_config() == first.get_config()
    theirs = stock.LossScaleOptimizer(stock.Adam(0.5), 8.0, 5).get_config()
    mine = first.get_config()
    for each in (mine, theirs):
        each.pop("name"), each["inner_optimizer"]["config"].pop("name")
    assert (mine["inner_optimizer"].pop("config")
            == theirs["inner_optimizer"].pop("config"))
    mine.pop("inner_optimizer"), theirs.pop("inner_optimizer")
    assert mine == theirs
    for wrong in (dict(dynamic=False), dict(clipnorm=1.0), dict(lr=1.0)):
        with pytest.raises(ValueError):
            ours.LossScaleOptimizer(ours.Adam(), **wrong)


def multi(library):
    return library.MultiOptimizer(
        stock.OptimizerMap(library.SGD(0.1, momentum=0.5), {
            "kernel": library.Adam(0.05, global_clipnorm=0.5),
            "em.*|sca.*": library.Nadam(0.05, use_ema=True)}),
        loss_scale_factor=4.0)


def test_multi_optimizer(dtype):
    results = []
    for library in (ours, stock):
        vs = variables(dtype)
        optimizer = multi(library)
        results.append((*train(optimizer, vs, gradients(vs)), optimizer))
    for mine, theirs in zip(results[0][:2], results[1][:2]):
        assert_close(mine, theirs, bound(dtype))
    optimizer = results[0][2]
    assert {type(o) for o in optimizer.optimizers} == {
        ours.SGD, ours.Adam, ours.Nadam}
    with pytest.raises(AttributeError):
        optimizer.learning_rate
    again = stock.deserialize(stock.serialize(optimizer))
    assert type(again) is ours.MultiOptimizer
    assert again.get_config() == optimizer.get_config()


def test_multi_optimizer_by_function():
    results = []
    for library in (ours, stock):
        vs = variables("float32")
        large, small = library.Adam(0.05), library.SGD(0.1)
        optimizer = library.MultiOptimizer(
            lambda v: large if len(v.shape) > 1 else small)
        results.append(train(optimizer, vs, gradients(vs))[0])
    assert_close(*results, bound("float32"))


# Of Nadam's product Keras' own LossScaleOptimizer knows nothing.
@pytest.mark.skipif(BACKEND == "jax", reason="Keras' own fails outside of jit")
@pytest.mark.parametrize("to_stock", [False, True])
@pytest.mark.parametrize("make", [
    multi, lambda library: library.LossScaleOptimizer(
        library.Adam(0.05), initial_scale=2.0, dynamic_growth_steps=3)])
def test_files_of_wrappers(make, to_stock):
    """Three steps here, saved, four steps there: as seven in one place."""
    first, second = (ours, stock) if to_stock else (stock, ours)
    vs, wanted = variables("float32"), variables("float32")
    grads = gradients(vs)
    one, two, whole = make(first), make(second), make(first)
    for optimizer, held in ((one, vs), (two, vs), (whole, wanted)):
        optimizer.build(held)
    for each in grads[:3]:
        one.apply(each, vs)
    store = {}
    one.save_own_variables(store)
    two.load_own_variables(store)
    assert [tuple(v.shape) for v in two.variables] == [
        tuple(v.shape) for v in one.variables]
    for each in grads[3:]:
        two.apply(each, vs)
    for each in grads:
        whole.apply(each, wanted)
    assert_close(values(vs), values(wanted), bound("float32"))
    assert_close(values(two.variables), values(whole.variables),
                 bound("float32"))


@pytest.mark.skipif(BACKEND == "numpy", reason="Keras does not train on NumPy")
def test_fit_in_half_precision():
    """mixed_float16: the loss is scaled, and training is as with the stock."""
    random = np.random.default_rng(0)
    x = random.normal(size=(96, 8)).astype("f4")
    y = (x[:, 0] > 0).astype("i4")
    losses = []
    keras.config.set_dtype_policy("mixed_float16")
    try:
        for library in (ours, stock):
            keras.utils.set_random_seed(3)
            net = keras.Sequential([
                keras.Input((8,)), keras.layers.Dense(16, "relu"),
                keras.layers.Dense(2, "softmax", dtype="float32")])
            optimizer = library.LossScaleOptimizer(
                library.Adam(0.01), initial_scale=2.0**30,
                dynamic_growth_steps=4)
            net.compile(optimizer, "sparse_categorical_crossentropy")
            history = net.fit(x, y, batch_size=16, epochs=4, verbose=0,
                              shuffle=False)
            losses.append(history.history["loss"])
            assert int(optimizer.iterations) < 24  # the first were too large
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(*losses, rtol=5e-3)
    assert losses[0][-1] < 0.9 * losses[0][0]
