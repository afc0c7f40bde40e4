"""The GPU's code, emulated: the bits of the interpreter.

PTX of each rule is loaded by the runtime into a driver that emulates it, blocks
in an order at random: every step's parameters, states and views are compared,
and an access that races, lies outside of the tensors or is not aligned is an
error.
"""

import random

import numpy as np
import pytest

import test_axes_compiled
import test_compositions
import test_routes
from harness import FAKE_CUDA, ROOT, call, emulate, tensors, write
from test_compositions import RULES

FORMATS = ["f32", "f64", "bf16", "f16"]
SIZES = "0,1,127,4097,100003"

# What a file needs around it to be a rule: boxes have defaults or these
# arguments, schedules are rates of keras/sgd.
ARGUMENTS = {
    "keras/clipnorm": "(0.5)", "keras/clipvalue": "(0.5)",
    "keras/global_clipnorm": "(0.5)", "transforms/accumulate": "(2)",
    "transforms/clip_by_norm": "(0.5)", "transforms/clip_by_value": "(0.5)",
    "transforms/l2": "(0.1)", "transforms/loss_scale": "(3)",
    "transforms/weight_decay": "(0.1)",
    "schedules/cosine_decay": "(0.1, 5, 0.1, 0.4, 2)",
    "schedules/cosine_decay_restarts": "(0.1, 2)",
    "schedules/exponential_decay": "(0.1, 2, 0.7)",
    "schedules/inverse_time_decay": "(0.1, 2, 0.7)",
    "schedules/piecewise_constant_decay": "(0.1, 1, 0.2)",
    "schedules/polynomial_decay": "(0.1, 3)",
}
BOXES = ["keras/base", "keras/clipnorm", "keras/clipvalue", "keras/ema",
         "keras/global_clipnorm", "keras/max_norm", "keras/min_max_norm",
         "keras/non_neg", "keras/unit_norm", "keras/v2/ema"]
FILES = sorted(path.relative_to(ROOT / "optimizers").with_suffix("").as_posix()
               for path in (ROOT / "optimizers").rglob("*.upd"))
MATRICES = {"square": (65, 65), "wide": (70, 600), "tall": (700, 3),
            "stack": (2, 33, 40)}


def pipe(file):
    text = file + ARGUMENTS.get(file, "")
    if file.startswith("schedules/"):
        return f"keras/sgd({text.split('/')[1]})"
    if file.startswith("transforms/") or file in BOXES:
        return f"{text} | keras/adam"
    return text


def emulate_shapes(folder, arguments, shapes, dtype=np.float32, steps=2):
    """Steps on tensors of these shapes; in step i each third lacks a
    gradient."""
    write(folder / "params", tensors(1, dtype, shapes))
    files = []
    for index in range(steps):
        grads = tensors(2 + index, dtype, shapes, 10.0**(index - 1))
        files.append(folder / f"grads{index}")
        write(files[-1], {name: grads[name] for i, name in enumerate(shapes)
                          if len(shapes) < 3 or i % 3 != index})
    emulate(folder, [*arguments, "--params", folder / "params", "--grads",
                     *files], shuffle=3)


@pytest.mark.parametrize("file", FILES)
def test_file(tmp_path, file):
    given = ["-e", pipe(file)]
    if file == "keras/muon_matrices":
        flat = {name: s for name, s in MATRICES.items() if len(s) == 2}
        return emulate_shapes(tmp_path, given, flat)
    emulate(tmp_path, [*given, "--sizes", SIZES, "--steps", "2"], shuffle=1)


@pytest.mark.parametrize("param", FORMATS[1:])
@pytest.mark.parametrize("rule", range(len(RULES)))
def test_format(tmp_path, rule, param):
    emulate(tmp_path, ["-e", RULES[rule][1](random.Random(rule)), "--param",
                       param, "--sizes", "0,1,2,3,127,4096,4097", "--steps",
                       "3"], shuffle=2)


@pytest.mark.parametrize("param", FORMATS)
@pytest.mark.parametrize("arch", [75, 80, 100, 120])
def test_other_gpus(tmp_path, arch, param):
    """Conversions of short formats and what is packed differ by GPU."""
    emulate(tmp_path, ["-e", "ema | clip_by_global_norm | keras/adafactor",
                       "--param", param, "--sizes", "1,127,4097", "--steps",
                       "2"], arch=arch)


