"""The optimizers of TensorFlow 2.0 to 2.10 (keras/v2) in f64 against their
formulas as TensorFlow's kernels have them (training_ops.cc, and nadam.py and
rmsprop.py where there is no kernel), written here in NumPy in their order.

TensorFlow itself is not needed. The averages of 2.11 to 2.15 follow the
formula of that optimizer.py.
"""

import numpy as np
import pytest

from harness import assert_close, step, tensors

STEPS = 10


def sgd(w, g, s, lr, t, momentum=0.0, nesterov=False):
    if not momentum:
        return w - g*lr
    s["m"] = s["m"]*momentum - g*lr
    return w + (s["m"]*momentum - g*lr if nesterov else s["m"])


def adagrad(w, g, s, lr, t, epsilon=1e-7):
    s["accumulator"] += g**2
    return w - g*lr/(np.sqrt(s["accumulator"]) + epsilon)


def adadelta(w, g, s, lr, t, rho=0.95, epsilon=1e-7):
    s["accum_grad"] = s["accum_grad"]*rho + g**2*(1 - rho)
    update = np.sqrt(s["accum_var"] + epsilon)*g
    update /= np.sqrt(s["accum_grad"] + epsilon)
    s["accum_var"] = s["accum_var"]*rho + update**2*(1 - rho)
    return w - update*lr


def adam(w, g, s, lr, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
         amsgrad=False):
    alpha = lr*np.sqrt(1 - beta_2**t)/(1 - beta_1**t)
    s["m"] += (g - s["m"])*(1 - beta_1)
    s["v"] += (g**2 - s["v"])*(1 - beta_2)
    v = s["v"]
    if amsgrad:
        v = s["vhat"] = np.maximum(s["vhat"], v)
    return w - s["m"]*alpha/(np.sqrt(v) + epsilon)


