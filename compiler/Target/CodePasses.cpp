//===- CodePasses.cpp - Which passes of the code generator run ------------===//
//
// The code generator spends two fifths of its time on improvements that
// LowerToLoops has already made or that vectors waiting for memory do not feel.
// All of them are optional: a program is right without them. Over the library,
// inner loops grow by one instruction in twenty. Large tensors do not feel it;
// AdamW on 10,000 tensors of 100 takes 1.02 times as long. The one that takes
// constants and spread values out of the loop over chunks stays: 1.15 without.
//
// A pass that a later LLVM calls by another name would run again, and only cost
// time; CodePassesTest tells.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CodePasses.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Pass.h"

namespace updraft {

static constexpr llvm::StringLiteral kLeftOut[] = {
    // Values stand at their level and addresses are indexed as the machine
    // does it: nothing is to be sunk, shared or counted otherwise.
    "Canonicalize Freeze Instructions in Loops",
    "Loop Strength Reduction",
    "Constant Hoisting",
    "CodeGen Prepare",
    "Machine Loop Invariant Code Motion",
    "Machine Common Subexpression Elimination",
    "Machine code sinking",
    "Live Range Shrink",
    // Loops have one block, and what surrounds them runs once a chunk.
    "X86 cmov Conversion",
    "Shrink Wrapping analysis",
    // Processors that have fma order and rename instructions themselves.
    "Machine Instruction Scheduler",
    "Machine InstCombiner",
    "X86 Execution Dependency Fix",
    "BreakFalseDeps",
    "Machine Copy Propagation Pass",
    "Machine Late Instructions Cleanup Pass",
    "X86 Byte/Word Instruction Fixup",
    "X86 Fixup SetCC",
    "X86 Fixup Vector Constants",
    // Nothing of the kind is in a program.
    "Expand memcmp() to load/stores",
    "Partially inline calls to library functions",
    "Merge disjoint stack slots",
    "X86 Domain Reassignment Pass",
    "X86 Load Value Injection (LVI) Load Hardening",
};

llvm::ArrayRef<llvm::StringLiteral> passesLeftOut() { return kLeftOut; }

void CodePasses::add(llvm::Pass *pass) {
  if (llvm::is_contained(kLeftOut, pass->getPassName()))
    delete pass;
  else
    taken_.add(pass);
}

} // namespace updraft
