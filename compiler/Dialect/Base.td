//===- Base.td - The updraft dialect and its attributes ------------------===//
//
// What the ops are built from.
//
//===---------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_DIALECT_BASE_TD
#define UPDRAFT_COMPILER_DIALECT_BASE_TD

include "Enums.td"
include "mlir/IR/OpBase.td"

def Updraft_Dialect : Dialect {
  let name = "updraft";
  let cppNamespace = "::updraft::ir";
  let summary = "Optimizer rules, their state and their kernels";
  let useDefaultAttributePrinterParser = 1;
}

class Updraft_Op<string mnemonic, list<Trait> traits = []>
    : Op<Updraft_Dialect, mnemonic, traits>;

def Updraft_SpaceAttr : AttrDef<Updraft_Dialect, "Space"> {
  let summary = "Of what there is one value each";
  let description = [{
    Rows, columns and matrices are those of the last two axes, with the leading
    ones as batch; `folded`: of the one matrix that has dim 0 as its rows and
    all else as its columns. `block` says of how many elements.

    Example:

    ```mlir
    #updraft.space<rows>
    #updraft.space<cols, folded>
    #updraft.space<block 64>
    ```
  }];
  let mnemonic = "space";
  let parameters = (ins "::updraft::ir::SpaceKind":$kind,
                        DefaultValuedParameter<"bool", "false">:$folded,
                        DefaultValuedParameter<"int64_t", "0">:$block);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

/// f32 or f64: what is computed in. i1: conditions.
def Updraft_Value : AnyTypeOf<[F32, F64, I1]>;

#endif // UPDRAFT_COMPILER_DIALECT_BASE_TD
