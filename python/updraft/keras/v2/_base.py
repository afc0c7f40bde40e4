"""The step of Keras 2's optimizers, of 2.11 and of OptimizerV2."""

from __future__ import annotations

import warnings

import numpy as np
import tensorflow as tf
from tf_keras.src.optimizers import utils
from tf_keras.src.optimizers.schedules import learning_rate_schedule

from .._recipe import CLIPS
from .._steps import Steps
from .._tensorflow import (TensorFlowMemory, number_of, obstacle,
                           plain_python)


# Of Nadam's power, in f32 as Keras 2 has it.
BASE = float(np.float32(0.96))


class _Steps(Steps):
    """What both families share: a class of tf_keras with another step."""

    # Arguments that Keras 2 does not have.
    loss_scale_factor = gradient_accumulation_steps = None
    _ema = "keras/v2/ema"

    def _memory(self):
        return TensorFlowMemory()

    def _stock_reason(self, pairs):
        """Why tf_keras' own step is to be taken, None if it is not."""
        return obstacle([variable for _, variable in pairs])

    def _is_stock(self, pairs):
        reason = self._stock_reason(pairs)
        if reason:
            warnings.warn(f"{type(self).__name__}: no compiled step {reason}; "
                          "tf_keras' own is taken", stacklevel=3)
        return bool(reason)

    def _constrain(self, pairs):
        for _, variable in pairs:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))


def as_f32(attribute):
    """A number that Keras 2 has in f32, even where all else is f64."""
    return lambda optimizer: float(np.float32(getattr(optimizer, attribute)))


def rounding(attribute):
    """What rounding it to f32 adds to a number."""
    return lambda optimizer: (as_f32(attribute)(optimizer)
                              - float(getattr(optimizer, attribute)))


def _any_sparse(pairs):
    return any(isinstance(grad, tf.IndexedSlices) for grad, _ in pairs)


class Compiled(_Steps):
    """Applies gradients by a compiled program: optimizers of 2.11 to 2.15."""

    def build(self, var_list):
        if not getattr(self, "_built", False):
            # Not by setattr: TensorFlow would track what is inside.
            self.__dict__["_trainable_variables"] = list(var_list)
        super().build(var_list)

    @plain_python
    def apply_gradients(self, grads_and_vars, name=None,
                        skip_gradients_aggregation=False, **kwargs):
        """As tf_keras.optimizers.Optimizer.apply_gradients.

        grads_and_vars: pairs of a gradient (a tensor of the variable's shape,
        tf.IndexedSlices or None) and a variable. Returns `iterations`.
        ValueError: no gradient at all; KeyError: a variable it was not built
        for.
        """
        pairs = list(grads_and_vars)
        if not pairs or self._is_stock(pairs):
            return super().apply_gradients(pairs, name,
                                           skip_gradients_aggregation, **kwargs)
        self._compute_current_learning_rate()
        with tf.name_scope(name or self.name or "optimizer"), tf.init_scope():
            self.build([variable for _, variable in pairs])
        pairs = utils.filter_empty_gradients(pairs)
        if not self._step_parts({self._place_of(variable): grad
                                 for grad, variable in pairs}):
            return super().apply_gradients(pairs, name)
        self._constrain(pairs)
        return self.iterations.assign_add(1)

    def _stock_reason(self, pairs):
        # Clipped before rows that occur twice are summed.
        if _any_sparse(pairs) and any(getattr(self, clip) for clip in CLIPS):
            return "for sparse gradients that are clipped"
        return super()._stock_reason(pairs)

    def _boxes(self):
        boxes = super()._boxes()
        if self.weight_decay is not None:
            decay = as_f32("weight_decay")(self)
            boxes[-1] = ("weight_decay", {"weight_decay": decay})
        return boxes

    def _place_of(self, variable):
        place = self._index_dict.get(self._var_key(variable))
        if place is None:
            raise KeyError(
                f"{variable.name} is not among the variables that the "
                "optimizer was built for: call build() with all of them")
        return place

    def _rate_for(self, dtype):
        return self.learning_rate


