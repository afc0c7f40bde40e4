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


def boxes_of(optimizer):
    """The boxes that the base arguments stand for, outermost first, and their
    hypers: scale, average, unscale, accumulate, clip, decay."""
    boxes, hypers = [], []
    if optimizer._scaler is not None:
        boxes.append(f"{SCALER}: dynamic_loss_scale")
        hypers.append((f"{SCALER}.growth_steps",
                       optimizer._scaler.dynamic_growth_steps))

    def add(box, **numbers):
        boxes.append(box)
        name = box.split("(")[0].rpartition("/")[2]
        hypers.extend((f"{name}.{key}", value)
                      for key, value in numbers.items())

    if optimizer.use_ema:
        often = optimizer.ema_overwrite_frequency or 0
        add(f"keras/ema(overwrite_frequency = {often})",
            momentum=optimizer.ema_momentum)
    if optimizer.loss_scale_factor is not None:
        add("loss_scale", scale=optimizer.loss_scale_factor)
    if optimizer.gradient_accumulation_steps:
        add("accumulate", steps=optimizer.gradient_accumulation_steps)
    # The first that is set and above 0 counts, in this order.
    if optimizer.clipnorm and optimizer.clipnorm > 0:
        add("keras/clipnorm", max_norm=optimizer.clipnorm)
    elif optimizer.global_clipnorm and optimizer.global_clipnorm > 0:
        add("keras/global_clipnorm", max_norm=optimizer.global_clipnorm)
    elif optimizer.clipvalue and optimizer.clipvalue > 0:
        add("keras/clipvalue", clip_value=optimizer.clipvalue)
    if optimizer.weight_decay is not None:
        add("weight_decay", weight_decay=optimizer.weight_decay)
    return boxes, hypers


def recipe_of(optimizer, core, rate, options, hypers, rule="", rates=None):
    """`core`: the rule as it stands in a pipe, with a free place for its rate;
    `rate`: what that hyper is called, None if there is none; `rates`: the full
    names of all rates that it means, if it is not one."""
    boxes, numbers = boxes_of(optimizer)
    schedule = optimizer._learning_rate
    text = None
    if rate is not None and isinstance(
            schedule, keras.optimizers.schedules.LearningRateSchedule):
        text = text_of(schedule)
    if text is not None:
        bound = (f"{name} = {text}" for name in rates or [rate])
        core = f"{core}({', '.join(bound)})"
        rate = None
    return Recipe(" | ".join([*boxes, core]), tuple(options),
                  tuple((name, float(value))
                        for name, value in (*numbers, *hypers)), rate, rule)


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
