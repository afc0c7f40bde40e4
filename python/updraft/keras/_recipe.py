"""What an optimizer's attributes ask for, as a pipe and numbers.

A recipe is a value: two optimizers with equal recipes run the same program. It
is made anew in every step, which is how a changed attribute takes effect.
"""

import functools
from typing import NamedTuple

import keras

from .. import compile
from ._schedules import text_of


# What the box of a LossScaleOptimizer is called; no rule of anybody's is.
SCALER = "keras_loss_scale"


class Recipe(NamedTuple):
    pipe: str
    options: tuple  # (name, value), settled by compilation
    hypers: tuple   # (full name, number)
    rate: str | None  # the hyper that the host sets in each step
    rule: str = ""    # text of a rule that the pipe names


# Argument of Keras -> its box and what that calls the number.
CLIPS = {"clipnorm": ("keras/clipnorm", "max_norm"),
         "global_clipnorm": ("keras/global_clipnorm", "max_norm"),
         "clipvalue": ("keras/clipvalue", "clip_value")}


def boxes_of(optimizer):
    """The boxes that the base arguments stand for, outermost first, each with
    its hypers: scale, average, unscale, accumulate, clip, decay."""
    boxes = []
    if optimizer._scaler is not None:
        boxes.append((f"{SCALER}: dynamic_loss_scale", {
            "growth_steps": optimizer._scaler.dynamic_growth_steps}))
    if optimizer.use_ema:
        often = optimizer.ema_overwrite_frequency or 0
        boxes.append((f"{optimizer._ema}(overwrite_frequency = {often})",
                      {"momentum": optimizer.ema_momentum}))
    if optimizer.loss_scale_factor is not None:
        boxes.append(("loss_scale", {"scale": optimizer.loss_scale_factor}))
    if optimizer.gradient_accumulation_steps:
        boxes.append(("accumulate",
                      {"steps": optimizer.gradient_accumulation_steps}))
    # The first that is set and above 0 counts, in this order.
    for argument, (box, name) in CLIPS.items():
        value = getattr(optimizer, argument)
        if value and value > 0:
            boxes.append((box, {name: value}))
            break
    if optimizer.weight_decay is not None:
        boxes.append(("weight_decay",
                      {"weight_decay": optimizer.weight_decay}))
    return boxes


def recipe_of(optimizer, core, rate, options, hypers, rule="", rates=None):
    """`core`: the rule as it stands in a pipe, with a free place for its rate;
    `rate`: what that hyper is called, None if there is none; `rates`: the full
    names of all rates that it means, if it is not one."""
    boxes = optimizer._boxes()
    numbers = [(f"{_name_of(box)}.{name}", value)
               for box, given in boxes for name, value in given.items()]
    schedule = getattr(optimizer, "_learning_rate", None)
    text = None
    if rate is not None and isinstance(
            schedule, keras.optimizers.schedules.LearningRateSchedule):
        text = text_of(schedule)
    if text is not None:
        bound = (f"{name} = {text}" for name in rates or [rate])
        core = f"{core}({', '.join(bound)})"
        rate = None
    pipe = " | ".join([*(box for box, _ in boxes), core])
    return Recipe(pipe, tuple(options),
                  tuple((name, float(value))
                        for name, value in (*numbers, *hypers)), rate, rule)


def _name_of(box):
    """How the hypers of a box are called: by its label, else by its name."""
    label, _, _ = box.partition(": ")
    return label.split("(")[0].rpartition("/")[2]


def program_of(recipe, dtype):
    """The program of a recipe. States are stored as Keras stores its slots: in
    the dtype of the variable."""
    return _program_of(recipe.pipe, recipe.options, recipe.rule, dtype)


@functools.lru_cache(maxsize=None)
def _program_of(pipe, options, rule, dtype):
    if rule:
        program = compile(source=f"{rule}\noptimizer in_keras = {pipe}\n",
                          name=f"<{pipe}>", options=dict(options), dtype=dtype)
    else:
        program = compile(pipe, options=dict(options), dtype=dtype)
    if dtype not in ("float16", "bfloat16"):
        return program
    flat = program.rule.replace(": like p = ", ": like p as p = ")
    return compile(source=flat, name=f"<{pipe}>", dtype=dtype)
