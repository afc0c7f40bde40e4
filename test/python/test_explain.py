"""--explain: what each outcome of the conditions moves."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(os.environ.get("UPDRAFT_BIN", ROOT / "build" / "bin"))

PIPES = ["torch/sgd(momentum=0.9)", "keras/nadam",
         "accumulate | keras/adadelta",
         "dynamic_loss_scale | accumulate | paper/lion",
         "lookahead | ema | cautious | torch/adamw",
         "accumulate | clip_by_global_norm | torch/adamw"]


@pytest.mark.parametrize("pipe", PIPES)
@pytest.mark.parametrize("param", ["f32", "bf16"])
def test_the_dearest_outcome_is_what_the_kernel_says(pipe, param):
    """Counted on what is lowered, and by the cut that planned it."""
    done = subprocess.run([BIN / "updraftc", "-e", pipe, "--explain", "--json",
                           "--param", param], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for kernel in json.loads(done.stdout)["kernels"]:
        outcomes = kernel.get("outcomes", [])
        bytes_ = [outcome["bytes_per_param"] for outcome in outcomes]
        assert bytes_ == sorted(bytes_, reverse=True)
        assert not outcomes or bytes_[0] == kernel["bytes_per_param"]
        assert len({o["where"] for o in outcomes}) == len(outcomes)


def gpu_loops(rule, param, target):
    """The loops of a rule. Their bytes are those of the cut, which adds
    what a pass leaves for each row, column or block."""
    done = subprocess.run([BIN / "updraftc", "-e", rule, "--explain", "--json",
                           f"--target={target}", "--param", param],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    kernels = {k["name"]: k for k in said["kernels"] if k["level"] == "element"}
    loops = said["gpus"][0]["loops"]
    assert {loop["kernel"] for loop in loops} == kernels.keys(), rule
    for loop in loops:
        rest = (kernels[loop["kernel"]]["bytes_per_param"]
                - loop["bytes_per_param"])
        assert 0 <= rest < 0.2, (rule, loop)
    return loops


def test_memory_bounds_every_rule_on_a_gpu():
    """In f32. A rule that picks a loop by a hyper's value may have one that
    calls a function of f64."""
    done = subprocess.run([BIN / "updraftc", "--list", "--json"],
                          capture_output=True, text=True, check=True)
    rules = [e["name"] for e in json.loads(done.stdout) if e["kind"] == "rule"]
    assert len(rules) >= 25
    for rule in [*rules, *PIPES]:
        for loop in gpu_loops(rule, "f32", "sm_90"):
            is_power = "ftrl" in rule and loop["calls"] == ["updraft_pow"]
            assert (loop["bound"] == "memory") != is_power, (rule, loop)
            assert (loop["instruction_ns_per_param"]
                    < loop["memory_ns_per_param"]) != is_power


@pytest.mark.parametrize("param", ["bf16", "f64"])
@pytest.mark.parametrize("target", ["sm_75", "sm_100"])
def test_vectors_are_counted_in_every_format(param, target):
    for rule in ["keras/adafactor", *PIPES]:
        for loop in gpu_loops(rule, param, target):
            assert loop["elements_of_a_turn"] in (4, 16)
