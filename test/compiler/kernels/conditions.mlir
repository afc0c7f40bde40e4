// RUN: updraft-opt %s --split-input-file --updraft-lower-to-loops=tail=scalar | FileCheck %s
// RUN: updraft-opt %s --split-input-file --updraft-lower-to-loops=tail=wide | FileCheck %s --check-prefix=WIDE

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

// -----

// The fourth condition stays a selection, asked once for whatever number of
// elements.

// WIDE-LABEL: func.func private @many(
// WIDE-COUNT-3: scf.if
// WIDE:         arith.select [[D:%[0-9]+]], {{.*}} : vector<16xf32>
// WIDE:         arith.select [[D]], {{.*}} : vector<8xf32>
// WIDE:         return
updraft.program @branches compute f32 {
  updraft.scalar @a model slot
  updraft.scalar @b model slot
  updraft.scalar @c model slot
  updraft.scalar @d model slot
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
  }
  updraft.kernel @many step element @all {
    %a = updraft.get @a : i1
    %b = updraft.get @b : i1
    %c = updraft.get @c : i1
    %d = updraft.get @d : i1
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %w = arith.select %a, %p, %g : f32
    %x = arith.addf %w, %p : f32
    %y = arith.select %b, %x, %g : f32
    %z = arith.mulf %y, %p : f32
    %v = arith.select %c, %z, %g : f32
    %u = arith.subf %v, %p : f32
    %r = arith.select %d, %u, %g : f32
    updraft.put @p, %r : f32
  }
}

// -----

// A condition of elements that a settled one makes uniform is asked once too.

// WIDE-LABEL: func.func private @settled(
// WIDE:         [[A:%[0-9]+]] = arith.cmpf une
// WIDE:         [[B:%[0-9]+]] = arith.cmpf une
// WIDE:         scf.if [[A]]
// WIDE:           arith.select [[B]], {{.*}} : vector<16xf32>
// WIDE:         } else {
// WIDE:           arith.select {{.*}} : vector<16xi1>, vector<16xf32>
// WIDE:         return
updraft.program @settles compute f32 {
  updraft.scalar @a model slot
  updraft.scalar @b model slot
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
  }
  updraft.kernel @settled step element @all {
    %a = updraft.get @a : i1
    %b = updraft.get @b : i1
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %less = arith.cmpf olt, %p, %g : f32
    %chosen = arith.select %a, %b, %less : i1
    %r = arith.select %chosen, %p, %g : f32
    updraft.put @p, %r : f32
  }
}
