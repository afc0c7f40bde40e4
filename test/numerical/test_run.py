"""updraft-run itself: what it reads, refuses and prints."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from harness import call, step, write


def fails(status, words, *arguments):
    done = call(arguments, check=False)
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert status != 2 or done.stderr.startswith("updraft-run: error: ")
    assert done.stdout == ""


VALUES = ["--params", "w=1,2", "--grads", "w=1,1"]


@pytest.mark.parametrize("words, arguments", [
    ("no rule", []),
    ("unknown option '--colour'", ["keras/sgd", "--colour=blue"]),
    ("'--on' wants interpreter, cpu or cuda", ["keras/sgd", "--on=gpu"]),
    ("'--threads' wants a whole number", ["keras/sgd", "--threads", "two"]),
    ("'--param' wants f64", ["keras/sgd", "--param", "f8"]),
    ("'--params' wants '--grads'", ["keras/sgd", "--params", "w=1"]),
    ("'--grads' wants '--params'", ["keras/sgd", "--grads", "w=1"]),
    ("'--grads' wants at least one", ["keras/sgd", "--params", "w=1",
                                      "--grads"]),
    ("one rule or pipe is wanted", ["keras/sgd", "-e", "keras/adam"]),
    ("'--set' wants NAME=VALUE", ["keras/sgd", "--set", "rate"]),
    ("'--sizes' wants a whole number of at most", ["keras/sgd", "--sizes",
                                                  "1000000000000"]),
    ("'--sizes' wants a whole number", ["keras/sgd", "--sizes", ""]),
    ("'--group' wants GLOBS[:NAME=VALUE,...]", ["keras/sgd", "--group", "b:"]),
    ("'--group' wants GLOBS[:NAME=VALUE,...]", ["keras/sgd", "--group", "a,"]),
    ("'--tag' wants TAG:GLOBS", ["keras/sgd", "--tag", "a:"]),
    ("'--check' executes on both", ["keras/sgd", "--check",
                                    "--on=interpreter"]),
    ("unknown target 'z80'", ["keras/sgd", "--target=z80"]),
    ("'--target' is for compiled", ["keras/sgd", "--target=x86-64-v3",
                                    "--on=interpreter"]),
    ("'--inputs' wants '--params'", ["keras/sgd", "--inputs", "h=1"]),
    ("'--inputs' wants at most as many", ["keras/sgd", *VALUES, "--inputs",
                                          "h=1", "h=1"]),
    ("'--inputs' wants at least one", ["keras/sgd", *VALUES, "--inputs"]),
    ("'--sizes' is for random tensors", ["keras/sgd", "--sizes", "3",
                                         *VALUES]),
])
def test_wrong_usage(words, arguments):
    fails(2, words, *arguments)


@pytest.mark.parametrize("words, arguments", [
    ("keras/sgdd", ["keras/sgdd", *VALUES]),
    ("no-such-file", ["keras/sgd", "--params", "no-such-file", "--grads",
                      "w=1"]),
    ("did you mean 'learning_rate'", ["keras/sgd", "--set", "learnin_rate=1",
                                      *VALUES]),
    ("no option or hyper 'x'", ["keras/sgd", "--set", "x=1", *VALUES]),
    ("wants a number: 'fast' is no number", ["keras/sgd", "--set",
                                      "learning_rate=fast", *VALUES]),
    ("'1e400' does not fit F64", ["keras/sgd", "--set", "learning_rate=1e400",
                                  *VALUES]),
    ("hyper 'learning_rate' is given twice",
     ["keras/sgd", "--set", "learning_rate=1", "--set", "learning_rate=2",
      *VALUES]),
    ("'amsgrad' is given by two settings",
     ["torch/adamw", "--set", "amsgrad=true", "--set", "amsgrad=false",
      *VALUES]),
    ("'w' stands in two groups", ["keras/sgd", "--group", "w", "--group", "*",
                                  *VALUES]),
    ("the default nan of", ["-e", "keras/sgd(0/0)", *VALUES]),
    ("learning_rate", ["keras/sgd", "--set", "learning_rate=-1", *VALUES]),
    ("learning_rate", ["keras/sgd", "--set", "learning_rate=nan", *VALUES]),
    ("momentum must be in [0, 1]", ["keras/sgd", "--set", "momentum=2",
                                    *VALUES]),
    ("nesterov needs a momentum", ["torch/sgd", "--set", "nesterov=true",
                                   *VALUES]),
    ("'v' belongs to no parameter", ["keras/sgd", "--params", "w=1", "--grads",
                                     "v=1"]),
    ("its parameter F32 [2]", ["keras/sgd", "--params", "w=1,2", "--grads",
                               "w=1"]),
    ("stands here twice", ["keras/sgd", "--params", "w=1", "--grads",
                           "w=1;w=2"]),
    ("'one' is no number", ["keras/sgd", "--params", "w=one", "--grads",
                            "w=1"]),
    ("'1e400' does not fit F64", ["keras/sgd", "--params", "w=1e400",
                                  "--grads", "w=1"]),
    ("'1e-400' does not fit F64", ["keras/sgd", "--params", "w=1e-400",
                                   "--grads", "w=1"]),
    ("'-1e39' does not fit F32", ["keras/sgd", "--params", "w=-1e39",
                                  "--grads", "w=1"]),
    ("no parameter is called 'b*'", ["keras/sgd", "--tag", "no_decay:b*",
                                     *VALUES]),
    ("speed", ["keras/sgd", "--view", "speed", *VALUES]),
    ("is ambiguous", ["-e", "keras/clipnorm(1) | keras/global_clipnorm(1)"
                      " | keras/sgd", "--set", "max_norm=2", *VALUES]),
    ("is ambiguous", ["-e", "ema(0) | far: ema(0) | keras/sgd", "--view",
                      "average", *VALUES]),
])
@pytest.mark.parametrize("on", ["interpreter", "cpu"])
def test_wrong_input(words, arguments, on):
    fails(1, words, *arguments, f"--on={on}")


def test_mixed_dtypes_are_refused(tmp_path):
    write(tmp_path / "p", {"a": np.ones(1, "f4"), "b": np.ones(1, "f8")})
    fails(1, "differ in dtype", "keras/sgd", "--params", tmp_path / "p",
          "--grads", "a=1")


def test_text():
    done = call(["--help"])
    assert done.stdout.startswith("usage: updraft-run")
    done = call(["-e", "keras/sgd(0.5)", "--params", "w[2x1]=1,2;b[]=3",
                 "--grads", "w[2x1]=1,-2", "--out", "-", "--param", "f64"])
    assert done.stdout == "w F64 [2, 1] = 0.5 3\nb F64 [] = 3\n"


def test_groups_tags_and_views(tmp_path):
    params = {name: np.ones(1) for name in "abc"}
    grads = [{name: np.ones(1) for name in "abc"}]
    out = step(tmp_path, "ema(0.5) | weight_decay(0.5) | keras/sgd(0.5)",
               params, grads,
               options=["--group", "b,c:learning_rate=0.25", "--tag",
                        "no_decay:c"], views=["average"])
    assert [out[n][0] for n in "abc"] == [0.25, 0.625, 0.75]
    assert [out[f"{n}.ema.average"][0] for n in "abc"] == [0.625, 0.8125, 0.875]


def test_groups_have_hypers_of_their_own():
    """A group's hyper stands in for that of all; a group may have none."""
    done = call(["keras/sgd", "--params", "a=1;b=1;c=1", "--grads",
                 "a=1;b=1;c=1", "--set", "learning_rate=0.5", "--group",
                 "b:learning_rate=0.25", "--group", "c", "--out", "-"])
    assert done.stdout == "a F32 [1] = 0.5\nb F32 [1] = 0.75\nc F32 [1] = 0.5\n"


