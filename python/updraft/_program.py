"""Compiled rules: what they are made from and what they cost."""

from __future__ import annotations

import os
from typing import Mapping, NamedTuple

from . import _core

CompileError = _core.CompileError

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_SHORT = {"float64": "f64", "float32": "f32", "bfloat16": "bf16",
          "float16": "f16"}


class Hyper(NamedTuple):
    """A number that may change from step to step without a compilation.

    `domain` is text such as "[0, inf)"; `default` is None where a value must be
    given. `is_computed`: the step computes it (a schedule); setting it is an
    error.
    """

    name: str
    doc: str
    default: float | None
    domain: str
    is_rate: bool
    is_computed: bool


class Program:
    """A compiled rule. Made by `compile` or `open`; immutable, shared freely.

    name, doc, dtype, target: text; `dtype` is that of parameters and gradients.
    rule: the flat rule, with all boxes in it, as text that compiles again.
    options: name -> text, settled at compilation.
    hypers: name -> Hyper.
    states: names of all states and counters.
    views: name -> level ("model", "group", "tensor" or "element").
    passes, bytes_per_param, state_bytes_per_param: passes over memory in a
    step, bytes that they move for a parameter, and bytes of state that stay;
    where tensors differ (a guard), of those that cost most.
    """

    def __init__(self, core: _core.Program):
        self._core = core
        self._facts = facts = core.describe()
        self.name: str = facts["name"]
        self.doc: str = facts["doc"]
        self.rule: str = facts["rule"]
        self.target: str = facts["target"]
        self.dtype: str = facts["dtype"]
        self.options: dict[str, str] = dict(facts["options"])
        self.hypers: dict[str, Hyper] = {
            hyper["name"]: _hyper(hyper) for hyper in facts["hypers"]}
        self.views: dict[str, str] = dict(facts["views"])
        self.states: list[str] = _states(facts)
        self._passes = _passes(facts)
        worst = [max(column) for column in zip(*self._passes)]
        self.passes: int = worst[0]
        self.bytes_per_param: float = worst[1]
        self.state_bytes_per_param: float = worst[2]

    def __repr__(self):
        return (f"<updraft.Program {self.name} ({_SHORT[self.dtype]}): "
                f"{_counted(self.passes)}, {self.bytes_per_param:g} bytes "
                f"per parameter>")

    def explain(self) -> str:
        """What a step costs, as updraftc --explain says it.

        A row a kernel: bytes read and written for a parameter, what must have
        finished before, and the equation that forced it; then tensors that
        differ, and what each outcome of the conditions moves. The compiler is
        loaded for it: NotImplementedError where that is missing.
        """
        return self._core.explain()

    def _repr_html_(self):
        head, *rows = self._rows()
        cells = [f"<caption>{_escape(repr(self))}</caption>",
                 "<tr>" + "".join(f"<th>{x}</th>" for x in head) + "</tr>"]
        for row in rows:
            cells.append("<tr>" + "".join(f"<td>{_escape(x)}</td>"
                                          for x in row) + "</tr>")
        return "<table>" + "".join(cells) + "</table>"

    def _rows(self):
        rows = [("kernel", "level", "after", "reads", "writes", "bytes", "why")]
        for kernel in self._facts["kernels"]:
            if kernel["when"] != "step":
                continue
            reads, writes = kernel["reads"], kernel["writes"]
            numbers = ([f"{x:g}" for x in (reads, writes, reads + writes)]
                       if kernel["level"] == "element" else [""] * 3)
            rows.append((kernel["name"], kernel["level"], kernel["after"],
                         *numbers, kernel["why"]))
        return rows


def compile(pipe: str | None = None, *, path: str | os.PathLike | None = None,
            source: str | None = None, name: str = "<source>",
            dtype: str = "float32",
            options: Mapping[str, object] | None = None,
            target: str | None = None,
            cache: str | os.PathLike | None = None) -> Program:
    """Compiles an optimizer, or takes it from the cache.

    Exactly one of: `pipe`, boxes around a rule of the library
    ("keras/ema(0.999) | clip_by_global_norm(1.0) | torch/adamw"); `path`, a
    .upd file ("file.upd:name" picks one of several rules); `source`, the text
    of one, which messages call `name`.

    dtype: of parameters and gradients: float32, float64, bfloat16, float16.
    options: settles options of the rule, such as {"amsgrad": True}.
    target: x86-64-v3, x86-64-v4 or aarch64; default: this processor.
    cache: a folder; "" for none; default: the user's.

    The first compilation of a rule takes some 10 ms, and the compiler is loaded
    for it; the cache answers within 1 ms without the compiler.

    Raises CompileError (a ValueError) with the place and a caret if the rule is
    wrong, NotImplementedError if the target or the machine cannot have it.
    """
    given = [(kind, str(text)) for kind, text in
             (("pipe", pipe), ("path", path), ("source", source))
             if text is not None]
    if len(given) != 1:
        raise TypeError("compile() takes exactly one of pipe, path and source")
    (kind, text), = given
    settings = [f"{key}={_setting(value)}"
                for key, value in (options or {}).items()]
    return Program(_core.compile(
        kind, text, name, str(dtype), settings, target,
        None if cache is None else os.fspath(cache), _library()))


def open(path: str | os.PathLike) -> Program:
    """Loads a program that updraftc wrote (--emit=image or --emit=shared)."""
    return Program(_core.open(os.fspath(path)))


def _library():
    return (os.environ.get("UPDRAFT_LIBRARY")
            or os.path.join(_FOLDER, "optimizers"))


def _setting(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def _hyper(facts):
    domain = (("(" if facts["low_open"] else "[")
              + f"{facts['low']:g}, {facts['high']:g}"
              + (")" if facts["high_open"] else "]"))
    return Hyper(facts["name"], facts["doc"], facts["default"], domain,
                 facts["is_rate"], facts["is_computed"])


def _states(facts):
    names = [array["name"] for variant in facts["variants"]
             for array in variant["arrays"] if array["role"] == "state"]
    names += [scalar["name"] for scalar in facts["scalars"]
              if scalar["kind"] in ("state", "counter")]
    return list(dict.fromkeys(names))


def _passes(facts):
    """(passes, bytes moved, bytes of state) of each variant."""
    result = []
    for index, variant in enumerate(facts["variants"]):
        own = [kernel["reads"] + kernel["writes"]
               for kernel in facts["kernels"]
               if kernel["when"] == "step" and kernel["level"] == "element"
               and kernel["variant"] == index]
        result.append((len(own), sum(own), variant["state_bytes"]))
    return result or [(0, 0.0, 0.0)]


def _counted(passes):
    return f"{passes} pass" + ("" if passes == 1 else "es")


def _escape(text):
    return (text.replace("&", "&amp;").replace("<", "&lt;")
            .replace(">", "&gt;"))
