"""One rule, every machine, the same bits.

Each program is compiled for x86-64-v3, x86-64-v4 and AArch64; `replay` takes
it through the same steps and prints a hash of all parameters and states,
natively and under qemu. That the bits are also the interpreter's is
test_compositions' matter.
"""

import pathlib
import random
import shutil
import subprocess

import pytest

from harness import RUN
from test_compositions import RULES, composition, has_v4

BIN = RUN.parent
FORMATS = ["f32", "f64", "bf16", "f16"]
OTHER = BIN / "replay-aarch64"
EMULATOR = shutil.which("qemu-aarch64")

# Target, how its code is run, number of threads.
MACHINES = [("x86-64-v3", [BIN / "replay"], 1),
            ("x86-64-v3", [BIN / "replay"], 2)]
if has_v4():
    MACHINES.append(("x86-64-v4", [BIN / "replay"], 2))
if EMULATOR and OTHER.exists():
    MACHINES.append(("aarch64", [EMULATOR, OTHER], 2))


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stderr}"
    return done.stdout


def hashes(folder, pipe, param):
    found = {}
    for target, runner, threads in MACHINES:
        image = pathlib.Path(folder, f"{target}.img")
        if not image.exists():
            run(BIN / "updraftc", "-e", pipe, f"--param={param}",
                f"--target={target}", "--emit=image", "-o", image)
        found[target, threads] = run(*runner, image, threads)
    return found


def test_the_other_machine_is_there():
    assert any(target == "aarch64" for target, *_ in MACHINES)


@pytest.mark.parametrize("param", FORMATS)
@pytest.mark.parametrize("rule", range(len(RULES)))
def test_rule(tmp_path, rule, param):
    pipe = RULES[rule][1](random.Random(rule))
    found = hashes(tmp_path, pipe, param)
    assert len(set(found.values())) == 1, f"{pipe}: {found}"


@pytest.mark.parametrize("case", range(200))
def test_composition(tmp_path, case):
    r = random.Random(1000 + case)
    pipe = composition(r)
    found = hashes(tmp_path, pipe, r.choice(FORMATS))
    assert len(set(found.values())) == 1, f"{pipe}: {found}"