@pytest.mark.parametrize("on", ["interpreter", "cpu"])
def test_view_of_some(tmp_path, on):
    """A view of a guarded state shows the tensors that have it; a full name is
    not taken for the end of another."""
    rule = tmp_path / "some.upd"
    rule.write_text("""
rule some {
  state m: like p = 0
  state n: like p = 1  if rank(p) >= 2
  m' = m + g
  n' = n + g           if rank(p) >= 2
  p' = p - m'
  view m
  view n
}
transform box {
  state m: like p = 3
  m' = m + g
  p' = inner.p' - m'
  view m
}
optimizer both = box | some
""")
    done = call([f"{rule}:both", "--params", "a=1;b[1x1]=1", "--grads",
                 "a=1;b[1x1]=1", "--view", "n", "--view", "m", "--out", "-",
                 f"--on={on}"])
    assert [line for line in done.stdout.splitlines() if ".n " in line] == [
        "b.n F32 [1, 1] = 2"]
    call([f"{rule}:both", "--check"])


@pytest.mark.parametrize("on", ["interpreter", "cpu"])
def test_no_step_for_no_gradient(tmp_path, on):
    """A call without any gradient does not happen: step stays."""
    params = {"w": np.ones(3)}
    one = {"w": np.full(3, 0.5)}
    results = []
    for grads in ([one, one], [one, {}, {}, one]):
        for index, arrays in enumerate([params, *grads]):
            write(tmp_path / f"{index}", arrays)
        call(["keras/nadam", f"--on={on}", "--params", tmp_path / "0",
              "--grads", *[tmp_path / f"{i + 1}" for i in range(len(grads))],
              "--out", tmp_path / "out"])
        results.append(load_file(tmp_path / "out"))
    for name, value in results[0].items():
        assert np.array_equal(value, results[1][name]), name


