// RUN: updraft-opt %s --split-input-file --updraft-lower-to-loops=tail=scalar | FileCheck %s

// A uniform condition becomes a branch around the loops. Where the tensor is
// absent, g is not loaded (its pointer is null) and p not written.

// CHECK-LABEL: func.func private @update(
// CHECK:         scf.for
// CHECK:           [[ABSENT:%[0-9]+]] = arith.cmpi eq
// CHECK:           scf.if [[ABSENT]] {
// Only m is loaded and stored here: one pointer of the row.
// CHECK-COUNT-1:     llvm.load {{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK-NOT:         -> !llvm.ptr{{$}}
// CHECK:             scf.for
// CHECK-COUNT-1:       llvm.load {{.*}} : !llvm.ptr -> vector<8xf64>
// CHECK-NOT:           arith.select
// CHECK-COUNT-1:       llvm.store {{.*}} : vector<8xf64>, !llvm.ptr
// CHECK:           } else {
// CHECK:             scf.for
// CHECK-COUNT-3:       llvm.load {{.*}} : !llvm.ptr -> vector<8xf64>
// CHECK-NOT:           arith.select
// CHECK-COUNT-2:       llvm.store {{.*}} : vector<8xf64>, !llvm.ptr
// CHECK:       return
updraft.program @conditions compute f64 {
  updraft.variant @all tests [] {
    updraft.array @p param f64
    updraft.array @g grad f64
    updraft.array @m state f64
  }
  updraft.kernel @update step element @all {
    %absent = updraft.shape absent : i1
    %true = arith.constant true
    %present = arith.xori %absent, %true : i1
    %zero = arith.constant 0.0 : f64
    %g = updraft.get @g : f64
    %seen = arith.select %absent, %zero, %g : f64
    %m = updraft.get @m : f64
    %n = arith.addf %m, %seen : f64
    %p = updraft.get @p : f64
    %q = arith.subf %p, %n : f64
    updraft.put @m, %n : f64
    updraft.put @p, %q when %present : f64
  }
}

// -----

// A kernel that writes nothing for absent tensors has no loop for them.

// CHECK-LABEL: func.func private @scale(
// CHECK:         scf.if {{%[0-9]+}} {
// CHECK-NEXT:    } else {
// CHECK:           scf.for
updraft.program @nothing compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
  }
  updraft.kernel @scale step element @all {
    %absent = updraft.shape absent : i1
    %true = arith.constant true
    %present = arith.xori %absent, %true : i1
    %g = updraft.get @g : f32
    updraft.put @p, %g when %present : f32
  }
}
