//===- Program.h - A compiled rule, for Python ------------------*- C++ -*-===//

#ifndef UPDRAFT_PYTHON_PROGRAM_H
#define UPDRAFT_PYTHON_PROGRAM_H

#include "compiler/updraftc.h"

#include <nanobind/nanobind.h>

#include <memory>

namespace updraft::python {

namespace nb = nanobind;

/// Raises what fits a status, with updraft_last_error() as its text.
[[noreturn]] void raise(updraft_status status);
inline void check(updraft_status status) {
  if (status != UPDRAFT_OK)
    raise(status);
}

/// One reference to a program.
using ProgramHandle = std::shared_ptr<updraft_loaded_program>;

struct Program {
  ProgramHandle handle;

  const updraft_program &descriptor() const {
    return *updraft_program_descriptor(handle.get());
  }
  const char *text(updraft_rel rel) const {
    return rel ? reinterpret_cast<const char *>(&descriptor()) + rel : "";
  }
  template <class T> const T *begin(updraft_list list) const {
    return reinterpret_cast<const T *>(
        reinterpret_cast<const char *>(&descriptor()) + list.at);
  }
};

void defineProgram(nb::module_ &module);
void defineOptimizer(nb::module_ &module);
void defineJax(nb::module_ &module);

} // namespace updraft::python

#endif // UPDRAFT_PYTHON_PROGRAM_H
