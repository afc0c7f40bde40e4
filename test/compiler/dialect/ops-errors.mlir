// RUN: updraft-opt %s --split-input-file --verify-diagnostics

// array (C1)
updraft.program @array_c1 compute f32 {
  updraft.variant @all tests [] {
    // expected-error@+1 {{is a grad of #updraft.space<rows>: it has one value an element}}
    updraft.array @g grad f32 of <rows>
  }
}

// -----

// array (C2)
updraft.program @array_c2 compute f32 {
  updraft.variant @all tests [] {
    // expected-error@+1 {{cannot be a state of #updraft.space<rowruns>}}
    updraft.array @x state f32 of <rowruns>
  }
}

// -----

// array (C2)
updraft.program @array_c2_bands compute f32 {
  updraft.variant @all tests [] {
    // expected-error@+1 {{cannot be a scratch of #updraft.space<bands>}}
    updraft.array @x scratch f32 of <bands>
  }
}

// -----

updraft.program @empty_block compute f32 {
  updraft.variant @all tests [] {
    // expected-error@+1 {{a block of 0 elements}}
    updraft.array @x state f32 of <block 0>
  }
}

// -----

updraft.program @folded_block compute f32 {
  updraft.variant @all tests [] {
    // expected-error@+1 {{blocks cannot be folded}}
    updraft.array @x state f32 of <block 64, folded>
  }
}

// -----

// kernel (C2)
updraft.program @kernel_c2 compute f32 {
  updraft.variant @all tests [] {
  }
  // expected-error@+1 {{of axis level cannot run along nothing}}
  updraft.kernel @rows step axis @all {
  }
}

// -----

// kernel (C2)
updraft.program @kernel_c2_element compute f32 {
  updraft.variant @all tests [] {
  }
  // expected-error@+1 {{of element level cannot run along #updraft.space<cols>}}
  updraft.kernel @update step element @all along <cols> {
  }
}

// -----

// reduce (C1)
updraft.program @reduce_c1 compute f32 {
  updraft.body step {
    %0 = arith.constant 0.0 : f32
    // expected-error@+1 {{cannot go to #updraft.space<bands>}}
    %1 = updraft.reduce sum %0 : f32 to <bands>
  }
}

// -----

// reduce (C1)
updraft.program @reduce_c1_of compute f32 {
  updraft.body step {
    %0 = arith.constant 0.0 : f32
    // expected-error@+1 {{cannot go from #updraft.space<rows> to #updraft.space<matrix, folded>}}
    %1 = updraft.reduce sum %0 of <rows> : f32 to <matrix, folded>
  }
}

// -----

// scalar (C1)
updraft.program @scalar_c1 compute f32 {
  // expected-error@+1 {{must describe a hyper: only a hyper is described}}
  updraft.scalar @lr group hyper
}

// -----

// scalar (C1)
updraft.program @scalar_c1_slot compute f32 {
  // expected-error@+1 {{describes a slot: only a hyper is described}}
  updraft.scalar @clip model slot describe {initial = 1.0}
}

// -----

// scalar (C2)
updraft.program @scalar_c2 compute f32 {
  // expected-error@+1 {{of tensor level stands in a program}}
  updraft.scalar @t tensor counter
}

// -----

// kernel (C1)
updraft.program @kernel_c1 compute f32 {
  // expected-error@+1 {{of element level needs a variant}}
  updraft.kernel @update step element {
  }
}

// -----

// kernel (C1)
updraft.program @kernel_c1_model compute f32 {
  updraft.variant @all tests [] {
  }
  // expected-error@+1 {{of model level has a variant}}
  updraft.kernel @update step model @all {
  }
}

// -----

// get (C1)
updraft.program @get_c1 compute f32 {
  updraft.body step {
    // expected-error@+1 {{names 'm', which is not declared here}}
    %0 = updraft.get @m : f32
  }
}

// -----

// put (C1)
updraft.program @put_c1 compute f32 {
  updraft.list @squares partial
  updraft.body step {
    %0 = arith.constant 0.0 : f64
    // expected-error@+1 {{names 'squares', which is no array, scalar or total list}}
    updraft.put @squares, %0 : f64
  }
}

// -----

// shape (C1)
updraft.program @shape_c1 compute f32 {
  updraft.body step {
    // expected-error@+1 {{absent cannot be of type 'f64': absent is i1, all else f64}}
    %0 = updraft.shape absent : f64
  }
}

// -----

// math (C1)
updraft.program @math_c1 compute f32 {
  updraft.body step {
    %0 = arith.constant 0.0 : f64
    // expected-error@+1 {{pow takes 2 operands, not 1}}
    %1 = updraft.math pow %0 : f64
  }
}

// -----

// partial (C1)
updraft.program @partial_c1 compute f32 {
  updraft.scalar @clip model slot
  updraft.body step {
    %0 = arith.constant 0.0 : f64
    // expected-error@+1 {{names 'clip', which is no list}}
    updraft.partial sum @clip, %0 : f64
  }
}

// -----

// fold (C1)
updraft.program @fold_c1 compute f32 {
  updraft.list @squares total
  updraft.body step {
    // expected-error@+1 {{in a body must say over what}}
    %0 = updraft.fold sum @squares
  }
}

// -----

// fold (C1)
updraft.program @fold_c1_kernel compute f32 {
  updraft.list @squares total
  updraft.kernel @group step group {
    // expected-error@+1 {{in a kernel cannot say over what}}
    %0 = updraft.fold sum @squares over model
  }
}

// -----

// fold (C2)
updraft.program @fold_c2 compute f32 {
  updraft.list @squares total
  updraft.body step {
    // expected-error@+1 {{cannot go over tensor: only over model or group}}
    %0 = updraft.fold sum @squares over tensor
  }
}

// -----

// fold (C3)
updraft.program @fold_c3 compute f32 {
  updraft.body step {
    // expected-error@+1 {{names 'squares', which is not declared here}}
    %0 = updraft.fold sum @squares over model
  }
}
