//===- Module.cpp - The extension module updraft._core --------------------===//

#include "Program.h"

NB_MODULE(_core, module) {
  module.doc() = "The C interface of Updraft, for the modules of this package.";
  // TensorFlow and JAX keep what they have traced until the process ends.
  nanobind::set_leak_warnings(false);
  updraft::python::defineProgram(module);
  updraft::python::defineOptimizer(module);
  updraft::python::defineJax(module);
}
