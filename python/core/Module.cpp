//===- Module.cpp - The extension module updraft._core --------------------===//

#include "Program.h"

NB_MODULE(_core, module) {
  module.doc() = "The C interface of Updraft, for the modules of this package.";
  updraft::python::defineProgram(module);
  updraft::python::defineOptimizer(module);
  updraft::python::defineJax(module);
}
