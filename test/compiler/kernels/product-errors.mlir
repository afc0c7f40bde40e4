// RUN: updraft-opt %s --updraft-lower-to-loops --split-input-file --verify-diagnostics

// What is made of a product lies as the product does.
updraft.program @space compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @x scratch f32
  }
  updraft.kernel @square step matrix @all along <squaretiles> {
    %0 = updraft.product @x, @x : f32
    // expected-error @below {{reads or writes 'p', which has no value for each element of the product}}
    updraft.put @p, %0 : f32
  }
}

// -----

updraft.program @two compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @x scratch f32
    updraft.array @a scratch f32 of <squares>
  }
  updraft.kernel @square step matrix @all along <squaretiles> {
    %0 = updraft.product @x, @x : f32
    // expected-error @below {{is not the only one of its kernel}}
    %1 = updraft.product @a, @a : f32
    updraft.put @a, %1 : f32
  }
}

// -----

updraft.program @nothing compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @x scratch f32
  }
  // expected-error @below {{has no product that it stores}}
  updraft.kernel @square step matrix @all along <squaretiles> {
    %0 = updraft.product @x, @x : f32
  }
}
