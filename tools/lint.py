#!/usr/bin/env python3
"""Checks what a script can see of the house rules; one line a finding.

usage: tools/lint.py [ROOT]

Layers, sizes, banners, documented and tested ops and passes, labels of the
language, cited and tested rules, complete CMake lists, words that do not
belong. Exits 1 if there is a finding. A check is a generator of (path, line,
message).
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# Suffix or place -> the most lines such a file may have; first match counts.
CAPS = [
    (r"README\.md", 100),
    (r"optimizers/.*\.upd", 40),
    (r"test/.*", 300),
    (r"tools/[^/]*\.cpp", 200),
    (r"compiler/Passes/.*\.cpp", 400),
    (r".*\.cpp|.*\.c|.*\.py", 500),
    (r".*\.h|.*\.hpp", 300),
    (r".*\.td", 400),
]
FUNCTION_CAP = 60
# Room for what is installed, for the Python package and for GPUs: 150 lines,
# which no test can do without.
CMAKE_CAP = 580

# Layer -> what its files may include besides the standard library and the
# layer itself.
LAYERS = {
    "dsl": r"llvm/(ADT|Support)/",
    "compiler": r"llvm/|mlir/|lld/|dsl/|runtime/(abi|Error|image|updraft)\.h",
    "runtime": r"",
}
FOREIGN = r"(llvm|llvm-c|mlir|mlir-c|lld|clang|cuda\w*|nvrtc\w*|torch|Python)\b"

CITATION = r"arXiv:|doi:|\b(19|20)\d\d\b|\b(keras|torch|optax)\.\w"
FORBIDDEN = [
    (r"(?<![\w.~$}-])/(home|root|work|Users)/", "a path of one machine"),
    (r"\b(TODO|FIXME|XXX)\b", "finish it, or say what is so"),
]
SOURCES = ("*.cpp", "*.c", "*.h", "*.hpp", "*.td")


def tracked(root, *patterns):
    """The project's files that match, build outputs left out."""
    command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard",
               "-z", "--", *patterns]
    names = subprocess.run(command, check=True, capture_output=True, text=True)
    paths = (root / name for name in names.stdout.split("\0") if name)
    return sorted(path for path in set(paths) if path.is_file())


def text_of(path):
    return path.read_text(errors="replace") if path.is_file() else ""


def lines_of(path):
    return text_of(path).splitlines()


def check_layers(root):
    for layer, allowed in LAYERS.items():
        for path in tracked(root, *(f"{layer}/{glob}" for glob in SOURCES)):
            for number, line in enumerate(lines_of(path), 1):
                match = re.match(r'\s*#\s*include\s+(["<])([^">]+)', line)
                if match and not may_include(root, path, layer, allowed,
                                             match[1], match[2]):
                    yield path, number, f"{layer}/ may not include {match[2]}"


def may_include(root, path, layer, allowed, quote, name):
    beside = (path.parent / name).resolve()
    if quote == '"' and beside.is_file():
        name = beside.relative_to(root.resolve()).as_posix()
    if name.startswith(f"{layer}/") or (allowed and re.match(allowed, name)):
        return True
    ours = name.split("/")[0] in ("dsl", "compiler", "runtime", "tools", "test")
    return not ours and not re.match(FOREIGN, name)


def check_sizes(root):
    for path in tracked(root, "*"):
        name = path.relative_to(root).as_posix()
        cap = next((cap for place, cap in CAPS if re.fullmatch(place, name)), 0)
        if cap and path.suffix != ".csv" and len(lines_of(path)) > cap:
            yield path, len(lines_of(path)), f"more than {cap} lines"
    cmake = tracked(root, "CMakeLists.txt", "*/CMakeLists.txt", "*.cmake")
    if sum(len(lines_of(path)) for path in cmake) > CMAKE_CAP:
        yield root / "CMakeLists.txt", 1, f"CMake has over {CMAKE_CAP} lines"
    for path in tracked(root, *SOURCES, "*.py", "dev"):
        for number, line in enumerate(lines_of(path), 1):
            if len(line) > 80 and "://" not in line and "RUN:" not in line:
                yield path, number, "longer than 80 columns"


def check_banners(root):
    for path in tracked(root, *SOURCES, "*.def"):
        for number, line in enumerate(lines_of(path), 1):
            whole = line.endswith(("===//", "===", "===*/"))
            if line.startswith(("//===-", "/*===-")) and not whole:
                yield path, number, "a banner of more than one line"


def functions(lines):
    """(first line, lines) of each function that starts at the left margin."""
    start, opened = None, False
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"[A-Za-z_]", line):
            start, opened = number, False
            if re.match(r"(namespace|struct|class|enum|union|extern)\b", line):
                start = None
        if start is None:
            continue
        opened = opened or line.endswith("{")
        if opened and line == "}":
            yield start, lines[start - 1:number]
        if line in ("}", "};") or (not opened and line.endswith(";")):
            start = None


def check_functions(root):
    for path in tracked(root, "*.cpp", "*.c"):
        for start, body in functions(lines_of(path)):
            # A switch over kinds may be longer.
            if len(body) > FUNCTION_CAP and not any("switch (" in line
                                                    for line in body):
                yield path, start, f"a function of {len(body)} lines"


