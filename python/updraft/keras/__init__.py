"""Keras' optimizers, compiled.

    model.compile(optimizer=updraft.keras.AdamW(1e-3, global_clipnorm=1.0))

Each class is a subclass of the class of keras.optimizers with its name: the
same arguments, config, slots and files. A step, with clipping, decay, loss
scaling, accumulation, averaging and Keras' own learning-rate schedules, is one
call of a compiled program that works in place on Keras' variables. Backends:
torch, jax, tensorflow and numpy, on the CPU. Keras 2's optimizers, of tf_keras,
are in `updraft.keras.v2`.

On TensorFlow a step in a graph is a tf.py_function. XLA has no such thing:
compile models with jit_compile=False, for inside of jit_compile=True, which is
Keras' default, the stock step is taken, and a warning says so; likewise for
variables on a GPU and with several replicas. Rows of a sparse gradient that
occur twice are summed first. Adam takes 32 ms for a variable of 16 Mi f32
(stock Keras 183, under XLA 53) and 14 ms for 100 of 100,000 (50 and 24); in
eager mode 24 and 19 (263 and 278): two shared cores, the least of nine turns.

What differs from the stock classes: results agree up to rounding, as their
backends do among themselves; values that make no sense, such as a negative
learning rate or weight decay, are refused with ValueError. A program has one
dtype: variables of several are stepped by as many programs, and with
global_clipnorm by Keras' own step (an own rule that sums over all of them is
refused with NotImplementedError).
"""

import keras

from ._adafactor import Adafactor
from ._any import Optimizer
from ._base import Compiled, Rule
from ._muon import Muon
from ._wrappers import LossScaleOptimizer, MultiOptimizer

__all__ = ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax",
           "Ftrl", "Lamb", "Lion", "LossScaleOptimizer", "MultiOptimizer",
           "Muon", "Nadam", "Optimizer", "RMSprop", "SGD", "ScheduleFreeAdamW"]

_serializable = keras.saving.register_keras_serializable(package="updraft")


@_serializable
class SGD(Compiled, keras.optimizers.SGD):
    __doc__ = keras.optimizers.SGD.__doc__
    _rule = Rule("keras/sgd", options=["momentum", "nesterov"],
                 states={"m": "momentums"})


@_serializable
class Adam(Compiled, keras.optimizers.Adam):
    __doc__ = keras.optimizers.Adam.__doc__
    _rule = Rule("keras/adam", hypers=["beta_1", "beta_2", "epsilon"],
                 options=["amsgrad"],
                 states={"momentum": "_momentums", "velocity": "_velocities",
                         "velocity_hat": "_velocity_hats"})


@_serializable
class AdamW(Compiled, keras.optimizers.AdamW):
    __doc__ = keras.optimizers.AdamW.__doc__
    # The decay is the base class', as Keras has it.
    _rule = Adam._rule


@_serializable
class Adadelta(Compiled, keras.optimizers.Adadelta):
    __doc__ = keras.optimizers.Adadelta.__doc__
    _rule = Rule("keras/adadelta", hypers=["rho", "epsilon"],
                 states={"accumulated_grad": "_accumulated_grads",
                         "accumulated_delta_var": "_accumulated_delta_vars"})


@_serializable
class Adagrad(Compiled, keras.optimizers.Adagrad):
    __doc__ = keras.optimizers.Adagrad.__doc__
    _rule = Rule("keras/adagrad",
                 hypers=["initial_accumulator_value", "epsilon"],
                 states={"accumulator": "_accumulators"})


@_serializable
class Nadam(Compiled, keras.optimizers.Nadam):
    __doc__ = keras.optimizers.Nadam.__doc__
    _rule = Rule("keras/nadam", hypers=["beta_1", "beta_2", "epsilon"],
                 states={"momentum": "_momentums", "velocity": "_velocities",
                         "u_product": "_u_product"})


@_serializable
class Lion(Compiled, keras.optimizers.Lion):
    __doc__ = keras.optimizers.Lion.__doc__
    _rule = Rule("keras/lion", hypers=["beta_1", "beta_2"],
                 states={"momentum": "_momentums"})


@_serializable
class Adamax(Compiled, keras.optimizers.Adamax):
    __doc__ = keras.optimizers.Adamax.__doc__
    _rule = Rule("keras/adamax", hypers=["beta_1", "beta_2", "epsilon"],
                 states={"momentum": "_m", "inf_norm": "_u"})


@_serializable
class RMSprop(Compiled, keras.optimizers.RMSprop):
    __doc__ = keras.optimizers.RMSprop.__doc__
    _rule = Rule("keras/rmsprop", hypers=["rho", "epsilon"],
                 options=["momentum", "centered"],
                 states={"velocity": "_velocities", "m": "_momentums",
                         "average_gradient": "_average_gradients"})


@_serializable
class Lamb(Compiled, keras.optimizers.Lamb):
    __doc__ = keras.optimizers.Lamb.__doc__
    _rule = Rule("keras/lamb", hypers=["beta_1", "beta_2", "epsilon"],
                 states={"momentum": "_momentums", "velocity": "_velocities"})


@_serializable
class Ftrl(Compiled, keras.optimizers.Ftrl):
    __doc__ = keras.optimizers.Ftrl.__doc__
    _rule = Rule("keras/ftrl",
                 hypers=["learning_rate_power", "initial_accumulator_value",
                         "l1_regularization_strength",
                         "l2_regularization_strength",
                         "l2_shrinkage_regularization_strength", "beta"],
                 states={"accumulator": "_accumulators",
                         "linear": "_linears"})


@_serializable
class ScheduleFreeAdamW(Compiled, keras.optimizers.ScheduleFreeAdamW):
    __doc__ = keras.optimizers.ScheduleFreeAdamW.__doc__
    _rule = Rule("keras/schedule_free_adamw",
                 hypers=["beta_1", "beta_2", "epsilon", "warmup_steps"],
                 options=[("late", "_late")],
                 states={"momentum": "_momentums", "velocity": "_velocities"})

    @property
    def _late(self):
        # There what Keras keeps of the old z is the new one, under a name.
        return keras.config.backend() in ("torch", "tensorflow")
