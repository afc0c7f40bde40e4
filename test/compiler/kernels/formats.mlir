// RUN: updraft-opt %s --updraft-lower-to-loops=tail=wide | FileCheck %s

// 16-bit arrays travel as integers; bf16 is narrowed with integers, to nearest
// even, and a NaN stays one. AVX2 cannot mask them: the tail is scalar.

// CHECK-LABEL: func.func private @copy(
// CHECK:         [[BITS:%[0-9]+]] = llvm.load {{.*}} -> vector<16xi16>
// CHECK:         arith.extui [[BITS]] : vector<16xi16> to vector<16xi32>
// CHECK:         arith.shli
// CHECK:         arith.bitcast {{.*}} to vector<16xf32>
// CHECK:         llvm.load {{.*}} -> vector<16xi16>
// CHECK:         arith.extf {{.*}} : vector<16xf16> to vector<16xf32>
// CHECK:         [[NAN:%[0-9]+]] = arith.cmpf uno
// CHECK:         arith.select [[NAN]]
// CHECK:         arith.trunci {{.*}} : vector<16xi32> to vector<16xi16>
// CHECK:         llvm.store
// CHECK-NOT:     masked
// CHECK:         llvm.load {{.*}} -> i16
// CHECK:       return
updraft.program @copies compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param bf16
    updraft.array @g grad f16
  }
  updraft.kernel @copy step element @all {
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %x = arith.addf %p, %g : f32
    updraft.put @p, %x : f32
  }
}
