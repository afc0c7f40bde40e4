"""Updraft: optimizers as equations, compiled to one pass over memory.

    program = updraft.compile("clip_by_global_norm(1.0) | torch/adamw")
    print(program.explain())
    optimizer = updraft.numpy.Optimizer(program, {"w": w}, lr=1e-3)
    optimizer.step({"w": g})

`updraft.numpy` steps arrays and tensors of any library in place;
`updraft.keras` has a drop-in for every Keras optimizer that has a rule. Both
are imported when they are first used.
"""

import importlib as _importlib

from ._program import CompileError, Hyper, Program, compile, open

__version__ = "0.1.0"
__all__ = ["CompileError", "Hyper", "Program", "compile", "open"]

_MODULES = ("keras", "numpy")


def __getattr__(name):
    if name in _MODULES:
        return _importlib.import_module("." + name, __name__)
    raise AttributeError(f"module 'updraft' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_MODULES])
