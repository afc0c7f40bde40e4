"""Adafactor: Keras' variables, without the memory of those that say nothing."""

import keras
from keras import ops
from keras.src import backend

from ._base import Compiled, Rule
from ._part import in_stateless_scope


class _Velocity(backend.Variable):
    """Keras' v of a matrix, which r and c say: it has no memory of its own.

    Reading it makes it, writing it changes nothing: Keras makes it anew in each
    step before it is read.
    """

    def __init__(self, r, c, shape, dtype, name):
        super().__init__(lambda *args, **kwargs: made(r, c), shape=shape,
                         dtype=dtype, trainable=False, name=name)

    def _initialize_with_initializer(self, initializer):
        # A variable without value asks its initializer in every reading.
        self._value, self._initializer = None, initializer

    def _deferred_initialize(self):
        pass

    def _direct_assign(self, value):
        pass


def made(r, c):
    """v as Keras makes it; 0 before the first update."""
    r, c = ops.convert_to_tensor(r), ops.convert_to_tensor(c)
    mean = ops.mean(r, axis=-1, keepdims=True)
    rows = r / ops.where(mean == 0, ops.ones_like(mean), mean)
    return ops.expand_dims(rows, -1) * ops.expand_dims(c, -2)


def _has_memory():
    # There Keras' own step, where it is taken, writes into the variable.
    return keras.config.backend() == "tensorflow"


@keras.saving.register_keras_serializable(package="updraft")
class Adafactor(Compiled, keras.optimizers.Adafactor):
    __doc__ = keras.optimizers.Adafactor.__doc__ + """
    The list of variables is Keras', and so are files. On torch and NumPy the
    velocity of a matrix has no memory: reading it makes it from its rows and
    columns. On TensorFlow it has, and on JAX in jitted code, where every value
    is an array;
    `updraft.keras.Optimizer("keras/adafactor")` has rows and columns alone.
    """
    _rule = Rule("keras/adafactor",
                 hypers=["beta_2_decay", "epsilon_1", "epsilon_2",
                         "clip_threshold"],
                 options=[("keep_v", "_keep_v")],
                 states={"r": "_r", "c": "_c", "v": "_v"})

    @property
    def _keep_v(self):
        # A value like all others is best written where it lies.
        return _has_memory() or in_stateless_scope()

    def add_variable_from_reference(self, reference_variable, name=None,
                                    initializer="zeros"):
        if (name != "velocity" or len(reference_variable.shape) < 2
                or _has_memory()):
            return super().add_variable_from_reference(
                reference_variable, name, initializer)
        path = reference_variable.path.replace("/", "_")
        with backend.name_scope(self.name, caller=self):
            # Keras has made r and c of this variable just before.
            variable = _Velocity(
                self._r[-1], self._c[-1], reference_variable.shape,
                reference_variable.dtype, f"{path}_{name}")
        self._track_variable(variable)
        return variable
