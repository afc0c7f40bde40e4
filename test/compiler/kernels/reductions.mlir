// RUN: updraft-opt %s --updraft-lower-to-loops | FileCheck %s
// RUN: updraft-opt %s --updraft-lower-to-loops=tail=wide | FileCheck %s --check-prefix=WIDE

// A kernel that reduces walks a chunk in blocks of 4096: whole rows of 128 with
// their lanes in registers, the others with lanes in memory. Lanes that do not
// exist are set to 0 after the body: their operand is 1 here.

// CHECK-LABEL: func.func private @blocks(
// CHECK:         [[LANES:%[0-9]+]] = llvm.alloca {{.*}} x f32 {alignment = 64 : i64}
// CHECK:         [[BLOCK:%[a-z0-9_]+]] = arith.constant 4096
// CHECK:         scf.for
// CHECK:           [[NONE:%[a-z0-9_]+]] = arith.constant dense<0.0{{.*}}> : vector<128xf32>
// CHECK:           [[ROW:%[0-9]+]] = scf.for {{.*}} iter_args([[SUM:%[a-z0-9]+]] = [[NONE]])
// CHECK:             [[X:%[0-9]+]] = arith.addf
// CHECK:             [[NEW:%[0-9]+]] = arith.addf [[SUM]], [[X]] : vector<128xf32>
// CHECK:             scf.yield [[NEW]]
// CHECK:           llvm.store [[ROW]], [[LANES]]
// CHECK:           scf.for
// CHECK:             [[MASK:%[0-9]+]] = arith.cmpi sgt
// CHECK:             llvm.intr.masked.load
// CHECK:             [[X:%[0-9]+]] = arith.addf
// CHECK:             [[KEPT:%[0-9]+]] = arith.select [[MASK]], [[X]]
// CHECK:             [[OLD:%[0-9]+]] = llvm.load
// CHECK:             [[NEW:%[0-9]+]] = arith.addf [[OLD]], [[KEPT]]
// CHECK:             llvm.store [[NEW]]
// CHECK:           [[SUM:%[0-9]+]] = func.call @updraft_lanes_sum_f32_16([[LANES]])
// CHECK:           arith.extf [[SUM]] : f32 to f64

// Where there are too few registers, all lanes are in memory.

// WIDE-LABEL: func.func private @blocks(
// WIDE-NOT:     iter_args
// WIDE:         llvm.store {{.*}} : vector<128xf32>
// WIDE-NOT:     iter_args
// WIDE:         return

// The lanes are put together by halves: vectors first, then within one.

// CHECK-LABEL: func.func private @updraft_lanes_sum_f32_16(
// CHECK-COUNT-8: llvm.load {{.*}} -> vector<16xf32>
// CHECK-COUNT-7: arith.addf {{.*}} : vector<16xf32>
// CHECK:         vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK:         vector.shuffle {{.*}} [8, 9, 10, 11, 12, 13, 14, 15]
// CHECK:         vector.shuffle {{.*}} [0] : vector<2xf32>
// CHECK:         vector.shuffle {{.*}} [1] : vector<2xf32>
updraft.program @sums compute f32 {
  updraft.scalar @total model slot
  updraft.scalar @groups group slot
  updraft.list @blocks_of_x partial
  updraft.list @tensors total
  updraft.list @route_of_x total routed
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
  }
  updraft.kernel @blocks step element @all {
    %one = arith.constant 1.0 : f32
    %g = updraft.get @g : f32
    %x = arith.addf %g, %one : f32
    updraft.partial sum @blocks_of_x, %x : f32
  }

  // A tensor folds its blocks, a group its tensors, the model its groups, whose
  // values lie a row apart.

  // CHECK-LABEL: func.func private @tensor(
  // CHECK:         scf.for
  // CHECK:           arith.divui
  // CHECK:           call @updraft_fold_sum(
  updraft.kernel @tensor step tensor @all after tensor {
    %s = updraft.fold sum @blocks_of_x
    updraft.put @tensors, %s : f64
  }

  // Of a routed list a tensor's entry is marked, and only marked ones are
  // folded, each in the lane after the one before.

  // CHECK-LABEL: func.func private @route(
  // CHECK:         %[[ONE:.*]] = arith.constant 1.000000e+00 : f64
  // CHECK:         llvm.store %[[ONE]]
  // CHECK-LABEL: func.func private @routed(
  // CHECK:         call @updraft_fold_members_sum(
  // CHECK-LABEL: func.func private @updraft_fold_members_sum(
  // CHECK:         scf.for {{.*}} iter_args(%[[PLACE:.*]] =
  // CHECK:           arith.cmpf une
  // CHECK:           arith.andi %[[PLACE]]
  updraft.kernel @route step tensor @all after tensor {
    %s = updraft.shape size : f64
    updraft.put @route_of_x, %s : f64
  }
  updraft.kernel @routed step group after group {
    %s = updraft.fold sum @route_of_x
    updraft.put @groups, %s : f64
  }

  // CHECK-LABEL: func.func private @group(
  // CHECK-SAME:    passthrough = ["noinline", "optnone"]
  // CHECK:         call @updraft_fold_sum(
  updraft.kernel @group step group after group {
    %s = updraft.fold sum @tensors
    updraft.put @groups, %s : f64
  }

  // CHECK-LABEL: func.func private @model(
  // CHECK:         arith.constant 8 : i64
  // CHECK:         call @updraft_fold_sum(
  updraft.kernel @model step model after model {
    %s = updraft.fold sum @groups
    updraft.put @total, %s : f64
  }

  // A body that also stores keeps its lanes in memory.

  // CHECK-LABEL: func.func private @moved(
  // CHECK-NOT:     iter_args
  // CHECK:         return
  updraft.kernel @moved step element @all {
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %x = arith.addf %p, %g : f32
    updraft.partial sum @blocks_of_x, %x : f32
    updraft.put @p, %x : f32
  }
}
