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
