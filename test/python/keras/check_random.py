"""Random classes, options, schedules and shapes against the stock class.

Twelve steps; all variables, all state, and what finalize_variable_values makes.
f64 within 1e-12. In f32 within 5e-6: 2^-24 in each of twelve steps, and of a
step of at most 0.1 a few times 6e-6 where Keras makes 1 - 0.999^t in f32. On
TensorFlow within 7e-6.
"""

import random
import warnings

import keras
import numpy as np
import pytest
from common import BACKEND, assert_close, gradients, train, values

import updraft.keras as ours

stock = keras.optimizers
COUNT = {"numpy": 160, "torch": 130, "jax": 14,
         "tensorflow": 60}[BACKEND]
STEPS = 12
SHAPES = [(), (1,), (7,), (0,), (3, 4), (1, 5), (0, 3), (2, 3, 4), (2, 1, 3, 2)]
BETAS = dict(beta_1=(0.5, 0.95), beta_2=(0.6, 0.999))
# Ranges of floats, or lists to choose from.
CLASSES = {
    "SGD": dict(momentum=[0.0, 0.5, 0.9], nesterov=[False, True]),
    "Adam": dict(BETAS, epsilon=(1e-7, 1e-3), amsgrad=[False, True]),
    "AdamW": dict(BETAS, amsgrad=[False, True]),
    "Adadelta": dict(rho=(0.5, 0.99), epsilon=(1e-7, 1e-2)),
    "Adagrad": dict(initial_accumulator_value=(0.01, 1.0)),
    "Nadam": dict(BETAS),
    "Lion": dict(beta_1=(0.5, 0.95), beta_2=(0.6, 0.99)),
    "Adamax": dict(BETAS),
    "Lamb": dict(BETAS),
    "RMSprop": dict(rho=(0.5, 0.95), momentum=[0.0, 0.5],
                    centered=[False, True], epsilon=(1e-3, 1e-2)),
    "Ftrl": dict(learning_rate_power=(-0.9, -0.1), beta=(0.0, 0.5),
                 l1_regularization_strength=(0.0, 0.1),
                 l2_regularization_strength=(0.0, 0.1),
                 l2_shrinkage_regularization_strength=(0.0, 0.1)),
    "Adafactor": dict(beta_2_decay=(-0.9, -0.5), clip_threshold=(0.5, 2.0),
                      epsilon_2=(1e-3, 0.1), relative_step=[False, True]),
    "Muon": dict(adam_beta_1=(0.5, 0.95), adam_lr_ratio=(0.5, 2.0),
                 adam_weight_decay=[None, 0.0, 0.2], momentum=(0.5, 0.95),
                 nesterov=[False, True], rms_rate=[None, 0.2, 1.0],
                 ns_steps=[1, 3, 5], exclude_layers=[None, ["2"]]),
    "ScheduleFreeAdamW": dict(beta_1=(0.5, 0.95), warmup_steps=[0, 3, 20]),
}


class Own(stock.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1.0 + keras.ops.cast(step, keras.config.floatx()))


def rates(draw):
    s = stock.schedules
    return [
        draw.uniform(0.001, 0.1), lambda: 0.03, Own(),
        s.ExponentialDecay(0.1, 3, 0.7, staircase=draw.random() < 0.5),
        s.InverseTimeDecay(0.1, 3, 0.5, staircase=draw.random() < 0.5),
        s.PolynomialDecay(0.1, 5, 0.01, power=draw.choice([0.5, 1.0, 2.0]),
                          cycle=draw.random() < 0.5),
        s.PiecewiseConstantDecay([1, 4, 8], [0.1, 0.05, 0.02, 0.01]),
        s.CosineDecay(0.02, 6, alpha=0.1, warmup_target=draw.choice(
            [None, 0.1]), warmup_steps=3),
        s.CosineDecayRestarts(0.1, 3, t_mul=draw.choice([1.0, 2.0]), m_mul=0.9,
                              alpha=0.1)]