@pytest.mark.parametrize("case", range(test_compositions.CASES))
def test_composition(tmp_path, case):
    given = test_compositions.arguments(random.Random(case))
    emulate(tmp_path, [x for x in given if x != "--check"], shuffle=case)


@pytest.mark.parametrize("text, param", [
    ("ema | clip_by_global_norm | keras/adamw", "f32"),
    ("ema | clip_by_global_norm | keras/adamw", "bf16"),
    ("clip_by_norm(1) | keras/lamb", "f32"),
    ("accumulate(2) | dynamic_loss_scale | keras/adafactor", "f32"),
])
def test_thousand_tensors(tmp_path, text, param):
    r = random.Random(text)
    sizes = [r.choice([0, 1, 2, 3, 5, 8, 31, 64, 127, 128, 129, 1000, 4097])
             for _ in range(1000)]
    emulate(tmp_path, ["-e", text, "--param", param, "--sizes",
                       ",".join(map(str, sizes)), "--group", "t[0-4]*",
                       "--steps", "2"], shuffle=4)


@pytest.mark.parametrize("param", ["f32", "f64"])
@pytest.mark.parametrize("rule", test_axes_compiled.RULES)
def test_axes(tmp_path, rule, param):
    path = tmp_path / "everything.upd"
    path.write_text(test_axes_compiled.RULES[rule])
    emulate_shapes(tmp_path, [path, "--param", param],
                   test_axes_compiled.SHAPES,
                   {"f32": np.float32, "f64": np.float64}[param], steps=3)


@pytest.mark.parametrize("text", [
    "keras/adafactor(0.05)", "keras/muon",
    "accumulate(2) | clip_by_global_norm(1) | keras/adafactor(0.05)",
    "keras/ema(0.9) | keras/muon"])
def test_matrices(tmp_path, text):
    emulate_shapes(tmp_path, ["-e", text],
                   MATRICES | {"vector": (300,), "number": (), "no": (0, 4)},
                   steps=3)


@pytest.mark.parametrize("case", range(20))
def test_routed(tmp_path, case):
    r = random.Random(case)
    path = tmp_path / "routed.upd"
    path.write_text(test_routes.routed(r))
    sizes = [r.choice(test_compositions.SIZES) for _ in range(9)]
    emulate(tmp_path, [f"{path}:whole", "--sizes", ",".join(map(str, sizes)),
                       "--tag", "x:t[0-4]", "--tag", "y:t0", "--group",
                       "t[1-3]"], shuffle=case)


@pytest.mark.parametrize("name", ["two", "three", "held"])
def test_reducers(tmp_path, name):
    path = tmp_path / "reducers.upd"
    path.write_text(test_routes.REDUCERS)
    emulate_shapes(tmp_path, [f"{path}:{name}", "--tag", "x:w*[1357]",
                              "--group", "w1*"], test_routes.SHAPES, steps=3)


@pytest.mark.parametrize("words, env, options", [
    ("no CUDA driver could be loaded", {"UPDRAFT_LIBCUDA": "/no/such"}, []),
    ("/dev/null", {"UPDRAFT_LIBCUDA": "/dev/null"}, []),
    ("could not use the GPU: CUDA error", {"UPDRAFT_FAKE_DEVICES": "0"}, []),
    ("could not copy to the GPU: CUDA error 2: out of memory",
     {"UPDRAFT_FAKE_MEMORY": "9999"}, []),
    ("the GPU has compute capability 7.0; there is code for 7.5 and later",
     {"UPDRAFT_FAKE_ARCH": "70"}, []),
    ("it was compiled for no GPU", {}, ["--target", "x86-64-v3"]),
])
def test_without_a_gpu_that_does(words, env, options):
    done = call(["keras/adam", "--on=cuda", "--sizes", "9999", *options],
                check=False, env={"UPDRAFT_LIBCUDA": str(FAKE_CUDA)} | env)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("updraft-run: error: ")
    assert words in done.stderr
