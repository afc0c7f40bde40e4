//===- Ops.td - The updraft dialect --------------------------------------===//
//
// A rule between the checked text and the loops. A body is written for one
// element (or tensor, group, call) with scalar `arith` and `math` ops; the ops
// here say only what upstream cannot: what is stored, read, written, reduced,
// what a kernel is. Their order is that of Ops.cpp, ops.mlir, ops-errors.mlir.
// Reductions and products are in Reductions.td.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_DIALECT_OPS_TD
#define UPDRAFT_COMPILER_DIALECT_OPS_TD

include "Base.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===- Declarations ------------------------------------------------------===//

def ProgramOp : Updraft_Op<"program", [Symbol, SymbolTable, IsolatedFromAbove,
                                       NoTerminator, SingleBlock]> {
  let summary = "Holds everything that one compiled rule is";
  let description = [{
    `describe` carries what the program says of itself and no pass reads:
    `doc`, `rule` (the flat rule as text) and `source` (its name) are strings,
    `param` is the type of the parameters in memory; the others are lists of
    dictionaries: `options` {name, doc, value}, `requires` {message, level,
    scalar, variant} where the slot `scalar` is not 0 if the condition holds and
    `variant` stands for tensor level only, and `views` {name, doc, level,
    index} where `index` is that of its kernels. A view that is a stored value
    has no kernel: its array is `viewed`, its scalar has its name. Levels are
    i32 with the values of Level.

    Example:

    ```mlir
    updraft.program @sgd compute f32 {
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$compute,
                       OptionalAttr<DictionaryAttr>:$describe);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `compute` $compute (`describe` $describe^)? attr-dict-with-keyword
    $body
  }];
}

def VariantOp : Updraft_Op<"variant", [Symbol, SymbolTable, NoTerminator,
                                       SingleBlock]> {
  let summary = "Declares what tensors of one kind store";
  let description = [{
    `tests` are dictionaries {what, index, relation, value, tag} as in abi.h;
    a tensor belongs to the first variant whose tests all hold. The region holds
    the arrays, in row order (p, then g), and the tensor scalars.

    Example:

    ```mlir
    updraft.variant @all tests [] {
      updraft.array @p param f32
      updraft.array @g grad f32
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, ArrayAttr:$tests);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `tests` $tests attr-dict-with-keyword $body";
}

def ArrayOp : Updraft_Op<"array", [Symbol, HasParent<"VariantOp">]> {
  let summary = "Declares an array with one value an element, row, column, ...";
  let description = [{
    `format` is how it is stored. It is read and written in the compute type,
    but f64 scratch in f64. Scratch is what one kernel leaves for a later one:
    values of an axis, or the totals of runs and blocks, in place of the slots
    and lists of coarser levels; matrices, for their products.

    Constraints:

    * (C1) p, g and inputs have no `space`
    * (C2) rowruns, colruns and squares are of scratch only; no array is of
      bands or tiles

    Example:

    ```mlir
    updraft.array @m state bf16
    updraft.array @r state f32 of <rows>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Updraft_Role:$role,
                       TypeAttr:$format,
                       OptionalAttr<Updraft_SpaceAttr>:$space,
                       OptionalAttr<StrAttr>:$doc, UnitAttr:$viewed);
  let assemblyFormat = [{
    $sym_name $role $format (`of` $space^)? (`viewed` $viewed^)?
    (`doc` $doc^)? attr-dict
  }];
  let hasVerifier = 1;
}

def ScalarOp : Updraft_Op<"scalar", [Symbol]> {
  let summary = "Declares an f64 that lives once a call, group or tensor";
  let description = [{
    A slot is a scalar that one kernel leaves for a later one. `describe` of a
    hyper: {initial, low, high, flags} as in abi.h. Tensor scalars stand in
    their variant, all others in the program.

    Constraints:

    * (C1) `describe` is present if and only if `kind` is `hyper`
    * (C2) tensor scalars stand in a variant, others in the program

    Example:

    ```mlir
    updraft.scalar @clip model slot
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Updraft_Level:$level,
                       Updraft_ScalarKind:$kind,
                       OptionalAttr<DictionaryAttr>:$describe,
                       OptionalAttr<StrAttr>:$doc);
  let assemblyFormat = [{
    $sym_name $level $kind (`describe` $describe^)? (`doc` $doc^)? attr-dict
  }];
  let hasVerifier = 1;
}

def ListOp : Updraft_Op<"list", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "Declares a list of f64 for a reduction";
  let description = [{
    A `partial` list has one entry for each block of 4096 elements, a `total`
    list one for each tensor, or if `routed`, for each that puts to it.

    Example:

    ```mlir
    updraft.list @route total routed
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, UnitAttr:$partial,
                       UnitAttr:$routed);
  let assemblyFormat = [{
    $sym_name (`partial` $partial^):(`total`)? (`routed` $routed^)? attr-dict
  }];
}

//===- Bodies and kernels ------------------------------------------------===//

def BodyOp : Updraft_Op<"body", [HasParent<"ProgramOp">, NoTerminator,
                                 SingleBlock]> {
  let summary = "Holds the equations of the shared part or of one variant";
  let description = [{
    The rule as written: all levels stand in one block and are told apart by
    what they read. `updraft.get` reads the value before the step. Without a
    variant: model and group level. SplitKernels turns bodies into kernels.

    Example:

    ```mlir
    updraft.body step @all {
    }
    ```
  }];
  let arguments = (ins Updraft_When:$when, OptionalAttr<I32Attr>:$view,
                       OptionalAttr<FlatSymbolRefAttr>:$variant);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $when (`(` $view^ `)`)? ($variant^)? attr-dict-with-keyword $body
  }];
}

def KernelOp : Updraft_Op<"kernel", [Symbol, HasParent<"ProgramOp">,
                                     NoTerminator, SingleBlock]> {
  let summary = "Is one loop over elements, tensors or groups";
  let description = [{
    Kernels run in the order in which they stand. `after` says what must have
    finished before: this tensor, the group, the model. The body is for one
    item; memory is read as it is when the kernel runs. `why` is the equation
    that forced it, `reads` and `writes` are thousandths of a byte a parameter.

    An axis kernel has one item for each value of its `space`. An element kernel
    walks chunks of the elements in order, or along its space: bands, if it
    reduces to rows or columns; blocks, if it reduces to them. A matrix kernel
    has one item for each element of a product of matrices, and works on tiles
    of them: of the matrix, or of a square, which is symmetric, so that elements
    on one side of the diagonal are computed and stored on both.

    `rounds`: how often the kernel runs; kernels that follow one another with
    the same number, and more than one, run by turns. In the second of two
    rounds the arrays in `swaps` change places.

    Constraints:

    * (C1) `variant` is present if and only if `level` is `tensor` or finer
    * (C2) `space` is rows, cols, matrix or block at level `axis`, bands or
      block or absent at level `element`, tiles or squaretiles at level
      `matrix`, else absent
    * (C3) only at level `matrix` are `rounds` more than 1, or two arrays in
      `swaps`

    Example:

    ```mlir
    updraft.kernel @update step element @all after model
        attributes {reads = 16000 : i32, writes = 12000 : i32, why = "p'"} {
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Updraft_When:$when,
                       OptionalAttr<I32Attr>:$view, Updraft_Level:$level,
                       OptionalAttr<FlatSymbolRefAttr>:$variant,
                       OptionalAttr<Updraft_SpaceAttr>:$space,
                       OptionalAttr<Updraft_Level>:$after,
                       DefaultValuedAttr<I32Attr, "0">:$reads,
                       DefaultValuedAttr<I32Attr, "0">:$writes,
                       DefaultValuedAttr<StrAttr, "\"\"">:$why,
                       DefaultValuedAttr<I32Attr, "1">:$rounds,
                       OptionalAttr<FlatSymbolRefArrayAttr>:$swaps);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name $when (`(` $view^ `)`)? $level ($variant^)? (`along` $space^)?
    (`after` $after^)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

//===- Values ------------------------------------------------------------===//

def GetOp : Updraft_Op<"get",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Reads an array element or a scalar";
  let description = [{
    An array yields the compute type, a scalar f64 or i1 (stored as 1 or 0), f64
    scratch f64. Of a coarser space it is the value of the item at hand.

    Constraints:

    * (C1) `source` is an array of the variant or a scalar

    Example:

    ```mlir
    %0 = updraft.get @m : f32
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$source);
  let results = (outs Updraft_Value:$result);
  let assemblyFormat = "$source attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def PutOp : Updraft_Op<"put",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Writes an array element, a scalar or this tensor's total";
  let description = [{
    Where `when`, of tensor level or coarser, is false the stored bytes stay.

    Constraints:

    * (C1) `target` is an array of the variant, a scalar or a total list

    Example:

    ```mlir
    updraft.put @m, %0 when %1 : f32
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$target, Updraft_Value:$value,
                       Optional<I1>:$when);
  let assemblyFormat = [{
    $target `,` $value (`when` $when^)? attr-dict `:` type($value)
  }];
  let hasVerifier = 1;
}

def ShapeOp : Updraft_Op<"shape", [Pure]> {
  let summary = "Reads a fact about the tensor";
  let description = [{
    batch counts the matrices, rows and cols those of one (`index` 1: of the
    folded one). block, of axis level: what the block at hand of `index` has.

    Constraints:

    * (C1) the result is i1 if and only if `what` is `absent`

    Example:

    ```mlir
    %0 = updraft.shape size : f64
    ```
  }];
  let arguments = (ins Updraft_Shape:$what,
                       DefaultValuedAttr<I32Attr, "0">:$index);
  let results = (outs AnyTypeOf<[F64, I1]>:$result);
  let assemblyFormat = "$what attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def MathOp : Updraft_Op<"math", [Pure, SameOperandsAndResultType]> {
  let summary = "Calls a function that has an expansion of our own";
  let description = [{
    It has no folder: upstream would use the host's libm (numerics.md 4).

    Constraints:

    * (C1) atan2, pow and mod have two operands, all others one

    Example:

    ```mlir
    %0 = updraft.math pow %a, %b : f64
    ```
  }];
  let arguments = (ins Updraft_Function:$function,
                       Variadic<AnyTypeOf<[F32, F64]>>:$operands_);
  let results = (outs AnyTypeOf<[F32, F64]>:$result);
  let assemblyFormat = "$function $operands_ attr-dict `:` type($result)";
  let hasVerifier = 1;
}

include "Reductions.td"

#endif // UPDRAFT_COMPILER_DIALECT_OPS_TD
