"""The demo: every rule learns to read digits, ahead-of-time code repeats the
bits of code compiled at run time, and an edited rule is picked up."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(os.environ.get("UPDRAFT_BIN", ROOT / "build" / "bin"))
EXAMPLE = ROOT / "examples" / "digits"
RULES = ["keras/sgd", "keras/adam", "keras/adamw", "keras/adadelta",
         "keras/adagrad", "keras/adafactor", "keras/nadam", "keras/adamax",
         "keras/rmsprop", "keras/ftrl", "keras/lion", "keras/lamb",
         "keras/schedule_free_adamw", "torch/sgd", "torch/adamw", "paper/lion",
         "mine.upd"]


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True,
                          text=True, timeout=600)


def table(output):
    """Rule -> milliseconds cold and cached, bytes, loss, raw and averaged."""
    pattern = (r"^  (\S+) +([\d.]+) ms +([\d.]+) ms +([\d.]+) +([\d.]+)"
               r" +([\d.]+)% +([\d.]+)%$")
    return {row[0]: list(map(float, row[1:]))
            for row in re.findall(pattern, output, re.M)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    recording = tmp_path_factory.mktemp("digits") / "recording"
    done = run(BIN / "digits", "--record", recording)
    assert done.returncode == 0, done.stderr
    return table(done.stdout), recording


def test_every_rule_is_in_the_table(demo):
    assert list(demo[0]) == RULES


@pytest.mark.parametrize("rule", RULES)
def test_accuracy(demo, rule):
    raw, averaged = demo[0][rule][-2:]
    assert raw >= 95 and averaged >= 95


def test_bytes_per_parameter(demo):
    # 4 for the norm's pass; p, g and average 20, and 8 a moment.
    assert demo[0]["torch/adamw"][2] == 40
    assert demo[0]["paper/lion"][2] == 32


def test_ahead_of_time_code_gives_the_same_bits(demo):
    done = run(BIN / "digits-replay", demo[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("have the same bits") == 2


def test_replay_notices_a_changed_bit(demo, tmp_path):
    data = bytearray(demo[1].read_bytes())
    data[-1] ^= 1
    (tmp_path / "changed").write_bytes(data)
    done = run(BIN / "digits-replay", tmp_path / "changed")
    assert done.returncode == 1
    assert "averages differ" in done.stdout


def test_help():
    done = run(BIN / "digits", "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: digits")
    with open("/dev/full", "w") as full:
        done = subprocess.run([BIN / "digits", "--help"], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "digits: error: cannot write standard output\n"


@pytest.mark.parametrize("status, words, arguments", [
    (1, "no rule is called 'nosuch'; there are keras/sgd, ",
     ["--rule", "nosuch"]),
    (2, "'--epochs' is unknown or wants a value", ["--epochs", "1e3"]),
    (1, "cannot write '/dev/full'",
     ["--rule", "mine", "--epochs", 1, "--record", "/dev/full"]),
])
def test_wrong_calls(status, words, arguments):
    done = run(BIN / "digits", *arguments)
    assert done.returncode == status
    assert words in done.stderr


def test_a_full_disk_keeps_the_old_recording(tmp_path):
    (tmp_path / "recording").write_text("old")
    done = run("bash", "-c", f"ulimit -f 100; exec {BIN}/digits --rule mine"
               f" --epochs 1 --record {tmp_path}/recording")
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


@pytest.fixture
def own(tmp_path):
    for name in ("digits.csv", "mine.upd"):
        shutil.copy(EXAMPLE / name, tmp_path)
    return tmp_path


def test_an_edited_rule_is_picked_up(own):
    command = (BIN / "digits", "--data", own, "--rule", "mine", "--epochs", 2)
    before = table(run(*command).stdout)["mine.upd"]
    text = (own / "mine.upd").read_text()
    edited = text.replace("p - lr*u", "p - 0.01*lr*u")
    assert edited != text
    (own / "mine.upd").write_text(edited)
    after = table(run(*command).stdout)["mine.upd"]
    assert after[3] > 2 * before[3]


def test_a_broken_rule_says_where(own):
    text = (own / "mine.upd").read_text()
    (own / "mine.upd").write_text(text.replace("- lr*u", "- rate*u"))
    done = run(BIN / "digits", "--data", own, "--rule", "mine")
    assert done.returncode == 1
    assert re.search(r"mine\.upd:\d+:\d+: error: 'rate'", done.stderr)
