"""PTX of every rule and of random compositions is what NVIDIA's assembler takes
for every kind of GPU, without a register spilled, and says all that decides
bits: how each operation rounds, and that nothing is flushed or approximate.
"""

import os
import pathlib
import random
import re
import shutil
import subprocess
import sysconfig

import pytest

from harness import ROOT, RUN
from test_compositions import composition

ARCHS = ["sm_75", "sm_80", "sm_90", "sm_100", "sm_120"]
# All rules for these; a part of them for the others.
EVERY = ["sm_75", "sm_90"]
CASES = 100
# Options that have no default.
NEEDED = {
    "keras/clipnorm": "(1)", "keras/clipvalue": "(1)",
    "keras/global_clipnorm": "(1)", "transforms/accumulate": "(2)",
    "transforms/clip_by_norm": "(1)", "transforms/clip_by_value": "(1)",
    "transforms/l2": "(0.1)", "transforms/loss_scale": "(8)",
    "transforms/weight_decay": "(0.1)",
}
FORBIDDEN = re.compile(
    r"\.approx|\.ftz|\.full|\.local|\batom\.|\bred\."
    r"|\b(add|sub|mul|div|sqrt|fma)\.(f32|f64|f16|bf16)")


def find_ptxas():
    """On the path, or of the package that ./dev setup installs."""
    packages = pathlib.Path(sysconfig.get_path("purelib"))
    for path in packages.glob("nvidia/*/bin/ptxas"):
        return str(path)
    return shutil.which("ptxas")


PTXAS = find_ptxas()
pytestmark = pytest.mark.skipif(not PTXAS, reason="there is no ptxas")


def rules():
    """How updraftc is asked for each file: a transform stands around a rule,
    and schedules stand in a rate."""
    found = []
    for path in sorted((ROOT / "optimizers").rglob("*.upd")):
        name = path.relative_to(ROOT / "optimizers").with_suffix("").as_posix()
        if path.parent.name == "schedules":
            continue
        if re.search(r"^transform ", path.read_text(), re.MULTILINE):
            found.append(["-e", f"{name}{NEEDED.get(name, '')} | torch/adamw"])
        else:
            found.append([name])
    return found


def assemble(arguments, arch, folder):
    """Registers of each entry."""
    path = folder / "rule.ptx"
    subprocess.run([RUN.parent / "updraftc", *arguments, f"--target={arch}",
                    "--emit=ptx", "-o", path], check=True)
    text = path.read_text()
    found = FORBIDDEN.search(text)
    assert not found, (arguments, found)
    done = subprocess.run([PTXAS, f"-arch={arch}", "-v", path, "-o",
                           folder / "rule.cubin"], capture_output=True,
                          text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    registers, entry = {}, None
    for line in done.stderr.splitlines():
        if match := re.search(r"entry function '(\w+)'", line):
            entry = match[1]
        elif match := re.search(r"(\d+) bytes spill stores", line):
            assert match[1] == "0", (arguments, arch, entry, line)
        elif match := re.search(r"Used (\d+) registers", line):
            registers[entry] = int(match[1])
    assert len(registers) == text.count(".visible .entry")
    return registers


def cases():
    for number, rule in enumerate(rules()):
        for place, arch in enumerate(ARCHS):
            if arch in EVERY or number % len(ARCHS) == place:
                yield rule, arch


@pytest.mark.parametrize("rule,arch", list(cases()),
                         ids=lambda value: str(value).strip("[]'"))
def test_rule(tmp_path, record_property, rule, arch):
    registers = assemble(rule, arch, tmp_path)
    record_property("registers", registers)


@pytest.mark.parametrize("param", ["f64", "bf16", "f16"])
@pytest.mark.parametrize("rule", ["torch/adamw", "keras/adafactor",
                                  "keras/muon", "keras/lamb"])
def test_format(tmp_path, rule, param):
    assemble([rule, f"--param={param}"], "sm_75", tmp_path)


@pytest.mark.parametrize("case", range(CASES))
def test_composition(tmp_path, case):
    r = random.Random(case)
    param = r.choice(["f32", "f32", "f64", "bf16", "f16"])
    assemble(["-e", composition(r), f"--param={param}"],
             ARCHS[case % len(ARCHS)], tmp_path)


@pytest.mark.parametrize("arch", ARCHS)
def test_registers(tmp_path, arch):
    """So few that a processor's 65,536 are enough for 1024 threads, half of
    those that it can have, which keep memory busy."""
    registers = assemble(
        ["-e", "ema(0.999) | clip_by_global_norm(1.0) | torch/adamw"], arch,
        tmp_path)
    assert max(registers.values()) <= 64, registers


def test_cubin(tmp_path):
    """--emit=cubin finds ptxas below CUDA_HOME too."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ptxas").symlink_to(PTXAS)
    subprocess.run([RUN.parent / "updraftc", "torch/adamw", "--target=sm_90",
                    "-o", tmp_path / "adamw.cubin"], check=True,
                   env={"PATH": "/nowhere", "CUDA_HOME": str(tmp_path)})
    assert (tmp_path / "adamw.cubin").read_bytes().startswith(b"\x7fELF")


def test_machine_code_beside_ptx(tmp_path):
    """A GPU takes the machine code that is made for it, any other the PTX."""
    path = {**os.environ, "PATH": os.path.dirname(PTXAS)}
    image = tmp_path / "adamw.img"
    done = subprocess.run(
        [RUN.with_name("updraftc"), "torch/adamw", "--emit=image", "-o", image,
         "--target=x86-64-v3,sm_75,sm_90:cubin"],
        capture_output=True, text=True, env=path)
    assert done.returncode == 0, done.stderr
    code = image.read_bytes()
    assert code.count(b"\n.target ") == 1 and code.count(b"\x7fELF") == 1
    assert code.index(b"\x7fELF") % 8 == 0
    fake = RUN.parents[1] / "test/gpu/libcuda-fake.so"
    # The fake driver finds no kernels in machine code.
    for arch, text in [("80", "same bits"), ("90", "looking for kernel")]:
        done = subprocess.run(
            [RUN.with_name("updraft-gpu-check"), "--small", image],
            capture_output=True, text=True,
            env={**os.environ, "UPDRAFT_LIBCUDA": str(fake),
                 "UPDRAFT_FAKE_ARCH": arch})
        assert text in done.stdout, done.stdout


def test_machine_code_needs_ptxas(tmp_path):
    output = tmp_path / "adamw.o"
    done = subprocess.run(
        [RUN.with_name("updraftc"), "torch/adamw", "--target=sm_90:cubin",
         "-o", output], capture_output=True, text=True,
        env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert "no 'ptxas' was found" in done.stderr and not output.exists()
