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
// values enter the shared part: see Reduction. A router is no more than this:
// guards that send each tensor's variant through the equations of one branch.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_RULE_H
#define UPDRAFT_DSL_RULE_H

#include "RuleExpr.h"

#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace updraft {

struct Domain {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool lowOpen = false, highOpen = false;
};

struct Hyper {
  std::string name, doc;
  Level level = Level::Group; ///< Model or Group
  /// A routed rule has a rate for each branch; setting the optimizer's rate
  /// sets all of them that are not computed.
  bool isRate = false;
  bool isInt = false;
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
  Axis axis = {}; ///< of level Axis
  /// None: the compute type; scalars are f64. Only element states have one.
  std::optional<Format> format;
  /// Constants, hypers and (tensor level and finer) p; evaluated at creation.
  const Expr *initial = nullptr;
  /// Its equation is evaluated for absent tensors too.
  bool coversAbsent = false;
  llvm::SMRange range;
};

struct Let {
  std::string name;
  Level level;
  bool isBoolean = false;
  Axis axis = {}; ///< of level Axis
};

/// A reduction over group or model. Its operand is a value of tensor level or
/// finer in every variant (Variant::operands), or a shared group-level value.
/// Tensors of a variant without operand are routed elsewhere: they do not stand
/// in the list (numerics.md 5), which absent ones do.
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
  Axis axis = {};              ///< of level Axis
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
  std::vector<unsigned> states;    ///< tensor level and finer, that exist
  std::vector<Equation> equations; ///< tensor level and finer
  /// Operand of each of the rule's reductions; null where `shared` is set, and
  /// where tensors of this variant do not stand in the list.
  std::vector<const Expr *> operands;
  std::vector<View> views; ///< tensor level and finer
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
