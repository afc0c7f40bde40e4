"""What must change no bit of the result: a view, a second reader, a box that
does nothing, the number of threads, the instruction set, printing the flat rule
and reading it again."""

import subprocess

import pytest

from harness import ROOT, RUN, call, step, tensors
from test_compositions import TARGETS

SHAPES = {"a": (), "b": (127,), "c": (64, 65), "d": (3, 3334), "e": (0,)}
RULES = ["keras/sgd(0.1, momentum = 0.9)", "keras/adam(0.1)",
         "keras/adadelta(1)", "keras/nadam(0.1)", "torch/sgd(0.1, 0.9)",
         "torch/adamw(0.1)", "paper/lion(0.1)", "keras/lamb(0.1)",
         "keras/rmsprop(0.1, momentum = 0.9, centered = true)",
         "keras/ftrl(0.1)", "keras/schedule_free_adamw(0.1)",
         "keras/ema | clip_by_global_norm(0.5) | torch/adamw(0.1)"]


def bits(folder, pipe, options=(), settings=(), steps=4, dtype="float32"):
    grads = [tensors(2 + i, dtype, SHAPES) for i in range(steps)]
    del grads[1]["b"]
    out = step(folder, pipe, tensors(1, dtype, SHAPES), grads, settings,
               options)
    return {name: value.tobytes() for name, value in out.items()}


def assert_contains(more, fewer):
    for name, value in fewer.items():
        assert more[name] == value, name


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("box", [
    "clip_by_value(inf)", "clip_by_norm(1e30)", "clip_by_global_norm(1e30)",
    "loss_scale(1)", "dynamic_loss_scale(initial = 1)",
    "ema(0.9)", "keras/ema(0.9)", "lookahead(1000)"])
def test_box_that_does_nothing(tmp_path, box, rule):
    plain = bits(tmp_path, rule)
    assert_contains(bits(tmp_path, f"nothing: {box} | {rule}"), plain)


@pytest.mark.parametrize("rule", RULES[:-1])
@pytest.mark.parametrize("limit", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_base_of_keras_is_its_boxes(tmp_path, limit, rule):
    """One box with Keras' arguments, or one for each."""
    base = bits(
        tmp_path, f"keras/base(0.1, 0.9, 3, {limit} = 0.5, use_ema = true,"
        f" ema_overwrite_frequency = 2, gradient_accumulation_steps = 2)"
        f" | {rule}", ["--tag", "no_decay:c"], steps=7)
    boxes = bits(
        tmp_path, "keras/ema(0.9, overwrite_frequency = 2) | loss_scale(3)"
        f" | accumulate(2) | keras/{limit}(0.5) | weight_decay(0.1) | {rule}",
        ["--tag", "no_decay:c"], steps=7)
    assert base == {name.replace(".ema.", ".base.")
                    .replace(".accumulate.", ".base."): value
                    for name, value in boxes.items()}


def variant(folder, name, rule, old, new):
    """The library's rule with one line changed, in a file of its own."""
    text = (ROOT / "optimizers" / f"{rule}.upd").read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    return folder / name


def run_file(folder, rule):
    """Bits of a rule file run on random tensors."""
    call([rule, "--out", folder / "out", "--steps", "4"])
    return (folder / "out").read_bytes()


def test_view(tmp_path):
    plain = run_file(tmp_path, "torch/adamw")
    last = "  p'     = (1 - lr"
    viewed = variant(tmp_path, "viewed.upd", "torch/adamw", last,
                     "  view spread = sqrt(v)\n  view n = norm(m)\n" + last)
    assert run_file(tmp_path, viewed) == plain


def test_second_reader(tmp_path):
    """A state that copies what the rule computes adds itself, nothing else."""
    from safetensors.numpy import load_file

    run_file(tmp_path, "torch/adamw")
    plain = load_file(tmp_path / "out")
    last = "  p'     = (1 - lr"
    read = variant(tmp_path, "read.upd", "torch/adamw", last,
                   "  state seen: like p = 0\n  state size_of_u: tensor = 0\n"
                   "  seen' = u\n  size_of_u' = norm(u) + norm(v_hat)\n"
                   "  view seen\n  view size_of_u\n" + last)
    run_file(tmp_path, read)
    more = load_file(tmp_path / "out")
    assert len(more) == len(plain) + 2 * sum(
        "." not in name for name in plain)
    assert_contains({n: v.tobytes() for n, v in more.items()},
                    {n: v.tobytes() for n, v in plain.items()})


@pytest.mark.parametrize("rule", RULES)
def test_threads_and_targets(tmp_path, rule):
    pipe = f"ema(0.9) | clip_by_global_norm(0.1) | {rule}"
    if "ema" in rule:
        pipe = rule
    results = [bits(tmp_path, pipe, ["--threads", threads, "--target", target])
               for threads, target in TARGETS]
    assert results[0] == results[1]


@pytest.mark.parametrize("pipe", RULES + [
    "dynamic_loss_scale(2, 4) | keras/ema(0.9, overwrite_frequency = 2)"
    " | accumulate(2) | lookahead(2)"
    " | keras/adamw(cosine_decay(0.1, 10), amsgrad = true)",
    "accumulate(2) | outer: clip_by_value(1) | clip_by_value(0.5)"
    " | cautious | keras/nadam(0.1)"])
def test_flat_rule_read_again(tmp_path, pipe):
    flat = subprocess.run(
        [RUN.with_name("updraftc"), "-e", pipe, "--emit=rule"],
        capture_output=True, text=True, check=True).stdout
    (tmp_path / "flat.upd").write_text(flat)
    results = []
    for arguments in (["-e", pipe], [tmp_path / "flat.upd"]):
        call([*arguments, "--out", tmp_path / "out", "--steps", "6",
              "--sizes", "0,1,127,4097"])
        results.append((tmp_path / "out").read_bytes())
    assert results[0] == results[1]
