// RUN: updraft-opt %s --split-input-file --verify-diagnostics

// array (C2)
updraft.program @array_c2_squares compute f32 {
  updraft.variant @all tests [] {
    // expected-error@+1 {{cannot be a view of #updraft.space<squares>}}
    updraft.array @x view f32 of <squares>
  }
}

// -----

// array (C2)
updraft.program @array_c2_tiles compute f32 {
  updraft.variant @all tests [] {
    // expected-error@+1 {{cannot be a scratch of #updraft.space<squaretiles>}}
    updraft.array @x scratch f32 of <squaretiles>
  }
}

// -----

// kernel (C2)
updraft.program @kernel_c2_matrix compute f32 {
  updraft.variant @all tests [] {
  }
  // expected-error@+1 {{of matrix level cannot run along #updraft.space<squares>}}
  updraft.kernel @product step matrix @all along <squares> {
  }
}

// -----

// kernel (C3)
updraft.program @kernel_c3 compute f32 {
  updraft.variant @all tests [] {
  }
  // expected-error@+1 {{of element level cannot have 2 rounds}}
  updraft.kernel @update step element @all attributes {rounds = 2 : i32} {
  }
}

// -----

// kernel (C3)
updraft.program @kernel_c3_none compute f32 {
  updraft.variant @all tests [] {
  }
  // expected-error@+1 {{of matrix level cannot have 0 rounds}}
  updraft.kernel @product step matrix @all along <tiles>
      attributes {rounds = 0 : i32} {
  }
}

// -----

// kernel (C3)
updraft.program @kernel_c3_swaps compute f32 {
  updraft.variant @all tests [] {
  }
  // expected-error@+1 {{of matrix level cannot swap 1 arrays}}
  updraft.kernel @product step matrix @all along <tiles>
      attributes {swaps = [@x]} {
  }
}

// -----

// newton_schulz (C1)
updraft.program @newton_schulz_c1 compute f32 {
  updraft.body step {
    %0 = arith.constant 0.0 : f32
    // expected-error@+1 {{cannot have 0 steps}}
    %1 = updraft.newton_schulz %0, %0, %0, %0 steps 0 : f32
  }
}

// -----

// product (C1)
updraft.program @product_c1 compute f32 {
  updraft.variant @all tests [] {
    updraft.array @x scratch f32
  }
  updraft.kernel @update step element @all {
    // expected-error@+1 {{stands in no kernel of matrix level}}
    %0 = updraft.product @x, @x : f32
  }
}

// -----

// product (C2)
updraft.program @product_c2 compute f32 {
  updraft.variant @all tests [] {
    updraft.array @m state f32
  }
  updraft.kernel @product step matrix @all along <squaretiles> {
    // expected-error@+1 {{names 'm', which is no scratch}}
    %0 = updraft.product @m, @m : f32
  }
}

// -----

// product (C2)
updraft.program @product_c2_order compute f32 {
  updraft.variant @all tests [] {
    updraft.array @x scratch f32
    updraft.array @b scratch f32 of <squares>
  }
  updraft.kernel @product step matrix @all along <tiles> {
    // expected-error@+1 {{cannot multiply 'x' by 'b' along #updraft.space<tiles>}}
    %0 = updraft.product @x, @b : f32
  }
}

// -----

// product (C2)
updraft.program @product_c2_along compute f32 {
  updraft.variant @all tests [] {
    updraft.array @x scratch f32
    updraft.array @b scratch f32 of <squares>
  }
  updraft.kernel @product step matrix @all along <squaretiles> {
    // expected-error@+1 {{cannot multiply 'b' by 'x' along #updraft.space<squaretiles>}}
    %0 = updraft.product @b, @x : f32
  }
}
