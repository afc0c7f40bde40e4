//===- Passes.td - What each pass promises --------------------------------===//
//
// The contract of every pass: what it turns into what, what it expects and
// what it ensures. The reasons stand in the .cpp files, the order in
// Pipeline.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_PASSES_TD
#define UPDRAFT_COMPILER_PASSES_PASSES_TD

include "mlir/Pass/PassBase.td"

def SplitKernels : Pass<"updraft-split-kernels"> {
  let summary = "Cuts bodies into kernels that move the fewest bytes";
  let description = [{
    Replaces the bodies of a program by kernels in the order in which they run.
    Every value is computed at its own level: once a call, group or tensor in a
    scalar kernel, which leaves it in a slot for later kernels, or once an
    element. A reduction ends a pass over memory; each store and each reduction
    is put into the pass where the fewest bytes are moved (SplitPlan.h).

    ```mlir
    updraft.body step @all {
      %g = updraft.get @g : f32
      %s = updraft.reduce sum %g : f32
      updraft.put @mean, %s : f64
    }
    // becomes
    updraft.kernel @sum step element @all {
      %g = updraft.get @g : f32
      updraft.partial sum @blocks0, %g : f32
    }
    updraft.kernel @sum.tensor step tensor @all after tensor {
      %s = updraft.fold sum @blocks0
      updraft.put @mean, %s : f64
    }
    ```

    Expects: programs with bodies.
    Ensures: programs with kernels, lists and slots; no body and no `reduce`.
  }];
}

#endif // UPDRAFT_COMPILER_PASSES_PASSES_TD
