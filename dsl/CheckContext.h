//===- CheckContext.h - What the parts of the checker share ---------------===//
//
// The checker goes over one flat rule in this order: names (CheckNames),
// options, hypers and states (CheckDeclarations), outcomes of guards
// (CheckVariants), then for each outcome the equations in an order in which
// each reads what is already done (CheckOrder), expression by expression
// (CheckExpr and its neighbours). What one part finds out and another needs
// stands here.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_CHECKCONTEXT_H
#define UPDRAFT_DSL_CHECKCONTEXT_H

#include "Ast.h"
#include "CheckShapes.h"
#include "Diagnostics.h"
#include "Rule.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

namespace updraft::check {

constexpr unsigned kNone = ~0u;

/// What a name stands for; `index` is that of the box's list, of lets that of
/// Context::definitions.
struct Symbol {
  enum class Kind { Option, Hyper, State, Input, Let };
  Kind kind;
  unsigned index;
  llvm::SMRange range;
};

/// An expression as far as compile time knows it (CheckSettle).
struct Settled {
  enum class Kind {
    Runtime, ///< only the run knows
    Number,
    Boolean,
    Length, ///< rank(p), dim(p, i) or size(p): see `question`
    Open,   ///< a boolean that depends on `question`, not yet answered
  };
  Kind kind = Kind::Runtime;
  double number = 0;
  Question question;
  bool readsShape = false; ///< whether another variant may know otherwise
};

/// One way in which a let, a new value or p' is computed.
struct Form {
  const Expr *value = nullptr;
  const Expr *commit = nullptr;
  bool keeps = false;    ///< `x' = keep`: there is no equation
  unsigned let = kNone;  ///< index in Rule::lets
  bool isPlaced = false; ///< stands in Rule::shared
};

/// An equation: of a let, a state or p.
struct Definition {
  enum class Status : uint8_t { Waiting, Open, Done };

  const ast::Equation *ast = nullptr;
  Equation::Target target = Equation::Target::Let;
  unsigned state = kNone; ///< of the box's states

  // In the variant under way:
  Status status = Status::Waiting;
  bool exists = true;
  bool hasFailed = false;
  Form form;
  Settled settled; ///< a let's value
  bool isSettling = false, isSettled = false;

  // Over all variants:
  bool wasDone = false;        ///< in some variant; then `varies` is known
  bool varies = false;         ///< another variant may have another form
  std::vector<unsigned> needs; ///< if it does not vary
  std::vector<Form> forms;     ///< all that were placed in the rule
};

struct StateFacts {
  unsigned equation = kNone; ///< of definitions
  unsigned rule = kNone;     ///< index in Rule::states
  bool exists = true;        ///< in the variant under way
  bool varies = false;       ///< its guard asks about shapes
};

/// A reduction over group or model, found by the place where it is written.
struct CrossFacts {
  const ast::Expr *ast;
  bool varies = false;          ///< its operand may differ between variants
  Level level = Level::Element; ///< of the operands
  bool isLevelKnown = false;    ///< not if all so far are constants
  std::vector<const Expr *> operands; ///< by variant
  std::vector<bool> isElsewhere;      ///< by variant: not among those it takes
};

/// Of which level and axis the result of an operation is.
struct Span {
  Level level = Level::Build;
  Axis axis = {};
  bool meets = true; ///< false: the operands' axes do not

  bool operator==(const Span &other) const = default;
};
Span spanOf(llvm::ArrayRef<const Expr *> operands);
/// Of an operation on values of these two.
Span join(const Span &a, const Span &b);

class Context {
public:
  Context(const ast::Box &box, Rule &rule, Diagnostics &diagnostics)
      : box(box), rule(rule), diagnostics(diagnostics) {}

  const ast::Box &box;
  Rule &rule;
  Diagnostics &diagnostics;

  llvm::StringMap<Symbol> symbols;
  std::vector<Definition> definitions;
  std::vector<StateFacts> states;
  std::vector<std::optional<double>> options; ///< none: erroneous
  enum class Progress : uint8_t { Waiting, Open, Done, Failed };
  std::vector<Progress> hypers;
  unsigned paramEquation = kNone;

  /// What is known about the shape: in the variant under way.
  Shapes shapes;
  unsigned variant = 0;
  /// Set whenever an answer about the shape has been made use of.
  bool hasReadShape = false;
  unsigned settleDepth = 0;
  llvm::DenseMap<const ast::Expr *, Settled> settleMemo;
  /// Takes up another set of answers.
  void setShapes(const Shapes &answers);
  std::vector<CrossFacts> crosses; ///< parallel to Rule::reductions
  llvm::DenseMap<const ast::Expr *, unsigned> crossIndex;
  llvm::DenseMap<const Expr *, char> sumsOfProducts; ///< fused, for W7
  llvm::StringMap<char> unknownNames;                ///< reported once each

  /// Reports; null, so that `return error(...)` reads well.
  std::nullptr_t error(Label label, llvm::SMRange range,
                       const llvm::Twine &message);

  /// The definition of `name` or `name'`, kNone if there is none.
  unsigned definitionOf(llvm::StringRef name, bool primed) const;
  /// Reports that nothing is called so.
  std::nullptr_t unknown(llvm::StringRef name, llvm::SMRange range);

  Expr *make(Op op, Level level, llvm::SMRange range);
  const Expr *number(double value, llvm::SMRange range);
  const Expr *boolean(bool value, llvm::SMRange range);
  /// A node over `args`, at their highest level; folded if all are constants.
  /// Reports axes that do not meet.
  const Expr *node(Op op, llvm::SMRange range, std::vector<const Expr *> args,
                   bool isBoolean = false, unsigned index = 0,
                   Builtin builtin = Builtin::Abs);

private:
  std::vector<std::string> candidates() const;
};

inline bool isConstant(const Expr *node) {
  return node->op == Op::Number || node->op == Op::Boolean;
}

/// The words of the source that a range covers, "..." if they are long.
std::string textOf(llvm::SMRange range);
/// "one value per group", "one value per row".
std::string perWhat(Level level, Axis axis = {});
inline std::string perWhat(const Expr *node) {
  return perWhat(node->level, node->axis);
}
/// Whether a value can stand for one of this level and axis.
bool fits(const Expr *value, Level level, Axis axis);
/// Whether two trees say the same.
bool sameTree(const Expr *a, const Expr *b);
/// A leaf of this level, to point at.
const Expr *leafOf(const Expr *node, Level level);
/// Whether the language itself defines the name.
bool isReserved(llvm::StringRef name);

// The parts, in the order in which they run. Each reports what it finds.
void collectNames(Context &context);
void checkOptions(Context &context);
void declareHypers(Context &context);
/// Defaults of hypers; after states, among which are counters they may read.
void checkDefaults(Context &context);
/// Finds out a hyper's default, for one that another default reads. False after
/// an error.
bool resolveHyper(Context &context, unsigned index, llvm::SMRange use);
void checkInputs(Context &context);
/// One set of answers for each variant; empty after errors.
std::vector<Shapes> enumerateVariants(Context &context);
/// Which states and equations exist in the variant under way.
void enterVariant(Context &context);
void checkStates(Context &context, const std::vector<Shapes> &variants);
void checkEquations(Context &context, const std::vector<Shapes> &variants);
/// Puts the shared equations in order, seen from all variants.
void orderShared(Context &context);
void checkViews(Context &context);
void checkRequires(Context &context);
void warnAboutRule(Context &context);

} // namespace updraft::check

#endif // UPDRAFT_DSL_CHECKCONTEXT_H
