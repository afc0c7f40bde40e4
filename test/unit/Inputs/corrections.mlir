updraft.program @corrections compute f32 {
  updraft.scalar @beta group hyper describe {initial = 0.9}
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @t tensor counter
    updraft.scalar @c tensor slot
    updraft.scalar @d tensor slot
  }
  updraft.kernel @correct step tensor @all {
    %one = arith.constant 1.0 : f64
    %t = updraft.get @t : f64
    %b = updraft.get @beta : f64
    %size = updraft.shape size : f64
    %dim = updraft.shape dim {index = 1 : i32} : f64
    %rank = updraft.shape rank : f64
    %q = arith.divf %b, %t : f64
    %c = arith.subf %one, %q : f64
    %n = arith.mulf %dim, %rank : f64
    %d = arith.addf %size, %n : f64
    updraft.put @c, %c : f64
    updraft.put @d, %d : f64
    %t1 = arith.addf %t, %one : f64
    updraft.put @t, %t1 : f64
  }
}
