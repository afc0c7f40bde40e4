//===- CheckExpr.h - From written expressions to checked ones -------------===//
//
// Resolves names, settles what compile time knows, checks types, works out
// levels and forms fused multiply-adds. What may be read depends on where the
// expression stands: its Mode. Outside equations lets are put in place of their
// names (their values stay boundaries of contraction), because there is no step
// that would compute them.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_CHECKEXPR_H
#define UPDRAFT_DSL_CHECKEXPR_H

#include "Builtins.h"
#include "CheckContext.h"

namespace updraft::check {

enum class Mode {
  Step,     ///< an equation: anything
  View,     ///< stored values, hypers, counters
  Initial,  ///< constants, hypers, p, shapes
  Require,  ///< constants, hypers, shapes
  Computed, ///< a hyper's default: hypers and counters
  Constant, ///< options and literals; silent
};

/// The n of `block(n)`, 0 after an error.
uint64_t blockSize(Context &context, const ast::Expr &size);
/// Whether the tensors of the variant under way are stacks of matrices; reports
/// if not. `what` needs it.
bool hasMatrices(Context &context, llvm::SMRange range,
                 const llvm::Twine &what);

class Elaborator {
public:
  Elaborator(Context &context, Mode mode) : context_(context), mode_(mode) {}

  /// The equation that is elaborated, for warnings about its form.
  void setCurrent(const Definition *definition) { current_ = definition; }
  /// The rank is at least this wherever the expression is evaluated.
  void assumeRank(unsigned rank) { rank_ = std::max(rank_, rank); }
  /// Learns what a condition says about the rank where it holds.
  void assume(const ast::Expr &condition);

  /// Null if it is wrong, which has been reported.
  const Expr *expr(const ast::Expr &expression);
  const Expr *numeric(const ast::Expr &expression);
  const Expr *boolean(const ast::Expr &expression);
  /// The operand of a reduction over group or model, as in the variant under
  /// way.
  const Expr *operandOf(const ast::Expr &call, const Function &function);

  /// Nodes that the lets put in place so far amount to.
  static constexpr unsigned kMostInlined = 20000;

private:
  const Expr *dispatch(const ast::Expr &expression);
  std::nullptr_t error(Label label, llvm::SMRange range,
                       const llvm::Twine &message);
  const Expr *wantNumber(const Expr *node, llvm::SMRange range);
  const Expr *wantBoolean(const Expr *node, llvm::SMRange range);

  // Names (CheckLeaves.cpp).
  enum class Leaf {
    Hyper,
    Counter,
    TensorCounter,
    Shape,
    Param,
    Grad,
    Input,
    Old,
    New,
    Cross
  };
  bool permits(Leaf leaf, llvm::StringRef name, llvm::SMRange range);
  const Expr *reference(const ast::Expr &expression);
  const Expr *languageName(const ast::Expr &expression);
  const Expr *primedName(const ast::Expr &expression);
  const Expr *state(unsigned index, const ast::Expr &expression);
  const Expr *hyper(unsigned index, const ast::Expr &expression);
  const Expr *let(unsigned index, const ast::Expr &expression);
  Label inliningLabel() const;
  const Expr *inlined(Definition &definition, const ast::Expr &expression);
  std::nullptr_t guarded(const ast::Name &name, const ast::ExprPtr &guard,
                         const ast::Expr &use);

  // Operators (CheckExpr.cpp).
  const Expr *unary(const ast::Expr &expression);
  const Expr *binary(const ast::Expr &expression);
  const Expr *comparison(const ast::Expr &expression);
  const Expr *logic(const ast::Expr &expression);
  const Expr *select(const ast::Expr &expression);
  const Expr *power(const ast::Expr &expression);

  // Sums and products (CheckContract.cpp).
  struct Operand;
  Operand operand(const ast::Expr &expression);
  const Expr *valueOf(const Operand &operand);
  const Expr *fuse(const Operand &product, bool isNegated, const Expr *addend,
                   llvm::SMRange range);
  const Expr *sum(const ast::Expr &expression);
  const Expr *product(const ast::Expr &expression);
  void warnAboutFactors(const Expr *left, const Expr *right,
                        llvm::SMRange range);

  // Functions (CheckCalls.cpp, CheckReductions.cpp).
  bool hasArguments(const ast::Expr &call, const Function &function);
  const Expr *call(const ast::Expr &expression);
  const Expr *builtin(const ast::Expr &call, const Function &function);
  const Expr *expansion(const ast::Expr &call);
  const Expr *shape(const ast::Expr &call);
  const Expr *newtonSchulz(const ast::Expr &call);
  const Expr *reduction(const ast::Expr &call, const Function &function);
  std::optional<Axis> axisLeft(const ast::Expr &call, ast::Over over);
  const Expr *reduceWithin(const ast::Expr &call, const Function &function,
                           ast::Over over);
  const Expr *reduceAcross(const ast::Expr &call, const Function &function);
  void warnAboutWeight(const ast::Expr &call);
  void warnAboutSum(const Expr *operand, llvm::SMRange range, const char *what);

  Context &context_;
  Mode mode_;
  const Definition *current_ = nullptr;
  unsigned rank_ = 0;
  unsigned inlineDepth_ = 0;
  unsigned inlinedNodes_ = 0;
  llvm::DenseMap<const Definition *, const Expr *> inlined_;
};

} // namespace updraft::check

#endif // UPDRAFT_DSL_CHECKEXPR_H
