"""Compiled programs that are damaged are told or compiled again.

UPDRAFT_SEED chooses other bytes to damage. What may crash runs in a process of
its own.
"""

import ctypes
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(os.environ.get("UPDRAFT_BIN", ROOT / "build" / "bin"))
SEED = os.environ.get("UPDRAFT_SEED", "1")
FLIPS = 300
RULE = "rule plain {\n  rate lr = 0.5 in [0, inf)\n  p' = p - lr*g\n}\n"


class Options(ctypes.Structure):
    _fields_ = [("struct_bytes", ctypes.c_uint32), ("param", ctypes.c_uint32),
                ("target", ctypes.c_char_p), ("settings", ctypes.c_void_p),
                ("setting_count", ctypes.c_size_t),
                ("cache_folder", ctypes.c_char_p),
                ("library_folder", ctypes.c_char_p)]


class Counts(ctypes.Structure):
    _fields_ = [("compiled", ctypes.c_uint64), ("cached", ctypes.c_uint64)]


def library():
    found = ctypes.CDLL(str(BIN.parent / "lib" / "libupdraftc.so"))
    found.updraft_last_error.restype = ctypes.c_char_p
    found.updraft_get_compile_counts.restype = Counts
    found.updraft_program_release.argtypes = [ctypes.c_void_p]
    return found


def damaged(data, head):
    """Truncated at every 512 bytes, each bit of the head flipped, and random
    bits of all. Yields what was done and the bytes."""
    draw = random.Random(SEED)
    for length in range(0, len(data), 512):
        yield f"{length} bytes of {len(data)}", data[:length]
    places = [*range(8 * head), *(draw.randrange(8 * len(data))
                                  for _ in range(FLIPS))]
    for place in places:
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        yield f"bit {place} flipped", bytes(changed)


def compile_once(lib, cache):
    """Whether it was compiled, and not taken from the cache."""
    options = Options(ctypes.sizeof(Options), 1, None, None, 0,
                      str(cache).encode(), None)
    program = ctypes.c_void_p()
    before = lib.updraft_get_compile_counts()
    status = lib.updraft_compile_source(RULE.encode(), b"plain.upd",
                                        ctypes.byref(options),
                                        ctypes.byref(program))
    assert status == 0, lib.updraft_last_error()
    lib.updraft_program_release(program)
    after = lib.updraft_get_compile_counts()
    made = after.compiled - before.compiled
    assert made + after.cached - before.cached == 1
    return bool(made)


def attack_cache(folder):
    """Every damage is a miss, and the entry is as good as before after it."""
    lib = library()
    assert compile_once(lib, folder)
    entry, = folder.glob("*.image")
    good = entry.read_bytes()
    for what, bad in damaged(good, 0):
        entry.write_bytes(bad)
        assert compile_once(lib, folder), what
        assert entry.read_bytes() == good, what
    assert not compile_once(lib, folder)


def attack_places(folder):
    """What is not the user's own plain file is no entry."""
    lib = library()
    assert compile_once(lib, folder)
    entry, = folder.glob("*.image")
    good = entry.read_bytes()
    for mode in (0o620, 0o602):
        entry.chmod(mode)
        assert compile_once(lib, folder), oct(mode)
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    if os.geteuid() == 0:
        os.chown(entry, 12345, -1)
        assert compile_once(lib, folder)
        assert entry.stat().st_uid == 0
    (folder / "elsewhere").write_bytes(good)
    entry.unlink()
    entry.symlink_to(folder / "elsewhere")
    assert compile_once(lib, folder) and not entry.is_symlink()
    entry.unlink()
    os.mkfifo(entry)
    assert compile_once(lib, folder) and entry.is_file()
    entry.unlink()
    entry.mkdir()
    assert compile_once(lib, folder) and entry.is_dir()
    assert not list(folder.glob(".*"))


def attack_open(folder, suffix):
    """updraft_program_open refuses what is not the file as it was written."""
    lib = library()
    good = (folder / f"good.{suffix}").read_bytes()
    bad_file = folder / f"bad.{suffix}"
    for what, bad in damaged(good, 56):
        bad_file.write_bytes(bad)
        program = ctypes.c_void_p()
        status = lib.updraft_program_open(str(bad_file).encode(),
                                          ctypes.byref(program))
        error = lib.updraft_last_error().decode()
        assert status == 3 and str(bad_file) in error, (what, error)


ATTACKS = {"cache": attack_cache, "places": attack_places,
           "img": lambda folder: attack_open(folder, "img"),
           "o": lambda folder: attack_open(folder, "o")}


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True,
                          text=True, errors="replace", timeout=600)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack(attack, tmp_path):
    if attack in ("img", "o"):
        assert run(BIN / "updraftc", "torch/adamw", "-o",
                   tmp_path / f"good.{attack}").returncode == 0
    done = run(sys.executable, __file__, attack, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tool", ["updraftc", "updraft-run"])
@pytest.mark.parametrize("suffix", ["img", "o", "so"])
def test_a_program_is_no_rule(tool, suffix, tmp_path):
    file = tmp_path / f"program.{suffix}"
    assert run(BIN / "updraftc", "torch/adamw", "-o", file).returncode == 0
    data = file.read_bytes()
    for name, length in [(file.name, len(data)), ("whole.upd", len(data)),
                         ("half.upd", len(data) // 2), ("empty.upd", 0)]:
        (tmp_path / name).write_bytes(data[:length])
        done = run(BIN / tool, tmp_path / name)
        assert done.returncode == 1
        assert "error: " in done.stderr and len(done.stderr) < 20000


if __name__ == "__main__":
    ATTACKS[sys.argv[1]](Path(sys.argv[2]))
