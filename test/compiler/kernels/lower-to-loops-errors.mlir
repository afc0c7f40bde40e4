// RUN: updraft-opt %s --updraft-lower-to-loops --split-input-file --verify-diagnostics

// A kernel reads memory as it was before its own writes.
updraft.program @order compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
  }
  updraft.kernel @update step element @all {
    %g = updraft.get @g : f32
    updraft.put @p, %g : f32
    // expected-error @below {{reads 'p' after the kernel has written it}}
    %p = updraft.get @p : f32
    updraft.put @p, %p : f32
  }
}

// -----

// Arrays hold f64, f32, bf16 or f16.
updraft.program @format compute f64 {
  updraft.variant @all tests [] {
    updraft.array @p param f64
    updraft.array @g grad i32
  }
  updraft.kernel @update step element @all {
    // expected-error @below {{cannot convert 'f64' to or from 'i32'}}
    %g = updraft.get @g : f64
    updraft.put @p, %g : f64
  }
}

// -----

updraft.program @level compute f32 {
  updraft.scalar @s group slot
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
  }
  updraft.kernel @update step tensor @all {
    %x = arith.constant 1.0 : f64
    // expected-error @below {{cannot write 's' in a kernel of tensor level}}
    updraft.put @s, %x : f64
  }
}

// -----

updraft.program @list compute f32 {
  updraft.scalar @s model slot
  updraft.list @tensors total
  updraft.kernel @update step model {
    // expected-error @below {{cannot fold 'tensors' in a kernel of model level}}
    %x = updraft.fold sum @tensors
    updraft.put @s, %x : f64
  }
}

// -----

// Rows have no column to read, and folding tells one row from another.
updraft.program @spaces compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @r state f32 of <rows>
    updraft.array @c state f32 of <cols>
  }
  updraft.kernel @update step axis @all along <rows> {
    // expected-error @below {{cannot reach 'c' of #updraft.space<cols> in a kernel of axis level along #updraft.space<rows>}}
    %c = updraft.get @c : f32
    updraft.put @r, %c : f32
  }
}

// -----

updraft.program @folding compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @runs scratch f32 of <rowruns>
  }
  updraft.kernel @update step element @all along <bands, folded> {
    %g = updraft.get @g : f32
    // expected-error @below {{cannot reach 'runs' of #updraft.space<rowruns> in a kernel of element level along #updraft.space<bands, folded>}}
    updraft.partial sum @runs, %g : f32
  }
}

// -----

updraft.program @blocks compute f32 {
  updraft.scalar @s group slot
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @n tensor slot
  }
  updraft.kernel @update step tensor @all {
    // expected-error @below {{asks for a block in a kernel of tensor level}}
    %n = updraft.shape block {index = 64 : i32} : f64
    updraft.put @n, %n : f64
  }
}
