"""Files that are damaged, and places that cannot be written."""

import json
import resource
import struct
import subprocess

import numpy as np
import pytest

from harness import RUN, call, write

VALUES = ["--params", "w=1,2", "--grads", "w=1,1"]


def damaged(content):
    return struct.pack("<Q", len(content)) + content


def entry(**changes):
    value = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes
    return damaged(json.dumps({"w": value}).encode()) + bytes(8)


def two(first, second, size):
    """Two vectors of two numbers at these offsets, in `size` bytes."""
    return damaged(json.dumps(
        {name: {"dtype": "F32", "shape": [2], "data_offsets": [at, at + 8]}
         for name, at in {"v": first, "w": second}.items()}).encode()
    ) + bytes(size)


@pytest.mark.parametrize("words, content", [
    ("is truncated: it has no header", b"abc"),
    ("its header would have 9223372036854775808 bytes",
     struct.pack("<Q", 2**63) + b"{}"),
    ("the header has a wrong name", damaged(b"{'w'}")),
    ("the header is not a JSON object", damaged(b"[]")),
    ("the header is not a JSON object", damaged(b" {}")),
    ("the header goes on after its end", damaged(b"{}{}")),
    ("'w' is not an object", damaged(b'{"w": 3}')),
    ("'w' occurs twice", damaged(
        b'{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},'
        b'"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}')),
    ("has dtype I64; wanted F64", entry(dtype="I64", shape=[1])),
    ("has the unknown dtype 'Q9'", entry(dtype="Q9")),
    ("'w' has a wrong field", entry(shape=[-2])),
    ("'w' has a wrong field", entry(shape="2")),
    ("shape of more than 2^64 bytes", entry(shape=[2**62, 2**62])),
    ("dtype and shape need 12 bytes", entry(shape=[3])),
    ("dtype and shape need 4 bytes", entry(dtype="BF16")),
    ("offsets 8 and 0, which are not in order", entry(data_offsets=[8, 0])),
    ("there is a gap of 8 bytes before the data of 'w'",
     entry(data_offsets=[8, 16])),
    ("there is a gap of 4 bytes before the data of 'w'", two(0, 12, 20)),
    ("the data of 'w' overlaps that of 'v'", two(0, 4, 12)),
    ("the data of 'w' overlaps that of 'v'", two(0, 0, 8)),
    ("8 bytes behind the data belong to no tensor", entry() + bytes(8)),
    ("the data of 'w' ends 1 bytes behind it", entry()[:-1]),
    *[("the header has a wrong name" if opening == b"[" else "wrong field",
       damaged(b'{"a":' * (opening != b"[") + b'{' * (opening == b"[")
               + opening * 100000)) for opening in (b"[", b'{"a":')],
])
def test_damaged_file(tmp_path, words, content):
    (tmp_path / "w").write_bytes(content)
    done = call(["keras/sgd", "--params", tmp_path / "w", "--grads", "w=1,1"],
                check=False)
    assert done.returncode == 1
    assert words in done.stderr and str(tmp_path / "w") in done.stderr


def test_every_byte_matters_or_not(tmp_path):
    """Whatever one byte becomes, the file is read or refused."""
    write(tmp_path / "good", {"w": np.ones(2, "f4"), "v": np.ones(1, "f4")})
    good = (tmp_path / "good").read_bytes()
    random = np.random.default_rng(20260101)
    refused = 0
    for place in random.choice(len(good), 24, replace=False):
        bad = bytearray(good)
        bad[place] ^= 1 << random.integers(8)
        (tmp_path / "bad").write_bytes(bad)
        done = call(["keras/sgd", "--params", tmp_path / "bad", "--grads",
                     "w=1,1"], check=False)
        assert done.returncode in (0, 1), done.stderr
        refused += done.returncode
    assert refused


#-- a full disk ----------------------------------------------------------------

BIN = RUN.parent


def limited(folder, command):
    """Runs in `folder`, where no file may have more than 512 bytes."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
    return subprocess.run([BIN / command[0], *map(str, command[1:])],
                          cwd=folder, capture_output=True, text=True,
                          preexec_fn=limit, timeout=600)


@pytest.mark.parametrize("command", [
    ["updraft-run", "torch/adamw", "--sizes", "300", "--out", "out"],
    ["updraftc", "torch/adamw", "--header", "out"],
    *[["updraftc", "torch/adamw", "--emit=" + stage, "-o", "out"]
      for stage in ("rule", "checked", "ast", "plan", "asm", "object", "image",
                    "shared", "header")],
    ["updraft-opt", "many.mlir", "-o", "out"],
])
@pytest.mark.parametrize("old", [None, "old"])
def test_full_disk(tmp_path, command, old):
    source = "".join(f"func.func private @f{i}()\n" for i in range(100))
    (tmp_path / "many.mlir").write_text(
        source.replace("func.func private", "llvm.func"))
    if old:
        (tmp_path / "out").write_text(old)
    done = limited(tmp_path, command)
    assert done.returncode == 1
    # A linker needs room for its own files first.
    name = "'" if "--emit=shared" in command else "cannot write 'out'"
    assert done.stderr.startswith(f"{command[0]}: error: {name}")
    assert done.stderr.endswith(": File too large\n")
    (tmp_path / "many.mlir").unlink()
    assert [file.read_text() for file in tmp_path.iterdir()] == (
        [old] if old else [])


@pytest.mark.parametrize("command", [
    ["updraftc", "--help"], ["updraftc", "--version"], ["updraftc", "--list"],
    ["updraftc", "torch/adamw", "--explain"], ["updraftc", "torch/adamw"],
    ["updraft-run", "--help"],
    ["updraft-run", "keras/sgd", *VALUES, "--out", "-"],
    ["updraft-opt", "--help"], ["updraft-opt", "--show-dialects"],
    ["updraft-opt", "empty.mlir"],
])
def test_standard_output_is_full(tmp_path, command):
    (tmp_path / "empty.mlir").write_text("")
    with open("/dev/full", "w") as full:
        done = subprocess.run([BIN / command[0], *command[1:]], stdout=full,
                              stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{command[0]}: error: ")
    assert done.stderr.endswith("No space left on device\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [
    ["updraft-run", "keras/sgd", *VALUES, "--out"],
    ["updraftc", "keras/sgd", "-o"], ["updraft-opt", "empty.mlir", "-o"],
])
@pytest.mark.parametrize("place, why", [
    ("/dev/full", "No space left on device"),
    ("no/out", "No such file or directory"), (".", "Is a directory"),
])
def test_failed_write(tmp_path, command, place, why):
    (tmp_path / "empty.mlir").write_text("")
    done = subprocess.run([BIN / command[0], *command[1:], place],
                          capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"{command[0]}: error: cannot write '{place}': {why}\n")
    assert [file.name for file in tmp_path.iterdir()] == ["empty.mlir"]
