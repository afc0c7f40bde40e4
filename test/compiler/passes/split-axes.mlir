// RUN: updraft-opt %s --updraft-split-kernels | FileCheck %s

// Adafactor: one visit of the bands yields the totals of runs of both rows and
// columns; what rows and columns have is computed once each; the outer product
// is made where elements read both. 4 + 8 + 12 bytes, and what runs cost.

// CHECK-LABEL: updraft.program @adafactor
updraft.program @adafactor compute f32 {
  updraft.variant @matrix tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @r state f32 of <rows>
    updraft.array @c state f32 of <cols>
  }
  updraft.scalar @lr group hyper describe {initial = 1.0e-3}
  // CHECK:      updraft.array @mean.runs scratch f32 of <rowruns>
  // CHECK-NEXT: updraft.array @mean.runs.1 scratch f32 of <colruns>
  // CHECK-NEXT: updraft.array @r.1 scratch f32 of <rows>
  // CHECK-NEXT: updraft.array @value scratch f32 of <matrix>
  // CHECK-NEXT: updraft.array @value.1 scratch f32 of <rows>
  // CHECK-NEXT: updraft.array @c.1 scratch f32 of <cols>
  // CHECK:      updraft.kernel @mean step element @matrix along <bands> attributes {reads = 4000 : i32, why = "mean(s over cols); mean(s over rows)", writes = 70 : i32} {
  // CHECK:        updraft.partial sum @mean.runs, [[S:%[a-z0-9]+]] : f32
  // CHECK-NEXT:   updraft.partial sum @mean.runs.1, [[S]] : f32
  // CHECK-NEXT: }
  // CHECK:      updraft.kernel @mean.rows step axis @matrix along <rows> after tensor attributes {reads = 8 : i32, why = "mean(s over cols)"} {
  // CHECK:        updraft.fold sum @mean.runs
  // CHECK:        updraft.put @r, [[R:%[a-z0-9]+]] : f32
  // CHECK-NEXT:   updraft.put @r.1, [[R]] : f32
  // CHECK:      updraft.kernel @mean.cols step axis @matrix along <cols> after tensor attributes {reads = 63 : i32, why = "mean(s over rows)"} {
  // CHECK:        updraft.fold sum @mean.runs.1
  // CHECK:      updraft.kernel @mean.matrix step axis @matrix along <matrix> after tensor attributes {why = "mean(r' over rows)"} {
  // CHECK-NEXT:   updraft.fold sum @r.1
  // CHECK:        updraft.put @value, {{%[a-z0-9]+}} : f32
  // CHECK:      updraft.kernel @rows step axis @matrix along <rows> after tensor attributes {why = "for p'; rms(u)"} {
  // CHECK:        updraft.get @value : f32
  // CHECK:        updraft.put @value.1,
  // CHECK:      updraft.kernel @rms step element @matrix after tensor attributes {reads = 8000 : i32, why = "rms(u); rms(p)"} {
  // CHECK:        [[ROW:%[a-z0-9]+]] = updraft.get @value.1 : f32
  // CHECK-NEXT:   [[COL:%[a-z0-9]+]] = updraft.get @c.1 : f32
  // CHECK-NEXT:   arith.mulf [[ROW]], [[COL]]
  // CHECK:      updraft.kernel @rms.tensor step tensor @matrix after tensor
  // CHECK:      updraft.kernel @update step element @matrix after tensor attributes {reads = 8000 : i32, why = "p'", writes = 4000 : i32} {
  updraft.body step @matrix {
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %r = updraft.get @r : f32
    %c = updraft.get @c : f32
    %beta = arith.constant 0.5 : f32
    %s = arith.mulf %g, %g : f32
    %rows = updraft.shape rows : f64
    %cols = updraft.shape cols : f64
    %row_total = updraft.reduce sum %s : f32 to <rows> loc("mean(s over cols)")
    %row_mean = arith.divf %row_total, %cols : f64
    %row = arith.truncf %row_mean : f64 to f32
    %dr = arith.subf %r, %row : f32
    %new_r = math.fma %dr, %beta, %row : f32 loc("r")
    updraft.put @r, %new_r : f32
    %col_total = updraft.reduce sum %s : f32 to <cols> loc("mean(s over rows)")
    %col_mean = arith.divf %col_total, %rows : f64
    %col = arith.truncf %col_mean : f64 to f32
    %dc = arith.subf %c, %col : f32
    %new_c = math.fma %dc, %beta, %col : f32 loc("c")
    updraft.put @c, %new_c : f32
    %matrix_total = updraft.reduce sum %new_r of <rows> : f32 to <matrix> loc("mean(r' over rows)")
    %matrix_mean = arith.divf %matrix_total, %rows : f64
    %matrix = arith.truncf %matrix_mean : f64 to f32
    %share = arith.divf %new_r, %matrix : f32
    %w = arith.mulf %share, %new_c : f32
    %root = math.sqrt %w : f32
    %u = arith.divf %g, %root : f32
    %size = updraft.shape size : f64
    %uu = arith.mulf %u, %u : f32
    %u_total = updraft.reduce sum %uu : f32 loc("rms(u)")
    %u_mean = arith.divf %u_total, %size : f64
    %rms_u = math.sqrt %u_mean : f64
    %pp = arith.mulf %p, %p : f32
    %p_total = updraft.reduce sum %pp : f32 loc("rms(p)")
    %p_mean = arith.divf %p_total, %size : f64
    %rms_p = math.sqrt %p_mean : f64
    %lr = updraft.get @lr : f64
    %alpha = arith.mulf %lr, %rms_p : f64
    %scale = arith.divf %alpha, %rms_u : f64 loc("scale")
    %scale32 = arith.truncf %scale : f64 to f32
    %step = arith.mulf %scale32, %u : f32
    %new_p = arith.subf %p, %step : f32
    updraft.put @p, %new_p : f32
  }
}

