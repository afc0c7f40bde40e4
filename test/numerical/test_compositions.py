"""Random compositions: the interpreter and compiled code give the same bits.

Each case is a rule behind up to four boxes, with random options, hypers,
groups, tags, sizes and dtype, checked once with one thread in code for
x86-64-v3 and once with two threads in code for x86-64-v4. A failure prints the
command that shows it again.
"""

import pathlib
import random

import pytest

from harness import call

CASES = 200
SIZES = [0, 1, 2, 7, 15, 16, 17, 63, 127, 128, 129, 1000, 4095, 4096, 4097]


def has_v4():
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return all(f"avx512{x}" in flags for x in ("f", "bw", "cd", "dq", "vl"))


TARGETS = [("1", "x86-64-v3")]
TARGETS += [("2", "x86-64-v4" if has_v4() else "x86-64-v3")]


def number(r, low, high):
    return f"{r.uniform(low, high):.6g}"


def whole(r, low, high):
    return str(r.randint(low, high))


def rate(r):
    """A rate, as a number or a schedule."""
    initial = number(r, 0.001, 0.5)
    return r.choice([
        initial, initial, initial,
        f"exponential_decay({initial}, {whole(r, 1, 4)}, 0.7,"
        f" staircase = {whole(r, 0, 1)})",
        f"inverse_time_decay({initial}, {whole(r, 1, 4)}, 0.7)",
        f"polynomial_decay({initial}, 3, 0.001, {number(r, 0.5, 2)},"
        f" cycle = {whole(r, 0, 1)})",
        f"piecewise_constant_decay({initial}, 1, 0.1, 3, 0.3)",
        f"cosine_decay({initial}, 5, 0.1, 0.4, {whole(r, 0, 3)})",
        f"cosine_decay_restarts({initial}, 2, {r.choice(['1', '2', '1.5'])},"
        " 0.8)",
    ])


def flag(r, name):
    return f", {name} = {r.choice(['true', 'false'])}"


def adam(name, beta):
    return lambda r: (f"{name}({rate(r)}, {beta}1 = {number(r, 0, 0.99)},"
                      f" {beta}2 = {number(r, 0, 0.999)}"
                      + flag(r, "amsgrad") + ")")


def torch_sgd(r):
    return r.choice([
        f"torch/sgd({rate(r)}, momentum_buffer = false"
        f", weight_decay = {number(r, 0, 0.5)}" + flag(r, "maximize") + ")",
        f"torch/sgd({rate(r)}, {number(r, 0.1, 0.9)}"
        f", weight_decay = {number(r, 0, 0.5)}" + flag(r, "nesterov") + ")",
        f"torch/sgd({rate(r)}, {r.choice(['0', '0.9'])}, {number(r, 0, 0.5)})",
    ])


def rmsprop(name):
    return lambda r: (f"{name}({rate(r)}, {number(r, 0.1, 0.99)}, momentum ="
                      f" {r.choice(['0', number(r, 0.1, 1)])}"
                      + flag(r, "centered") + ")")


def ftrl(name):
    return lambda r: (f"{name}({number(r, 0.01, 0.5)},"
                      f" {r.choice(['0', '-0.5', '-0.7'])},"
                      f" {number(r, 0.1, 1)}, {r.choice(['0', '0.5'])},"
                      f" {number(r, 0, 1)}, {number(r, 0, 1)},"
                      f" {number(r, 0, 1)})")


def decaying(name):
    return lambda r: f"keras/v2/{name}({rate(r)}, decay = {number(r, 0, 1)})"


