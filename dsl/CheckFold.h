//===- CheckFold.h - Arithmetic on build-level constants ------------------===//
//
// What is known at compile time is computed at compile time, with the bits that
// the operation would have at run time (numerics.md 3): f64 throughout, as
// levels below element are. So a value of build level is always a constant.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_CHECKFOLD_H
#define UPDRAFT_DSL_CHECKFOLD_H

#include "Rule.h"

namespace updraft::check {

/// The value of a node whose arguments are all Number or Boolean leaves, 0 or 1
/// for booleans; none if it is not to be folded.
std::optional<double> fold(const Expr &node);

} // namespace updraft::check

#endif // UPDRAFT_DSL_CHECKFOLD_H
