//===- ExplainGpu.h - Instructions of a GPU's main loops ------------------===//
//
// Estimated from the text of the PTX, so that --explain can say whether memory
// or instructions bound a kernel. Knows nothing of rules and plans.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_EXPLAINGPU_H
#define UPDRAFT_COMPILER_EXPLAINGPU_H

#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace updraft {

/// What a GPU can do in a second.
struct GpuBoard {
  llvm::StringRef name;
  double bandwidth; ///< GB/s
  unsigned processors;
  double clock; ///< GHz

  /// ns for `slots` of each of many elements, if no cycle is lost.
  double timeOf(double slots) const;
};

/// What times are predicted for.
inline constexpr GpuBoard kBoard = {"H200", 4800, 132, 1.98};

/// A loop over whole vectors, along its dearest road.
struct GpuLoop {
  unsigned elements = 0; ///< that a thread has in a turn
  unsigned bytes = 0;    ///< of an element, by vector accesses
  /// Machine instructions of an element, and the 128ths of a processor's cycle
  /// that those of its busiest unit take.
  double instructions = 0, slots = 0;
  std::vector<std::string> calls; ///< functions called, each once, in order
};

/// The main loops of `entry`: of the innermost ones with vector accesses those
/// that move the most bytes an element, the dearest first; one that follows an
/// unrolled one for the remainder is left out. Empty where there are none.
std::vector<GpuLoop> mainLoops(llvm::StringRef ptx, llvm::StringRef entry);

} // namespace updraft

#endif // UPDRAFT_COMPILER_EXPLAINGPU_H
