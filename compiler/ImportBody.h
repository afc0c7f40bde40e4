//===- ImportBody.h - One body under import -------------------------------===//
//
// Private to Import*.cpp: Import.cpp declares and says what each body is for,
// ImportBody.cpp finds names, ImportExpr.cpp and ImportReduce.cpp say what
// operators mean.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_IMPORTBODY_H
#define UPDRAFT_COMPILER_IMPORTBODY_H

#include "compiler/Dialect/Dialect.h"
#include "dsl/Rule.h"

#include "mlir/IR/Builders.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/SourceMgr.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace updraft {

/// What all bodies of one program share.
struct ImportContext {
  const Rule &rule;
  const llvm::SourceMgr *sources;
  mlir::Type compute; ///< f32 or f64
  /// Lists of each reduction: what is reduced, and for means how many.
  struct Lists {
    std::string total, count;
  };
  std::vector<Lists> lists;
  bool countsTensors = false; ///< something reads `t`

  mlir::Location locate(mlir::MLIRContext *context, llvm::SMRange range) const;
  /// The same, called by the words in `range`.
  mlir::Location quote(mlir::MLIRContext *context, llvm::SMRange range) const;
};

/// Whether `reducer` divides by a count.
bool needsCount(Reducer reducer);

/// The dialect's word for an axis; null for none.
ir::SpaceAttr spaceOf(mlir::MLIRContext *context, const Axis &axis);

/// The value of a build-level expression that is exact everywhere; none if it
/// needs a function or is of a higher level.
std::optional<double> foldExactly(const Expr *expr);

/// Imports expressions into one body. Each let and new value is imported once,
/// where it is first needed.
class BodyImporter {
public:
  BodyImporter(const ImportContext &import, ir::BodyOp body,
               const Variant *variant, std::set<unsigned> &usedReductions);

  /// Puts of all equations, and the counters' next values.
  void importStep();
  void importInit();
  /// Puts that `condition` holds to the slot `scalar`.
  void importRequire(const Require &require, llvm::StringRef scalar);
  void importView(const View &view);
  /// Hands this body's operand to reduction `index`.
  void importPartial(unsigned index);

private:
  using Value = mlir::Value;

  // Names (ImportBody.cpp).
  const Equation *equationOf(Equation::Target target, unsigned index) const;
  Value let(unsigned index);
  Value oldState(unsigned index);
  Value newState(unsigned index);
  Value oldParam();
  Value newParam();
  Value grad();
  Value hyper(unsigned index);
  Value step(bool isTensor);
  Value present();
  /// The condition under which an equation's value is stored; null: always.
  Value whenOf(const Equation &equation, bool coversAbsent);
  Value stored(const Equation &equation, Level level);
  void putEquation(const Equation &equation);
  void putCounter(llvm::StringRef name, Value when);

  // Expressions (ImportExpr.cpp).
  Value import(const Expr *expr);
  /// `expr`, rounded to what is computed in at `level`.
  Value importAt(const Expr *expr, Level level);
  Value importLeaf(const Expr *expr);
  Value importArithmetic(const Expr *expr);
  Value importComparison(const Expr *expr);
  Value importLogic(const Expr *expr);
  Value importSelect(const Expr *expr);
  Value importCall(const Expr *expr);

  // Reductions (ImportReduce.cpp).
  Value importReduce(const Expr *expr);
  Value importCross(const Expr *expr);
  Value importNewtonSchulz(const Expr *expr);
  /// What is summed for `reducer` of `operand`: squares, ones and zeros.
  Value summand(Reducer reducer, const Expr *operand);
  Value reduceTensor(Reducer reducer, Value summand);
  Value reduceFine(Reducer reducer, Value summand, const Axis &from,
                   const Axis &to);
  Value shape(ir::Shape what, unsigned index = 0);
  /// How many values of `from` are reduced to one of `to`.
  Value countOf(const Axis &from, const Axis &to);
  Value foldCross(unsigned index);
  Value finish(Reducer reducer, Value total, llvm::function_ref<Value()> count);

  // Small values.
  mlir::Type typeAt(Level level) const;
  Value constant(double number, mlir::Type type);
  Value boolean(bool value);
  Value negate(Value condition);
  Value both(Value a, Value b);
  Value round(Value value, Level level);
  Value get(llvm::StringRef name, mlir::Type type);
  void name(Value value, llvm::StringRef words);

  const ImportContext &context_;
  const Rule &rule_;
  const Variant *variant_; ///< null: the shared body
  ir::When when_;
  mlir::OpBuilder builder_;
  mlir::Location location_;
  std::set<unsigned> &usedReductions_;
  llvm::DenseMap<unsigned, Value> lets_, newStates_, hypers_;
  llvm::DenseMap<const Equation *, Value> stored_;
  llvm::StringMap<Value> gets_;
  Value newParam_, present_, grad_;
};

} // namespace updraft

#endif // UPDRAFT_COMPILER_IMPORTBODY_H
