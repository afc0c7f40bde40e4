updraft.program @absences compute f64 {
  updraft.scalar @a model input
  updraft.scalar @b model input
  updraft.scalar @c model input
  updraft.scalar @d model input
  updraft.variant @all tests [] {
    updraft.array @p param f64
    updraft.array @g grad f64
  }
  updraft.kernel @update step element @all {
    %a = updraft.get @a : i1
    %b = updraft.get @b : i1
    %c = updraft.get @c : i1
    %d = updraft.get @d : i1
    %absent1 = updraft.shape absent : i1
    %absent2 = updraft.shape absent : i1
    %absent3 = updraft.shape absent : i1
    %absent4 = updraft.shape absent : i1
    %zero = arith.constant 0.0 : f64
    %p = updraft.get @p : f64
    %g1 = updraft.get @g : f64
    %g2 = updraft.get @g : f64
    %g3 = updraft.get @g : f64
    %g4 = updraft.get @g : f64
    %seen1 = arith.select %absent1, %zero, %g1 : f64
    %seen2 = arith.select %absent2, %zero, %g2 : f64
    %seen3 = arith.select %absent3, %zero, %g3 : f64
    %seen4 = arith.select %absent4, %zero, %g4 : f64
    %one = arith.select %a, %seen1, %p : f64
    %two = arith.select %b, %seen2, %p : f64
    %three = arith.select %c, %seen3, %p : f64
    %four = arith.select %d, %seen4, %g1 : f64
    %x = arith.addf %one, %two : f64
    %y = arith.addf %x, %three : f64
    %z = arith.addf %y, %four : f64
    updraft.put @p, %z : f64
  }
}
