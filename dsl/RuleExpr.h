//===- RuleExpr.h - Expressions of a checked rule -------------------------===//
//
// What an expression can be made of, at which level and of which axis it is.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_RULEEXPR_H
#define UPDRAFT_DSL_RULEEXPR_H

#include "llvm/Support/SMLoc.h"

#include <cstdint>
#include <vector>

namespace updraft {

/// Coarser < finer. Values of level Axis have an Axis that says of what they
/// are one number each.
enum class Level : uint8_t { Build, Model, Group, Tensor, Axis, Element };

/// What values of level Axis stand for. A tensor is `batch` matrices of `rows`
/// x `cols` elements: its last two axes, the leading ones multiplied as batch,
/// or if folded, one matrix of dim(p, 0) rows and all other axes as columns.
/// The variant's tests make the rank at least 2 wherever Rows, Cols or Matrix
/// stand.
enum class AxisKind : uint8_t {
  None,   ///< of any other level
  Rows,   ///< one a row: batch*rows values, at b*rows + r
  Cols,   ///< one a column: batch*cols values, at b*cols + c
  Matrix, ///< one a matrix: batch values
  Block,  ///< one for each `block` consecutive elements, the last maybe fewer
};

struct Axis {
  AxisKind kind = AxisKind::None;
  bool isFolded = false; ///< Rows, Cols, Matrix: see above
  uint64_t block = 0;    ///< Block: how many elements, at least 1

  bool operator==(const Axis &other) const = default;
};

/// The type that axis and element values are computed in; levels up to tensor
/// are f64 (numerics.md 1).
enum class Compute : uint8_t { F32, F64 };

/// Formats of parameters and states in memory.
enum class Format : uint8_t { F64, F32, BF16, F16 };

enum class Op : uint8_t {
  // Leaves.
  Number,     ///< `number`, an f64
  Boolean,    ///< `number` is 0 or 1
  Hyper,      ///< hypers[index], an f64; computed ones too
  Step,       ///< number of the call under way, from 1; model
  TensorStep, ///< the same without calls in which the tensor was absent; tensor
  Absent,     ///< boolean, tensor: no gradient in this call
  Rank,
  Size,     ///< of p; tensor
  Dim,      ///< dim(p, index), tensor; the variant's guards make it exist
  Input,    ///< inputs[index]
  Param,    ///< p before the step
  NewParam, ///< p'
  Grad,     ///< g, +0 where the tensor is absent
  Old,      ///< states[index] before the step
  New,      ///< states[index] after the step (before storage rounding); the old
            ///< value in a call that keeps it
  Let,      ///< lets[index]
  Cross,    ///< reductions[index]: a value of group or model level
  // Numbers to number, in the type of this node's level.
  Neg,
  Add,
  Sub,
  Mul,
  Div,
  Mod,
  Fma,    ///< args[0]*args[1] + args[2], rounded once
  PowInt, ///< args[0]^index, index 0..8: ((x*x)*x)...; index 0: 1
  Call,   ///< builtin, see `builtin`
  // Numbers to boolean, compared in the type of the highest operand's level.
  Lt,
  Le,
  Gt,
  Ge,
  Eq,
  Ne,
  // Booleans.
  Not,
  And,
  Or,
  // args[0] ? args[1] : args[2]; sides are both numbers or both booleans.
  Select,
  // A reduction within this tensor of args[0], which is of element or axis
  // level, to this node's level and axis:
  //   element -> tensor       every element
  //   axis    -> tensor       every value of the operand, as one list
  //   element -> Rows         over cols: the elements of each row
  //   element -> Cols         over rows: the elements of each column
  //   Rows, Cols -> Matrix    the operand's values of each matrix, as a list
  //   element -> Block        the elements of each block
  Reduce,
  // newton_schulz(args[0], index, args[1], ..., args[4]): x of element level,
  // `index` steps, then eps, a, b, c of tensor level or coarser. Element level.
  // `axis.isFolded` says which matrix x is; unless it is set the variant's
  // tests
  // make the rank 2. The arithmetic is SPEC.md 6.1.
  NewtonSchulz,
};

enum class Builtin : uint8_t {
  Abs,
  Sqrt,
  Rsqrt,
  Exp,
  Log,
  Expm1,
  Log1p,
  Tanh,
  Sigmoid,
  Atan2,
  Cos,
  Pow,
  Min,
  Max,
  Sign,
  Floor,
  Ceil,
  Round,
  IsFinite,
  IsNan,
  Ratio,
}; // clamp and lerp are expanded by the checker: min(max(x, lo), hi), Fma

/// `dot` becomes Sum of a product, `count` Sum of 1 or 0, `any`/`all` stay.
/// For Norm and Rms the operand is x; x*x is formed by whoever evaluates.
enum class Reducer : uint8_t {
  Sum,
  Mean,
  Norm,
  Rms,
  Max,
  Min,
  Any,
  All,
  Count
};

/// One node of an expression tree. Owned by Rule::nodes.
struct Expr {
  Op op;
  /// Highest level of the operands; element where rows meet columns.
  Level level;
  bool isBoolean = false;
  /// Set at level Axis. An operand of an operation is of this axis too, or a
  /// Matrix value where this is Rows or Cols (of the same folding), or coarser.
  /// At element level operands may be of any axis. Also: NewtonSchulz.
  Axis axis = {};
  llvm::SMRange range;
  double number = 0;
  unsigned index = 0;
  Builtin builtin = Builtin::Abs;
  Reducer reducer = Reducer::Sum;
  std::vector<const Expr *> args;
};

} // namespace updraft

#endif // UPDRAFT_DSL_RULEEXPR_H
