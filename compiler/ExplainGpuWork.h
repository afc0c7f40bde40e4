//===- ExplainGpuWork.h - What an instruction of PTX costs ----------------===//

#ifndef UPDRAFT_COMPILER_EXPLAINGPUWORK_H
#define UPDRAFT_COMPILER_EXPLAINGPUWORK_H

#include "llvm/ADT/StringRef.h"

#include <algorithm>

namespace updraft {

/// Machine instructions by the unit that executes them. Results of a cycle of a
/// processor, from the throughput table of the CUDA programming guide for
/// compute capability 9.0: 128 f32; 64 integer, comparison, selection; 64 f64;
/// 16 special (reciprocal, root, conversions of 64 bits); 32 shuffles, and
/// loads and stores. Multiplication of integers, 64, is by half of the f32
/// units. 128 of any kind are issued.
struct Work {
  unsigned f32 = 0, integer = 0, multiply = 0, f64 = 0, special = 0, memory = 0;
  unsigned control = 0; ///< jumps and moves: only issued

  Work &operator+=(const Work &other) {
    f32 += other.f32;
    integer += other.integer;
    multiply += other.multiply;
    f64 += other.f64;
    special += other.special;
    memory += other.memory;
    control += other.control;
    return *this;
  }
  unsigned instructions() const {
    return f32 + integer + multiply + f64 + special + memory + control;
  }
  unsigned slots() const {
    return std::max({instructions(), f32 + 2 * multiply, 2 * integer, 2 * f64,
                     8 * special, 4 * memory});
  }
};

/// A division by what a loop does not change, whose reciprocal is made before.
inline constexpr Work kInvariantDivision = {.integer = 6, .multiply = 3};

/// What ptxas makes of an instruction: "add.rn.f32".
const Work &workOf(llvm::StringRef opcode);

} // namespace updraft

#endif // UPDRAFT_COMPILER_EXPLAINGPUWORK_H
