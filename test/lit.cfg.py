"""How lit finds and runs the tests. The other suites stand beside them: C and
C++ in unit/ and runtime/ (ctest), Python in python/ and numerical/ (pytest)."""

import os
import sys

import lit.formats

config.name = "updraft"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".upd", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_folder, "test")

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.build_folder, "bin"), config.llvm_tools,
     os.environ["PATH"]])
# No test reads or fills the user's own cache.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root,
                                                    "cache")

config.substitutions.append(
    ("%rules", os.path.join(config.source_folder, "optimizers")))
config.substitutions.append(("%source", config.source_folder))
config.substitutions.append(("%build", config.build_folder))
config.substitutions.append(("%python", sys.executable))
