updraft.program @conditions compute f64 {
  updraft.scalar @last model input
  updraft.list @sum partial
  updraft.variant @all tests [] {
    updraft.array @p param f64
    updraft.array @g grad f64
    updraft.array @total state f64
    updraft.scalar @s tensor slot
  }
  updraft.kernel @update step element @all {
    %absent = updraft.shape absent : i1
    %true = arith.constant true
    %present = arith.xori %absent, %true : i1
    %last = updraft.get @last : i1
    %zero = arith.constant 0.0 : f64
    %g0 = updraft.get @g : f64
    %g = arith.select %absent, %zero, %g0 : f64
    %total = updraft.get @total : f64
    %sum = arith.addf %total, %g : f64
    %kept = arith.select %last, %zero, %sum : f64
    %p = updraft.get @p : f64
    %p1 = arith.subf %p, %sum : f64
    %both = arith.andi %present, %last : i1
    updraft.put @total, %kept : f64
    updraft.partial sum @sum, %sum when %last : f64
    updraft.put @p, %p1 when %both : f64
  }
  updraft.kernel @fold step tensor @all after tensor {
    %last = updraft.get @last : i1
    %s = updraft.fold sum @sum
    updraft.put @s, %s when %last : f64
  }
}
