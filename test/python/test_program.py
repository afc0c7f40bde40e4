"""updraft.compile: programs, what they say of themselves, and errors."""

import pathlib
import subprocess
import sys

import pytest

import updraft

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIPES = ["keras/adam", "torch/adamw",
         "keras/ema(0.9) | keras/global_clipnorm(1) | keras/nadam",
         "dynamic_loss_scale | accumulate(4) | keras/sgd", "keras/adafactor"]


@pytest.mark.parametrize("pipe", PIPES)
def test_explain_is_what_updraftc_says(pipe):
    program = updraft.compile(pipe)
    said = subprocess.run(
        [ROOT / "build/bin/updraftc", "-e", pipe, "--explain"], check=True,
        capture_output=True, text=True).stdout
    assert program.explain() == said
    assert ("where" in said) == ("accumulate" in pipe)


def test_facts():
    program = updraft.compile(PIPES[2])
    assert program.name == "nadam" and program.dtype == "float32"
    assert (program.passes, program.bytes_per_param) == (2, 40)
    assert program.state_bytes_per_param == 12
    assert set(program.states) == {"momentum", "velocity", "u_product", "step",
                                   "ema.average"}
    rate = program.hypers["learning_rate"]
    assert rate.is_rate and rate.default == 1e-3 and rate.domain == "[0, inf)"
    assert program.hypers["ema.momentum"].default == 0.9
    assert program.views == {"ema.average": "element"}
    assert program.options == {"ema.overwrite_frequency": "0"}
    assert "2 passes" in repr(program)
    html = program._repr_html_()
    assert html.startswith("<table>") and html.count("<tr>") == 8


def test_flat_rule_compiles_to_the_same():
    program = updraft.compile(PIPES[2])
    again = updraft.compile(source=program.rule)
    assert again.explain() == program.explain()


def test_path_options_and_dtypes(tmp_path):
    path = tmp_path / "my.upd"
    path.write_text("rule mine { option k: int = 1\n rate lr = 1\n"
                    " p' = p - lr*k*g }\n")
    program = updraft.compile(path=path, options={"k": 3}, dtype="float64")
    assert program.options == {"k": "3"} and program.dtype == "float64"
    assert updraft.compile("keras/adam", options={"amsgrad": True}
                           ).state_bytes_per_param == 12


def test_open(tmp_path):
    image = tmp_path / "adam.img"
    subprocess.run([ROOT / "build/bin/updraftc", "keras/adam", "-o", image],
                   check=True)
    assert updraft.open(image).explain() == updraft.compile(
        "keras/adam").explain()
    image.write_bytes(b"no program")
    with pytest.raises(ValueError, match="adam.img"):
        updraft.open(image)


def test_compile_errors():
    with pytest.raises(updraft.CompileError) as caught:
        updraft.compile("keras/adam(learning_rat = 1)")
    first, text, caret = str(caught.value).splitlines()[:3]
    assert first == ("<pipe>:1:12: error: the rule 'adam' has no "
                     "'learning_rat'; did you mean 'learning_rate'? [B2]")
    assert text.index("learning_rat") == caret.index("^")
    assert isinstance(caught.value, ValueError)
    with pytest.raises(updraft.CompileError, match="mine.upd:1"):
        updraft.compile(source="rule x {", name="mine.upd")
    with pytest.raises(updraft.CompileError, match="nowhere.upd"):
        updraft.compile(path="nowhere.upd")


def test_wrong_calls():
    with pytest.raises(TypeError, match="exactly one"):
        updraft.compile("keras/adam", source="x")
    with pytest.raises(TypeError, match="exactly one"):
        updraft.compile()
    with pytest.raises(ValueError, match="int8"):
        updraft.compile("keras/adam", dtype="int8")
    with pytest.raises(NotImplementedError, match="pdp11"):
        updraft.compile("keras/adam", target="pdp11")


def run(code, **environment):
    import os
    return subprocess.run([sys.executable, "-c", code], check=True, text=True,
                          capture_output=True,
                          env={**os.environ, **environment}).stdout.split()


def test_import_is_light():
    """Neither NumPy nor a framework nor the compiler is loaded."""
    code = ("import sys; before = set(sys.modules); import updraft\n"
            "print(*(set(sys.modules) - before))\n"
            "print(*(name for name in ('numpy', 'keras', 'jax', 'torch')"
            " if name in sys.modules), 'end')\n"
            "print('libupdraft_compiler' in open('/proc/self/maps').read())")
    *_, end, loaded = run(code)
    assert (end, loaded) == ("end", "False")


def test_a_hit_of_the_cache_loads_no_compiler(tmp_path):
    code = ("import updraft; updraft.compile('keras/adam')\n"
            "print('libupdraft_compiler' in open('/proc/self/maps').read(),"
            " *updraft._program._core.compile_counts())")
    first = run(code, XDG_CACHE_HOME=str(tmp_path))
    second = run(code, XDG_CACHE_HOME=str(tmp_path))
    assert first == ["True", "1", "0"]
    assert second == ["False", "0", "1"]
