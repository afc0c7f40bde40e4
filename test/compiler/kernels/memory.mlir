// RUN: updraft-opt %s --updraft-lower-to-loops | FileCheck %s

// A tensor kernel takes over the results of the tensor before while its group
// and its own scalars are the same; what is put is put for each.

// CHECK-LABEL: func.func private @correct(
// CHECK:         scf.for {{.*}} iter_args([[GROUP:%[a-z0-9]+]] = {{.*}}, [[T:%[a-z0-9]+]] = {{.*}}, [[LAST:%[a-z0-9]+]] = {{.*}})
// CHECK:           arith.cmpi eq, {{%[0-9]+}}, [[GROUP]] : i32
// CHECK:           arith.bitcast [[T]] : f64 to i64
// CHECK:           [[NOW:%[0-9]+]] = scf.if
// CHECK:             scf.yield [[LAST]]
// CHECK:           } else {
// CHECK:             arith.divf
// CHECK:           }
// CHECK:           llvm.store [[NOW]]
// CHECK:           scf.yield
updraft.program @corrections compute f32 {
  updraft.scalar @beta group hyper describe {initial = 0.9}
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @t tensor counter
    updraft.scalar @c tensor slot
  }
  updraft.kernel @correct step tensor @all {
    %t = updraft.get @t : f64
    %beta = updraft.get @beta : f64
    %c = arith.divf %beta, %t : f64
    updraft.put @c, %c : f64
  }

  // Without a division, root or function, comparing would cost more.

  // CHECK-LABEL: func.func private @count(
  // CHECK-NOT:     iter_args
  // CHECK:       return
  updraft.kernel @count step tensor @all {
    %one = arith.constant 1.0 : f64
    %t = updraft.get @t : f64
    %u = arith.addf %t, %one : f64
    updraft.put @t, %u : f64
  }
}