def adamax(w, g, s, lr, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    s["m"] += (g - s["m"])*(1 - beta_1)
    s["v"] = np.maximum(beta_2*s["v"], abs(g))
    return w - lr/(1 - beta_1**t)*(s["m"]/(s["v"] + epsilon))


def nadam(w, g, s, lr, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
          schedule_decay=0.004):
    mu = [beta_1*(1 - 0.5*0.96**(schedule_decay*i)) for i in range(1, t + 2)]
    schedule, following = np.prod(mu[:t]), np.prod(mu)
    s["m"] = beta_1*s["m"] + (1 - beta_1)*g
    s["v"] = beta_2*s["v"] + (1 - beta_2)*g**2
    m = (1 - mu[t - 1])*g/(1 - schedule) + mu[t]*s["m"]/(1 - following)
    return w - lr*m/(np.sqrt(s["v"]/(1 - beta_2**t)) + epsilon)


def rmsprop(w, g, s, lr, t, rho=0.9, momentum=0.0, epsilon=1e-7,
            centered=False):
    s["ms"] += (g**2 - s["ms"])*(1 - rho)
    square = s["ms"]
    if centered:
        s["mg"] += (g - s["mg"])*(1 - rho)
        square = square - s["mg"]**2
    if not momentum:
        return w - lr*g/(np.sqrt(square) + epsilon)
    s["m"] = s["m"]*momentum + lr*g/np.sqrt(square + epsilon)
    return w - s["m"]


def ftrl(w, g, s, lr, t, learning_rate_power=-0.5, l1=0.0, l2=0.0,
         l2_shrinkage=0.0, beta=0.0):
    power, l2 = -learning_rate_power, l2 + beta/(2*lr)
    new = s["accumulator"] + g**2
    s["linear"] += (g + 2*l2_shrinkage*w
                    - (new**power - s["accumulator"]**power)/lr*w)
    s["accumulator"] = new
    shrunk = (l1*np.sign(s["linear"]) - s["linear"])/(new**power/lr + 2*l2)
    return np.where(abs(s["linear"]) > l1, shrunk, 0.0)


# Pipe, formula and its hypers; Ftrl's have long names in the pipe.
CASES = {
    "sgd": ("sgd(0.05, 0.3)", sgd, {}),
    "sgd momentum": ("sgd(0.05, 0.3, momentum = 0.9)", sgd,
                     {"momentum": 0.9}),
    "sgd nesterov": ("sgd(0.05, 0.3, momentum = 0.9, nesterov = true)", sgd,
                     {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("adagrad(0.05, decay = 0.3)", adagrad, {}),
    "adagrad epsilon": ("adagrad(0.05, 0.1, 0.5, 0.3)", adagrad,
                        {"epsilon": 0.5}),
    "adadelta": ("adadelta(0.5, 0.8, 1e-3, 0.3)", adadelta,
                 {"rho": 0.8, "epsilon": 1e-3}),
    "adam": ("adam(0.05, decay = 0.3)", adam, {}),
    "adam hypers": ("adam(0.05, 0.5, 0.7, 0.1, 0.3, amsgrad = true)", adam,
                    {"beta_1": 0.5, "beta_2": 0.7, "epsilon": 0.1,
                     "amsgrad": True}),
    "adamax": ("adamax(0.05, 0.8, 0.9, 1e-3, 0.3)", adamax,
               {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    "nadam": ("nadam(0.05)", nadam, {}),
    "nadam hypers": ("nadam(0.05, 0.5, 0.9, 1e-3, 0.2)", nadam,
                     {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3,
                      "schedule_decay": 0.2}),
    "rmsprop": ("rmsprop(0.05, decay = 0.3)", rmsprop, {}),
    "rmsprop momentum": ("rmsprop(0.05, 0.8, 0.1, 0.3, momentum = 0.5)",
                         rmsprop,
                         {"rho": 0.8, "epsilon": 0.1, "momentum": 0.5}),
    "rmsprop centered": ("rmsprop(0.05, 0.8, 0.1, 0.3, centered = true)",
                         rmsprop,
                         {"rho": 0.8, "epsilon": 0.1, "centered": True}),
    "rmsprop all": (
        "rmsprop(0.05, 0.8, 0.1, 0.3, momentum = 0.5, centered = true)",
        rmsprop, {"rho": 0.8, "epsilon": 0.1, "momentum": 0.5,
                  "centered": True}),
    "ftrl": ("ftrl(0.05, decay = 0.3)", ftrl, {}),
    "ftrl hypers": ("ftrl(0.3, -0.7, 0.1, 0.4, 0.1, 0.05, 0.7, 0.3)", ftrl,
                    {"learning_rate_power": -0.7, "l1": 0.4, "l2": 0.1,
                     "l2_shrinkage": 0.05, "beta": 0.7}),
}
SLOTS = ["m", "v", "vhat", "ms", "mg", "accum_grad", "accum_var", "linear"]


@pytest.mark.parametrize("case", CASES)
def test_rule(tmp_path, case):
    pipe, formula, hypers = CASES[case]
    params = tensors(1, np.float64)
    grads = [tensors(2 + i, np.float64) for i in range(STEPS)]
    del grads[3]["b"]
    ours = step(tmp_path, f"keras/v2/{pipe}", params, grads)
    rate = float(pipe.split("(")[1].split(",")[0].rstrip(")"))
    decay = 0.0 if "nadam" in pipe else 0.3
    theirs = {}
    for name, w in params.items():
        slots = {slot: np.zeros_like(w) for slot in SLOTS}
        slots["accumulator"] = np.full_like(w, 0.1)
        for t, arrays in enumerate(grads, 1):
            if name in arrays:
                w = formula(w, arrays[name], slots, rate/(1 + decay*(t - 1)),
                            t, **hypers)
        theirs[name] = w
        theirs |= {f"{name}.{slot}": value for slot, value in slots.items()
                   if f"{name}.{slot}" in ours}
    group = {"group0.momentum_cache"}
    assert ours.keys() - theirs.keys() <= group
    assert_close(ours, theirs, 1e-12)


@pytest.mark.parametrize("frequency", [0, 1, 3])
def test_average(tmp_path, frequency):
    params = tensors(1, np.float64)
    grads = [tensors(2 + i, np.float64) for i in range(STEPS)]
    del grads[2]["b"]
    ours = step(tmp_path, f"keras/v2/ema(0.8, overwrite_frequency = "
                f"{frequency}) | keras/sgd(0.05)", params, grads)
    theirs = {}
    for name, w in params.items():
        average = w
        for t, arrays in enumerate(grads, 1):
            if name not in arrays:
                continue
            w = w - 0.05*arrays[name]
            average = 0.8*average + 0.2*w
            if frequency and t % frequency == 0:
                w = average
        theirs |= {name: w, f"{name}.ema.average": average}
    assert_close(ours, theirs, 1e-12)
