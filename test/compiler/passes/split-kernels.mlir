// RUN: updraft-opt %s --updraft-split-kernels | FileCheck %s

// A norm over the model costs a pass of 4 bytes; what depends on t is computed
// once a tensor, beside the fold that is there anyway; the step moves 28.

// CHECK-LABEL: updraft.program @clipped
updraft.program @clipped compute f32 {
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
  updraft.list @norm.total total
  updraft.body step {
    %step = updraft.get @step : f64
    %one = arith.constant 1.0 : f64
    %next = arith.addf %step, %one : f64
    updraft.put @step, %next : f64
  }
  // The blocks of an absent tensor are skipped.
  // CHECK:      updraft.kernel @norm step element @all attributes {reads = 4000 : i32, why = "norm(g over model)"} {
  // CHECK:        [[G:%[a-z0-9]+]] = updraft.get @g
  // CHECK-NEXT:   [[SQUARE:%[a-z0-9]+]] = arith.mulf [[G]], [[G]]
  // CHECK-NEXT:   [[ABSENT:%[a-z0-9]+]] = updraft.shape absent
  // CHECK-NEXT:   [[PRESENT:%[a-z0-9]+]] = arith.xori [[ABSENT]]
  // CHECK-NEXT:   updraft.partial sum @norm.blocks, [[SQUARE]] when [[PRESENT]]
  // CHECK-NEXT: }
  // CHECK:      updraft.kernel @norm.tensor step tensor @all after tensor
  // CHECK:        [[SUM:%[a-z0-9]+]] = updraft.fold sum @norm.blocks
  // CHECK:        [[TOTAL:%[a-z0-9]+]] = arith.select {{%[a-z0-9]+}}, [[SUM]],
  // CHECK-NEXT:   updraft.put @norm.total, [[TOTAL]]
  // CHECK:        [[BIAS:%[a-z0-9]+]] = arith.divf
  // CHECK:        updraft.put @t, {{%[a-z0-9]+}} when
  // CHECK-NEXT:   updraft.put @bias, [[BIAS]]
  // CHECK:      updraft.kernel @norm.group step group after group
  // CHECK:        [[PART:%[a-z0-9]+]] = updraft.fold sum @norm.total
  // CHECK-NEXT:   updraft.put @norm.part, [[PART]]
  // CHECK:      updraft.kernel @norm.model step model after model
  // CHECK:        updraft.fold sum @norm.part
  // CHECK:        updraft.put @step
  // CHECK:      updraft.kernel @group step group after model
  // CHECK:        updraft.put @coef
  // The coefficient is f64 in its slot and rounded where elements use it.
  // CHECK:      updraft.kernel @update step element @all after group attributes {reads = 16000 : i32, why = "p'", writes = 12000 : i32} {
  // CHECK:        [[COEF:%[a-z0-9]+]] = updraft.get @coef : f64
  // CHECK-NEXT:   arith.truncf [[COEF]] : f64 to f32
  // CHECK:        updraft.put @m
  // CHECK-NEXT:   updraft.put @v
  // CHECK-NEXT:   updraft.put @p
  // CHECK-NEXT: }
  updraft.body step @all {
    %true = arith.constant true
    %one = arith.constant 1.0 : f64
    %absent = updraft.shape absent : i1
    %present = arith.xori %absent, %true : i1
    %g = updraft.get @g : f32
    %square = arith.mulf %g, %g : f32
    updraft.partial sum @norm.total, %square when %present : f32 loc("norm(g over model)")
    %sum = updraft.fold sum @norm.total over model loc("norm(g over model)")
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
    %bias = arith.divf %lr, %t : f64 loc("bias")
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

// A box that holds what is inside: its reduction is skipped with it, and the
// select that says so is settled where only it is asked.

// CHECK-LABEL: updraft.program @held
updraft.program @held compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
  }
  updraft.scalar @every model input
  // CHECK:      updraft.kernel @norm step element @all after model
  // CHECK:        [[LAST:%[a-z0-9]+]] = updraft.get @last : i1
  // CHECK:        updraft.partial sum @blocks, {{%[a-z0-9]+}} when [[LAST]]
  // CHECK:      updraft.kernel @update step element @all
  // CHECK-NOT:    arith.select
  // CHECK:        updraft.put @p
  updraft.body step @all {
    %zero = arith.constant 0.0 : f64
    %every = updraft.get @every : f64
    %last = arith.cmpf oeq, %every, %zero : f64 loc("last")
    %g = updraft.get @g : f32
    %p = updraft.get @p : f32
    %square = arith.mulf %g, %g : f32
    %norm = updraft.reduce sum %square : f32 loc("norm(g)")
    %norm32 = arith.truncf %norm : f64 to f32
    %scaled = arith.divf %g, %norm32 : f32
    %chosen = arith.select %last, %scaled, %p : f32
    %new_p = arith.subf %p, %chosen : f32
    updraft.put @p, %new_p when %last : f32
  }
}

// What an earlier pass stored is read back rather than computed again, and a
// scalar state that is written before it is last read leaves its old value.

// CHECK-LABEL: updraft.program @lamb
updraft.program @lamb compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @m state f32
    updraft.array @v state f32
    updraft.scalar @n tensor state
  }
  // CHECK: updraft.kernel @sum step element @all {{.*}}reads = 16000 : i32{{.*}}writes = 8000
  // CHECK: updraft.kernel @sum.tensor step tensor @all
  // CHECK:   [[N:%[a-z0-9]+]] = updraft.get @n
  // CHECK:   updraft.put @n,
  // CHECK:   updraft.put @n.old, [[N]]
  // CHECK: updraft.kernel @update step element @all {{.*}}reads = 12000 : i32{{.*}}writes = 4000
  // CHECK-NOT: updraft.get @g
  // CHECK:   updraft.get @n.old
  updraft.body step @all {
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %m = updraft.get @m : f32
    %v = updraft.get @v : f32
    %n = updraft.get @n : f64
    %new_m = arith.addf %m, %g : f32
    %new_v = arith.addf %v, %g : f32
    updraft.put @m, %new_m : f32
    updraft.put @v, %new_v : f32
    %u = arith.divf %new_m, %new_v : f32
    %step = arith.mulf %u, %p : f32
    %sum = updraft.reduce sum %step : f32 loc("sum(u*p)")
    %new_n = arith.addf %n, %sum : f64
    updraft.put @n, %new_n : f64
    %sum32 = arith.truncf %sum : f64 to f32
    %n32 = arith.truncf %n : f64 to f32
    %scaled = arith.divf %u, %sum32 : f32
    %decayed = arith.mulf %scaled, %n32 : f32
    %new_p = arith.subf %p, %decayed : f32
    updraft.put @p, %new_p : f32
  }
}
