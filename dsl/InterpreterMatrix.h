//===- InterpreterMatrix.h - Functions of a whole matrix ------------------===//

#ifndef UPDRAFT_DSL_INTERPRETERMATRIX_H
#define UPDRAFT_DSL_INTERPRETERMATRIX_H

#include "InterpreterReduce.h"

#include <vector>

namespace updraft {

/// The numbers of an iteration, as a rule gives them.
struct NewtonSchulz {
  unsigned steps = 0;
  double eps = 0, a = 0, b = 0, c = 0;
};

/// Brings the singular values of `x` near 1: x divided by its norm, then
/// `steps` times X -> a X + (b A + c A A) X with A = X X^T (Bernstein &
/// Newhouse 2024, arXiv:2409.20325; Jordan et al. 2024). `x` has `rows` rows in
/// row-major order; so has the result, in the compute type.
std::vector<double> newtonSchulz(const NewtonSchulz &numbers, Compute type,
                                 Items x, uint64_t rows);

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETERMATRIX_H