def records(root, name):
    """The records of a TableGen file, or None if there is no such file."""
    source, tool = root / name, shutil.which("llvm-tblgen-22")
    tool = tool or shutil.which("llvm-tblgen") or "llvm-tblgen"
    if not source.is_file():
        return None
    config = shutil.which("llvm-config-22") or "llvm-config"
    include = subprocess.run([config, "--includedir"], capture_output=True,
                             text=True, check=True).stdout.strip()
    command = [tool, "--dump-json", "-I", include, "-I", str(source.parent),
               "-I", str(root), str(source)]
    return json.loads(subprocess.run(command, capture_output=True, text=True,
                                     check=True).stdout)


def check_ops(root):
    name, tests = "compiler/Dialect/Ops.td", tracked(root, "test/*.mlir")
    table = records(root, name) or {"!instanceof": {}}
    everything = "\n".join(text_of(path) for path in tests)
    errors = "\n".join(text_of(one) for one in tests if "errors" in one.name)
    code = "\n".join(map(text_of, tracked(root, "compiler/Dialect/*.cpp")))
    for op in table["!instanceof"].get("Op", []):
        record = table[op]
        mnemonic, about = record["opName"], record["description"]
        if record["opDialect"]["def"] != "Updraft_Dialect":
            continue
        if not record["summary"] or "```mlir" not in about:
            yield root / name, 1, f"{mnemonic} needs a summary and an example"
        if not re.search(rf"updraft\.{mnemonic}\b", everything):
            yield root / name, 1, f"no test uses updraft.{mnemonic}"
        for label in dict.fromkeys(re.findall(r"\((C\d+)\)", about)):
            if f"{mnemonic} ({label})" not in code:
                yield root / name, 1, f"no check says '{mnemonic} ({label})'"
            if f"{mnemonic} ({label})" not in errors:
                yield root / name, 1, f"no test says '{mnemonic} ({label})'"


def check_passes(root):
    name = "compiler/Passes/Passes.td"
    table = records(root, name) or {"!instanceof": {}}
    tests = {path.name for path in tracked(root, "test/*.mlir")}
    for one in table["!instanceof"].get("PassBase", []):
        argument, about = table[one]["argument"], table[one]["description"]
        if not table[one]["summary"] or "```mlir" not in about:
            yield root / name, 1, f"{one} needs a summary and an example"
        if not (root / "compiler/Passes" / f"{one}.cpp").is_file():
            yield root / name, 1, f"no compiler/Passes/{one}.cpp"
        if f"{argument.removeprefix('updraft-')}.mlir" not in tests:
            yield root / name, 1, f"no test named after {argument}"


def check_labels(root):
    """Diagnostics.def, SPEC.md and the tests of errors have the same labels."""
    sources = {
        "dsl/Diagnostics.def": (r"^UPDRAFT_DIAGNOSTIC\((\w+),", None),
        "dsl/SPEC.md": (r"^\s*- \(([A-Z]\d+)\)", None),
        "test/dsl/errors": (r"\[([A-Z]\d+)\]", "test/dsl/*"),
    }
    if not (root / "dsl").is_dir():
        return
    found = {}
    for name, (pattern, glob) in sources.items():
        files = tracked(root, glob) if glob else [root / name]
        text = "\n".join(map(text_of, files))
        found[name] = set(re.findall(pattern, text, re.M))
    for label in sorted(set().union(*found.values())):
        for name in [name for name in found if label not in found[name]]:
            yield root / name, 1, f"label {label} is missing here"


def check_rules(root):
    tests = "\n".join(text_of(path) for path in tracked(root, "test/*"))
    for path in tracked(root, "optimizers/*.upd"):
        name = path.relative_to(root / "optimizers").with_suffix("").as_posix()
        name = re.sub(r"^(transforms|schedules)/", "", name)
        comments = "\n".join(line for line in lines_of(path) if "#" in line
                             or "///" in line)
        if not re.search(CITATION, comments):
            yield path, 1, "no comment cites a source"
        if not re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/])", tests):
            yield path, 1, f"no test names {name}"


def check_cmake(root):
    """By its path from there, from the root, or in its folder by its stem."""
    lists = {path.parent: text_of(path) for path in
             tracked(root, "CMakeLists.txt", "*/CMakeLists.txt")}
    for path in tracked(root, "*.cpp", "*.c"):
        names = [(folder, os.path.relpath(path, folder)) for folder in lists]
        whole = f"{{PROJECT_SOURCE_DIR}}/{path.relative_to(root)}"
        names += [(folder, whole) for folder in lists]
        names += [(path.parent, path.stem)] if path.parent in lists else []
        listed = any(re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)",
                               lists[folder]) for folder, name in names)
        scripts = "".join(map(text_of, path.parent.glob("*.py")))
        given = path.parent.name == "Inputs"  # what a lit test compiles
        if not (listed or given or path.name in scripts
                or "RUN:" in text_of(path)):
            yield path, 1, "no CMakeLists.txt lists this file"


def check_words(root):
    for path in tracked(root, "*"):
        if path.suffix in (".csv", ".safetensors") or path == Path(__file__):
            continue
        for number, line in enumerate(lines_of(path), 1):
            for pattern, why in FORBIDDEN:
                if match := re.search(pattern, line):
                    yield path, number, f"'{match[0]}': {why}"


CHECKS = [check_layers, check_sizes, check_banners, check_functions, check_ops,
          check_passes, check_labels, check_rules, check_cmake, check_words]


def main(arguments):
    root = Path(arguments[0] if arguments else Path(__file__).parents[1])
    root = root.resolve()
    findings = [finding for check in CHECKS for finding in check(root)]
    for path, line, message in findings:
        print(f"{path.relative_to(root)}:{line}: {message}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
