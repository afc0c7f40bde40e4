//===- Explain.h - What a compiled rule costs -----------------------------===//
//
// The table behind --explain: kernels in the order in which they run, the bytes
// each moves a parameter, and the equation that forced it. Read off the plan,
// so that it says what is compiled and not what somebody hopes for.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_EXPLAIN_H
#define UPDRAFT_COMPILER_EXPLAIN_H

#include "compiler/ExplainGpu.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>
#include <vector>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace updraft {

struct Gpu;
struct Rule;

struct Explanation {
  /// What a kernel moves for a parameter where `when` is so: "not absent,
  /// last".
  struct Outcome {
    std::string when;
    double reads = 0, writes = 0;
  };
  /// A kernel of the step. Bytes are a parameter's, in the worst case over the
  /// kernel's conditions; scalar kernels move none worth counting, and axis
  /// kernels only the totals of runs. `along`: what an axis kernel has one item
  /// of each, or what an element kernel walks along if not in order.
  struct Kernel {
    std::string name, level, variant, along, after, why;
    double reads = 0, writes = 0;
    std::vector<Outcome> outcomes; ///< dearest first; none: always the same
    /// Of matrix kernels: how often they run, and operations of a parameter in
    /// a matrix with n rows and m >= n columns: "2*n". Each fma is two.
    unsigned rounds = 1;
    std::string operations;
  };
  /// Tensors that the same tests hold of.
  struct Variant {
    std::string name, tests;
    unsigned passes = 0;
    double bytes = 0, stateBytes = 0;
  };
  /// The main loops of element kernels as a GPU has them: their conditions make
  /// several, the dearest first.
  struct GpuKernel {
    std::string name;
    double bytes = 0; ///< of a parameter, as Kernel has them
    std::vector<GpuLoop> loops;
  };
  struct GpuTarget {
    std::string name; ///< "sm_90"
    std::vector<GpuKernel> kernels;
  };
  std::string rule, param;
  unsigned passes = 0;              ///< of the dearest variant, as are
  double bytes = 0, stateBytes = 0; ///< the bytes moved and stored
  std::vector<Kernel> kernels;
  std::vector<Variant> variants;
  std::vector<GpuTarget> gpus; ///< that were asked for
};

/// Explains the program of `module`, whose stage is `plan`.
Explanation explain(mlir::ModuleOp module);

/// Imports, plans and explains a rule, with its code for the GPUs. None if that
/// fails, which is a bug.
std::optional<Explanation> explainRule(const Rule &rule,
                                       llvm::ArrayRef<const Gpu *> gpus = {});

/// A table for people. `bandwidth` in GB/s predicts the time of a step; 0:
/// none.
void printTable(const Explanation &explanation, double bandwidth,
                llvm::raw_ostream &out);

/// One JSON object.
void printJson(const Explanation &explanation, double bandwidth,
               llvm::raw_ostream &out);

} // namespace updraft

#endif // UPDRAFT_COMPILER_EXPLAIN_H
