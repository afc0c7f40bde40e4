// RUN: updraft-opt %s --updraft-lower-to-loops=tail=wide | FileCheck %s
// RUN: updraft-opt %s --updraft-lower-to-loops=tail=loop | FileCheck %s --check-prefix=LOOP
// RUN: updraft-opt %s --updraft-lower-to-loops=tail=scalar | FileCheck %s --check-prefix=SCALAR

// The kernels stay behind as the program's table, without bodies.

// CHECK-LABEL: updraft.program @levels
// CHECK:         updraft.kernel @update step element @all after tensor {
// CHECK-NEXT:    }
updraft.program @levels compute f32 {
  updraft.scalar @lr group hyper describe {initial = 1.0e-3}
  updraft.scalar @scale model slot
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @c tensor slot
  }
  updraft.kernel @update step element @all after tensor {
    %scale = updraft.get @scale : f64
    %half = arith.constant 0.5 : f64
    %a = arith.mulf %scale, %half : f64
    %lr = updraft.get @lr : f64
    %b = arith.mulf %a, %lr : f64
    %c = updraft.get @c : f64
    %d = arith.divf %b, %c : f64
    %e = arith.truncf %d : f64 to f32
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %n = math.fma %g, %e, %p : f32
    updraft.put @p, %n : f32
  }
}

// Every value is computed at its own level: model before everything, group
// before the loop over chunks, tensor in it, and spread over a vector once.

// CHECK-LABEL: func.func private @update(
// CHECK:         arith.mulf {{.*}} : f64
// CHECK:         cf.cond_br
// CHECK:         [[B:%[0-9]+]] = arith.mulf {{.*}} : f64
// CHECK:         scf.for
// CHECK:           [[D:%[0-9]+]] = arith.divf [[B]], {{.*}} : f64
// CHECK:           [[E:%[0-9]+]] = arith.truncf [[D]] : f64 to f32
// CHECK:           [[V:%[0-9]+]] = vector.broadcast [[E]] : f32 to vector<16xf32>
// CHECK:           scf.for
// CHECK-NOT:         vector.broadcast
// CHECK:             llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK:             math.fma {{%[0-9]+}}, [[V]], {{%[0-9]+}} : vector<16xf32>
// CHECK:             llvm.store
// CHECK:           }
// The last elements: half a vector at a time, masked.
// CHECK:           [[HALF:%[a-z0-9_]+]] = arith.constant 8 : i64
// CHECK:           scf.for {{.*}} step [[HALF]]
// CHECK:             llvm.intr.masked.load {{.*}} -> vector<8xf32>
// CHECK:             vector.shuffle [[V]], [[V]] [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK:             llvm.intr.masked.store {{.*}} : vector<8xf32>
// CHECK:       ^bb2:
// CHECK-NEXT:    return

// With AVX-512 there is one loop, whose vectors are all masked.

// LOOP-LABEL: func.func private @update(
// LOOP:         scf.for
// LOOP:           scf.for
// LOOP:             arith.cmpi sgt
// LOOP:             llvm.intr.masked.load
// LOOP-NOT:         math.fma {{.*}} : vector
// LOOP:             math.fma {{.*}} : vector<16xf32>
// LOOP-NOT:       math.fma
// LOOP:       return

// Without masks the last elements are done one by one.

// SCALAR-LABEL: func.func private @update(
// SCALAR:         math.fma {{.*}} : vector<16xf32>
// SCALAR:         scf.for
// SCALAR:           math.fma {{.*}} : f32
// SCALAR:       return