// A block is reduced as a tensor is, so its total is f64. What a state of blocks
// was before the step is left where it is written.

// CHECK-LABEL: updraft.program @blocks
updraft.program @blocks compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @s state f32 of <block 64>
  }
  // CHECK:      updraft.array @mean.runs scratch f64 of <block 64>
  // CHECK:      updraft.kernel @mean step element @all along <block 64> attributes {reads = 4000 : i32,
  // CHECK:        updraft.partial sum @mean.runs, {{%[a-z0-9]+}} : f32
  // CHECK:      updraft.kernel @mean.block step axis @all along <block 64> after tensor
  // CHECK:        [[TOTAL:%[a-z0-9]+]] = updraft.fold sum @mean.runs
  // CHECK:        [[COUNT:%[a-z0-9]+]] = updraft.shape block {index = 64 : i32} : f64
  // CHECK-NEXT:   arith.divf [[TOTAL]], [[COUNT]]
  // CHECK:        [[OLD:%[a-z0-9]+]] = updraft.get @s : f32
  // CHECK:        updraft.put @s,
  // CHECK:        updraft.put @s.old, [[OLD]]
  // CHECK:      updraft.kernel @update step element @all after tensor attributes {reads = 8000 : i32,
  // CHECK:        updraft.get @s.old
  updraft.body step @all {
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %s = updraft.get @s : f32
    %size = math.absf %g : f32
    %total = updraft.reduce sum %size : f32 to <block 64> loc("mean(abs(g) over block(64))")
    %count = updraft.shape block {index = 64 : i32} : f64
    %mean = arith.divf %total, %count : f64
    %new_s = arith.truncf %mean : f64 to f32 loc("s")
    updraft.put @s, %new_s : f32
    %change = arith.subf %new_s, %s : f32 loc("change")
    %scaled = arith.mulf %g, %change : f32
    %both = arith.mulf %scaled, %s : f32
    %new_p = arith.subf %p, %both : f32
    updraft.put @p, %new_p : f32
  }
}

// What is folded is scratch, so old rows are left as such; that costs no pass. A
// condition of rows is 1 or 0 there, and a select where elements read it.

