"""The step on TensorFlow: in the memory of its variables.

A tensor of TensorFlow never changes, so a variable may be written in place only
while no tensor shares its memory. TensorFlow's own updates see to that; an
update of no rows is made of one here, after which a reading is a view.
"""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from ._backend import NumpyMemory, blank

_ops = tf.raw_ops
# In a tf.function AutoGraph would make tensors of float() and the like.
plain_python = tf.autograph.experimental.do_not_convert
with tf.init_scope():
    # Of a length that no optimizer of graphs knows: an update of no rows, or
    # by a constant 0, would be taken out.
    _no_rows = tf.Variable(np.zeros([0], "i4"), shape=[None], trainable=False)


def obstacle(variables):
    """Why a compiled step cannot be taken here; None if it can."""
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        return "with several replicas"
    if any("GPU" in variable.device for variable in map(_plain, variables)):
        return "for variables on a GPU"
    if not tf.executing_eagerly() and (
            control_flow_util.GraphOrParentsInXlaContext(
                tf.compat.v1.get_default_graph())):
        return "inside of jit_compile=True"
    return None


class TensorFlowMemory:
    blank = staticmethod(blank)
    copy = staticmethod(tf.identity)
    fit = staticmethod(NumpyMemory.fit)

    def runner(self, part):
        held = [_plain(v) for v in part.variables + part.slots]
        views = functools.cache(tf.function(
            lambda: _views(held), autograph=False).get_concrete_function)

        @plain_python
        def run(grads):
            grads = [None if grad is None else tf.convert_to_tensor(grad)
                     for grad in grads]
            rate = part.host_rate()
            rate = 0.0 if rate is None else rate
            if tf.executing_eagerly():
                numbers = step(part, part.optimizer._iterations, rate,
                               _read(part), views()(), grads)
            else:
                numbers = _in_graph(part, held, rate, grads)
            _write(part, numbers)

        return run


def step(part, iterations, rate, numbers, held, grads):
    """Steps what eager tensors are views of; the new numbers."""
    arrays = [_array(tensor, v.shape) for tensor, v in
              zip(held, part.variables + part.slots)]
    count = len(part.variables)
    rate = None if part.recipe.rate is None else float(number_of(rate))
    try:
        return part.step_in_place(
            arrays[:count],
            [None if grad is None else _array(grad) for grad in grads],
            arrays[count:], int(number_of(iterations)), rate,
            list(number_of(numbers)))
    finally:
        # Else the next step finds the memory shared, and copies it.
        part.core.forget()


def number_of(value):
    """Of an eager tensor or a variable, as NumPy has it."""
    return value.numpy() if hasattr(value, "numpy") else value


def _in_graph(part, held, rate, grads):
    present = [i for i, grad in enumerate(grads) if grad is not None]

    def call(iterations, rate, numbers, *tensors):
        given = dict(zip(present, tensors[len(held):]))
        return np.asarray(step(
            part, iterations, rate, numbers, tensors[:len(held)],
            [given.get(i) for i in range(len(grads))]), "f8")

    numbers = tf.py_function(
        call, [tf.convert_to_tensor(part.optimizer._iterations),
               tf.cast(rate, "float64"), _read(part),
               *_views(held), *(grads[i] for i in present)], tf.float64)
    numbers.set_shape([len(part.scalar_slots)])
    with tf.control_dependencies([numbers]):
        for variable in held:
            # As a writing, which readings of the graph then wait for.
            _ops.DisableCopyOnRead(resource=variable.handle)
        return tf.identity(numbers)


def _plain(variable):
    """TensorFlow's variable: Keras 3 has one inside its own."""
    return getattr(variable, "_value", variable)


def _dtype(variable):
    # Mixed precision of Keras 2 lets a variable look as if it were cast.
    return getattr(variable, "true_dtype", variable.dtype)


def _views(variables):
    """Tensors in the variables' memory, which no other tensor has then."""
    rows = _no_rows.read_value()
    zero = tf.reduce_sum(rows)
    zeros = {dtype: tf.cast(zero, dtype) for dtype in set(map(_dtype,
                                                              variables))}
    return [_view(v, rows, zeros[_dtype(v)]) for v in variables]


def _view(variable, rows, zero):
    handle, dtype = variable.handle, _dtype(variable)
    if variable.shape.rank == 0:
        _ops.AssignSubVariableOp(resource=handle, value=zero)
    else:
        _ops.ResourceScatterSub(resource=handle, indices=rows, updates=zero)
    # Else a variable that was ever updated by rows gives copies.
    _ops.DisableCopyOnRead(resource=handle)
    tensor = _ops.ReadVariableOp(resource=handle, dtype=dtype)
    # Of a scalar, NumPy gets a copy.
    return tf.reshape(tensor, [1]) if variable.shape.rank == 0 else tensor


def _array(tensor, shape=None):
    """NumPy's view of an eager tensor."""
    shape = tuple(tensor.shape) if shape is None else tuple(shape)
    if tensor.shape.rank == 0:
        tensor = tf.reshape(tensor, [1])
    return tensor._numpy().reshape(shape)


def _read(part):
    """The scalar slots, as a vector."""
    numbers = [tf.cast(tf.convert_to_tensor(v), "float64")
               for _, v, _ in part.scalar_slots]
    numbers = [x if at is None else x[at] for x, (_, _, at) in
               zip(numbers, part.scalar_slots)]
    return tf.stack(numbers) if numbers else tf.zeros([0], "float64")


def _write(part, numbers):
    whole = {}
    # Numbers of Python are f32 to tf.cast().
    numbers = tf.convert_to_tensor(numbers, "float64")
    for place, (_, variable, at) in enumerate(part.scalar_slots):
        number = tf.cast(numbers[place], variable.dtype)
        if at is None:
            variable.assign(number)
        else:
            whole.setdefault(id(variable), (variable, [], []))
            whole[id(variable)][1].append([at])
            whole[id(variable)][2].append(number)
    for variable, places, values in whole.values():
        variable.assign(tf.tensor_scatter_nd_update(
            tf.convert_to_tensor(variable), places, tf.stack(values)))