def test_own_rule(tmp_path):
    """A rule file of one's own needs nothing but itself."""
    rule = tmp_path / "my.upd"
    rule.write_text("/// Mine.\nrule mine {\n  rate lr = 0.5 in [0, inf)\n"
                    "  p' = p - lr*tanh(g)\n}\n")
    call([rule, "--check"])
    rule.write_text(rule.read_text().replace("tanh(g)", "gg"))
    fails(1, "'gg' is not defined", rule, "--check")
    rule.write_text(rule.read_text().replace("gg", "g"))
    done = call([rule, *VALUES, "--out", "-"])
    assert done.stdout == "w F32 [2] = 0.5 1.5\n"


@pytest.mark.parametrize("words, rate", [
    ("in call 1 the computed hyper 'lr' is -1, which", "-calls"),
    ("in call 1 the computed hyper 'lr' is nan, which", "cosine_decay(0.1, 0)"),
    ("in call 3 the computed hyper 'lr' is -0.5, which", "1 - 0.5*calls"),
])
@pytest.mark.parametrize("on", ["--check", "--on=interpreter"])
def test_computed_hyper_leaves_its_domain(words, rate, on):
    """Seen by the interpreter; a compiled step takes it as it is."""
    pipe = ["-e", f"torch/adamw(lr = {rate})", "--sizes", "3"]
    fails(1, words, *pipe, on)
    call(pipe)


@pytest.mark.parametrize("param", ["f64", "f32"])
@pytest.mark.parametrize("reducer", ["sum", "mean", "norm", "max_of"])
def test_constant_of_every_element(tmp_path, reducer, param):
    """What is written to an array counts once an element, constant or not."""
    rule = tmp_path / "constant.upd"
    rule.write_text(f"""
rule constant {{
  state s: like p = 0  covers absent
  s' = 0.9
  p' = p - {reducer}(-s' over group)*g
}}
""")
    call([rule, "--check", "--param", param, "--sizes", "3,4097"])


@pytest.mark.parametrize("param", ["f64", "f32", "bf16", "f16"])
def test_check_of_every_dtype(param):
    done = call(["-e", "ema | clip_by_global_norm | torch/adamw", "--check",
                 "--param", param])
    assert "no bit differs" in done.stderr


def test_time():
    assert "ms a step" in call(["keras/adam", "--time"]).stderr
