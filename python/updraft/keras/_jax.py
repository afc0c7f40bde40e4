"""The step on JAX: a custom call, in place where XLA is given the memory."""

from __future__ import annotations

import hashlib

import jax
import jax.numpy as jnp

from .. import _core
from ._backend import blank

_TARGET = "updraft_step"
# What computations that XLA has compiled may still step.
_kept: dict[str, _core.Optimizer] = {}
_registered = False


def _register_target():
    global _registered
    if _registered:
        return
    if not hasattr(_core, "jax_handler"):
        raise NotImplementedError(
            "updraft was built without jaxlib's headers: build it again where "
            "jaxlib is installed")
    jax.ffi.register_ffi_target(_TARGET, _core.jax_handler(), platform="cpu")
    _registered = True


class JaxMemory:
    blank = staticmethod(blank)

    @staticmethod
    def copy(value):
        return value  # nobody can write it

    def runner(self, part):
        _register_target()
        calls = {}

        def run(grads):
            present = tuple(i for i, g in enumerate(grads) if g is not None)
            if present not in calls:
                calls[present] = _call(part, present)
            step(part, calls[present], [grads[i] for i in present], present)

        return run


def _call(part, present):
    """The custom call for gradients of some parameters, as a function."""
    # Not by paths, which each new model has others of: what is kept stays.
    params = [(shape, tags) for _, shape, tags in part.params]
    what = (part.recipe, part.dtype, params, present,
            part.program._facts["hash"])
    key = hashlib.sha256(repr(what).encode()).hexdigest()
    core = _kept.setdefault(key, part.core)
    _core.jax_register(
        key, core, [place for place, _ in part.counters],
        [place for place, _, _ in part.scalar_slots], part.recipe.rate or "",
        list(present), len(part.params))

    def call(ints, floats, held, grads):
        results = [jax.ShapeDtypeStruct(x.shape, x.dtype)
                   for x in [*held, floats]]
        return jax.ffi.ffi_call(
            _TARGET, results,
            input_output_aliases={2 + i: i for i in range(len(held))})(
                ints, floats, *held, *grads, key=key)

    return jax.jit(call)


def step(part, call, grads, present):
    optimizer = part.optimizer
    iterations = optimizer._iterations.value
    ints = jnp.stack([jnp.asarray(x, "int32")
                      for x in part.counts(iterations) or [iterations]])
    rate = part.host_rate()
    wide = "float64" if jax.config.jax_enable_x64 else "float32"
    numbers = [0.0 if rate is None else rate]
    numbers += [v.value if at is None else v.value[at]
                for _, v, at in part.scalar_slots]
    floats = jnp.stack([jnp.asarray(x, wide).reshape(()) for x in numbers])
    held = part.variables + part.slots
    values = [v.value for v in held]
    grads = [_fit(grad, values[i]) for grad, i in zip(grads, present)]
    *results, floats = call(ints, floats, values, grads)
    for variable, value in zip(held, results):
        variable.assign(value)
    for number, (_, variable, at) in enumerate(part.scalar_slots, 1):
        new = jnp.asarray(floats[number], variable.dtype)
        variable.assign(new.reshape(variable.shape) if at is None
                        else variable.value.at[at].set(new))


def _fit(grad, value):
    if hasattr(grad, "todense"):
        grad = grad.todense()
    return jnp.asarray(grad, value.dtype)
