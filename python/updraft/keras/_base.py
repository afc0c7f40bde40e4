"""The step that all optimizers of updraft.keras share.

A class of updraft.keras is Keras' class of that name with one thing replaced:
how gradients are applied. The variables stay Keras', as do arguments, config,
saving and everything else; the compiled step reads and writes their memory.
"""

from __future__ import annotations

import re

import keras
from keras.src import backend

from ._backend import Memory
from ._part import Part
from ._recipe import SCALER, program_of, recipe_of


_REDUCES = re.compile(r"\bover (model|group)\b")


class Rule:
    """How a rule of the library stands for an optimizer of Keras.

    name: as in a pipe ("keras/adam").
    rate: what its learning rate is called there.
    hypers, options: attributes of the optimizer that the rule has under the
    same name; a pair is the rule's name and the attribute.
    states: state of the rule -> attribute of the optimizer with the slots, a
    list with one variable (or None) for each model variable; a scalar state:
    one variable.
    tags: name -> method that says of a variable whether it has that tag.
    """

    def __init__(self, name, *, rate="learning_rate", hypers=(), options=(),
                 states=None, tags=None):
        self.name, self.rate = name, rate
        self.hypers, self.options = _pairs(hypers), _pairs(options)
        self.states = dict(states or {})
        self.tags = dict(tags or {})


def _pairs(names):
    return [(name, name) if isinstance(name, str) else name for name in names]


# States of boxes and where Keras keeps them.
BOX_STATES = {"ema.average": "_model_variables_moving_average",
              "accumulate.total": "_accumulated_gradients"}
# The same of the box that a LossScaleOptimizer is.
SCALER_STATES = {f"{SCALER}.scale": "dynamic_scale",
                 f"{SCALER}.good": "step_counter"}


