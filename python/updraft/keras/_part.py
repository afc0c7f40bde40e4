"""Variables of one dtype together with their program."""

from __future__ import annotations

from keras.src import backend

from .. import _core
from ._recipe import SCALER


class Part:
    """The compiled optimizer of some of an optimizer's variables.

    The runtime owns no state: arrays are the slots' memory, scalars are set
    before and read after each step.
    """

    def __init__(self, optimizer, recipe, program, dtype, indices, memory):
        self.optimizer, self.indices = optimizer, indices
        self.dtype = dtype
        self.recipe, self.memory = recipe, memory
        self.program = program
        variables = [optimizer._trainable_variables[i] for i in indices]
        self.variables = variables
        self.params = [
            (_path_of(variable), tuple(variable.shape),
             optimizer._tags_of(variable)) for variable in variables]
        self.core = _core.Optimizer(
            self.program._core,
            [(f"{i} {path}", memory.blank(shape, dtype), 0, tags)
             for i, (path, shape, tags) in enumerate(self.params)],
            [list(recipe.hypers)], 0, 0, True)
        self.core.forget()
        self._find_slots()
        self.rate = None
        self.run = memory.runner(self)

    def _find_slots(self):
        optimizer, core = self.optimizer, self.core
        scalars = core.scalar_names()
        names = {name for name, _ in scalars}
        self.slots = [optimizer._slot(name, index)
                      for place, index in enumerate(self.indices)
                      for name in core.state_names(place) if name not in names]
        # (place among the scalars, what Keras counts) and (place, slot).
        self.counters, self.scalar_slots = [], []
        # Inside both boxes that hold; inside the outer one; of all calls.
        counts = {"inner.step": optimizer.gradient_accumulation_steps or 1,
                  f"{SCALER}.inner.step": 1, "inner.calls": 1,
                  "step": 1, "calls": 1}
        for place, (name, index) in enumerate(scalars):
            if (optimizer._counts_by_iterations and index is None
                    and name in counts):
                self.counters.append((place, counts[name]))
            else:
                owner = None if index is None else self.indices[index]
                self.scalar_slots.append(
                    (place, *optimizer._scalar_slot(name, owner, self.dtype)))

    def counts(self, iterations):
        """Values of the counters before the call number `iterations`."""
        return [iterations // every + 1 for _, every in self.counters]

    def host_rate(self):
        """The learning rate as a tensor, if the step does not compute it."""
        if self.recipe.rate is None:
            return None
        return self.optimizer._rate_for(self.dtype)

    def step(self, grads):
        self.run(grads)

    # On backends whose tensors can be written.

    def step_in_place(self, params, grads, states, iterations, rate, numbers):
        """Steps arrays. `rate`: a number, None if the step computes it;
        `numbers`: of the scalar slots, in order; the new ones are returned."""
        core = self.core
        values = core.scalars()
        for (place, _), count in zip(self.counters, self.counts(iterations)):
            values[place] = count
        for (place, _, _), number in zip(self.scalar_slots, numbers):
            values[place] = number
        if rate is not None and rate != self.rate:
            core.set_hyper(self.recipe.rate, rate)
            self.rate = rate
        core.bind(params, states)
        core.set_scalars(values)
        self._step_core(params, grads)
        values = core.scalars()
        return [values[place] for place, _, _ in self.scalar_slots]

    def _step_core(self, params, grads):
        """Gradients of another dtype, layout or place are copied first; a
        refused step has changed nothing."""
        try:
            self.core.step(grads)
        except (TypeError, ValueError):
            fit = [None if grad is None else self.memory.fit(grad, param)
                   for grad, param in zip(grads, params)]
            self.core.step(fit)


def _path_of(variable):
    return getattr(variable, "path", None) or variable.name


def in_stateless_scope():
    return backend.common.stateless_scope.in_stateless_scope()
