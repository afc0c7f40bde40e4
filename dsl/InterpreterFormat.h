//===- InterpreterFormat.h - Rounding to what memory holds ----------------===//

#ifndef UPDRAFT_DSL_INTERPRETERFORMAT_H
#define UPDRAFT_DSL_INTERPRETERFORMAT_H

#include "Rule.h"

namespace updraft {

/// The number of `format` nearest to `x`, halfway cases to the even one; beyond
/// its range infinity, below it denormals and signed zero.
double roundTo(Format format, double x);

/// The same for the type that elements are computed in.
inline double roundTo(Compute type, double x) {
  return type == Compute::F32 ? float(x) : x;
}

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETERFORMAT_H
