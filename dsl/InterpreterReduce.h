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

/// Numbers in memory, `stride` apart; 0: one number, `count` times.
struct Items {
  const double *data;
  uint64_t stride, count;

  double operator[](uint64_t i) const { return data[i * stride]; }
};

/// The total of a tensor's elements, a block's, or the values of its rows: each
/// 4096 by lanes in the compute type, then these totals by lanes in f64.
Total listTotal(Reducer reducer, Compute type, Items items);

/// The total of a row's elements: each 512 by lanes in the compute type, then
/// these totals in order in f64.
Total rowTotal(Reducer reducer, Compute type, Items items);

/// The total of a column's elements: each 64 in order in the compute type, then
/// these totals in order in f64.
Total columnTotal(Reducer reducer, Compute type, Items items);

/// The total of one number of tensor level or coarser, as a list of its own.
Total scalarTotal(Reducer reducer, double item);

/// The total of totals, in f64.
Total joinTotals(Reducer reducer, llvm::ArrayRef<Total> totals);

/// The value of a reduction: the mean, the root, ... of a total.
double finishTotal(Reducer reducer, Total total);

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETERREDUCE_H
