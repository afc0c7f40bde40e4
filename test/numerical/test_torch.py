"""torch's rules and boxes against live torch.

f64: 1e-12. f32: torch computes its bias corrections in f64, as Updraft does,
so only the rounding of single operations differs: ten steps of at most 0.05
round p and u a few times each by 2^-24.
"""

import numpy as np
import pytest
import torch

from harness import assert_close, step, tensors

STEPS = 10
F32 = 2e-6


def torch_steps(make, params, grads, clip=None, after=None):
    weights = {name: torch.tensor(value) for name, value in params.items()}
    optimizer = make(list(weights.values()))
    for arrays in grads:
        for name, weight in weights.items():
            weight.grad = (torch.tensor(arrays[name])
                           if name in arrays else None)
        if clip:
            clip(list(weights.values()))
        optimizer.step()
        if after:
            after(weights)
    return {name: weight.numpy() for name, weight in weights.items()}


def compare(folder, dtype, pipe, make, clip=None, grads=None):
    params = tensors(1, dtype)
    grads = grads or [tensors(2 + i, dtype) for i in range(STEPS)]
    ours = step(folder, pipe, params, grads)
    theirs = torch_steps(make, params, grads, clip)
    assert_close(ours, theirs, 1e-12 if dtype == np.float64 else F32)


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    return np.dtype(request.param)


def sgd(**options):
    return lambda weights: torch.optim.SGD(weights, 0.05, **options)


def adamw(**options):
    return lambda weights: torch.optim.AdamW(weights, 0.05, **options)


RULES = {
    "sgd": ("torch/sgd(0.05)", sgd()),
    "sgd without buffer": ("torch/sgd(0.05, momentum_buffer = false)", sgd()),
    "sgd momentum": ("torch/sgd(0.05, 0.9)", sgd(momentum=0.9)),
    "sgd dampening": ("torch/sgd(0.05, 0.9, 0.4)",
                      sgd(momentum=0.9, dampening=0.4)),
    "sgd nesterov": ("torch/sgd(0.05, 0.9, nesterov = true)",
                     sgd(momentum=0.9, nesterov=True)),
    "sgd decay": ("torch/sgd(0.05, 0.9, weight_decay = 0.3)",
                  sgd(momentum=0.9, weight_decay=0.3)),
    "sgd maximize": ("torch/sgd(0.05, weight_decay = 0.3, maximize = true)",
                     sgd(weight_decay=0.3, maximize=True)),
    "sgd dampening without momentum": (
        "torch/sgd(0.05, dampening = 0.4)", sgd(dampening=0.4)),
    "adamw": ("torch/adamw(0.05)", adamw()),
    "adamw options": ("torch/adamw(0.05, 0.8, 0.9, 1e-3, 0.2)",
                      adamw(betas=(0.8, 0.9), eps=1e-3, weight_decay=0.2)),
    "adamw amsgrad": ("torch/adamw(0.05, beta2 = 0.5, amsgrad = true)",
                      adamw(betas=(0.9, 0.5), amsgrad=True)),
    "adamw maximize": ("torch/adamw(0.05, maximize = true)",
                       adamw(maximize=True)),
}


@pytest.mark.parametrize("case", RULES)
def test_rule(tmp_path, dtype, case):
    compare(tmp_path, dtype, *RULES[case])


@pytest.mark.parametrize("case", ["sgd dampening", "sgd nesterov", "adamw",
                                  "adamw amsgrad"])
def test_absent_gradients(tmp_path, dtype, case):
    """A tensor's first step and bias correction count its own gradients."""
    grads = [tensors(2 + i, dtype) for i in range(STEPS)]
    for index in (0, 1, 5):
        del grads[index]["b"]
    del grads[0]["d"], grads[9]["c"]
    compare(tmp_path, dtype, *RULES[case], grads=grads)


@pytest.mark.parametrize("limit", [0.5, 1e3])
def test_clip_by_global_norm(tmp_path, dtype, limit):
    compare(tmp_path, dtype,
            f"clip_by_global_norm({limit}) | torch/sgd(0.05, 0.9)",
            sgd(momentum=0.9),
            lambda w: torch.nn.utils.clip_grad_norm_(w, limit))


