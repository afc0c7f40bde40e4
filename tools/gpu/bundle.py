#!/usr/bin/env python3
"""Packs what a machine with a GPU needs to check Updraft there: one program,
an image of every rule, and a script. No compiler, no toolkit, no Python.

  tools/gpu/bundle.py gpu-check
  tar czf gpu-check.tgz gpu-check     # there: sh gpu-check/run.sh | tee report

Each image holds the rule for the processor and, as PTX, for GPUs from sm_75 on.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("UPDRAFT_BIN", ROOT / "build/bin"))
# PTX runs on what is newer too, but not with what only that has.
TARGETS = "sm_75,sm_80,sm_90,sm_100"
PIPES = {
    "clip-adamw-ema":
        "keras/ema(0.999) | clip_by_global_norm(1.0) | torch/adamw",
    "accumulate-lion": "accumulate(2) | clip_by_global_norm(1.0) | paper/lion",
    "scaled-adam": "dynamic_loss_scale | keras/adam",
}
# Timed on one tensor of so many elements.
TIMED = ["torch_adamw", "keras_adafactor", "paper_lion", "keras_lamb",
         "clip-adamw-ema"]
ELEMENTS = 1 << 30
SCRIPT = f"""#!/bin/sh
# All bits of all rules, then speed beside a copy on the device.
cd "$(dirname "$0")" || exit 2
date -u
./updraft-gpu-check images/*.img
status=$?
[ $status = 77 ] && exit 77
./updraft-gpu-check --time=${{1:-{ELEMENTS}}} {" ".join(
    f"images/{name}.img" for name in TIMED)} || status=1
exit $status
"""


def rules():
    """Library name -> what to compile, for all rules that stand alone."""
    listed = subprocess.run([BIN / "updraftc", "--list", "--json"], check=True,
                            capture_output=True, text=True).stdout
    return {entry["name"]: entry["name"] for entry in json.loads(listed)
            if entry["kind"] == "rule"}


def compile_image(what, arguments, path, cpu):
    done = subprocess.run(
        [BIN / "updraftc", *arguments, f"--target={cpu},{TARGETS}",
         "--emit=image", "-o", path], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{what}: {done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cpu", default="x86-64-v3",
                        help="of that machine (x86-64-v3)")
    parser.add_argument("--only", default="", help="rules with this name")
    options = parser.parse_args()
    images = options.folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    shutil.copy2(BIN / "updraft-gpu-check", options.folder)
    for name in sorted(rules()):
        if options.only in name:
            compile_image(name, [name], images / (
                name.replace("/", "_") + ".img"), options.cpu)
    for name, pipe in PIPES.items():
        if options.only in name:
            compile_image(name, ["-e", pipe], images / f"{name}.img",
                          options.cpu)
    script = options.folder / "run.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    size = sum(f.stat().st_size for f in options.folder.rglob("*")
               if f.is_file())
    print(f"{options.folder}: {len(list(images.iterdir()))} images, "
          f"{size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