class Compiled(keras.optimizers.Optimizer):
    """Applies gradients by a compiled program, in one call.

    The program is compiled at the first step, and anew (in some 10 ms, or from
    the cache) when an attribute such as `clipnorm` was changed.
    """

    _rule: Rule
    # Whether counters follow from Keras' count of iterations.
    _counts_by_iterations = True
    # Whether the class of Keras can step without a program.
    _has_keras_step = True
    # The LossScaleOptimizer that this one's step is part of, while it is.
    _scaler = None

    def _recipe(self):
        rule = self._rule
        return recipe_of(
            self, rule.name, rule.rate,
            [(name, getattr(self, own)) for name, own in rule.options],
            [(name, getattr(self, own)) for name, own in rule.hypers])

    def apply(self, grads, trainable_variables=None):
        """As keras.optimizers.Optimizer.apply; unscaling is compiled too."""
        grads = list(grads)
        if not grads:
            return
        variables = self._variables_for(grads, trainable_variables)
        with backend.name_scope(self.name, caller=self):
            grads, variables = self._filter_empty_gradients(grads, variables)
            grads, variables = (
                self._overwrite_variables_directly_with_gradients(
                    grads, variables))
            if grads:
                self._backend_apply_gradients(grads, variables)
                for variable in variables:
                    if variable.constraint is not None:
                        self._set(variable, variable.constraint(variable))
        self._set(self._iterations, self._iterations + 1)

    def _set(self, variable, value):
        if self._scaler is not None:
            value = self._scaler.unless_skipped(variable, value)
        variable.assign(value)

    def _variables_for(self, grads, variables):
        """The variables that belong to gradients; builds for new ones."""
        if variables is None:
            if not self.built:
                raise ValueError(
                    "apply() without variables needs a built optimizer: call "
                    "build(variables) first")
            if len(grads) != len(self._trainable_variables_indices):
                raise ValueError(
                    f"{len(grads)} gradients were given, the optimizer has "
                    f"{len(self._trainable_variables_indices)} variables: they "
                    "must match one to one")
            return self._trainable_variables
        variables = list(variables)
        if not self.built:
            with backend.name_scope(self.name, caller=self):
                self.build(variables)
            self.built = True
        self._check_variables_are_known(variables)
        return variables

    def _backend_apply_gradients(self, grads, trainable_variables):
        recipe = self._recipe()
        parts = self.__dict__.get("_parts")
        if parts is None or self.__dict__["_parts_for"] != (recipe,
                                                            self._scaler):
            parts = self._make_parts(recipe)
        if not parts:
            self._apply_as_keras(grads, trainable_variables)
            return
        by_index = {self._get_variable_index(variable): grad
                    for grad, variable in zip(grads, trainable_variables)}
        # What parts share (Nadam's product) each of them starts from.
        shared = [(variable, parts[0].memory.copy(variable.value))
                  for _, variable, _ in parts[0].scalar_slots
                  if all(any(variable is own for _, own, _ in p.scalar_slots)
                         for p in parts[1:])] if len(parts) > 1 else []
        given = [(part, [by_index.get(i) for i in part.indices])
                 for part in parts]
        if len(parts) > 1 and self._has_keras_step and not all(
                any(g is not None for g in grads) for _, grads in given):
            # A program does nothing without gradients, what Keras averages and
            # accumulates goes on.
            self._apply_as_keras(list(by_index.values()), trainable_variables)
            return
        for part, grads in given:
            for variable, value in shared:
                variable.assign(value)
            part.step(grads)
        steps = self.gradient_accumulation_steps
        if steps and keras.config.backend() != "jax" and (
                int(self._iterations + 1) % steps == 0):
            # Those of variables that gradients overwrite no program knows.
            for index in self.__dict__["_others"]:
                total = self._accumulated_gradients[index]
                total.assign(keras.ops.zeros_like(total))

    def _apply_as_keras(self, grads, variables):
        scale = self.loss_scale_factor
        if scale is not None:
            grads = [grad / scale for grad in grads]
        super()._backend_apply_gradients(grads, variables)

    def _by_dtype(self):
        """dtype -> places of the variables that steps update."""
        places = {}
        for index, variable in enumerate(self._trainable_variables):
            if not self._overwrite_variable_with_gradient(variable):
                dtype = backend.standardize_dtype(variable.dtype)
                places.setdefault(dtype, []).append(index)
        return places

    def _make_parts(self, recipe):
        """A part for each dtype among the variables: a program has one. None at
        all where a value of all variables is needed, such as a norm."""
        places, memory = self._by_dtype(), Memory()
        programs = [program_of(recipe, dtype) for dtype in places]
        if len(places) > 1 and _REDUCES.search(programs[0].rule):
            if not self._has_keras_step:
                raise NotImplementedError(
                    f"variables of several dtypes ({', '.join(places)}), and a "
                    "rule with a sum over all of them")
            parts = []
        else:
            parts = [Part(self, recipe, program, dtype, indices, memory)
                     for program, (dtype, indices) in zip(programs,
                                                          places.items())]
        # Not by setattr: Keras would track what is inside.
        known = {index for indices in places.values() for index in indices}
        self.__dict__.update(
            _parts=parts, _parts_for=(recipe, self._scaler),
            _others=set(range(len(self._trainable_variables))) - known)
        return parts

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        super().exclude_from_weight_decay(var_list, var_names)
        self.__dict__.pop("_parts", None)

    def _overwrite_model_variables_with_average_value(self, variables):
        super()._overwrite_model_variables_with_average_value(variables)
        if keras.config.backend() == "jax":
            # Else variable and average are one array, which the next fit()
            # would donate twice.
            for variable in variables:
                variable.assign(keras.ops.copy(variable.value))

    def _tags_of(self, variable):
        tags = [] if self._use_weight_decay(variable) else ["no_decay"]
        for name, method in self._rule.tags.items():
            if getattr(self, method)(variable):
                tags.append(name)
        return tags

    def _slot(self, state, index):
        """The Keras variable that holds a state of variable `index`."""
        attribute = BOX_STATES.get(state) or self._rule.states.get(state)
        if attribute is None:
            raise RuntimeError(
                f"{type(self).__name__} has no slot for state '{state}' of "
                f"{self._rule.name}")
        return getattr(self, attribute)[index]

    def _scalar_slot(self, state, index, dtype):
        """The variable of a scalar state and the place in it (None: whole)."""
        if state in SCALER_STATES:
            return getattr(self._scaler, SCALER_STATES[state]), None
        return getattr(self, self._rule.states[state]), None
