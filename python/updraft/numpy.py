"""Steps over NumPy arrays, and tensors of other libraries, in place."""

from __future__ import annotations

import os
from typing import Any, Iterable, Mapping

from . import _core
from ._program import Program, compile

__all__ = ["Optimizer"]


class Optimizer:
    """A program together with parameters.

    program: a Program, or the text of a pipe, which is compiled for the dtype
    of the first parameter.
    params: name -> array. Contiguous, writable, on the CPU, all of the
    program's dtype; anything with DLPack or the buffer protocol (NumPy, torch,
    array.array). Used in place, never copied.
    groups: for hypers that differ: [{"params": ["w"], "lr": 1e-2}, ...]; what a
    group does not say is as in **hypers. Parameters of no group are in a first
    one of their own.
    tags: name -> strings that guards of the rule ask for ({"b": ["no_decay"]}).
    threads: 0 for one a processor. The number of threads changes no bit.
    seed: of random numbers, for rules that draw some.
    **hypers: values by name; a dot may be written as "__"
    (clip_by_global_norm__max_norm=1.0). The name in which the rates of several
    routes end (lr for first.lr and second.lr) sets those that are not computed.

    Raises TypeError for what is no array, or of another dtype; ValueError for
    arrays that are not contiguous, read only, overlapping or of an unfit shape,
    and for values outside the domain; LookupError for unknown names.

    One optimizer may be stepped from one thread at a time (RuntimeError
    otherwise). The interpreter's lock is released while a step runs.
    """

    def __init__(self, program: Program | str, params: Mapping[str, Any], *,
                 groups: Iterable[Mapping[str, Any]] | None = None,
                 tags: Mapping[str, Iterable[str]] | None = None,
                 threads: int = 0, seed: int = 0, **hypers: float):
        params = dict(params)
        if isinstance(program, str):
            program = compile(program, dtype=_dtype(params))
        self.program = program
        self._names = {name: i for i, name in enumerate(params)}
        hypers = {_dotted(name): value for name, value in hypers.items()}
        places, settings = self._place(groups, hypers)
        tags = self._known(tags or {}, "tags")
        self._core = _core.Optimizer(
            program._core,
            [(name, array, places.get(name, 0), list(tags.get(name, ())))
             for name, array in params.items()],
            settings, threads, seed)

    def _place(self, groups, hypers):
        """Parameter name -> group, and the settings of all groups."""
        groups = [dict(group) for group in groups or ()]
        places: dict[str, int] = {}
        loose = set(self._names)
        for group in groups:
            names = group.pop("params")
            for name in self._known(dict.fromkeys(names), "groups"):
                if name not in loose:
                    raise ValueError(f"parameter '{name}' is in two groups")
                loose.discard(name)
                places[name] = groups.index(group)
        if loose or not groups:
            groups.insert(0, {})
            places = {name: place + 1 for name, place in places.items()}
        settings = []
        for group in groups:
            own = {_dotted(name): value for name, value in group.items()}
            settings.append(list({**hypers, **own}.items()))
        return places, settings

    def _known(self, by_name, what):
        for name in by_name:
            if name not in self._names:
                raise LookupError(f"{what}: there is no parameter '{name}'")
        return by_name

    def step(self, grads: Mapping[str, Any]) -> None:
        """One step in place.

        grads: name -> array of the parameter's shape and dtype; a parameter
        that is missing, or None, has no gradient in this call. Everything is
        checked before anything is written.
        """
        self._known(grads, "grads")
        self._core.step([grads.get(name) for name in self._names])

    def set(self, name: str, value: float, group: int = 0) -> None:
        """Sets a hyper. ValueError outside its domain or if it is computed."""
        self._core.set_hyper(name, value, group)

    def get(self, name: str, group: int = 0) -> float:
        """The value of a hyper."""
        return self._core.get_hyper(name, group)

    def set_input(self, name: str, value: Any, param: str | None = None):
        """Gives an input of the rule, which stays until it is given anew.

        value: a number, or with `param` an array of that parameter's shape.
        """
        if param is None:
            self._core.set_input(name, value)
        else:
            self._core.set_array_input(name, self._index(param), value)

    def view(self, name: str, param: str | None = None, out: Any = None):
        """Evaluates a view of the rule.

        One of element level goes into `out`, an array of the parameter's shape,
        by default a new NumPy array; others come back as a float. `param` says
        of which parameter (of its group).
        """
        index = 0 if param is None else self._index(param)
        if self.program.views.get(name) != "element":
            return self._core.view_scalar(name, index)
        if out is None:
            import numpy

            if self.program.dtype == "bfloat16":
                raise TypeError("NumPy has no bfloat16: give `out`")
            shape = self._core.param_shape(index)
            out = numpy.empty(shape, self.program.dtype)
        self._core.view_into(name, index, out)
        return out

    def state(self, name: str, param: str | None = None):
        """A state as a NumPy array in place; it changes with every step.

        `param` says of which parameter; states and counters of the model need
        none. Of rank 0 and float64 for scalars; bfloat16 comes as uint16.
        """
        index = len(self._names) if param is None else self._index(param)
        return self._core.state(name, index)

    def states(self, param: str | None = None) -> list[str]:
        """Names of the states of a parameter, else of the groups and model."""
        index = len(self._names) if param is None else self._index(param)
        return self._core.state_names(index)

    def save(self, path: str | os.PathLike) -> None:
        """Writes states, counters and hypers as safetensors: "w.m", ..."""
        self._core.save(os.fspath(path))

    def load(self, path: str | os.PathLike) -> None:
        """Reads what `save` wrote. All names, shapes and dtypes are checked
        before anything changes."""
        self._core.load(os.fspath(path))

    def _index(self, param):
        self._known([param], "param")
        return self._names[param]


def _dotted(name):
    return name.replace("__", ".")


def _dtype(params):
    """The dtype of the first array as NumPy and torch write it."""
    for array in params.values():
        if hasattr(array, "dtype"):
            return str(array.dtype).removeprefix("torch.")
    return "float32"