# Whether the rule has a port u, and its text.
RULES = [
    (True, lambda r: f"keras/sgd({rate(r)})"),
    (False, lambda r: f"keras/sgd({rate(r)}, momentum = {number(r, 0.1, 1)}"
                      + flag(r, "nesterov") + ")"),
    (True, adam("keras/adam", "beta_")),
    (True, adam("keras/adamw", "beta_")),
    (True, lambda r: f"keras/adadelta({rate(r)}, {number(r, 0.1, 0.99)})"),
    (True, lambda r: f"keras/adagrad({rate(r)}, {number(r, 0, 1)})"),
    (True, lambda r: f"keras/nadam({rate(r)}, {number(r, 0, 0.99)})"),
    (True, lambda r: f"keras/adamax({rate(r)}, {number(r, 0, 0.99)})"),
    (True, rmsprop("keras/rmsprop")),
    (False, ftrl("keras/ftrl")),
    (True, lambda r: f"keras/lion({rate(r)}, {number(r, 0.1, 0.9)})"),
    (True, lambda r: f"keras/lamb({rate(r)}, {number(r, 0, 0.99)})"),
    (False, lambda r: f"keras/schedule_free_adamw({number(r, 0.001, 0.5)},"
                      f" {number(r, 0.1, 1)},"
                      f" warmup_steps = {whole(r, 0, 3)})"),
    (True, rmsprop("keras/v2/rmsprop")),
    (False, ftrl("keras/v2/ftrl")),
    (True, lambda r: f"keras/v2/nadam({rate(r)}, {number(r, 0, 0.99)})"),
    *((True, decaying(name))
      for name in ["sgd", "adagrad", "adadelta", "adam", "adamax"]),
    (True, torch_sgd),
    (True, adam("torch/adamw", "beta")),
    (True, lambda r: f"paper/lion({rate(r)}, {number(r, 0.1, 0.9)},"
                     f" weight_decay = {number(r, 0, 0.5)})"),
]

BOXES = {
    "clip_by_value": lambda r: f"clip_by_value({number(r, 0.1, 3)})",
    "clip_by_norm": lambda r: f"clip_by_norm({number(r, 0.1, 9)})",
    "clip_by_global_norm":
        lambda r: f"clip_by_global_norm({number(r, 0.1, 99)})",
    "l2": lambda r: f"l2({number(r, 0, 0.5)})",
    "weight_decay": lambda r: f"weight_decay({number(r, 0, 0.5)})",
    "ema": lambda r: r.choice([
        f"ema({number(r, 0, 1)})",
        f"keras/ema({number(r, 0, 1)},"
        f" overwrite_frequency = {whole(r, 0, 3)})",
        f"keras/v2/ema({number(r, 0, 1)},"
        f" overwrite_frequency = {whole(r, 0, 3)})"]),
    "accumulate": lambda r: f"accumulate({whole(r, 2, 4)})",
    "loss_scale": lambda r: f"loss_scale({number(r, 0.5, 99)})",
    "dynamic_loss_scale":
        lambda r: f"dynamic_loss_scale({whole(r, 1, 3)}, {whole(r, 1, 64)})",
    "lookahead":
        lambda r: f"lookahead({whole(r, 1, 3)}, {number(r, 0, 1)})",
    "clipnorm": lambda r: f"keras/clipnorm({number(r, 0.1, 9)})",
    "global_clipnorm": lambda r: f"keras/global_clipnorm({number(r, 0.1, 99)})",
    "clipvalue": lambda r: f"keras/clipvalue({number(r, 0.1, 3)})",
    "base": lambda r: f"keras/base({number(r, 0, 0.5)}, {number(r, 0, 1)},"
                      f" {number(r, 0.5, 99)},"
                      f" {r.choice(['clipnorm', 'global_clipnorm'])} = 0.5,"
                      f" gradient_accumulation_steps = {r.choice('023')},"
                      f" ema_overwrite_frequency = {whole(r, 0, 3)}"
                      + flag(r, "use_ema") + ")",
    "constraint": lambda r: r.choice([
        "keras/non_neg", "keras/unit_norm",
        f"keras/max_norm({number(r, 0, 9)})",
        f"keras/min_max_norm({number(r, 0, 1)}, {number(r, 1, 9)},"
        f" {number(r, 0, 1)})"]),
}


def composition(r):
    has_port, rule = r.choice(RULES)
    boxes = dict(BOXES)
    if has_port:
        boxes["cautious"] = lambda r: "cautious"
    chosen = r.sample(sorted(boxes), r.randint(0, 4))
    return " | ".join([boxes[name](r) for name in chosen] + [rule(r)])


def arguments(r):
    sizes = [r.choice(SIZES) for _ in range(r.randint(1, 9))]
    if r.random() < 0.1:
        sizes.append(r.choice([20011, 100003]))
    result = ["-e", composition(r), "--check", "--sizes",
              ",".join(map(str, sizes)), "--seed", whole(r, 0, 999999),
              "--param", r.choice(["f32", "f32", "f64", "bf16", "f16"])]
    if r.random() < 0.3:
        result += ["--group", "t[0-3]"]
    if r.random() < 0.3:
        result += ["--tag", "no_decay:t0"]
    return result


@pytest.mark.parametrize("case", range(CASES))
def test_composition(case):
    given = arguments(random.Random(case))
    for threads, target in TARGETS:
        call([*given, "--threads", threads, "--target", target])
