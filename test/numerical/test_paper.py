"""Rules from papers against the paper's own algorithm, written out."""

import numpy as np
import pytest

from harness import assert_close, step, tensors


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_lion(tmp_path, dtype):
    """arXiv:2302.06675, Algorithm 2."""
    params = tensors(1, dtype)
    grads = [tensors(2 + i, dtype) for i in range(10)]
    p = {n: v.astype(np.float64) for n, v in params.items()}
    m = {n: np.zeros_like(v) for n, v in p.items()}
    for arrays in grads:
        for n, g in arrays.items():
            u = np.sign(0.9 * m[n] + 0.1 * g)
            p[n] = p[n] - 0.05 * (u + 0.2 * p[n])
            m[n] = 0.99 * m[n] + 0.01 * g
    ours = step(tmp_path, "paper/lion(0.05, weight_decay = 0.2)", params, grads)
    assert_close(ours, p, 1e-12 if dtype == "float64" else 2e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_lion_cancelling_sum(tmp_path, dtype):
    """beta1*m + (1 - beta1)*g = 0 after rounding: no step, whatever an fma
    would have found below the last bit."""
    real = np.dtype(dtype).type
    random = np.random.default_rng(7)
    # After a first step from m = 0 with beta2 = 0, m is the gradient itself.
    first = random.normal(size=20000).astype(dtype)
    kept = real(0.9) * first
    second = (-kept / real(1 - 0.9)).astype(dtype)
    cancels = kept + real(1 - 0.9) * second == 0
    exactly = (np.longdouble(real(0.9)) * first
               + np.longdouble(real(1 - 0.9)) * second == 0)
    # The case is only one where the products round.
    chosen = cancels & ~exactly if dtype == "float32" else cancels
    first, second = first[chosen][:500], second[chosen][:500]
    assert len(first) == 500
    params = {"w": np.ones_like(first)}
    after = [step(tmp_path, "paper/lion(0.5, 0.9, 0)", params, grads)["w"]
             for grads in ([{"w": first}], [{"w": first}, {"w": second}])]
    assert np.array_equal(after[0], after[1])
    assert not np.array_equal(after[0], params["w"])


def test_clip_by_norm(tmp_path):
    params = tensors(1, "float64")
    grads = tensors(2, "float64")
    ours = step(tmp_path, "clip_by_norm(0.7) | keras/sgd(1)", params, [grads])
    limit = {n: g * min(1, 0.7 / np.sqrt((g * g).sum()))
             for n, g in grads.items()}
    assert_close(ours, {n: params[n] - limit[n] for n in params}, 1e-12)
