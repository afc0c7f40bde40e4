"""The step that all optimizers of updraft.keras share.

A class of updraft.keras is Keras' class of that name with one thing replaced:
how gradients are applied. The variables stay Keras', as do arguments, config,
saving and everything else; the compiled step reads and writes their memory.
"""

from __future__ import annotations

import warnings

import keras
from keras.src import backend

from ._recipe import SCALER
from ._steps import BOX_STATES, Rule, Steps

__all__ = ["BOX_STATES", "Compiled", "Rule", "SCALER_STATES"]

# States of the box that a LossScaleOptimizer is, and where it keeps them.
SCALER_STATES = {f"{SCALER}.scale": "dynamic_scale",
                 f"{SCALER}.good": "step_counter"}


class Compiled(Steps, keras.optimizers.Optimizer):
    """Applies gradients by a compiled program, in one call."""

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
        reason = self._obstacle(trainable_variables)
        if reason:
            self._explain(reason)
        by_index = {self._get_variable_index(variable): grad
                    for grad, variable in zip(grads, trainable_variables)}
        if reason or not self._step_parts(by_index):
            self._apply_as_keras(grads, trainable_variables)
            return
        steps, others = self.gradient_accumulation_steps, self.__dict__[
            "_others"]
        if steps and others and keras.config.backend() != "jax":
            # Those of variables that gradients overwrite no program knows.
            is_update = (self._iterations + 1) % steps == 0
            for index in others:
                total = self._accumulated_gradients[index]
                total.assign(keras.ops.where(
                    is_update, keras.ops.zeros_like(total), total))

    def _obstacle(self, variables):
        """Why a compiled step cannot be taken, None if it can."""
        if keras.config.backend() != "tensorflow":
            return None
        from ._tensorflow import obstacle

        return obstacle(variables)

    def _explain(self, reason):
        if not self._has_keras_step:
            raise NotImplementedError(f"{self._rule.name}: no compiled step "
                                      + reason)
        warnings.warn(f"{type(self).__name__}: no compiled step {reason}; "
                      "keras.optimizers' own is taken", stacklevel=2)

    def _apply_as_keras(self, grads, variables):
        scale = self.loss_scale_factor
        if scale is not None:
            grads = [keras.ops.divide(grad, scale) for grad in grads]
        super()._backend_apply_gradients(grads, variables)

    def _is_stepped(self, variable):
        return not self._overwrite_variable_with_gradient(variable)

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

    def _scalar_slot(self, state, index, dtype):
        if state in SCALER_STATES:
            return getattr(self._scaler, SCALER_STATES[state]), None
        return super()._scalar_slot(state, index, dtype)
