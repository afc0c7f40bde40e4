//===- Reductions.td - Many values that become one -----------------------===//
//
// Ops of which a result depends on more than the item at hand: reductions, and
// products of matrices.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_DIALECT_REDUCTIONS_TD
#define UPDRAFT_COMPILER_DIALECT_REDUCTIONS_TD

include "Base.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ReduceOp : Updraft_Op<"reduce", [Pure]> {
  let summary = "Reduces an element or axis value over its tensor";
  let description = [{
    Only in bodies. In blocks and runs as numerics.md 5 says. `of` says of what
    there is one operand each, if not of elements. Without `space` the result is
    of tensor level.

    Constraints:

    * (C1) `space` is rows, cols or block; or if `of` is rows or cols, matrix;
      or absent

    Example:

    ```mlir
    %0 = updraft.reduce sum %x : f32
    %1 = updraft.reduce sum %x : f32 to <rows>
    %2 = updraft.reduce sum %y of <rows> : f32 to <matrix>
    ```
  }];
  let arguments = (ins Updraft_Reducer:$reducer,
                       AnyTypeOf<[F32, F64]>:$operand,
                       OptionalAttr<Updraft_SpaceAttr>:$of,
                       OptionalAttr<Updraft_SpaceAttr>:$space);
  let results = (outs F64:$result);
  let assemblyFormat = [{
    $reducer $operand (`of` $of^)? `:` type($operand) (`to` $space^)? attr-dict
  }];
  let hasVerifier = 1;
}

def PartialOp : Updraft_Op<"partial"> {
  let summary = "Adds an element value to its block's entry of a partial list";
  let description = [{
    In element kernels: the 128-lane sum (or maximum, minimum) of each block of
    4096 elements is stored to the list as f64. In bodies it hands a variant's
    value to a reduction over group or model; the list then is its name, and
    where `when` is false the tensor adds nothing. To scratch of rowruns,
    colruns or blocks: the total of the run or block, in the operand's type or,
    of a block, in f64.

    Constraints:

    * (C1) `list` is a list, or scratch of rowruns, colruns or block

    Example:

    ```mlir
    updraft.partial sum @squares, %0 when %1 : f32
    ```
  }];
  let arguments = (ins Updraft_Reducer:$reducer, FlatSymbolRefAttr:$list,
                       AnyTypeOf<[F32, F64]>:$operand, Optional<I1>:$when);
  let assemblyFormat = [{
    $reducer $list `,` $operand (`when` $when^)? attr-dict `:` type($operand)
  }];
  let hasVerifier = 1;
}

def FoldOp : Updraft_Op<"fold"> {
  let summary = "Reduces a list of f64, or the groups' values of a scalar";
  let description = [{
    In a tensor kernel: this tensor's entries of a partial list. In a group
    kernel: the group's tensors' entries of a total list. In a model kernel: all
    groups' values of a group scalar. By 128 lanes (numerics.md 5). In a body:
    the result of a reduction `over` group or model of what the bodies' partials
    hand to the list; a list over which is folded belongs to one reduction.

    Constraints:

    * (C1) `over` is present if and only if the fold stands in a body
    * (C2) `over` is `model` or `group`
    * (C3) `list` is a list, in a model kernel a group scalar, or in an axis or
      tensor kernel scratch

    Example:

    ```mlir
    %0 = updraft.fold sum @squares
    ```
  }];
  let arguments = (ins Updraft_Reducer:$reducer, FlatSymbolRefAttr:$list,
                       OptionalAttr<Updraft_Level>:$over);
  let results = (outs F64:$result);
  let assemblyFormat = "$reducer $list (`over` $over^)? attr-dict";
  let hasVerifier = 1;
}

//===- Matrices ----------------------------------------------------------===//

def NewtonSchulzOp : Updraft_Op<"newton_schulz", [Pure,
    AllTypesMatch<["x", "a", "b", "c", "result"]>]> {
  let summary = "Brings the singular values of a matrix near 1";
  let description = [{
    Only in bodies. All elements x of a tensor are a matrix X of its first axis
    by all others, transposed if it has more rows than columns. `steps` times
    A = X X^T, B = b A + c A A, X = a X + B X as numerics.md 8 says; the result
    is the element of X. a, b and c are of tensor level or coarser.

    Constraints:

    * (C1) `steps` is at least 1

    Example:

    ```mlir
    %0 = updraft.newton_schulz %x, %a, %b, %c steps 5 : f32
    ```
  }];
  let arguments = (ins AnyTypeOf<[F32, F64]>:$x, AnyTypeOf<[F32, F64]>:$a,
                       AnyTypeOf<[F32, F64]>:$b, AnyTypeOf<[F32, F64]>:$c,
                       I32Attr:$steps);
  let results = (outs AnyTypeOf<[F32, F64]>:$result);
  let assemblyFormat = [{
    $x `,` $a `,` $b `,` $c `steps` $steps attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def ProductOp : Updraft_Op<"product",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Yields the element at hand of a product of two matrices";
  let description = [{
    Only in matrix kernels. An element of a product is an fma chain in chunks of
    256 (numerics.md 8). A matrix of elements, X, has the shorter side as rows:
    it is the tensor's, or transposed. Squares are symmetric. Of X and X it is
    X X^T, of squares S and T, which commute, S T, of S and X it is S X.

    Constraints:

    * (C1) it stands in a kernel of level `matrix`
    * (C2) `left` and `right` are scratch: twice the same of elements, or
      squares and squares, along squaretiles; squares and elements along tiles

    Example:

    ```mlir
    %0 = updraft.product @b, @x : f32
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$left, FlatSymbolRefAttr:$right);
  let results = (outs AnyTypeOf<[F32, F64]>:$result);
  let assemblyFormat = "$left `,` $right attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif // UPDRAFT_COMPILER_DIALECT_REDUCTIONS_TD
