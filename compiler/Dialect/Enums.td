//===- Enums.td - The words of the updraft dialect -----------------------===//
//
// What levels, roles, kinds and functions are called in the IR. Numbers that
// leave the compiler are those of runtime/abi.h.
//
//===---------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_DIALECT_ENUMS_TD
#define UPDRAFT_COMPILER_DIALECT_ENUMS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Updraft_Level : I32EnumAttr<"Level",
    "where a value lives or a kernel runs", [
      I32EnumAttrCase<"Model", 0, "model">,
      I32EnumAttrCase<"Group", 1, "group">,
      I32EnumAttrCase<"Tensor", 2, "tensor">,
      I32EnumAttrCase<"Axis", 3, "axis">,
      I32EnumAttrCase<"Element", 4, "element">,
      I32EnumAttrCase<"Matrix", 5, "matrix">]> { // kernels: tiles of a product
  let cppNamespace = "::updraft::ir";
}
/// A tensor is `batch` matrices of R rows and C columns. A run of rows is up to
/// 64 rows of one matrix, a run of columns up to 512 columns of one row: what
/// is added up on its own before it meets the other runs (numerics.md 5). A
/// square has as many rows and columns as the matrix on its shorter side.
def Updraft_SpaceKind : I32EnumAttr<"SpaceKind",
    "of what a tensor has one value each, and in which order", [
      I32EnumAttrCase<"Rows", 1, "rows">,      // b*R + r
      I32EnumAttrCase<"Cols", 2, "cols">,      // b*C + c
      I32EnumAttrCase<"Matrix", 3, "matrix">,  // b
      I32EnumAttrCase<"Block", 4, "block">,    // n consecutive elements
      I32EnumAttrCase<"RowRuns", 5, "rowruns">, // (b*R + r)*ceil(C/512) + run
      I32EnumAttrCase<"ColRuns", 6, "colruns">, // (b*ceil(R/64) + run)*C + c
      I32EnumAttrCase<"Bands", 7, "bands">,    // b*ceil(R/64) + run of rows
      I32EnumAttrCase<"Squares", 8, "squares">, // r*min(R, C) + c
      I32EnumAttrCase<"Tiles", 9, "tiles">,    // of the matrix: 96 x 240
      I32EnumAttrCase<"SquareTiles", 10, "squaretiles">]> { // those of a square
                                               // that reach its diagonal
  let cppNamespace = "::updraft::ir";
}
def Updraft_Role : I32EnumAttr<"Role", "what an array is to the caller", [
      I32EnumAttrCase<"Param", 0, "param">,
      I32EnumAttrCase<"Grad", 1, "grad">,
      I32EnumAttrCase<"State", 2, "state">,
      I32EnumAttrCase<"Input", 3, "input">,
      I32EnumAttrCase<"View", 4, "view">,
      I32EnumAttrCase<"Scratch", 5, "scratch">]> {
  let cppNamespace = "::updraft::ir";
}
def Updraft_ScalarKind : I32EnumAttr<"ScalarKind", "what a scalar is", [
      I32EnumAttrCase<"State", 0, "state">,
      I32EnumAttrCase<"Counter", 1, "counter">,
      I32EnumAttrCase<"Input", 2, "input">,
      I32EnumAttrCase<"View", 3, "view">,
      I32EnumAttrCase<"Hyper", 4, "hyper">,
      I32EnumAttrCase<"Slot", 5, "slot">]> {
  let cppNamespace = "::updraft::ir";
}
def Updraft_When : I32EnumAttr<"When", "when a body or kernel runs", [
      I32EnumAttrCase<"Init", 0, "init">,
      I32EnumAttrCase<"Check", 1, "check">,
      I32EnumAttrCase<"Step", 2, "step">,
      I32EnumAttrCase<"View", 3, "view">]> {
  let cppNamespace = "::updraft::ir";
}
def Updraft_Reducer : I32EnumAttr<"Reducer", "how values are put together", [
      I32EnumAttrCase<"Sum", 0, "sum">,
      I32EnumAttrCase<"Max", 1, "max">,
      I32EnumAttrCase<"Min", 2, "min">]> {
  let cppNamespace = "::updraft::ir";
}
def Updraft_Shape : I32EnumAttr<"Shape", "a fact about the tensor", [
      I32EnumAttrCase<"Rank", 0, "rank">,
      I32EnumAttrCase<"Dim", 1, "dim">,
      I32EnumAttrCase<"Size", 2, "size">,
      I32EnumAttrCase<"Absent", 3, "absent">,
      I32EnumAttrCase<"Rows", 4, "rows">,
      I32EnumAttrCase<"Cols", 5, "cols">,
      I32EnumAttrCase<"Block", 6, "block">,
      I32EnumAttrCase<"Batch", 7, "batch">]> {
  let cppNamespace = "::updraft::ir";
}
def Updraft_Function : I32EnumAttr<"Function",
    "a function that is expanded late", [
      I32EnumAttrCase<"Exp", 0, "exp">,
      I32EnumAttrCase<"Log", 1, "log">,
      I32EnumAttrCase<"Expm1", 2, "expm1">,
      I32EnumAttrCase<"Log1p", 3, "log1p">,
      I32EnumAttrCase<"Tanh", 4, "tanh">,
      I32EnumAttrCase<"Sigmoid", 5, "sigmoid">,
      I32EnumAttrCase<"Atan2", 6, "atan2">,
      I32EnumAttrCase<"Cos", 7, "cos">,
      I32EnumAttrCase<"Pow", 8, "pow">,
      I32EnumAttrCase<"Mod", 9, "mod">]> {
  let cppNamespace = "::updraft::ir";
}

#endif // UPDRAFT_COMPILER_DIALECT_ENUMS_TD
