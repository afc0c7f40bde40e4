"""Prints the folder of XLA's headers, if jaxlib has brought them."""

import importlib.util
import pathlib

jaxlib = importlib.util.find_spec("jaxlib")
if jaxlib:
    folder = pathlib.Path(jaxlib.submodule_search_locations[0], "include")
    if (folder / "xla/ffi/api/ffi.h").exists():
        print(folder)
