//===- InterpreterReduce.h - Many numbers to one --------------------------===//

#ifndef UPDRAFT_DSL_INTERPRETERREDUCE_H
#define UPDRAFT_DSL_INTERPRETERREDUCE_H

#include "Rule.h"

#include "llvm/ADT/ArrayRef.h"

namespace updraft {

/// What a reduction has so far: for the sums a total, for the others the
/// extreme value or the truth; and of how many numbers.
struct Total {
  double value, count;
};

/// The total of nothing.
Total emptyTotal(Reducer reducer);

/// The total of a tensor's elements: each block of 4096 in the compute type,
/// then the blocks in f64. `items` holds one number for each element, or one
/// for all if `isUniform`.
Total elementTotal(Reducer reducer, Compute type, const double *items,
                   bool isUniform, uint64_t size);

/// The total of one number of tensor level or coarser, as a list of its own.
Total scalarTotal(Reducer reducer, double item);

/// The total of totals, in f64.
Total joinTotals(Reducer reducer, llvm::ArrayRef<Total> totals);

/// The value of a reduction: the mean, the root, ... of a total.
double finishTotal(Reducer reducer, Total total);

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETERREDUCE_H