// CHECK-LABEL: updraft.program @flags
updraft.program @flags compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @r state f32 of <rows, folded>
    updraft.scalar @n tensor state
  }
  // CHECK:      updraft.kernel @sum.rows step axis @all along <rows, folded> attributes {why = "sum(r); max_of(r over rows)"} {
  // CHECK-NEXT:   [[R:%[a-z0-9]+]] = updraft.get @r : f32
  // CHECK-NEXT:   updraft.put @value, [[R]] : f32
  // CHECK:      updraft.kernel @sum.tensor step tensor @all after tensor
  // CHECK-NEXT:   updraft.fold sum @value
  // CHECK:      updraft.kernel @max_of.matrix step axis @all along <matrix, folded> after tensor
  // CHECK-NEXT:   updraft.fold max @value
  // CHECK:      updraft.kernel @any step element @all along <bands, folded>
  // CHECK:      updraft.kernel @any.rows step axis @all along <rows, folded> after tensor
  // CHECK:        [[ANY:%[a-z0-9]+]] = arith.cmpf une
  // CHECK:        updraft.put @r,
  // CHECK:        [[BIT:%[a-z0-9]+]] = arith.select [[ANY]], {{%[a-z0-9_]+}}, {{%[a-z0-9_]+}} : f32
  // CHECK-NEXT:   updraft.put @any.1, [[BIT]] : f32
  // CHECK:      updraft.kernel @update step element @all after tensor
  // CHECK:        [[BIT:%[a-z0-9]+]] = updraft.get @any.1 : f32
  // CHECK:        [[ANY:%[a-z0-9]+]] = arith.cmpf une, [[BIT]]
  // CHECK:        arith.select [[ANY]]
  updraft.body step @all {
    %one = arith.constant 1.0 : f32
    %zero = arith.constant 0.0 : f32
    %none = arith.constant 0.0 : f64
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %r = updraft.get @r : f32
    %nonzero = arith.cmpf une, %g, %zero : f32
    %bit = arith.select %nonzero, %one, %zero : f32
    %bits = updraft.reduce sum %bit : f32 to <rows, folded> loc("any(g != 0 over cols)")
    %any = arith.cmpf une, %bits, %none : f64 loc("any(g != 0 over cols)")
    %seen = arith.select %any, %one, %r : f32
    updraft.put @r, %seen : f32
    %sum = updraft.reduce sum %r of <rows, folded> : f32 loc("sum(r)")
    updraft.put @n, %sum : f64
    %most = updraft.reduce max %r of <rows, folded> : f32 to <matrix, folded> loc("max_of(r over rows)")
    %most32 = arith.truncf %most : f64 to f32
    %step = arith.mulf %g, %most32 : f32
    %moved = arith.subf %p, %step : f32
    %new_p = arith.select %any, %moved, %p : f32
    updraft.put @p, %new_p : f32
  }
}

// One pass of two walks: p in order for its norm, and m and g along the bands,
// where m is stored. The kernel that only stores walks in order again.

// CHECK-LABEL: updraft.program @twice
updraft.program @twice compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @m state f32
  }
  // CHECK:      updraft.kernel @norm step element @all attributes {reads = 4000 : i32, why = "norm(p)"} {
  // CHECK:        updraft.partial sum @blocks,
  // CHECK:      updraft.kernel @norm.1 step element @all along <bands> attributes {reads = 8000 : i32, why = "norm(m' over cols)", writes = 4008 : i32} {
  // CHECK:        updraft.partial sum @norm.runs,
  // CHECK-NEXT:   updraft.put @m,
  // CHECK:      updraft.kernel @norm.tensor step tensor @all after tensor
  // CHECK:      updraft.kernel @norm.rows step axis @all along <rows> after tensor
  // CHECK:      updraft.kernel @update step element @all after tensor
  // CHECK-NOT:    updraft.get @g
  updraft.body step @all {
    %absent = updraft.shape absent : i1
    %true = arith.constant true
    %present = arith.xori %absent, %true : i1
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %m = updraft.get @m : f32
    %new_m = arith.addf %m, %g : f32
    updraft.put @m, %new_m when %present : f32
    %mm = arith.mulf %new_m, %new_m : f32
    %rows = updraft.reduce sum %mm : f32 to <rows> loc("norm(m' over cols)")
    %row = math.sqrt %rows : f64
    %row32 = arith.truncf %row : f64 to f32
    %pp = arith.mulf %p, %p : f32
    %sum = updraft.reduce sum %pp : f32 loc("norm(p)")
    %norm = math.sqrt %sum : f64
    %norm32 = arith.truncf %norm : f64 to f32
    %ratio = arith.divf %norm32, %row32 : f32
    %step = arith.mulf %new_m, %ratio : f32
    %new_p = arith.subf %p, %step : f32
    updraft.put @p, %new_p when %present : f32
  }
}