def test_clip_by_value(tmp_path, dtype):
    compare(tmp_path, dtype, "clip_by_value(0.3) | torch/adamw(0.05)", adamw(),
            lambda w: torch.nn.utils.clip_grad_value_(w, 0.3))


def test_l2(tmp_path, dtype):
    """The box is what the rule's own coupled decay is."""
    compare(tmp_path, dtype, "l2(0.3) | torch/sgd(0.05, 0.9)",
            sgd(momentum=0.9, weight_decay=0.3))


@pytest.mark.parametrize("absent", [False, True])
def test_ema(tmp_path, dtype, absent):
    """avg <- decay*avg + (1 - decay)*p from the parameters before step 1."""
    params = tensors(1, dtype)
    grads = [tensors(2 + i, dtype) for i in range(STEPS)]
    if absent:
        del grads[4]["b"], grads[9]["d"]
    average = {name: torch.tensor(v) for name, v in params.items()}

    def follow(weights):
        torch._foreach_lerp_(list(average.values()), list(weights.values()),
                             1 - 0.8)

    theirs = torch_steps(adamw(), params, grads, after=follow)
    ours = step(tmp_path, "ema(0.8) | torch/adamw(0.05)", params, grads)
    bound = 1e-12 if dtype == np.float64 else F32
    assert_close(ours, theirs, bound)
    assert_close(ours, {f"{n}.ema.average": v.numpy()
                        for n, v in average.items()}, bound)


def test_ema_counts_updates(tmp_path):
    """Held calls do not advance the average of `ema`."""
    dtype = np.dtype("float64")
    params = tensors(1, dtype)
    grads = [tensors(2 + i, dtype) for i in range(6)]
    means = [{n: (a[n] + b[n]) / 2 for n in a}
             for a, b in zip(grads[::2], grads[1::2])]
    held = step(tmp_path, "ema(0.8) | accumulate(2) | torch/adamw(0.05)",
                params, grads)
    plain = step(tmp_path, "ema(0.8) | torch/adamw(0.05)", params, means)
    assert_close(held, {n: v for n, v in plain.items()
                        if n.split(".")[0] in params and ".t" not in n}, 1e-12)


def test_lookahead(tmp_path, dtype):
    """arXiv:1907.08610, Algorithm 1, around torch's SGD."""
    params = tensors(1, dtype)
    grads = [tensors(2 + i, dtype) for i in range(STEPS)]
    slow = {name: torch.tensor(v) for name, v in params.items()}
    count = [0]

    def synchronise(weights):
        count[0] += 1
        if count[0] % 3 == 0:
            for name, weight in weights.items():
                slow[name] += 0.4 * (weight - slow[name])
                weight.copy_(slow[name])

    theirs = torch_steps(sgd(momentum=0.9), params, grads, after=synchronise)
    ours = step(tmp_path, "lookahead(3, 0.4) | torch/sgd(0.05, 0.9)", params,
                grads)
    assert_close(ours, theirs, 1e-12 if dtype == np.float64 else F32)


def test_cautious(tmp_path, dtype):
    """arXiv:2411.16085, Algorithm 2, on AdamW written out in NumPy."""
    params = tensors(1, dtype)
    grads = [tensors(2 + i, dtype) for i in range(STEPS)]
    p = {n: v.astype(np.float64) for n, v in params.items()}
    m = {n: np.zeros_like(v) for n, v in p.items()}
    v = {n: np.zeros_like(w) for n, w in p.items()}
    for t, arrays in enumerate(grads, 1):
        for n in p:
            g = arrays[n].astype(np.float64)
            m[n] = 0.9 * m[n] + 0.1 * g
            v[n] = 0.999 * v[n] + 0.001 * g * g
            u = (m[n] / (1 - 0.9**t)) / (np.sqrt(v[n] / (1 - 0.999**t)) + 1e-8)
            mask = u * g > 0
            u = u * mask * (mask.size / (mask.sum() + 1))
            p[n] = (1 - 0.05 * 0.01) * p[n] - 0.05 * u
    ours = step(tmp_path, "cautious | torch/adamw(0.05)", params, grads)
    assert_close(ours, p, 1e-12 if dtype == np.float64 else F32)
