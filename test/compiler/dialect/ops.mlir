// RUN: updraft-opt %s --verify-roundtrip | FileCheck %s

// Every op, as it is written and printed.

// CHECK-LABEL: updraft.program @sgd compute f32
// CHECK-SAME:    describe {doc = "plain"}
updraft.program @sgd compute f32 describe {doc = "plain"} {
  // CHECK: updraft.variant @matrix tests [{index = 0 : i32
  updraft.variant @matrix tests [{what = 0 : i32, index = 0 : i32, relation = 5 : i32, value = 2.0, tag = ""}] {
    updraft.array @p param bf16
    updraft.array @g grad bf16
    // CHECK: updraft.array @v state f32 viewed doc "shown"
    updraft.array @v state f32 viewed doc "shown"
    // CHECK: updraft.array @r state f32 of <rows>
    updraft.array @r state f32 of <rows>
    // CHECK: updraft.array @c view f32 of <cols, folded> doc "wide"
    updraft.array @c view f32 of <cols, folded> doc "wide"
    // CHECK: updraft.array @scale scratch f64 of <block 64>
    updraft.array @scale scratch f64 of <block 64>
    // CHECK: updraft.array @runs scratch f32 of <rowruns>
    updraft.array @runs scratch f32 of <rowruns>
    // CHECK: updraft.array @x scratch f32
    updraft.array @x scratch f32
    updraft.array @y scratch f32
    // CHECK: updraft.array @factor scratch f32 of <squares>
    updraft.array @factor scratch f32 of <squares>
    // CHECK: updraft.scalar @t tensor counter
    updraft.scalar @t tensor counter
  }
  // CHECK: updraft.variant @all tests []
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    // CHECK: updraft.array @m state bf16
    updraft.array @m state bf16
  }
  // CHECK: updraft.scalar @lr group hyper describe {flags = 1 : i32
  updraft.scalar @lr group hyper describe {initial = 1.0e-3, low = 0.0, high = 1.0, flags = 1 : i32} doc "the rate"
  // CHECK: updraft.scalar @clip model slot
  updraft.scalar @clip model slot
  updraft.scalar @part group slot
  // CHECK: updraft.list @squares partial
  updraft.list @squares partial
  // CHECK: updraft.list @norms total
  updraft.list @norms total
  // CHECK: updraft.list @route total routed
  updraft.list @route total routed

  // CHECK: updraft.body step @all
  updraft.body step @all {
    // CHECK: [[M:%[a-z0-9]+]] = updraft.get @m : f32
    %0 = updraft.get @m : f32
    // CHECK: updraft.shape absent : i1
    %1 = updraft.shape absent : i1
    // CHECK: updraft.put @m, [[M]] when {{%[a-z0-9]+}} : f32
    updraft.put @m, %0 when %1 : f32
    // CHECK: updraft.shape size : f64
    %2 = updraft.shape size : f64
    // CHECK: updraft.shape dim {index = 1 : i32} : f64
    %3 = updraft.shape dim {index = 1 : i32} : f64
    // CHECK: updraft.math pow {{%[a-z0-9]+}}, {{%[a-z0-9]+}} : f64
    %4 = updraft.math pow %2, %3 : f64
    // CHECK: updraft.reduce sum [[M]] : f32
    %5 = updraft.reduce sum %0 : f32
    updraft.put @clip, %5 : f64
  }
  // CHECK: updraft.body view(0) {
  updraft.body view(0) {
    // CHECK: updraft.fold max @squares over model
    %0 = updraft.fold max @squares over model
    updraft.put @clip, %0 : f64
  }
  // CHECK: updraft.kernel @update step element @all after model attributes {reads = 16000 : i32, why = "p'", writes = 12000 : i32} {
  updraft.kernel @update step element @all after model
      attributes {reads = 16000 : i32, writes = 12000 : i32, why = "p'"} {
    %0 = updraft.get @p : f32
    %1 = updraft.get @clip : i1
    // CHECK: updraft.partial sum @squares, {{%[a-z0-9]+}} when {{%[a-z0-9]+}} : f32
    updraft.partial sum @squares, %0 when %1 : f32
  }
  // CHECK: updraft.kernel @fold step tensor @all after tensor {
  updraft.kernel @fold step tensor @all after tensor {
    // CHECK: updraft.fold sum @squares
    %0 = updraft.fold sum @squares
    updraft.put @norms, %0 : f64
  }
  // CHECK: updraft.kernel @model step model {
  updraft.kernel @model step model {
    %0 = updraft.fold sum @part
    updraft.put @clip, %0 : f64
  }
  // CHECK: updraft.body step @matrix
  updraft.body step @matrix {
    %0 = updraft.get @p : f32
    // CHECK: updraft.reduce max {{%[a-z0-9]+}} : f32 to <rows>
    %1 = updraft.reduce max %0 : f32 to <rows>
    // CHECK: updraft.reduce sum {{%[a-z0-9]+}} of <rows> : f32 to <matrix>
    %3 = updraft.reduce sum %0 of <rows> : f32 to <matrix>
    // CHECK: updraft.shape cols {index = 1 : i32} : f64
    %2 = updraft.shape cols {index = 1 : i32} : f64
  }
  // CHECK: updraft.kernel @moments step element @matrix along <bands> after model {
  updraft.kernel @moments step element @matrix along <bands> after model {
    %0 = updraft.get @p : f32
    // CHECK: updraft.partial sum @runs, {{%[a-z0-9]+}} : f32
    updraft.partial sum @runs, %0 : f32
  }
  // CHECK: updraft.kernel @rows step axis @matrix along <rows> after tensor {
  updraft.kernel @rows step axis @matrix along <rows> after tensor {
    // CHECK: updraft.fold sum @runs
    %0 = updraft.fold sum @runs
    %1 = arith.truncf %0 : f64 to f32
    updraft.put @r, %1 : f32
  }
  // CHECK: updraft.body step @matrix
  updraft.body step @matrix {
    %0 = updraft.get @p : f32
    // CHECK: updraft.newton_schulz [[X:%[a-z0-9]+]], [[X]], [[X]], [[X]] steps 5 : f32
    %1 = updraft.newton_schulz %0, %0, %0, %0 steps 5 : f32
  }
  // CHECK: updraft.kernel @product step matrix @matrix along <tiles> after tensor attributes {rounds = 5 : i32, swaps = [@x, @y]} {
  updraft.kernel @product step matrix @matrix along <tiles> after tensor
      attributes {rounds = 5 : i32, swaps = [@x, @y]} {
    // CHECK: updraft.product @factor, @x : f32
    %0 = updraft.product @factor, @x : f32
    updraft.put @y, %0 : f32
  }
}
