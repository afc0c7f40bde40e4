// RUN: updraft-opt %s --updraft-split-kernels | FileCheck %s

// What is iterated is stored in one pass, by an absent tensor not at all; a
// round is three kernels; elements read, after an odd number of rounds, the
// second of both arrays. All three wait for the group's b, which the first
// says.
// CHECK-LABEL: updraft.program @matrix
updraft.program @matrix compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    // CHECK: updraft.array @[[X:x[.0-9]*]] scratch f32
    // CHECK-NEXT: updraft.array @[[Y:next[.0-9]*]] scratch f32
    // CHECK-NEXT: updraft.array @[[A:square[.0-9]*]] scratch f32 of <squares>
    // CHECK-NEXT: updraft.array @[[B:factor[.0-9]*]] scratch f32 of <squares>
  }
  updraft.scalar @lr group hyper describe {initial = 1.0e-3}
  updraft.scalar @b group state
  updraft.body step {
    %lr = updraft.get @lr : f64
    %old = updraft.get @b : f64
    %b = arith.mulf %lr, %old : f64
    updraft.put @b, %b : f64
  }
  updraft.body step @all {
    %lr = updraft.get @lr : f64
    %old = updraft.get @b : f64
    %wide = arith.mulf %lr, %old : f64
    %b = arith.truncf %wide : f64 to f32
    %a = arith.constant 3.5 : f32
    %c = arith.constant 2.0 : f32
    %absent = updraft.shape absent : i1
    %true = arith.constant true
    %present = arith.xori %absent, %true : i1
    %g = updraft.get @g : f32
    %u = updraft.newton_schulz %g, %a, %b, %c steps 5 : f32
    %p = updraft.get @p : f32
    %next = arith.subf %p, %u : f32
    updraft.put @p, %next when %present : f32
  }
  // CHECK: updraft.kernel @store step element @all attributes {reads = 4000 : i32, writes = 4000 : i32} {
  // CHECK: [[G:%[0-9]+]] = updraft.get @g : f32
  // CHECK: updraft.put @[[X]], [[G]] when [[PRESENT:%[0-9]+]] : f32

  // CHECK: updraft.kernel @{{square[.0-9]*}} step matrix @all along <squaretiles> after group attributes {rounds = 5 : i32, swaps = [@[[X]], @[[Y]]]} {
  // CHECK: [[SQUARE:%[0-9]+]] = updraft.product @[[X]], @[[X]] : f32
  // CHECK: updraft.put @[[A]], [[SQUARE]] when {{%[0-9]+}} : f32

  // CHECK: updraft.kernel @{{factor[.0-9]*}} step matrix @all along <squaretiles> after tensor attributes {rounds = 5 : i32} {
  // CHECK-DAG: [[OLD:%[0-9]+]] = updraft.get @[[A]] : f32
  // CHECK-DAG: [[PRODUCT:%[0-9]+]] = updraft.product @[[A]], @[[A]] : f32
  // CHECK: [[SCALED:%[0-9]+]] = arith.mulf {{%.*}}, [[PRODUCT]] : f32
  // CHECK: [[FACTOR:%[0-9]+]] = math.fma {{%[0-9]+}}, [[OLD]], [[SCALED]] : f32
  // CHECK: updraft.put @[[B]], [[FACTOR]] when {{%[0-9]+}} : f32

  // CHECK: updraft.kernel @{{next[.0-9]*}} step matrix @all along <tiles> after tensor attributes {rounds = 5 : i32, swaps = [@[[X]], @[[Y]]]} {
  // CHECK-DAG: [[OLD:%[0-9]+]] = updraft.get @[[X]] : f32
  // CHECK-DAG: [[PRODUCT:%[0-9]+]] = updraft.product @[[B]], @[[X]] : f32
  // CHECK: [[NEXT:%[0-9]+]] = math.fma {{%.*}}, [[OLD]], [[PRODUCT]] : f32
  // CHECK: updraft.put @[[Y]], [[NEXT]] when {{%[0-9]+}} : f32

  // CHECK: updraft.kernel @update step element @all after tensor attributes {reads = 8000 : i32, why = "p'", writes = 4000 : i32} {
  // CHECK: updraft.get @[[Y]] : f32
}
