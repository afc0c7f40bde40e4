"""Keras 2's optimizers, compiled.

    import updraft.keras.v2 as optimizers

    model.compile(optimizer=optimizers.Adam(1e-3, global_clipnorm=1.0))

Each class is a subclass of the class of tf_keras.optimizers with its name, as
tf_keras 2.21 has them (tf.keras 2.11 to 2.15): the same arguments, config,
variables and files. Those of tf.keras 2.0 to 2.10 are in
`updraft.keras.v2.legacy`. A step, with clipping, decay and averaging, is one
call of a compiled program, which writes TensorFlow's variables in place: in
eager mode and, by tf.py_function, inside of tf.function.

tf_keras' own step is taken, with a warning, for variables on a GPU, with
several replicas, inside of jit_compile=True, in TensorFlow 1's graphs, for
sparse gradients that are clipped, and in `legacy` for all sparse gradients.

What differs: results agree up to rounding; values that make no sense, such as
a negative weight decay, are refused with ValueError; variables of several
dtypes are stepped by as many programs, and with global_clipnorm by tf_keras'
own step; of arguments other than the learning rate a tf.function
keeps the values that they had when it was traced.

Adam takes 13 ms for a variable of 16 Mi f32 in eager mode (tf_keras 210; its
`legacy`, by kernels of TensorFlow's own, 57 beside 39 of ours) and 32 ms in a
graph (117; 53 beside 32): two shared cores, the least of nine turns.

tf_keras is needed: pip install tf_keras (ImportError otherwise).
"""

import tf_keras

from .._steps import Rule
from . import legacy
from ._base import BASE, Compiled, as_f32, rounding

__all__ = ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax",
           "Ftrl", "Lion", "Nadam", "RMSprop", "SGD", "legacy"]

_stock = tf_keras.optimizers
_serializable = tf_keras.saving.register_keras_serializable(package="updraft")
_ADAM = ["beta_1", "beta_2", "epsilon",
         ("rounding_1", rounding("beta_1")), ("rounding_2", rounding("beta_2"))]


@_serializable
class SGD(Compiled, _stock.SGD):
    __doc__ = _stock.SGD.__doc__
    # There is a buffer for every variable, whatever the momentum.
    _rule = Rule("keras/sgd", options=[("momentum", as_f32("momentum")),
                                       "nesterov",
                                       ("buffered", lambda _: True)],
                 states={"m": "momentums"})


@_serializable
class Adam(Compiled, _stock.Adam):
    __doc__ = _stock.Adam.__doc__
    _rule = Rule("keras/adam", hypers=_ADAM,
                 options=["amsgrad", "adaptive_epsilon"],
                 states={"momentum": "_momentums", "velocity": "_velocities",
                         "velocity_hat": "_velocity_hats"})


@_serializable
class AdamW(Compiled, _stock.AdamW):
    __doc__ = _stock.AdamW.__doc__
    # The decay is the base class', as Keras has it.
    _rule = Rule("keras/adam", hypers=_ADAM, options=["amsgrad"],
                 states=Adam._rule.states)


@_serializable
class Adadelta(Compiled, _stock.Adadelta):
    __doc__ = _stock.Adadelta.__doc__
    _rule = Rule("keras/adadelta", hypers=["rho", "epsilon"],
                 states={"accumulated_grad": "_accumulated_grads",
                         "accumulated_delta_var": "_accumulated_delta_vars"})


@_serializable
class Adafactor(Compiled, _stock.Adafactor):
    __doc__ = _stock.Adafactor.__doc__
    # Keras' list of variables, and so a file, has v in full.
    _rule = Rule("keras/adafactor",
                 hypers=["beta_2_decay", "epsilon_1",
                         ("epsilon_2", as_f32("epsilon_2")), "clip_threshold"],
                 options=[("keep_v", lambda _: True)],
                 states={"r": "_r", "c": "_c", "v": "_v"})


@_serializable
class Adagrad(Compiled, _stock.Adagrad):
    __doc__ = _stock.Adagrad.__doc__
    _rule = Rule("keras/adagrad",
                 hypers=["initial_accumulator_value", "epsilon"],
                 states={"accumulator": "_accumulators"})


@_serializable
class Adamax(Compiled, _stock.Adamax):
    __doc__ = _stock.Adamax.__doc__
    _rule = Rule("keras/adamax", hypers=["beta_1", "beta_2", "epsilon",
                                         ("rounding_1", rounding("beta_1"))],
                 states={"momentum": "_m", "inf_norm": "_u"})


@_serializable
class Ftrl(Compiled, _stock.Ftrl):
    __doc__ = _stock.Ftrl.__doc__
    _rule = Rule("keras/ftrl",
                 hypers=["learning_rate_power", "initial_accumulator_value",
                         "l1_regularization_strength",
                         "l2_regularization_strength",
                         "l2_shrinkage_regularization_strength", "beta"],
                 states={"accumulator": "_accumulators",
                         "linear": "_linears"})


@_serializable
class Lion(Compiled, _stock.Lion):
    __doc__ = _stock.Lion.__doc__
    _rule = Rule("keras/lion", hypers=[("beta_1", as_f32("beta_1")),
                                       ("beta_2", as_f32("beta_2"))],
                 states={"momentum": "momentums"})


@_serializable
class Nadam(Compiled, _stock.Nadam):
    __doc__ = _stock.Nadam.__doc__
    _rule = Rule("keras/nadam", hypers=[("beta_1", as_f32("beta_1")),
                                        ("beta_2", as_f32("beta_2")), "epsilon",
                                        ("base", lambda _: BASE)],
                 states={"momentum": "_momentums", "velocity": "_velocities",
                         "u_product": "_u_product"})


@_serializable
class RMSprop(Compiled, _stock.RMSprop):
    __doc__ = _stock.RMSprop.__doc__
    _rule = Rule("keras/rmsprop", hypers=["rho", "epsilon"],
                 options=["momentum", "centered"],
                 states={"velocity": "_velocities", "m": "_momentums",
                         "average_gradient": "_average_gradients"})
