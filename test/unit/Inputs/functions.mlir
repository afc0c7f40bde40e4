updraft.program @functions compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @t tensor input
  }
  updraft.kernel @update step element @all {
    %t = updraft.get @t : f64
    %e = updraft.math exp %t : f64
    %ef = arith.truncf %e : f64 to f32
    %g = updraft.get @g : f32
    %u = updraft.math exp %g : f32
    %x = arith.mulf %u, %ef : f32
    updraft.put @p, %x : f32
  }
}
