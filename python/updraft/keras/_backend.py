"""Where each backend of Keras has its numbers."""

import mmap

import keras

from ._part import in_stateless_scope


def blank(shape, dtype):
    """An array that nobody reads: of no memory until it is touched."""
    import numpy

    if dtype == "bfloat16":
        import ml_dtypes

        dtype = ml_dtypes.bfloat16
    items = max(1, int(numpy.prod(shape)))
    memory = mmap.mmap(-1, items * numpy.dtype(dtype).itemsize)
    return numpy.frombuffer(memory, dtype, items).reshape(shape) if (
        shape == () or 0 not in shape) else numpy.empty(shape, dtype)


class _Memory:
    blank = staticmethod(blank)

    def runner(self, part):
        def run(grads):
            if in_stateless_scope():
                # Values belong to the scope; what is given stays as it is.
                params = [self.copy(v.value) for v in part.variables]
                states = [self.copy(v.value) for v in part.slots]
                numbers = self.step(part, params, grads, states)
                for variable, value in zip(part.variables + part.slots,
                                           params + states):
                    variable.assign(value)
                for (_, variable, at), number in zip(part.scalar_slots,
                                                     numbers):
                    value = self.copy(variable.value)
                    value[... if at is None else at] = number
                    variable.assign(value)
                return
            params = [self.own(v) for v in part.variables]
            states = [self.own(v) for v in part.slots]
            numbers = self.step(part, params, grads, states)
            for (_, variable, at), number in zip(part.scalar_slots, numbers):
                self.write(variable, at, number)
            self.touched(params)

        return run

    def step(self, part, params, grads, states):
        rate = part.host_rate()
        if rate is not None:
            rate = float(keras.ops.convert_to_numpy(rate))
        return part.step_in_place(
            params, grads, states,
            int(self.number(part.optimizer._iterations.value, None)), rate,
            [self.number(v.value, at) for _, v, at in part.scalar_slots])

    def write(self, variable, at, number):
        self.own(variable)[... if at is None else at] = number

    def touched(self, params):
        """Tells the framework that memory has changed."""


class NumpyMemory(_Memory):
    def own(self, variable):
        """The variable's array, which the step writes."""
        import numpy

        value = variable._value
        if not (isinstance(value, numpy.ndarray)
                and value.dtype == variable.dtype
                and value.flags.c_contiguous and value.flags.writeable):
            value = variable._value = numpy.array(value, variable.dtype,
                                                  order="C")
        return value

    @staticmethod
    def copy(value):
        import numpy

        return numpy.array(value, order="C")

    @staticmethod
    def number(value, at):
        return float(value if at is None else value[at])

    @staticmethod
    def fit(grad, param):
        import numpy

        return numpy.array(grad, param.dtype, order="C")


class TorchMemory(_Memory):
    def own(self, variable):
        value = variable._value
        if value is None:
            value = variable.value
        if not value.is_contiguous():
            value.data = value.data.contiguous()
        return value

    def write(self, variable, at, number):
        import torch

        with torch.no_grad():
            super().write(variable, at, number)

    def touched(self, params):
        import torch

        # Autograd notices what it knows nothing of by these counts.
        torch.autograd.graph.increment_version(params)

    @staticmethod
    def copy(value):
        import torch

        return value.detach().clone(memory_format=torch.contiguous_format)

    @staticmethod
    def number(value, at):
        return (value if at is None else value[at]).item()

    @staticmethod
    def fit(grad, param):
        import torch

        if grad.layout != torch.strided:
            grad = grad.to_dense()
        return grad.detach().to(param.device, param.dtype, copy=True,
                                memory_format=torch.contiguous_format)


def Memory():
    name = keras.config.backend()
    if name == "torch":
        return TorchMemory()
    if name == "numpy":
        return NumpyMemory()
    if name == "jax":
        from ._jax import JaxMemory

        return JaxMemory()
    if name == "tensorflow":
        from ._tensorflow import TensorFlowMemory

        return TensorFlowMemory()
    raise NotImplementedError(
        "updraft.keras runs on the backends torch, jax, tensorflow and numpy, "
        f"not {name}")