class CompiledV2(_Steps):
    """Applies gradients by a compiled program: optimizers of 2.0 to 2.10."""

    # Arguments that OptimizerV2 does not have.
    use_ema, weight_decay = False, None

    @plain_python
    def apply_gradients(self, grads_and_vars, name=None,
                        experimental_aggregate_gradients=True):
        """As tf_keras.optimizers.legacy.Optimizer.apply_gradients.

        grads_and_vars: pairs of a gradient (a tensor of the variable's shape,
        tf.IndexedSlices or None) and a variable. Returns `iterations`.
        ValueError: no gradient at all.
        """
        pairs = list(grads_and_vars)
        if self._is_stock(pairs):
            return super().apply_gradients(pairs, name,
                                           experimental_aggregate_gradients)
        pairs = utils.filter_empty_gradients(pairs)
        with tf.name_scope(self._name), tf.init_scope():
            self._create_all_weights([variable for _, variable in pairs])
        if not pairs:
            return tf.no_op()
        if experimental_aggregate_gradients:
            pairs = self._transform_unaggregated_gradients(pairs)
            if self.gradient_aggregator is not utils.all_reduce_sum_gradients:
                pairs = self._aggregate_gradients(pairs)
        given = pairs
        for transform in self.gradient_transformers:
            pairs = transform(pairs)
        if not self._step_parts({self._place_of(variable): grad
                                 for grad, variable in pairs}):
            return super().apply_gradients(given, name, False)
        self._constrain(pairs)
        return self.iterations.assign_add(1)

    def _stock_reason(self, pairs):
        if _any_sparse(pairs):
            return "for sparse gradients, which touch their rows alone"
        return super()._stock_reason(pairs)

    def _boxes(self):
        """All clips that are set, in the order in which they are applied."""
        boxes = []
        for argument in ("clipvalue", "clipnorm", "global_clipnorm"):
            value = getattr(self, argument)
            if value is not None:
                box, name = CLIPS[argument]
                boxes.append((box, {name: value}))
        return boxes

    @property
    def _trainable_variables(self):
        """All variables that had a gradient so far."""
        return self.__dict__.setdefault("_seen", ([], {}))[0]

    def _place_of(self, variable):
        known, places = self.__dict__.setdefault("_seen", ([], {}))
        place = places.setdefault(variable._unique_id, len(known))
        if place == len(known):
            known.append(variable)
            self.__dict__.pop("_parts", None)
        return place

    def _tags_of(self, variable):
        return []

    def _value_of(self, own):
        if own not in self._hyper:
            return super()._value_of(own)
        with tf.init_scope():
            return float(number_of(self._get_hyper(own)))

    def _rate_for(self, dtype):
        rate = self._get_hyper("learning_rate", dtype)
        if isinstance(rate, learning_rate_schedule.LearningRateSchedule):
            rate = tf.cast(rate(tf.cast(self.iterations, dtype)), dtype)
        return rate

    def _slot(self, state, index):
        name = self._rule.states[state]
        return self.get_slot(self._trainable_variables[index], name)

    def __deepcopy__(self, memo):
        # What is compiled belongs to the variables of this one.
        for name in ("_parts", "_seen"):
            self.__dict__.pop(name, None)
        return super().__deepcopy__(memo)

    def get_gradients(self, loss, params):
        self._need_graph("get_gradients(loss, params)")
        return super().get_gradients(loss, params)

    def get_updates(self, loss, params):
        self._need_graph("get_updates(loss, params)")
        return super().get_updates(loss, params)

    @staticmethod
    def _need_graph(call):
        if tf.compat.v1.executing_eagerly_outside_functions():
            raise RuntimeError(
                f"{call} needs the graph mode of TensorFlow 1: in eager "
                "TensorFlow take minimize() or apply_gradients()")
