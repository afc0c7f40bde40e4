"""Optimizers around optimizers."""

import keras
from keras import ops
from keras.src import backend

from ._base import Compiled


@keras.saving.register_keras_serializable(package="updraft")
class LossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    __doc__ = keras.optimizers.LossScaleOptimizer.__doc__ + """
    Around an optimizer of this package whose variables have one dtype, the test
    for finite gradients, the division and the scale are part of its compiled
    step. Around others, and where a variable is overwritten with its gradient,
    they are Keras' own.
    """

    def build(self, var_list):
        super().build(var_list)
        inner = self.inner_optimizer
        self.__dict__["_is_compiled"] = (
            isinstance(inner, Compiled) and len(inner._by_dtype()) == 1
            and not any(map(self._overwrite_variable_with_gradient, var_list)))

    def apply(self, grads, trainable_variables=None):
        """As keras.optimizers.LossScaleOptimizer.apply."""
        if not self.built:
            with backend.name_scope(self.name, caller=self):
                self.build(list(trainable_variables))
        grads, inner = list(grads), self.inner_optimizer
        if not (grads and self.__dict__["_is_compiled"]) or (
                inner._obstacle(inner._trainable_variables)):
            super().apply(grads, trainable_variables)
            return
        # Not by setattr: Keras would track what is inside.
        self.__dict__["_halved"] = 0.75 * ops.convert_to_tensor(
            self.dynamic_scale)
        inner.__dict__["_scaler"] = self
        try:
            inner.apply(grads, trainable_variables)
        finally:
            del inner.__dict__["_scaler"], self.__dict__["_halved"]

    def unless_skipped(self, variable, value):
        """`value`, or what `variable` has where the step was skipped: there the
        scale was halved."""
        return ops.where(self.dynamic_scale > self.__dict__["_halved"], value,
                         variable.value)

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """As keras.optimizers.LossScaleOptimizer.stateless_apply."""
        if not self.built or not self.__dict__["_is_compiled"]:
            return super().stateless_apply(optimizer_variables, grads,
                                           trainable_variables)
        return keras.optimizers.Optimizer.stateless_apply(
            self, optimizer_variables, grads, trainable_variables)


@keras.saving.register_keras_serializable(package="updraft")
class MultiOptimizer(keras.optimizers.MultiOptimizer):
    __doc__ = keras.optimizers.MultiOptimizer.__doc__ + """
    Each optimizer inside steps its variables in one call of its program.
    """
