"""What is installed works by itself: tools, rules, the package for CMake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = Path(os.environ.get("UPDRAFT_BIN", ROOT / "build" / "bin")).parent

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(user CXX)
find_package(updraft 0.1 REQUIRED)
add_executable(user user.cpp)
target_link_libraries(user updraft::updraftc)
add_executable(ahead ahead.cpp own.o)
target_link_libraries(ahead updraft::updraft)
"""
STEP = """  updraft::Program program(loaded);
  float w[] = {1, 2}, g[] = {1, 1};
  updraft::Optimizer optimizer(program, {updraft::param("w", w, {2})});
  optimizer.step({updraft::array(g, {2})});
  std::printf("%g %g", w[0], w[1]);
}
"""
USER = """#include <updraft/updraft.hpp>
#include <updraft/updraftc.h>
#include <cstdio>
int main() {
  updraft_loaded_program *loaded;
  updraft::check(updraft_compile("clip_by_value(2) | own", nullptr, &loaded));
""" + STEP
AHEAD = """#include <updraft/updraft.hpp>
#include "own.h"
#include <cstdio>
int main() {
  updraft_loaded_program *loaded;
  updraft::check(updraft_program_from(&updraft_program_own, &loaded));
""" + STEP


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True,
                          text=True, timeout=600, **more)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """An installation with one rule that no other has."""
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--prefix", folder)
    (folder / "share/updraft/optimizers/own.upd").write_text(
        "/// A rule that is only here.\nrule own {\n"
        "  rate lr = 0.5 in [0, inf)\n  port u = g\n  p' = p - lr*u\n}\n")
    return folder


def test_layout(prefix):
    assert {file.name for file in (prefix / "bin").iterdir()} == {
        "updraftc", "updraft-run"}
    assert {file.name for file in (prefix / "lib").glob("*.so")} == {
        "libupdraft.so", "libupdraftc.so", "libupdraft_compiler.so"}
    assert {file.name for file in (prefix / "include/updraft").iterdir()} == {
        "abi.h", "image.h", "updraft.h", "updraft.hpp", "updraftc.h"}


def test_tools(prefix, tmp_path):
    """By their path, by a link, and by PATH; from anywhere."""
    (tmp_path / "link").symlink_to(prefix / "bin/updraftc")
    path = {**os.environ, "PATH": f"{prefix}/bin:{os.environ['PATH']}"}
    for tool in (prefix / "bin/updraftc", tmp_path / "link", "updraftc"):
        assert "A rule that is only here" in run(tool, "--list", cwd=tmp_path,
                                                 env=path)
    assert run("updraft-run", "own", "--params", "w=1", "--grads", "w=1",
               "--out", "-", cwd=tmp_path, env=path) == "w F32 [1] = 0.5\n"


def test_package(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(PROJECT)
    (tmp_path / "user.cpp").write_text(USER)
    (tmp_path / "ahead.cpp").write_text(AHEAD)
    run(prefix / "bin/updraftc", "own", "-o", "own.o", "--header", "own.h",
        cwd=tmp_path)
    run("cmake", "-G", "Ninja", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}",
        cwd=tmp_path)
    run("cmake", "--build", "build", cwd=tmp_path)
    own = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert run(tmp_path / "build/user", cwd="/", env=own) == "0.5 1.5"
    assert run(tmp_path / "build/ahead", cwd="/") == "0.5 1.5"
    assert list((tmp_path / "cache").rglob("*.image"))


INSTALLED = """import sys, updraft
print(updraft.compile("cautious | keras/adam", cache="").name)
maps = open("/proc/self/maps").read()
print(*{line.split()[-1] for line in maps.splitlines()
        if "updraft" in line.split()[-1].rpartition("/")[2]})
"""


def test_python(tmp_path):
    """What a wheel holds is enough: rules and the compiler lie beside it."""
    run("cmake", "--install", BUILD, "--component", "python", "--prefix",
        tmp_path)
    package = tmp_path / "updraft"
    for module in (ROOT / "python/updraft").glob("**/*.py*"):
        if "__pycache__" not in module.parts:
            target = package / module.relative_to(ROOT / "python/updraft")
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(module.read_bytes())
    own = {key: value for key, value in os.environ.items()
           if not key.startswith("UPDRAFT_")}
    name, libraries = run(
        sys.executable, "-c", INSTALLED, cwd="/",
        env={**own, "PYTHONPATH": str(tmp_path)}).splitlines()
    assert name == "adam"
    assert libraries == str(package / "libupdraft_compiler.so")
    linked = run("ldd", package / "libupdraft_compiler.so")
    assert "LLVM" not in linked and "MLIR" not in linked
