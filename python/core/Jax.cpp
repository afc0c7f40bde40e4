#include "Program.h"
void updraft::python::defineJax(nb::module_ &) {}
