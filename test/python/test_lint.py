"""tools/lint.py finds what it says it finds, and nothing in a clean tree."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "lint.py"
spec = importlib.util.spec_from_file_location("lint", TOOL)
lint = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lint)

# A tree without a finding.
CLEAN = {
    "dsl/CMakeLists.txt": "add_library(dsl Lexer.cpp)\n",
    "dsl/Lexer.cpp": '#include "Lexer.h"\n#include <vector>\n',
    "dsl/Lexer.h": '#include "llvm/ADT/StringRef.h"\n',
    "dsl/Diagnostics.def": 'UPDRAFT_DIAGNOSTIC(N1, Error, "unknown")\n',
    "dsl/SPEC.md": "- (N1) A name is defined.\n",
    "test/dsl/errors/names.upd": "# CHECK: 'x' is not defined [N1]\n",
    "optimizers/paper/lion.upd": "/// arXiv:2302.06675\nrule lion {\n}\n",
    "test/optimizers/lion.test": "RUN: updraft-run paper/lion\n",
    "runtime/abi.h": "#include <stdint.h>\n",
}

# What is written over the clean tree -> what the finding says.
BROKEN = [
    ("dsl/Lexer.h", '#include "../runtime/abi.h"\n', "may not include"),
    ("dsl/Lexer.h", '#include "mlir/IR/Builders.h"\n', "may not include"),
    ("runtime/abi.h", '#include "llvm/ADT/StringRef.h"\n', "may not include"),
    ("runtime/abi.h", "#include <cuda.h>\n", "may not include"),
    ("dsl/Lexer.h", "// one\n" * 301, "more than 300 lines"),
    ("README.md", "a line\n" * 101, "more than 100 lines"),
    ("optimizers/paper/lion.upd", "/// 2023\n" + "\n" * 40, "more than 40"),
    ("dsl/Lexer.cpp", "int x; //" + 80 * "-" + "\n", "80 columns"),
    ("dsl/Lexer.cpp", "int f() {\n" + "  g();\n" * 60 + "}\n", "of 62 lines"),
    ("dsl/Lexer.h", "//===- Lexer.h - Words\n//---===//\n", "a banner of"),
    ("dsl/Diagnostics.def", "", "label N1 is missing"),
    ("dsl/SPEC.md", "- (N2) Another.\n", "label N2 is missing"),
    ("test/dsl/errors/names.upd", "# CHECK: wrong\n", "label N1 is missing"),
    ("optimizers/paper/lion.upd", "rule lion {\n}\n", "no comment cites"),
    ("optimizers/paper/tiger.upd", "/// 2023\n", "no test names paper/tiger"),
    ("dsl/Parser.cpp", "", "no CMakeLists.txt lists"),
    ("README.md", "see /" + "home/me/notes\n", "a path of one machine"),
    ("dsl/Lexer.cpp", "// TO" + "DO: later\n", "finish it"),
]


def plant(root, files):
    subprocess.run(["git", "init", "-q", root], check=True)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_clean_tree(tmp_path, capsys):
    plant(tmp_path, CLEAN)
    assert lint.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name,text,message", BROKEN)
def test_finding(tmp_path, capsys, name, text, message):
    plant(tmp_path, {**CLEAN, name: text})
    assert lint.main([str(tmp_path)]) == 1
    assert message in capsys.readouterr().out


def test_ops_and_passes(tmp_path, capsys):
    tables = (TOOL.parents[1] / "compiler/Dialect").glob("*.td")
    plant(tmp_path, {**CLEAN, **{f"compiler/Dialect/{path.name}":
                                 path.read_text() for path in tables}})
    assert lint.main([str(tmp_path)]) == 1
    assert "no test uses updraft.program" in capsys.readouterr().out
