//===- LowerToLoopsFormat.h - Elements in memory and in registers ---------===//
//
// An array element is stored in its format and computed in the compute type.
// Both directions give the same bits on every target: narrowing to bf16 is done
// with integers, because the instruction for it flushes denormals.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSFORMAT_H
#define UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSFORMAT_H

#include "compiler/Passes/LowerToLoopsBuilder.h"

namespace updraft::loops {

/// Whether elements of `format` can be computed in `compute`.
bool isStorable(Type format, Type compute);

/// What is known of the memory that is accessed.
struct Access {
  unsigned alignment = 0;  ///< in bytes; 0: that of an element
  bool isConstant = false; ///< nobody writes there while the kernel runs
};

/// Loads `width` elements at `address` and converts them to `compute`. Where
/// `mask` (may be null) is false, 0 stands and memory is not touched.
Value loadElements(Builder &builder, Type format, Type compute, Value address,
                   unsigned width, Value mask, Access access = {});

/// Rounds `elements` to `format`, once and to nearest even, and stores them.
void storeElements(Builder &builder, Type format, Value elements, Value address,
                   Value mask, Access access = {});

} // namespace updraft::loops

#endif // UPDRAFT_COMPILER_PASSES_LOWERTOLOOPSFORMAT_H
