//===- AstMake.h - Making expressions -------------------------------------===//
//
// Expressions are immutable, so each is made in one go; this is where their
// heights are counted.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_ASTMAKE_H
#define UPDRAFT_DSL_ASTMAKE_H

#include "Ast.h"

#include "llvm/ADT/StringRef.h"

#include <algorithm>

namespace updraft::ast {

/// Shares `node` as an expression, with its height counted.
inline ExprPtr make(Expr node) {
  unsigned below = 0;
  for (const ExprPtr &arg : node.args)
    below = std::max(below, arg->height);
  node.height = below + 1;
  return std::make_shared<const Expr>(std::move(node));
}

inline Expr blank(Expr::Kind kind, Range range) {
  Expr node;
  node.kind = kind;
  node.range = range;
  return node;
}

inline ExprPtr makeNumber(double value, Range range) {
  Expr node = blank(Expr::Kind::Number, range);
  node.number = value;
  return make(std::move(node));
}

inline ExprPtr makeBoolean(bool value, Range range) {
  Expr node = blank(Expr::Kind::Boolean, range);
  node.boolean = value;
  return make(std::move(node));
}

inline ExprPtr makeRef(llvm::StringRef name, Range range, bool primed = false) {
  Expr node = blank(Expr::Kind::Ref, range);
  node.name = name.str();
  node.primed = primed;
  return make(std::move(node));
}

inline ExprPtr makeUnary(Operator op, ExprPtr operand, Range range) {
  Expr node = blank(Expr::Kind::Unary, range);
  node.op = op;
  node.args = {std::move(operand)};
  return make(std::move(node));
}

inline ExprPtr makeBinary(Operator op, ExprPtr left, ExprPtr right,
                          Range range) {
  Expr node = blank(Expr::Kind::Binary, range);
  node.op = op;
  node.args = {std::move(left), std::move(right)};
  return make(std::move(node));
}

inline ExprPtr makeSelect(ExprPtr condition, ExprPtr yes, ExprPtr no,
                          Range range) {
  Expr node = blank(Expr::Kind::Select, range);
  node.args = {std::move(condition), std::move(yes), std::move(no)};
  return make(std::move(node));
}

inline ExprPtr makeKeep(Range range) {
  return make(blank(Expr::Kind::Keep, range));
}

} // namespace updraft::ast

#endif // UPDRAFT_DSL_ASTMAKE_H
