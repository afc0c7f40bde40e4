//===- Rule.h - A checked rule --------------------------------------------===//
//
// What the checker hands to everybody after it: the interpreter and the
// compiler read this and nothing before it. One flat rule, all options settled,
// every name resolved to an index, every expression with its level, all fused
// multiply-adds formed. Whoever reads a Rule may assert all that is said here.
//
// A rule has a *shared* part (model and group level, once a call or a group)
// and one *variant* for each outcome of its shape guards (tensor and element
// level, once a tensor). A reduction over group or model is where a variant's
// values enter the shared part: see Reduction.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_RULE_H
#define UPDRAFT_DSL_RULE_H

#include "llvm/Support/SMLoc.h"

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace updraft {

/// Coarser < finer. Axis is not used yet.
enum class Level : uint8_t { Build, Model, Group, Tensor, Axis, Element };

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
  // A reduction over this tensor of args (element to tensor level).
  Reduce,
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
  Level level; ///< highest level of the operands
  bool isBoolean = false;
  llvm::SMRange range;
  double number = 0;
  unsigned index = 0;
  Builtin builtin = Builtin::Abs;
  Reducer reducer = Reducer::Sum;
  std::vector<const Expr *> args;
};

struct Domain {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool lowOpen = false, highOpen = false;
};

struct Hyper {
  std::string name, doc;
  Level level = Level::Group; ///< Model or Group
  bool isRate = false, isInt = false;
  std::optional<double> initial; ///< none: must be given
  Domain domain;
  /// Set: computed in every step from hypers and Step, not settable by hand.
  const Expr *computed = nullptr;
};

/// A resolved option, kept for self-description.
struct Option {
  std::string name, doc, value;
};

struct Input {
  std::string name, doc;
  bool isScalar = false; ///< Model level; else like p
};

/// A state. Element states of other variants do not exist for a tensor; the
/// index is the rule's, so that names are found once.
struct State {
  std::string name, doc; ///< full name: "ema.average"
  Level level = Level::Element;
  std::optional<Format> format; ///< none: the compute type; scalars are f64
  /// Constants, hypers and (element, tensor level) p; evaluated at creation.
  const Expr *initial = nullptr;
  /// Its equation is evaluated for absent tensors too.
  bool coversAbsent = false;
  llvm::SMRange range;
};

struct Let {
  std::string name;
  Level level;
  bool isBoolean = false;
};

/// A reduction over group or model. Its operand is a value of tensor level or
/// finer in every variant (Variant::operands), or a shared group-level value.
struct Reduction {
  Reducer reducer;
  Level over;                   ///< Group or Model
  const Expr *shared = nullptr; ///< operand, if it is a group-level value
  llvm::SMRange range;
};

/// Defines a let, a state's new value or p'. Equations of one list stand in an
/// order in which each reads only what stands before it.
struct Equation {
  enum class Target : uint8_t { Let, State, Param };
  Target target;
  unsigned index = 0; ///< of lets or states
  const Expr *value = nullptr;
  /// Set: where it is false the stored bytes stay (`x' = c ? e : keep`). A
  /// boolean of tensor level or coarser.
  const Expr *commit = nullptr;
  llvm::SMRange range;
};

struct View {
  std::string name, doc;
  Level level = Level::Element;
  const Expr *value = nullptr; ///< of stored values, hypers and Step
};

/// `what` of p compared with `value`, e.g. rank(p) >= 2.
struct Test {
  enum class What : uint8_t { Rank, Dim, Size, Tag };
  What what;
  unsigned index = 0;   ///< Dim: which
  Op relation = Op::Eq; ///< Lt..Ne; Tag: Eq 1 (has it) or Eq 0
  double value = 0;
  std::string tag;
};

/// `require` over shapes: checked when a tensor is given.
struct Require {
  const Expr *condition = nullptr; ///< over hypers, shapes, constants
  std::string message;
  llvm::SMRange range;
};

/// What a tensor of these shapes does.
struct Variant {
  std::string name;                ///< "v0", or from its guards
  std::vector<Test> tests;         ///< all must hold
  std::vector<unsigned> states;    ///< tensor and element states that exist
  std::vector<Equation> equations; ///< tensor and element level
  /// Operand of each of the rule's reductions, null where `shared` is set.
  std::vector<const Expr *> operands;
  std::vector<View> views; ///< tensor and element level
  std::vector<Require> requires_;
};

struct Rule {
  std::string name, doc;
  std::string source; ///< the flat rule as text, parses again
  Compute compute = Compute::F32;
  Format param = Format::F32;
  /// p' is evaluated for absent tensors too (some box covers them).
  bool coversAbsent = false;
  std::vector<Option> options;
  std::vector<Hyper> hypers;
  std::vector<Input> inputs;
  std::vector<State> states;
  std::vector<Let> lets;
  std::vector<Reduction> reductions;
  std::vector<Equation> shared;   ///< model and group level
  std::vector<View> views;        ///< model and group level
  std::vector<Require> requires_; ///< over options and hypers
  std::vector<Variant> variants;
  std::deque<Expr> nodes; ///< owns every Expr; addresses are stable
};

} // namespace updraft

#endif // UPDRAFT_DSL_RULE_H
