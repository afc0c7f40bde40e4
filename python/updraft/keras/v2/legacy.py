"""Keras' optimizers of TensorFlow 2.0 to 2.10, compiled.

    optimizer = updraft.keras.v2.legacy.SGD(lr=0.01, decay=1e-6, momentum=0.9)
    optimizer.minimize(loss, variables)

Each class is a subclass of the class of tf_keras.optimizers.legacy with its
name (OptimizerV2): slots, weights, hypers and config are its own.
"""

import tf_keras

from .._steps import Rule
from ._base import BASE, CompiledV2, as_f32

__all__ = ["Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop",
           "SGD"]

_stock = tf_keras.optimizers.legacy
_serializable = tf_keras.saving.register_keras_serializable(
    package="updraft.legacy")
_DECAY = ("decay", as_f32("_initial_decay"))


class _WithMomentum(CompiledV2):
    """Whether there is a buffer is settled when the optimizer is made."""

    @property
    def _momentum_now(self):
        return self._value_of("momentum") if self._momentum else 0.0


@_serializable
class SGD(_WithMomentum, _stock.SGD):
    __doc__ = _stock.SGD.__doc__
    _rule = Rule("keras/v2/sgd", hypers=[_DECAY],
                 options=[("momentum", "_momentum_now"),
                          ("buffered", "_momentum"), "nesterov"],
                 states={"m": "momentum"})


@_serializable
class Adam(CompiledV2, _stock.Adam):
    __doc__ = _stock.Adam.__doc__
    _rule = Rule("keras/v2/adam",
                 hypers=["beta_1", "beta_2", "epsilon", _DECAY],
                 options=["amsgrad"],
                 states={"m": "m", "v": "v", "vhat": "vhat"})


@_serializable
class Adagrad(CompiledV2, _stock.Adagrad):
    __doc__ = _stock.Adagrad.__doc__
    _rule = Rule("keras/v2/adagrad",
                 hypers=[("initial_accumulator_value",
                          "_initial_accumulator_value"), "epsilon", _DECAY],
                 states={"accumulator": "accumulator"})


@_serializable
class Adadelta(CompiledV2, _stock.Adadelta):
    __doc__ = _stock.Adadelta.__doc__
    _rule = Rule("keras/v2/adadelta", hypers=["rho", "epsilon", _DECAY],
                 states={"accum_grad": "accum_grad", "accum_var": "accum_var"})


@_serializable
class Adamax(CompiledV2, _stock.Adamax):
    __doc__ = _stock.Adamax.__doc__
    _rule = Rule("keras/v2/adamax",
                 hypers=["beta_1", "beta_2", "epsilon", _DECAY],
                 states={"m": "m", "v": "v"})


@_serializable
class Ftrl(CompiledV2, _stock.Ftrl):
    __doc__ = _stock.Ftrl.__doc__
    _rule = Rule("keras/v2/ftrl",
                 hypers=["learning_rate_power",
                         ("initial_accumulator_value",
                          "_initial_accumulator_value"),
                         "l1_regularization_strength",
                         "l2_regularization_strength",
                         ("l2_shrinkage_regularization_strength",
                          as_f32("_l2_shrinkage_regularization_strength")),
                         "beta", _DECAY],
                 states={"accumulator": "accumulator", "linear": "linear"})


@_serializable
class Nadam(CompiledV2, _stock.Nadam):
    __doc__ = _stock.Nadam.__doc__
    _rule = Rule("keras/v2/nadam",
                 hypers=["beta_1", "beta_2", "epsilon",
                         ("schedule_decay", "_initial_decay"),
                         ("base", lambda _: BASE)],
                 states={"m": "m", "v": "v", "momentum_cache": "_m_cache"})


@_serializable
class RMSprop(_WithMomentum, _stock.RMSprop):
    __doc__ = _stock.RMSprop.__doc__
    _rule = Rule("keras/v2/rmsprop", hypers=["rho", "epsilon", _DECAY],
                 options=[("momentum", "_momentum_now"),
                          ("buffered", "_momentum"), "centered"],
                 states={"ms": "rms", "m": "momentum", "mg": "mg"})
