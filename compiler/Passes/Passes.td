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

    A `newton_schulz` is stored, iterated by matrix kernels that run by turns,
    and read back in a later pass.

    Expects: programs with bodies.
    Ensures: programs with kernels, lists, slots and scratch; no body, no
    `reduce` and no `newton_schulz`.
  }];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::math::MathDialect"
  ];
}

def LowerToLoops : Pass<"updraft-lower-to-loops", "mlir::ModuleOp"> {
  let summary = "Turns kernels into functions of loops over vectors";
  let description = [{
    Makes of every kernel a function `void(frame, first, count)` as
    runtime/abi.h has it. A body for one element becomes a loop over vectors of
    64 bytes inside a loop over chunks; every value is computed at its own
    level, outside of all loops that do not change it. A uniform condition
    becomes a branch around the loops, and what the side not taken would load
    is not loaded. The kernels stay behind, empty, as the program's table.

    ```mlir
    updraft.kernel @update step element @all {
      %p = updraft.get @p : f32
      %s = math.sqrt %p : f32
      updraft.put @p, %s : f32
    }
    // becomes (the loop over vectors)
    scf.for %i = %c0 to %whole step %c16 : i64 {
      %a = llvm.getelementptr %pointer[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i32
      %p = llvm.load %a {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
      %s = math.sqrt %p : vector<16xf32>
      llvm.store %s, %a {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
    }
    ```

    Expects: programs with kernels, no body.
    Ensures: func, scf, cf, arith, math, vector, llvm; of updraft only the
    declarations and empty kernels.
  }];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::cf::ControlFlowDialect",
    "mlir::func::FuncDialect", "mlir::LLVM::LLVMDialect",
    "mlir::math::MathDialect", "mlir::scf::SCFDialect",
    "mlir::vector::VectorDialect"
  ];
  let options = [
    Option<"tail", "tail", "std::string", "\"loop\"",
           "Elements that fill no vector: every vector is masked (`loop`), the "
           "last one is in kernels without 16-bit arrays (`wide`), or they are "
           "done one by one (`scalar`)">
  ];
}

#endif // UPDRAFT_COMPILER_PASSES_PASSES_TD
