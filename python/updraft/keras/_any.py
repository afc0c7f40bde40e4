"""Any rule as an optimizer of Keras."""

from __future__ import annotations

import re

import keras
import numpy as np

from .. import _core, compile
from ._base import BOX_STATES, SCALER_STATES, Compiled, Rule
from ._recipe import SCALER, program_of, recipe_of


@keras.saving.register_keras_serializable(package="updraft")
class Optimizer(Compiled):
    """Runs any rule of the language in Keras.

        updraft.keras.Optimizer("my.upd", learning_rate=1e-3, clipnorm=1.0)
        updraft.keras.Optimizer("cautious | torch/adamw", hypers={"eps": 1e-6})

    rule: a .upd file, a pipe, or the text of a rule.
    learning_rate: float, schedule or callable, for the rates of all routes if
    they have the same name; default: the rule's own.
    hypers: values by name. options: settled at compilation.
    tags: tag -> list of regular expressions; a variable whose path one of them
    is found in has the tag.
    The rest are the arguments of keras.optimizers.Optimizer, boxes around the
    rule.

    Slots are named after the rule's states and come in its order, then one
    vector with all counters and scalar states (float64 where the backend has
    it). The config holds the text of the rule, so a saved model needs no file.

    Raises CompileError for a wrong rule, LookupError for unknown names,
    ValueError for values outside a domain.
    """

    _counts_by_iterations = False
    _has_keras_step = False

    def __init__(self, rule, learning_rate=None, *, hypers=None, options=None,
                 tags=None, **kwargs):
        rule = str(rule)
        options = dict(options or {})
        if "{" in rule:
            program = compile(source=rule, options=options)
        elif re.search(r"\.upd(:\w+)?$", rule):
            program = compile(path=rule, options=options)
        else:
            program = compile(rule, options=options)
        all_rates = [hyper for hyper in program.hypers.values()
                     if hyper.is_rate]
        rates = [rate for rate in all_rates if not rate.is_computed]
        called = _called(rates)
        if learning_rate is None:
            learning_rate = (rates[0].default or 0.0) if called else 0.0
            # Rates of routes that start apart stay apart.
            if any(rate.default != rates[0].default for rate in rates):
                called = None
        elif not called:
            raise ValueError(
                f"{program.name}: learning_rate was given, but the rule "
                + (f"has {' and '.join(rate.name for rate in rates)}: set "
                   "them as hypers" if rates else "computes its rate"
                   if all_rates else "has no rate"))
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rule, self.options = program.rule, options
        self.hypers = dict(hypers or {})
        for name in self.hypers:
            if name not in program.hypers:
                raise LookupError(f"{program.name}: no hyper '{name}'; there "
                                  f"are {', '.join(program.hypers)}")
        self.tags = {tag: list(patterns)
                     for tag, patterns in (tags or {}).items()}
        self._rule = Rule(program.name, rate=called)
        self._rates = [rate.name for rate in rates]

    def _recipe(self):
        return recipe_of(self, self._rule.name, self._rule.rate,
                         self.options.items(), self.hypers.items(), self.rule,
                         self._rates)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._slots, self._scalars = {}, {}
        for dtype, group in self._by_dtype().items():
            self._add_slots(dtype, group)

    def _add_slots(self, dtype, indices):
        """Makes slots with the values in which the rule starts them."""
        recipe = self._recipe()
        variables = [self._trainable_variables[i] for i in indices]
        core = _core.Optimizer(
            program_of(recipe, dtype)._core,
            [(f"{i} {v.path}", np.array(keras.ops.convert_to_numpy(v),
                                        order="C"), 0, self._tags_of(v))
             for i, v in zip(indices, variables)], [list(recipe.hypers)])
        scalars = core.scalar_names()
        named = {name for name, _ in scalars}
        for place, (index, variable) in enumerate(zip(indices, variables)):
            for state in core.state_names(place):
                if state in named or self._is_base(state):
                    continue
                # Rows, columns and blocks have shapes of their own.
                value = _as(core.state(state, place), dtype)
                slot = self.add_variable(
                    value.shape, dtype=dtype, name="_".join(
                        [*variable.path.split("/"), *state.split(".")]))
                slot.assign(value)
                self._slots[state, index] = slot
        wide = self.add_variable((len(scalars),), dtype=_widest(),
                                 name="scalars")
        wide.assign(core.scalars())
        for place, (name, index) in enumerate(scalars):
            owner = None if index is None else indices[index]
            key = (name, dtype) if owner is None else (name, owner)
            self._scalars[key] = wide, place

    def _is_base(self, state):
        return (state == "ema.average" and self.use_ema) or (
            state == "accumulate.total"
            and bool(self.gradient_accumulation_steps))

    def _slot(self, state, index):
        if self._is_base(state):
            return getattr(self, BOX_STATES[state])[index]
        return self._slots[state, index]

    def _scalar_slot(self, state, index, dtype):
        if state in SCALER_STATES:
            return super()._scalar_slot(state, index, dtype)
        owner = dtype if index is None else index
        # A LossScaleOptimizer holds the rule too, so its counters are inner.
        for name in (state, state.removeprefix(f"{SCALER}.inner."),
                     state.removeprefix("inner.")):
            if (name, owner) in self._scalars:
                return self._scalars[name, owner]
        raise RuntimeError(f"{self._rule.name} has no slot for '{state}'")

    def _tags_of(self, variable):
        tags = super()._tags_of(variable)
        return tags + [tag for tag, patterns in self.tags.items()
                       if any(re.search(p, variable.path) for p in patterns)]

    def get_config(self):
        config = {**super().get_config(), "rule": self.rule,
                  "hypers": self.hypers, "options": self.options,
                  "tags": self.tags}
        if self._rule.rate is None:
            config["learning_rate"] = None
        return config


def _called(rates):
    """The name that sets all of `rates`; None if there is none."""
    if len(rates) == 1:
        return rates[0].name
    last = {rate.name.rpartition(".")[2] for rate in rates}
    return last.pop() if len(last) == 1 else None


def _widest():
    if keras.config.backend() == "jax":
        import jax

        return "float64" if jax.config.jax_enable_x64 else "float32"
    return "float64"


def _as(array, dtype):
    if dtype == "bfloat16":
        import ml_dtypes

        return array.view(ml_dtypes.bfloat16)
    return array
