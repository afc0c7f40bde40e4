"""The libraries that people use today, as candidates: torch fused, foreach and
compiled, optax under jit with everything donated."""

import jax
import numpy as np
import optax
import torch

from timing import Candidate


def numpy_of(tensors):
    return [np.asarray(tensor) for tensor in tensors]


#-- torch ----------------------------------------------------------------------

def torch_params(params, grads):
    made = [torch.nn.Parameter(torch.from_numpy(np.array(p))) for p in params]
    for parameter, grad in zip(made, grads):
        parameter.grad = torch.from_numpy(grad)
    return made


def torch_optimizer(rule, rate, params, **how):
    optim = torch.optim
    if rule in ("adamw", "clip_adamw_ema"):
        return optim.AdamW(params, rate, weight_decay=1e-2, **how)
    if rule == "adadelta":
        return optim.Adadelta(params, rate, rho=0.95, eps=1e-7, **how)
    if rule == "nadam":
        return optim.NAdam(params, rate, eps=1e-7, momentum_decay=1, **how)
    raise ValueError(rule)


def lion_step(params, rate):
    """Lion in torch's own horizontal operations, as libraries write it."""
    weights = [p.detach() for p in params]
    grads = [p.grad for p in params]
    momenta = [torch.zeros_like(p) for p in weights]

    def step():
        update = torch._foreach_mul(momenta, 0.9)
        torch._foreach_add_(update, grads, alpha=0.1)
        torch._foreach_sign_(update)
        torch._foreach_add_(weights, update, alpha=-rate)
        torch._foreach_lerp_(momenta, grads, 0.01)

    return step


def with_clip_and_average(params, step):
    weights = [p.detach() for p in params]
    average = [p.clone() for p in weights]

    def whole():
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        step()
        torch._foreach_lerp_(average, weights, 1e-3)

    return whole


def torch_candidate(how, rule, rate, params, grads, threads):
    """how: fused, foreach or compile."""
    torch.set_num_threads(threads)
    if rule == "clip_adamw_ema":  # clipping writes to the gradients
        grads = [np.array(g) for g in grads]
    params = torch_params(params, grads)
    if rule == "lion":
        step = lion_step(params, rate)
    else:
        options = {} if how == "compile" else {how: True}
        step = torch_optimizer(rule, rate, params, **options).step
    if rule == "clip_adamw_ema":
        step = with_clip_and_average(params, step)
    if how == "compile":
        step = torch.compile(step)
    return Candidate(f"torch {how}", step,
                     lambda: numpy_of(p.detach() for p in params))


#-- optax ----------------------------------------------------------------------

def optax_transform(rule, rate):
    if rule == "adamw":
        return optax.adamw(rate, weight_decay=1e-2)
    if rule == "clip_adamw_ema":
        return optax.chain(optax.clip_by_global_norm(1.0),
                           optax.adamw(rate, weight_decay=1e-2))
    if rule == "adadelta":
        return optax.adadelta(rate, rho=0.95, eps=1e-7)
    if rule == "nadam":
        return optax.nadam(rate, eps=1e-7)
    return optax.lion(rate, b1=0.9, b2=0.99, weight_decay=0)


def optax_step(rule, rate):
    """A function of (params, state, average), all donated, and grads."""
    transform = optax_transform(rule, rate)

    def step(carried, grads):
        params, state, average = carried
        updates, state = transform.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        if "ema" in rule:
            average = optax.incremental_update(params, average, 1e-3)
        return params, state, average

    return transform, jax.jit(step, donate_argnums=0)


def optax_candidate(rule, rate, params, grads):
    transform, step = optax_step(rule, rate)
    params = [jax.numpy.array(p) for p in params]
    grads = [jax.numpy.array(g) for g in grads]
    average = [jax.numpy.array(p) for p in params] if "ema" in rule else []
    carried = [(params, jax.jit(transform.init)(params), average)]

    def run():
        carried[0] = step(carried[0], grads)

    return Candidate("optax jit", run, lambda: numpy_of(carried[0][0]),
                     lambda: jax.block_until_ready(carried[0]))
