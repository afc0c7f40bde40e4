updraft.program @adam compute f32 {
  updraft.scalar @lr group hyper describe {initial = 1.0e-3}
  updraft.scalar @beta1 group hyper describe {initial = 0.9}
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @m state f32
    updraft.array @v state f32
    updraft.scalar @c tensor slot
  }
  updraft.kernel @update step element @all {
    %absent = updraft.shape absent : i1
    %true = arith.constant true
    %present = arith.xori %absent, %true : i1
    %one = arith.constant 1.0 : f64
    %b1 = updraft.get @beta1 : f64
    %lr = updraft.get @lr : f64
    %w1d = arith.subf %one, %b1 : f64
    %w1 = arith.truncf %w1d : f64 to f32
    %lrf = arith.truncf %lr : f64 to f32
    %eps = arith.constant 1.0e-8 : f32
    %cd = updraft.get @c : f64
    %c = arith.truncf %cd : f64 to f32
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %m = updraft.get @m : f32
    %v = updraft.get @v : f32
    %dm = arith.subf %g, %m : f32
    %m1 = math.fma %dm, %w1, %m : f32
    %g2 = arith.mulf %g, %g : f32
    %dv = arith.subf %g2, %v : f32
    %v1 = math.fma %dv, %w1, %v : f32
    %vh = arith.divf %v1, %c : f32
    %s = math.sqrt %vh : f32
    %d = arith.addf %s, %eps : f32
    %u = arith.divf %m1, %d : f32
    %lu = arith.mulf %lrf, %u : f32
    %p1 = arith.subf %p, %lu : f32
    updraft.put @m, %m1 when %present : f32
    updraft.put @v, %v1 when %present : f32
    updraft.put @p, %p1 when %present : f32
  }
}
