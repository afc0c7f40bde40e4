"""Keras' learning-rate schedules as text of the language."""

import math

from keras.optimizers import schedules

# As many as schedules/piecewise_constant_decay.upd has room for.
_MOST_BOUNDARIES = 5


def text_of(schedule):
    """`cosine_decay(...)` for a schedule that can be compiled, else None.

    The rest (subclasses, and arguments with which Keras does something of its
    own) are evaluated by Keras, once a step.
    """
    write = _WRITERS.get(type(schedule))
    arguments = write(schedule) if write else None
    if arguments is None:
        return None
    name, values = arguments
    # With a whole number as initial rate Keras computes in whole numbers.
    if isinstance(next(iter(values.values())), int):
        return None
    if not all(isinstance(v, (int, float)) and math.isfinite(v)
               for v in values.values()):
        return None
    return name + "(" + ", ".join(
        f"{key} = {_number(value)}" for key, value in values.items()) + ")"


def _number(value):
    # The language has no negative literal in this place, but expressions.
    return repr(float(value)) if value >= 0 else f"(-{-float(value)!r})"


def _exponential(s):
    return "exponential_decay", dict(
        initial=s.initial_learning_rate, decay_steps=s.decay_steps,
        decay_rate=s.decay_rate, staircase=int(s.staircase))


def _inverse_time(s):
    return "inverse_time_decay", dict(
        initial=s.initial_learning_rate, decay_steps=s.decay_steps,
        decay_rate=s.decay_rate, staircase=int(s.staircase))


def _polynomial(s):
    return "polynomial_decay", dict(
        initial=s.initial_learning_rate, decay_steps=s.decay_steps,
        end=s.end_learning_rate, power=s.power, cycle=int(s.cycle))


def _piecewise(s):
    boundaries, values = list(s.boundaries), list(s.values)
    if not 0 < len(boundaries) <= _MOST_BOUNDARIES or any(
            a >= b or int(b) != b or int(a) != a
            for a, b in zip(boundaries, boundaries[1:] + [math.inf])
            if b != math.inf) or int(boundaries[0]) != boundaries[0]:
        return None
    arguments = {"value_0": values[0]}
    for i, (boundary, value) in enumerate(zip(boundaries, values[1:]), 1):
        arguments |= {f"boundary_{i}": boundary, f"value_{i}": value}
    return "piecewise_constant_decay", arguments


def _cosine(s):
    arguments = dict(initial=s.initial_learning_rate,
                     decay_steps=s.decay_steps, alpha=s.alpha)
    if s.warmup_target is not None:
        if not s.warmup_steps:
            arguments["initial"] = s.warmup_target
        else:
            arguments |= dict(warmup_target=s.warmup_target,
                              warmup_steps=s.warmup_steps)
    return "cosine_decay", arguments


def _restarts(s):
    return "cosine_decay_restarts", dict(
        initial=s.initial_learning_rate,
        first_decay_steps=s.first_decay_steps, t_mul=s._t_mul, m_mul=s._m_mul,
        alpha=s.alpha)


_WRITERS = {schedules.ExponentialDecay: _exponential,
            schedules.InverseTimeDecay: _inverse_time,
            schedules.PolynomialDecay: _polynomial,
            schedules.PiecewiseConstantDecay: _piecewise,
            schedules.CosineDecay: _cosine,
            schedules.CosineDecayRestarts: _restarts}
