// RUN: updraft-opt %s --updraft-lower-to-loops | FileCheck %s

// A tile is multiplied into the thread's own memory and the body goes over its
// rows; of a square from the diagonal on, and what is right of it is stored a
// second time. In odd rounds @x and @next change places.
updraft.program @matrix compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @x scratch f32
    updraft.array @next scratch f32
    updraft.array @a scratch f32 of <squares>
  }
  // CHECK-LABEL: func.func private @square
  // CHECK-DAG: %[[WORKSPACE:.*]] = llvm.getelementptr %{{.*}}[96] : (!llvm.ptr) -> !llvm.ptr, i8
  // CHECK-DAG: %[[ROUND:.*]] = llvm.getelementptr %{{.*}}[104] : (!llvm.ptr) -> !llvm.ptr, i8
  // CHECK: scf.while
  // CHECK: arith.andi %{{.*}}, %{{.*}} : i64
  // CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : !llvm.ptr
  // CHECK: call @updraft_multiply_tile_f32
  // CHECK: scf.for %{{.*}} step %{{.*}} : i64
  // CHECK: %[[ROWS:.*]] = llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
  // CHECK: llvm.store %[[ROWS]]
  // CHECK: llvm.load %{{.*}} : !llvm.ptr -> f32
  updraft.kernel @square step matrix @all along <squaretiles>
      attributes {rounds = 3 : i32, swaps = [@x, @next]} {
    %0 = updraft.product @x, @x : f32
    updraft.put @a, %0 : f32
  }
  // CHECK-LABEL: func.func private @updraft_multiply_tile_f32
  // CHECK: call @updraft_copy_lines_8_f32
  // CHECK: call @updraft_copy_columns_8_f32
  // CHECK: call @updraft_copy_lines_48_f32
  // CHECK: call @updraft_copy_columns_48_f32
  // CHECK: call @updraft_register_tile_f32

  // Slivers of lines are turned 8 by 8, or 16 by 16.
  // CHECK-LABEL: func.func private @updraft_copy_lines_8_f32
  // CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 1, 2, 3, 8, 9, 10, 11] : vector<8xf32>, vector<8xf32>
  // CHECK-LABEL: func.func private @updraft_copy_lines_48_f32
  // CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23] : vector<16xf32>, vector<16xf32>

  // CHECK-LABEL: func.func private @updraft_register_tile_f32
  // CHECK: scf.for
  // CHECK-COUNT-96: math.fma %{{.*}}, %{{.*}}, %{{.*}} : vector<16xf32>
  // CHECK-NOT: math.fma
  // CHECK: scf.for
  // CHECK-COUNT-24: math.fma %{{.*}}, %{{.*}}, %{{.*}} : vector<16xf32>
  // CHECK-NOT: math.fma
  // CHECK: scf.if
}
