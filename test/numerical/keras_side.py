"""What live Keras makes of the same tensors: parameters and all other state,
under the names that ours have."""

import os

os.environ["KERAS_BACKEND"] = "numpy"

import keras
import numpy as np

# Keras' word for a state, where ours has another.
WORDS = {"m": "momentum", "inf_norm": "norm", "base.average": "average",
         "base.total": "gradient_accumulator", "ema.average": "average",
         "accumulate.total": "gradient_accumulator"}


def build(optimizer, params, constraint=None):
    """Variables that start at `params`, in an optimizer built for them."""
    variables = {name: keras.Variable(value, dtype=str(value.dtype), name=name)
                 for name, value in params.items()}
    for variable in variables.values():
        variable.constraint = constraint
    optimizer.build(list(variables.values()))
    return variables


def keras_steps(optimizer, params, grads, constraint=None):
    """The parameters after one call for each of `grads`; a missing gradient is
    None."""
    variables = build(optimizer, params, constraint)
    for arrays in grads:
        optimizer.apply([arrays.get(name) for name in variables],
                        list(variables.values()))
    return {name: np.asarray(v.numpy()) for name, v in variables.items()}


def keras_states(optimizer, names):
    """Keras' value for each of our states, all of which have to be known, and
    all of Keras' tensors have to be among them."""
    outer, inner = optimizer, optimizer
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        inner = optimizer.inner_optimizer
    slots = {v.name: np.asarray(v.numpy()) for v in inner.variables
             if "/" in v.path and v.name not in ("iteration", "learning_rate")}
    scalars = {"group0.u_product": lambda: inner._u_product,
               "model.inner.step": lambda: inner.iterations + 1,
               "model.inner.calls": lambda: inner._iterations + 1,
               "model.dynamic_loss_scale.scale": lambda: outer.dynamic_scale,
               "model.dynamic_loss_scale.good": lambda: outer.step_counter,
               "model.dynamic_loss_scale.inner.step":
                   lambda: inner._iterations + 1}
    found, used = {}, set()
    for name in names:
        if name in scalars:
            found[name] = np.asarray(np.float64(scalars[name]()))
            continue
        param, state = name.split(".", 1)
        slot = f"{param}_{WORDS.get(state, state)}"
        assert slot in slots, f"Keras has no {slot} for {name}"
        found[name] = slots[slot]
        used.add(slot)
    assert used == set(slots), f"not compared: {set(slots) - used}"
    return found
