// Every way between elements, rows, columns, matrices, blocks and tensors.
updraft.program @axis compute f32 {
  updraft.list @blocks partial
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @r state f32 of <rows>
    updraft.array @c state f32 of <cols>
    updraft.array @m state f32 of <matrix>
    updraft.array @s state f32 of <block 64>
    updraft.array @l state f32 of <block 5000>
    updraft.array @h state bf16 of <rows>
    updraft.array @r.max state f32 of <rows>
    updraft.array @c.min state f32 of <cols>
    updraft.array @r.next state f32 of <rows>
    updraft.array @c.next state f32 of <cols>
    updraft.array @row.sums scratch f32 of <rowruns>
    updraft.array @row.tops scratch f32 of <rowruns>
    updraft.array @col.sums scratch f32 of <colruns>
    updraft.array @col.lows scratch f32 of <colruns>
    updraft.array @r.left scratch f32 of <rows>
    updraft.array @c.left scratch f32 of <cols>
    updraft.array @s.left scratch f64 of <block 64>
    updraft.array @l.left scratch f64 of <block 5000>
    updraft.scalar @rows tensor slot
    updraft.scalar @cols tensor slot
    updraft.scalar @sizes tensor slot
    updraft.scalar @all tensor slot
  }
  updraft.kernel @start init axis @all along <rows> {
    %half = arith.constant 0.34375 : f32
    updraft.put @h, %half : f32
  }
  updraft.kernel @bands step element @all along <bands> {
    %g = updraft.get @g : f32
    %square = arith.mulf %g, %g : f32
    updraft.partial sum @row.sums, %square : f32
    updraft.partial sum @col.sums, %square : f32
    updraft.partial max @row.tops, %g : f32
    updraft.partial min @col.lows, %g : f32
  }
  updraft.kernel @rows step axis @all along <rows> after tensor {
    %sum = updraft.fold sum @row.sums
    %cols = updraft.shape cols {index = 0 : i32} : f64
    %mean = arith.divf %sum, %cols : f64
    %max = updraft.fold max @row.tops
    updraft.put @r, %mean : f64
    updraft.put @r.left, %mean : f64
    updraft.put @r.max, %max : f64
  }
  updraft.kernel @cols step axis @all along <cols> after tensor {
    %sum = updraft.fold sum @col.sums
    %rows = updraft.shape rows {index = 0 : i32} : f64
    %mean = arith.divf %sum, %rows : f64
    %min = updraft.fold min @col.lows
    updraft.put @c, %mean : f64
    updraft.put @c.left, %mean : f64
    updraft.put @c.min, %min : f64
  }
  updraft.kernel @matrices step axis @all along <matrix> after tensor {
    %rows = updraft.fold sum @r.left
    %cols = updraft.fold max @c.left
    %m = arith.addf %rows, %cols : f64
    updraft.put @m, %m : f64
  }
  updraft.kernel @rows.next step axis @all along <rows> after tensor {
    %r = updraft.get @r : f32
    %m = updraft.get @m : f32
    %next = arith.divf %r, %m : f32
    updraft.put @r.next, %next : f32
  }
  updraft.kernel @cols.next step axis @all along <cols> after tensor {
    %c = updraft.get @c : f32
    %m = updraft.get @m : f32
    %next = arith.divf %c, %m : f32
    updraft.put @c.next, %next : f32
  }
  updraft.kernel @tensor step tensor @all after tensor {
    %rows = updraft.fold sum @r.left
    %cols = updraft.fold sum @c.left
    updraft.put @rows, %rows : f64
    updraft.put @cols, %cols : f64
  }
  updraft.kernel @small step element @all along <block 64> after tensor {
    %g = updraft.get @g : f32
    %r = updraft.get @r : f32
    %c = updraft.get @c : f32
    %rc = arith.mulf %r, %c : f32
    %x = arith.mulf %g, %rc : f32
    updraft.partial sum @s.left, %x : f32
  }
  updraft.kernel @small.own step axis @all along <block 64> after tensor {
    %sum = updraft.fold sum @s.left
    %size = updraft.shape block {index = 64 : i32} : f64
    %mean = arith.divf %sum, %size : f64
    updraft.put @s, %mean : f64
  }
  updraft.kernel @large step element @all along <block 5000> after tensor {
    %g = updraft.get @g : f32
    %s = updraft.get @s : f32
    %m = updraft.get @m : f32
    %gs = arith.mulf %g, %s : f32
    %x = arith.mulf %gs, %m : f32
    updraft.partial sum @l.left, %x : f32
  }
  updraft.kernel @large.own step axis @all along <block 5000> after tensor {
    %sum = updraft.fold sum @l.left
    updraft.put @l, %sum : f64
  }
  updraft.kernel @sizes step tensor @all after tensor {
    %sum = updraft.fold sum @s.left
    updraft.put @sizes, %sum : f64
  }
  updraft.kernel @again step element @all along <bands> after tensor {
    %g = updraft.get @g : f32
    %r = updraft.get @r.next : f32
    %c = updraft.get @c.next : f32
    %m = updraft.get @m : f32
    %s = updraft.get @s : f32
    %rc = arith.mulf %r, %c : f32
    %ms = arith.mulf %m, %s : f32
    %x = math.fma %rc, %g, %ms : f32
    updraft.partial sum @row.sums, %x : f32
    updraft.partial sum @col.sums, %x : f32
  }
  updraft.kernel @again.rows step axis @all along <rows> after tensor {
    %sum = updraft.fold sum @row.sums
    updraft.put @r.next, %sum : f64
  }
  updraft.kernel @again.cols step axis @all along <cols> after tensor {
    %sum = updraft.fold sum @col.sums
    updraft.put @c.next, %sum : f64
  }
  updraft.kernel @update step element @all after tensor {
    %p = updraft.get @p : f32
    %r = updraft.get @r : f32
    %c = updraft.get @c : f32
    %m = updraft.get @m : f32
    %h = updraft.get @h : f32
    %s = updraft.get @s : f32
    %n = updraft.shape block {index = 64 : i32} : f64
    %size = arith.truncf %n : f64 to f32
    %rc = arith.mulf %r, %c : f32
    %ms = arith.mulf %m, %s : f32
    %hn = arith.mulf %h, %size : f32
    %u = math.fma %rc, %ms, %hn : f32
    %new = arith.subf %p, %u : f32
    updraft.put @p, %new : f32
    updraft.partial sum @blocks, %u : f32
  }
  updraft.kernel @end step tensor @all after tensor {
    %sum = updraft.fold sum @blocks
    updraft.put @all, %sum : f64
  }
}
