//===- LowerToLoopsAxis.h - Values of rows, columns, matrices and blocks --===//
//
// Functions that all kernels of a program share and call once for a strip of
// items: they lay out in stack memory what belongs to each item, so that the
// loop over vectors reads it as if it were an array of its own. A strip stays
// in the first cache, and a vector needs no division to find its row.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSAXIS_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSAXIS_H

#include "compiler/Passes/LowerToLoopsKernel.h"

namespace updraft::loops {

using Values = llvm::SmallVector<Value>;

/// Items of a strip: also the columns of a run (numerics.md 5).
constexpr int64_t kStrip = 512;

/// What is written at once at most: a vector of any target.
constexpr int64_t kVectorBytes = 64;

/// while (state[0] < end) state = body(state)
void whileBelow(Builder &at, Value end, ValueRange start,
                llvm::function_ref<Values(ValueRange)> body);

/// Stack memory for what belongs to the items of a strip, of `bytes` each, and
/// for one vector more, because only whole ones are written. `builder` stands
/// in the function's first block.
Value stripMemory(Builder &builder, int64_t bytes);

/// Lays `count` items of `bytes` at `target`: the first `left` are the value at
/// `source`, each `length` after that are the next value. `target` is strip
/// memory; the values at `source` do not change while the function runs.
void spreadRuns(Kernel &kernel, int64_t bytes, Value target, Value source,
                Value left, Value count, Value length);

/// Where the column values lie, side by side, that belong to the elements
/// [first, first + count): at `source` itself if they are of one row, else at
/// `target`, where they have been laid.
Value spreadColumns(Kernel &kernel, int64_t bytes, Value target, Value source,
                    Value first, Value count, Value rows, Value columns);

/// Sets `count` numbers at `target`, and none beyond.
void fillNumbers(Kernel &kernel, Type type, Value target, Value count,
                 double number);

/// The totals of `count` rows in f64: of `runs` numbers each, in order.
void foldRowRuns(Kernel &kernel, ir::Reducer reducer, Type type, Value target,
                 Value source, Value count, Value runs);

/// The totals of the columns [first, first + count) in f64: each of `runs`
/// numbers, in order, a matrix's row apart.
void foldColumnRuns(Kernel &kernel, ir::Reducer reducer, Type type,
                    Value target, Value source, Value first, Value count,
                    Value columns, Value runs);

/// The total of a list of `type`: blocks of 4096 in it, their totals in f64.
Value foldNumbers(Builder &at, Kernel &kernel, ir::Reducer reducer, Type type,
                  Value list, Value count);

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSAXIS_H
