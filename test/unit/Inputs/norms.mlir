updraft.program @norms compute f32 {
  updraft.scalar @sum model slot
  updraft.scalar @peak model slot
  updraft.scalar @group_sum group slot
  updraft.scalar @group_peak group slot
  updraft.list @squares partial
  updraft.list @peaks partial
  updraft.list @sums total
  updraft.list @tops total
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @norm tensor slot
  }
  updraft.kernel @square step element @all {
    %g = updraft.get @g : f32
    %eps = arith.constant 0.5 : f32
    %g2 = arith.mulf %g, %g : f32
    %x = arith.addf %g2, %eps : f32
    updraft.partial sum @squares, %x : f32
    updraft.partial max @peaks, %g : f32
  }
  updraft.kernel @fold step tensor @all after tensor {
    %s = updraft.fold sum @squares
    %m = updraft.fold max @peaks
    updraft.put @norm, %s : f64
    updraft.put @sums, %s : f64
    updraft.put @tops, %m : f64
  }
  updraft.kernel @groups step group after group {
    %s = updraft.fold sum @sums
    %m = updraft.fold max @tops
    updraft.put @group_sum, %s : f64
    updraft.put @group_peak, %m : f64
  }
  updraft.kernel @model step model after model {
    %s = updraft.fold sum @group_sum
    %m = updraft.fold max @group_peak
    updraft.put @sum, %s : f64
    updraft.put @peak, %m : f64
  }
}