def base_options(draw, name):
    options = {"learning_rate": draw.choice(rates(draw))}
    if name != "AdamW" or draw.random() < 0.5:
        options["weight_decay"] = draw.choice(
            [0.0, 0.1] if name == "AdamW" else [None, None, 0.0, 0.1])
    clip = draw.choice(["clipnorm", "clipvalue", "global_clipnorm", "", ""])
    if clip:
        options[clip] = draw.choice([0.0, 0.3, 1.0, 100.0])
    if draw.random() < 0.4:
        options.update(use_ema=True, ema_momentum=draw.uniform(0.0, 1.0),
                       ema_overwrite_frequency=draw.choice([None, 1, 3]))
    if draw.random() < 0.3:
        options["loss_scale_factor"] = draw.choice([0.5, 3.0, 1024.0])
    if draw.random() < 0.4:
        options["gradient_accumulation_steps"] = draw.choice([2, 3, 5])
    return options


def configuration(seed):
    draw = random.Random(seed)
    # Every class comes up, whatever the count.
    name = list(CLASSES)[seed % len(CLASSES)]
    options = base_options(draw, name)
    for key, choice in CLASSES[name].items():
        options[key] = (draw.uniform(*choice) if isinstance(choice, tuple)
                        else draw.choice(choice))
    alone = BACKEND == "tensorflow"  # no f64 betas, no matrix without rows
    shapes = [s for s in SHAPES
              if 0 not in s or name != "Adafactor" and not alone]
    count = draw.randint(1, 2 if BACKEND == "jax" else 5)
    limits = [None, None, None, keras.constraints.NonNeg(),
              keras.constraints.MaxNorm(0.7, axis=None)]
    # Where Keras' JAX differs from its other backends: check_parity.py.
    gaps = draw.random() < 0.3 and not (
        BACKEND == "jax" and "gradient_accumulation_steps" in options)
    return dict(
        name=name, options=options, gaps=gaps, seed=seed,
        dtype=draw.choice(["float32"] if alone else ["float32", "float64"]),
        shapes=[draw.choice(shapes) for _ in range(count)],
        limits=[draw.choice(limits) for _ in range(count)],
        # The first is an ordinary one: Keras on torch cannot decay none.
        # On TensorFlow it cannot finalize with one of the others.
        overwritten=[i and draw.random() < 0.1 and not (
            alone and options.get("use_ema")) for i in range(count)],
        exclude=draw.choice([{}, dict(var_names=["1", "x$"]),
                             dict(var_list=range(1, count)),
                             dict(var_list=[count - 1] if count > 1 else [],
                                  var_names=["v[23]"])]))


def run(library, case):
    numbers = np.random.default_rng(case["seed"])
    vs = [keras.Variable(numbers.normal(size=shape).astype(case["dtype"]),
                         dtype=case["dtype"], name=f"v{i}")
          for i, shape in enumerate(case["shapes"])]
    for v, limit, overwritten in zip(vs, case["limits"], case["overwritten"]):
        v.constraint, v.overwrite_with_gradient = limit, bool(overwritten)
    optimizer = getattr(library, case["name"])(**case["options"])
    exclude = dict(case["exclude"])
    if "var_list" in exclude:
        exclude["var_list"] = [vs[i] for i in exclude["var_list"]]
    if exclude:
        optimizer.exclude_from_weight_decay(**exclude)
    missing = [(step, i) for step in range(STEPS) for i in range(1, len(vs))
               if case["gaps"] and numbers.random() < 0.2]
    after, state = train(optimizer, vs, gradients(vs, STEPS, case["seed"],
                                                  missing))
    if BACKEND != "jax":
        optimizer.finalize_variable_values(vs)
    return after + values(vs), state


@pytest.mark.parametrize("seed", range(COUNT))
def test_as_the_stock_class(seed):
    case = configuration(seed)
    keras.config.set_floatx(case["dtype"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mine, theirs = run(ours, case), run(stock, case)
        for a, b in zip(mine, theirs):
            assert_close(a, b, 1e-12 if case["dtype"] == "float64"
                         else 7e-6 if BACKEND == "tensorflow" else 5e-6)
    except Exception as error:
        raise AssertionError(str(case)) from error
    finally:
        keras.config.set_floatx("float32")
