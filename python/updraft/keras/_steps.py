"""What optimizers share, of whichever Keras: programs that step variables."""

from __future__ import annotations

import re

from keras.src import backend

from ._backend import Memory
from ._part import Part
from ._recipe import boxes_of, program_of, recipe_of

_REDUCES = re.compile(r"\bover (model|group)\b")


class Rule:
    """How a rule of the library stands for an optimizer of Keras.

    name: as in a pipe ("keras/adam").
    rate: what its learning rate is called there.
    hypers, options: attributes of the optimizer that the rule has under the
    same name; a pair is the rule's name and the attribute, or a function of the
    optimizer.
    states: state of the rule -> attribute of the optimizer with the slots, a
    list with one variable (or None) for each model variable; a scalar state:
    one variable.
    tags: name -> method that says of a variable whether it has that tag.
    routed: it is an optimizer of several routes, each with that rate, which
    takes no schedule as an argument: every step is told the rate.
    """

    def __init__(self, name, *, rate="learning_rate", hypers=(), options=(),
                 states=None, tags=None, routed=False):
        self.name, self.rate, self.routed = name, rate, routed
        self.hypers, self.options = _pairs(hypers), _pairs(options)
        self.states = dict(states or {})
        self.tags = dict(tags or {})


def _pairs(names):
    return [(name, name) if isinstance(name, str) else name for name in names]


# States of boxes and where Keras keeps them.
BOX_STATES = {"ema.average": "_model_variables_moving_average",
              "accumulate.total": "_accumulated_gradients"}


class Steps:
    """Steps variables by a compiled program for each dtype among them.

    The optimizer has `_trainable_variables`, `_iterations` and the arguments of
    Keras' optimizers. A program is compiled at the first step, and anew (in
    some 10 ms, or from the cache) when an attribute such as `clipnorm` was
    changed.
    """

    _rule: Rule
    # Whether counters follow from Keras' count of iterations.
    _counts_by_iterations = True
    # Whether the class of Keras can step without a program.
    _has_keras_step = True
    # The LossScaleOptimizer that this one's step is part of, while it is.
    _scaler = None
    # The box that averages.
    _ema = "keras/ema"

    def _recipe(self):
        rule = self._rule
        recipe = recipe_of(
            self, rule.name, None if rule.routed else rule.rate,
            [(name, self._value_of(own)) for name, own in rule.options],
            [(name, self._value_of(own)) for name, own in rule.hypers])
        return recipe._replace(rate=rule.rate) if rule.routed else recipe

    def _boxes(self):
        return boxes_of(self)

    def _value_of(self, own):
        """What a hyper or an option of the rule is now."""
        return own(self) if callable(own) else getattr(self, own)

    def _step_parts(self, by_index):
        """Steps the variables: index -> gradient for those that have one.

        False, and nothing is done, where that takes Keras' own step.
        """
        recipe = self._recipe()
        parts = self.__dict__.get("_parts")
        if parts is None or self.__dict__["_parts_for"] != (recipe,
                                                            self._scaler):
            parts = self._make_parts(recipe)
        given = [(part, [by_index.get(i) for i in part.indices])
                 for part in parts]
        if not parts or len(parts) > 1 and self._has_keras_step and not all(
                any(g is not None for g in grads) for _, grads in given):
            # A program does nothing without gradients, what Keras averages and
            # accumulates goes on.
            return False
        # What parts share (Nadam's product) each of them starts from.
        shared = [(variable, parts[0].memory.copy(variable.value))
                  for _, variable, _ in parts[0].scalar_slots
                  if all(any(variable is own for _, own, _ in p.scalar_slots)
                         for p in parts[1:])] if len(parts) > 1 else []
        for part, grads in given:
            for variable, value in shared:
                variable.assign(value)
            part.step(grads)
        return True

    def _by_dtype(self):
        """dtype -> places of the variables that steps update."""
        places = {}
        for index, variable in enumerate(self._trainable_variables):
            if self._is_stepped(variable):
                dtype = backend.standardize_dtype(variable.dtype)
                places.setdefault(dtype, []).append(index)
        return places

    def _is_stepped(self, variable):
        return True

    def _make_parts(self, recipe):
        """A part for each dtype among the variables: a program has one. None at
        all where a value of all variables is needed, such as a norm."""
        places, memory = self._by_dtype(), self._memory()
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

    def _memory(self):
        return Memory()

    def _rate_for(self, dtype):
        """The learning rate of the step that comes, a tensor or a number."""
        return self._get_current_learning_rate()

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
        return getattr(self, self._rule.states[state]), None
