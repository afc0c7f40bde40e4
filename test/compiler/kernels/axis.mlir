// RUN: updraft-opt %s --updraft-lower-to-loops | FileCheck %s

// A band is walked row by row in runs of 512 columns. Column totals are added
// up where they end, row totals in lanes, which are folded once a run.

// CHECK-LABEL: func.func private @bands(
// CHECK:         call @updraft_fill_f32(
// CHECK:         scf.for
// CHECK:           scf.for {{.*}} to [[COLUMNS:%[0-9]+]] step
// CHECK:             [[LINE:%[0-9]+]] = llvm.getelementptr
// CHECK:             scf.for {{.*}} iter_args
// CHECK:               [[SQUARE:%[0-9]+]] = arith.mulf {{.*}} : vector<128xf32>
// CHECK:               llvm.store {{.*}} : vector<128xf32>
// CHECK:             scf.for
// CHECK:               [[SQUARE:%[0-9]+]] = arith.mulf
// CHECK:               arith.select {{.*}}, [[SQUARE]]
// CHECK:               [[OLD:%[0-9]+]] = llvm.intr.masked.load
// CHECK:               [[SUM:%[0-9]+]] = arith.addf [[OLD]], [[SQUARE]]
// CHECK:               llvm.intr.masked.store [[SUM]]
// CHECK:             call @updraft_lanes_sum_f32_16(
updraft.program @factored compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @r state f32 of <rows>
    updraft.array @c state bf16 of <cols>
    updraft.array @m scratch f32 of <matrix>
    updraft.array @s state f32 of <block 64>
    updraft.array @row.runs scratch f32 of <rowruns>
    updraft.array @col.runs scratch f32 of <colruns>
    updraft.array @totals scratch f64 of <block 64>
    updraft.scalar @mean tensor slot
  }
  updraft.kernel @bands step element @all along <bands> {
    %g = updraft.get @g : f32
    %square = arith.mulf %g, %g : f32
    updraft.partial sum @row.runs, %square : f32
    updraft.partial sum @col.runs, %square : f32
  }

  // Rows are items like elements. Runs are folded for a strip of 512 of them,
  // finished in f64 and rounded once.

  // CHECK-LABEL: func.func private @rows(
  // CHECK:         scf.for
  // CHECK:           scf.for {{.*}} step %c512
  // CHECK:             call @updraft_rows_sum_f32(
  // CHECK:             scf.for
  // CHECK:               arith.divf {{.*}} : vector<16xf64>
  // CHECK:               arith.truncf {{.*}} : vector<16xf64> to vector<16xf32>
  // CHECK:               llvm.intr.masked.store
  updraft.kernel @rows step axis @all along <rows> after tensor {
    %total = updraft.fold sum @row.runs
    %cols = updraft.shape cols : f64
    %mean = arith.divf %total, %cols : f64
    %narrow = arith.truncf %mean : f64 to f32
    updraft.put @r, %narrow : f32
  }

  // CHECK-LABEL: func.func private @cols(
  // CHECK:         call @updraft_columns_max_f32(
  updraft.kernel @cols step axis @all along <cols> after tensor {
    %total = updraft.fold max @col.runs
    %narrow = arith.truncf %total : f64 to f32
    updraft.put @c, %narrow : f32
  }

  // The values of one axis are lists for the next and for the tensor.

  // CHECK-LABEL: func.func private @nothing(
  updraft.kernel @nothing step axis @all along <matrix> after tensor {
    %one = arith.constant 1.0 : f32
    updraft.put @m, %one : f32
  }
  // CHECK-LABEL: func.func private @tensor(
  // CHECK:         call @updraft_list_sum_f32(
  updraft.kernel @tensor step tensor @all after tensor {
    %total = updraft.fold sum @m
    updraft.put @mean, %total : f64
  }

  // A block of one walk knows its number: nothing is divided for its own value.

  // CHECK-LABEL: func.func private @blocks(
  // CHECK:         call @updraft_spread_runs_4(
  // CHECK:         [[TOTAL:%[0-9]+]] = {{.*}}call @updraft_lanes_sum_f32_16(
  // CHECK:         [[WIDE:%[0-9]+]] = arith.extf [[TOTAL]]
  // CHECK:         llvm.store [[WIDE]]
  updraft.kernel @blocks step element @all along <block 64> after tensor {
    %g = updraft.get @g : f32
    %s = updraft.get @s : f32
    %x = arith.mulf %g, %s : f32
    updraft.partial sum @totals, %x : f32
  }

  // What belongs to elements is laid out a strip at a time, as it is stored.

  // CHECK-LABEL: func.func private @update(
  // CHECK:         scf.for {{.*}} step %c512
  // CHECK:           [[LENGTH:%[0-9]+]] = arith.divui
  // CHECK:           call @updraft_spread_runs_4(
  // CHECK:           call @updraft_spread_columns_2(
  // CHECK:           scf.for
  // CHECK:             llvm.intr.masked.load {{.*}}vector<16xf32>
  // CHECK:             llvm.intr.masked.load {{.*}}vector<16xi16>
  // CHECK-LABEL: func.func private @updraft_spread_columns_2(
  updraft.kernel @update step element @all after tensor {
    %r = updraft.get @r : f32
    %c = updraft.get @c : f32
    %x = arith.mulf %r, %c : f32
    updraft.put @p, %x : f32
  }
}
