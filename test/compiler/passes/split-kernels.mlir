// RUN: updraft-opt %s --updraft-split-kernels | FileCheck %s

// A norm over the model costs a pass of 4 bytes; what depends on the step alone
// is computed once a tensor; the step moves 28.

// CHECK-LABEL: updraft.program @clipped
updraft.program @clipped compute f32 {
  // CHECK: updraft.scalar [[CLIP:@coef]] model slot
  // CHECK: updraft.list @norm.blocks partial
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @m state f32
    updraft.array @v state f32
    updraft.scalar @t tensor counter
  }
  updraft.scalar @lr group hyper describe {initial = 1.0e-3}
  updraft.scalar @max_norm group hyper describe {initial = 1.0}
  updraft.scalar @step model counter
  updraft.list @norm total
  updraft.body step {
    %step = updraft.get @step : f64
    %one = arith.constant 1.0 : f64
    %next = arith.addf %step, %one : f64
    updraft.put @step, %next : f64
  }
  // The blocks of g are skipped for a tensor without gradient.
  // CHECK:      updraft.kernel @norm step element @all attributes {reads = 4000 : i32, why = "norm(g over model)"} {
  // CHECK-NEXT:   [[TRUE:%[a-z0-9]+]] = arith.constant true
  // CHECK-NEXT:   [[G:%[a-z0-9]+]] = updraft.get @g
  // CHECK-NEXT:   [[SQUARE:%[a-z0-9]+]] = arith.mulf [[G]], [[G]]
  // CHECK-NEXT:   [[ABSENT:%[a-z0-9]+]] = updraft.shape absent
  // CHECK-NEXT:   [[PRESENT:%[a-z0-9]+]] = arith.xori [[ABSENT]], [[TRUE]]
  // CHECK-NEXT:   updraft.partial sum @norm.blocks, [[SQUARE]] when [[PRESENT]]
  // CHECK-NEXT: }
  // CHECK:      updraft.kernel @norm.tensor step tensor @all after tensor
  // CHECK:        updraft.fold sum @norm.blocks
  // CHECK:        updraft.put @norm
  // CHECK:        updraft.put @t, {{%[a-z0-9]+}} when
  // CHECK:      updraft.kernel @norm.group step group after group
  // CHECK-NEXT:   [[SUM:%[a-z0-9]+]] = updraft.fold sum @norm
  // CHECK-NEXT:   updraft.put @norm.group, [[SUM]]
  // CHECK:      updraft.kernel @norm.model step model after model
  // CHECK-NEXT:   updraft.fold sum @norm.group
  // CHECK:        updraft.put @step
  // CHECK:      updraft.kernel @update step element @all after model attributes {reads = 16000 : i32, why = "p'", writes = 12000 : i32} {
  updraft.body step @all {
    %true = arith.constant true
    %one = arith.constant 1.0 : f64
    %absent = updraft.shape absent : i1
    %present = arith.xori %absent, %true : i1
    %g = updraft.get @g : f32
    %square = arith.mulf %g, %g : f32
    updraft.partial sum @norm, %square when %present : f32 loc("norm(g over model)")
    %sum = updraft.fold sum @norm over model loc("norm(g over model)")
    %norm = math.sqrt %sum : f64 loc("norm(g over model)")
    %max_norm = updraft.get @max_norm : f64
    %ratio = arith.divf %max_norm, %norm : f64
    %coef = arith.minimumf %ratio, %one : f64 loc("coef")
    %coef32 = arith.truncf %coef : f64 to f32
    %clipped = arith.mulf %g, %coef32 : f32
    %m = updraft.get @m : f32
    %v = updraft.get @v : f32
    %t = updraft.get @t : f64
    %next = arith.addf %t, %one : f64
    updraft.put @t, %next when %present : f64
    %lr = updraft.get @lr : f64
    %bias = arith.divf %lr, %t : f64
    %bias32 = arith.truncf %bias : f64 to f32
    %new_m = arith.addf %m, %clipped : f32
    %new_v = math.fma %clipped, %clipped, %v : f32
    updraft.put @m, %new_m when %present : f32
    updraft.put @v, %new_v when %present : f32
    %root = math.sqrt %new_v : f32
    %u = arith.divf %new_m, %root : f32
    %p = updraft.get @p : f32
    %minus = arith.negf %bias32 : f32
    %new_p = math.fma %minus, %u, %p : f32
    updraft.put @p, %new_p when %present : f32
  }
}
