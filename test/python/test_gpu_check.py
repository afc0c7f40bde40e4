"""updraft-gpu-check, and what bundle.py packs for machines with a GPU."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(os.environ.get("UPDRAFT_BIN", ROOT / "build/bin"))
FAKE = BIN.parent / "test/gpu/libcuda-fake.so"


def check(*arguments, driver=FAKE):
    return subprocess.run([BIN / "updraft-gpu-check", *arguments],
                          capture_output=True, text=True, timeout=300,
                          env={**os.environ, "UPDRAFT_LIBCUDA": str(driver)})


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    done = subprocess.run(
        [sys.executable, ROOT / "tools/gpu/bundle.py", folder],
        capture_output=True, text=True,
        env={**os.environ, "UPDRAFT_BIN": str(BIN)})
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-2]) < 60, "MiB"
    return folder


def test_every_rule_has_the_same_bits(bundle):
    images = sorted((bundle / "images").iterdir())
    done = check("--small", "--steps=2", *images)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"\n{len(images)} passed, 0 failed\n")
    assert done.stdout.count("same bits") == len(images) > 25


def test_the_script_says_that_there_is_no_gpu(bundle):
    done = subprocess.run(["sh", bundle / "run.sh"], capture_output=True,
                          text=True, env={"UPDRAFT_LIBCUDA": "/no/such.so",
                                          "PATH": os.environ["PATH"]})
    assert done.returncode == 77
    assert "skipped: there is no CUDA driver" in done.stdout


def test_time_is_beside_a_copy(bundle):
    done = check("--time=40000", "--rounds=3",
                 bundle / "images/torch_adamw.img")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "28 bytes each" in done.stdout and "of a copy's" in done.stdout


def test_a_wrong_bit_is_found(tmp_path):
    library = tmp_path / "wrong.so"
    subprocess.run([BIN / "updraftc", "keras/adagrad", "--target=sm_90",
                    "--emit=shared", "-o", library], check=True)
    code = library.read_bytes()
    assert code.count(b"sqrt.rn.f32") > 4
    library.write_bytes(code.replace(b"sqrt.rn.f32", b"neg.f32    "))
    done = check("--small", library)
    assert done.returncode == 1
    assert "DIFFERS after step 1: tensor 0[0]: host 0x" in done.stdout


@pytest.mark.parametrize("arguments,status,text", [
    (["--help"], 0, "Exit status"),
    ([], 2, "no image was given"),
    (["--steps=0", "x.img"], 2, "at least one step"),
    (["--time=many", "x.img"], 2, "wants a number"),
    (["--fast", "x.img"], 2, "there is no option '--fast'"),
    (["nosuch.img"], 1, "No such file"),
    (["--device=7", "x.img"], 77, "there is no device 7"),
])
def test_usage(arguments, status, text):
    done = check(*arguments)
    assert done.returncode == status
    assert text in done.stdout + done.stderr


def test_an_image_without_code_for_gpus(tmp_path):
    image = tmp_path / "cpu.img"
    subprocess.run([BIN / "updraftc", "torch/adamw", "--emit=image", "-o",
                    image], check=True)
    done = check(image)
    assert done.returncode == 1
    assert "has no code for GPUs" in done.stdout
