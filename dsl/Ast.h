//===- Ast.h - The text of an .upd file as a tree -------------------------===//
//
// What the parser builds, Compose rewrites and the printer prints. Nodes say
// what was written and where, never what it means: names are unresolved, levels
// and types unknown. Expressions are immutable and shared, so that composing
// boxes is renaming and not copying.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_AST_H
#define UPDRAFT_DSL_AST_H

#include "llvm/Support/SMLoc.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace updraft::ast {

using Range = llvm::SMRange;

/// A name as written. Dots are part of it ("ema.average", "inner.p"); the prime
/// is not.
struct Name {
  std::string text;
  Range range;
};

enum class Operator {
  // unary
  Neg,
  Not,
  // binary
  Pow,
  Mul,
  Div,
  Mod,
  Add,
  Sub,
  Lt,
  Le,
  Gt,
  Ge,
  Eq,
  Ne,
  And,
  Or,
};

/// What a reduction leaves: the word after `over`.
enum class Over { Tensor, Group, Model, Rows, Cols, Block };

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

/// An argument of a call in an expression or of a stage in a pipe:
/// `0.9` or `beta1 = 0.9`.
struct Argument {
  std::optional<Name> name;
  ExprPtr value;
};

struct Expr {
  enum class Kind {
    Number,  ///< `number`; also `inf` and `pi`
    Boolean, ///< `boolean`
    String,  ///< `name`; only as an argument of tag() and require
    Ref,     ///< `name`, primed or not
    Unary,   ///< `op`, args[0]
    Binary,  ///< `op`, args[0], args[1]
    Select,  ///< args[0] ? args[1] : args[2]
    Call,    ///< `name`(args...), reductions with `over`; also schedules. If
             ///< `isFiltered` the last one is no argument but a condition
    Keep,    ///< `keep`: leave the stored bytes (flat rules only)
  };

  Kind kind;
  Range range;
  double number = 0;
  bool boolean = false;
  bool primed = false;
  Operator op = Operator::Add;
  std::string name;
  std::vector<ExprPtr> args;
  /// Names of named arguments, parallel to `args`; empty if all positional.
  std::vector<std::string> argNames;
  /// Levels of nodes from here down. The parser and Compose keep it below
  /// kMaxHeight, so that whoever walks a tree may recurse.
  unsigned height = 1;
  std::optional<Over> over; ///< a reduction's `over`; absent: not written
  ExprPtr block;            ///< n of `over block(n)`
  bool isFolded = false;    ///< `over folded rows`, `over folded p`
  /// `over model if c`: tensors for which the guard c is false do not stand in
  /// the list. Composing routers writes this.
  bool isFiltered = false;
};

/// The greatest height of an expression.
constexpr unsigned kMaxHeight = 256;

/// How a state is shaped or at which level it lives: the words after `:`.
enum class Shape { Like, Rows, Cols, Matrix, Block, Tensor, Group, Model };

/// `option amsgrad: bool = false`
struct Option {
  enum class Type { Bool, Int, Float };
  Name name;
  std::string doc;
  Type type = Type::Bool;
  ExprPtr initial; ///< null: must be given
};

/// `hyper beta1 = 0.9 in [0, 1)`, `rate lr = 1e-3`, `hyper k: model int = 6`
struct Hyper {
  Name name;
  std::string doc;
  bool isRate = false;
  bool isModel = false; ///< one value per program, not per group
  bool isInt = false;
  ExprPtr initial;   ///< null: must be given; naming `calls`: computed
  ExprPtr low, high; ///< null: no domain written
  bool lowOpen = false, highOpen = false;
};

/// `state m: like p as bf16 = 0 covers absent if amsgrad`
struct State {
  Name name;
  std::string doc;
  Shape shape = Shape::Like;
  ExprPtr block;         ///< n of `block(n) p`
  bool isFolded = false; ///< `folded rows p`
  std::string format;    ///< the word or call after `as`; empty: compute type
  ExprPtr initial;
  bool coversAbsent = false;
  ExprPtr guard; ///< null: always
};

/// `input loss: scalar`, `input h: like p`
struct Input {
  Name name;
  std::string doc;
  bool isScalar = false;
};

/// `m' = ...`, `u = ...`, `port u = ...`, `inner.g = ...`, with its guard.
struct Equation {
  Name target;
  std::string doc;
  bool primed = false;
  bool isPort = false;
  ExprPtr value;
  ExprPtr guard; ///< null: always
};

/// `view x = expression if c`; `view x` alone has no value.
struct View {
  Name name;
  std::string doc;
  ExprPtr value;
  ExprPtr guard; ///< null: always
};

/// `require cond, "message"`
struct Require {
  Range range;
  ExprPtr condition;
  std::string message;
};

/// A `rule` or a `transform`. Items of one sort stand in source order.
struct Box {
  bool isTransform = false;
  Name name;
  std::string doc;
  bool coversAbsent = false; ///< written after the name
  bool foldsParam = false;   ///< `fold p`
  std::vector<Option> options;
  std::vector<Hyper> hypers;
  std::vector<State> states;
  std::vector<Input> inputs;
  std::vector<Equation> equations;
  std::vector<View> views;
  std::vector<Require> requires_;
};

/// `schedule cosine_decay(initial, decay_steps, alpha = 0) = <expr over n>`
struct Schedule {
  Name name;
  std::string doc;
  std::vector<Argument> parameters; ///< name always set; value null: required
  ExprPtr body;
};

/// One stage of a pipe: `outer: clip_by_value(1) with { m as bf16 }`.
struct Stage {
  Range range;
  std::optional<Name> label;
  Name box; ///< a library name ("keras/ema") or one of this file
  std::vector<Argument> arguments;
  struct Storage {
    Name state;
    std::string format;
  };
  std::vector<Storage> storage;
};

/// A pipe, outermost stage first. `where c else other` makes it a router.
struct Pipe {
  Range range;
  std::vector<Stage> stages;
  ExprPtr where;                   ///< null: no router
  std::shared_ptr<Pipe> otherwise; ///< set with `where`
};

/// `optimizer my_adam = ema(0.999) | keras/adam`
struct Optimizer {
  Name name;
  std::string doc;
  Pipe pipe;
};

/// `use "file.upd"`
struct Use {
  Range range;
  std::string path;
};

/// A whole file, in source order within each sort.
struct File {
  std::string path;
  std::string doc; ///< the `///` lines at the head, if a blank line follows
  std::vector<Use> uses;
  std::vector<Box> boxes;
  std::vector<Schedule> schedules;
  std::vector<Optimizer> optimizers;
};

} // namespace updraft::ast

#endif // UPDRAFT_DSL_AST_H
