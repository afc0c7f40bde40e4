"""Our side of the benchmarks: the C API through ctypes."""

import ctypes
import os
from pathlib import Path

import numpy as np

from timing import Candidate

ROOT = Path(__file__).resolve().parents[2]
NDARRAY_F32 = 1
u32, u64, text = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_char_p
pointer = ctypes.c_void_p


class Ndarray(ctypes.Structure):
    _fields_ = [("data", pointer), ("dtype", u32), ("rank", u32),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", pointer), ("device", u32)]


class Param(ctypes.Structure):
    _fields_ = [("name", text), ("array", Ndarray), ("group", u32),
                ("tag_count", u32), ("tags", pointer)]


class Options(ctypes.Structure):
    _fields_ = [("struct_bytes", u32), ("threads", u32),
                ("executor", pointer), ("seed", u64), ("flags", u32)]


class CompileOptions(ctypes.Structure):
    _fields_ = [("struct_bytes", u32), ("param", u32), ("target", text),
                ("settings", pointer), ("setting_count", ctypes.c_size_t),
                ("cache_folder", text), ("library_folder", text)]


class Counts(ctypes.Structure):
    _fields_ = [("compiled", u64), ("cached", u64)]


def build_folder():
    return Path(os.environ.get("UPDRAFT_BUILD", ROOT / "build"))


def load():
    """The front door: runtime and cache, which load the compiler if needed."""
    library = ctypes.CDLL(str(build_folder() / "lib" / "libupdraftc.so"))
    library.updraft_last_error.restype = text
    library.updraft_get_compile_counts.restype = Counts
    library.updraft_program_release.restype = None
    library.updraft_program_release.argtypes = [pointer]
    library.updraft_optimizer_state_name.restype = text
    return library


def check(library, status):
    if status:
        raise RuntimeError(library.updraft_last_error().decode())


def ndarrays(arrays):
    """The arrays as the C API wants them, with what must stay alive."""
    shapes = [(ctypes.c_int64 * a.ndim)(*a.shape) for a in arrays]
    described = (Ndarray * len(arrays))(*[
        Ndarray(a.ctypes.data, NDARRAY_F32, a.ndim, shape, None)
        for a, shape in zip(arrays, shapes)])
    return described, (shapes, arrays)


def compile_pipe(library, pipe, cache=""):
    """A program; cache: a folder, "" for none."""
    options = CompileOptions(ctypes.sizeof(CompileOptions), NDARRAY_F32, None,
                             None, 0, cache.encode(), None)
    program = pointer()
    check(library, library.updraft_compile(pipe.encode(),
                                           ctypes.byref(options),
                                           ctypes.byref(program)))
    return program


class Optimizer:
    def __init__(self, library, pipe, params, grads, threads):
        self.library, self.params = library, params
        program = compile_pipe(library, pipe)
        described, self.keep = ndarrays(params)
        list_of_params = (Param * len(params))(*[
            Param(None, array, 0, 0, None) for array in described])
        options = Options(ctypes.sizeof(Options), threads, None, 0)
        self.handle = pointer()
        check(library, library.updraft_optimizer_create(
            program, None, ctypes.c_size_t(0), list_of_params,
            ctypes.c_size_t(len(params)), ctypes.byref(options),
            ctypes.byref(self.handle)))
        library.updraft_program_release(program)
        self.grads, self.keep_grads = ndarrays(grads)
        self.arguments = (self.handle, self.grads,
                          ctypes.c_size_t(len(grads)), pointer())

    def step(self):
        check(self.library, self.library.updraft_optimizer_step(
            *self.arguments))

    def states_like(self, param, index=0):
        """The states of a parameter that have its shape, in place."""
        count = self.library.updraft_optimizer_state_count(
            self.handle, ctypes.c_size_t(index))
        for k in range(count):
            name = self.library.updraft_optimizer_state_name(
                self.handle, ctypes.c_size_t(index), ctypes.c_size_t(k))
            state = Ndarray()
            check(self.library, self.library.updraft_optimizer_state(
                self.handle, name, ctypes.c_size_t(index),
                ctypes.byref(state)))
            if state.rank and tuple(state.shape[:state.rank]) == param.shape:
                data = ctypes.cast(state.data, ctypes.POINTER(ctypes.c_float))
                yield np.ctypeslib.as_array(data, param.shape)

    def __del__(self):
        self.library.updraft_optimizer_destroy(self.handle)


def candidate(library, pipe, params, grads, threads):
    params = [np.array(p) for p in params]
    optimizer = Optimizer(library, pipe, params, grads, threads)
    return Candidate("updraft", optimizer.step, lambda: params)
