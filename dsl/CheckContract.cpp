//===- CheckContract.cpp - Fused multiply-adds ----------------------------===//
//
// The only place where a fused multiply-add is formed (`lerp`, which is one by
// definition, stands in CheckCalls). From numerics.md 3:
//
//   Take each right side as parsed, settle build-level conditions, drop
//   parentheses; nothing is inlined or shared. A *product* is a `*` node or a
//   unary minus over one. A `+` or binary `-` with a product of its own level
//   and kind among its operands becomes one fma, the left operand being tried
//   first and only one absorbed: `a*b - c*d` is fma(a, b, -(c*d)), `c - a*b` is
//   fma(-a, b, c). Names, powers, calls and their arguments, and the sides and
//   result of `?:` are boundaries: their values are rounded. The rule holds at
//   every level.
//
// test/dsl/check/contract.upd pins each of these sentences.
//
//===----------------------------------------------------------------------===//

#include "CheckExpr.h"
#include "CheckSettle.h"

using namespace updraft;
using namespace updraft::check;

using ast::Operator;

/// An operand of a sum: a product by its factors, else a value. All null after
/// an error.
struct Elaborator::Operand {
  const Expr *left = nullptr, *right = nullptr; ///< of a product
  bool isNegated = false;                       ///< -(left*right)
  const Expr *value = nullptr;
  llvm::SMRange range, productRange;

  bool isProduct() const { return left && right; }
  bool isValid() const { return isProduct() || value; }
  Span span() const {
    return isProduct() ? spanOf({left, right}) : spanOf({value});
  }
};

static bool isProductNode(const ast::Expr &node) {
  return node.kind == ast::Expr::Kind::Binary && node.op == Operator::Mul;
}

Elaborator::Operand Elaborator::operand(const ast::Expr &expression) {
  const ast::Expr *node = &strip(context_, expression);
  Operand result;
  result.range = node->range;
  bool isMinus =
      node->kind == ast::Expr::Kind::Unary && node->op == Operator::Neg;
  const ast::Expr &inner = isMinus ? strip(context_, *node->args[0]) : *node;
  if (!isProductNode(inner)) {
    result.value = numeric(*node);
    return result;
  }
  result.isNegated = isMinus;
  result.productRange = inner.range;
  result.left = numeric(*inner.args[0]);
  result.right = numeric(*inner.args[1]);
  if (result.isProduct())
    warnAboutFactors(result.left, result.right, inner.range);
  return result;
}

/// The rounded value of an operand that is not absorbed.
const Expr *Elaborator::valueOf(const Operand &operand) {
  if (operand.value)
    return operand.value;
  const Expr *product = context_.node(Op::Mul, operand.productRange,
                                      {operand.left, operand.right});
  return operand.isNegated ? context_.node(Op::Neg, operand.range, {product})
                           : product;
}

/// product + addend, or -product + addend.
const Expr *Elaborator::fuse(const Operand &product, bool isNegated,
                             const Expr *addend, llvm::SMRange range) {
  const Expr *left = product.left;
  if (isNegated)
    left = context_.node(Op::Neg, left->range, {left});
  return context_.node(Op::Fma, range, {left, product.right, addend});
}

const Expr *Elaborator::sum(const ast::Expr &expression) {
  Operand left = operand(*expression.args[0]);
  Operand right = operand(*expression.args[1]);
  if (!left.isValid() || !right.isValid())
    return nullptr;
  llvm::SMRange range = expression.range;
  bool isMinus = expression.op == Operator::Sub;
  Span whole = join(left.span(), right.span());
  auto canFuse = [&](const Operand &side) {
    return side.isProduct() && side.span() == whole;
  };
  const Expr *result;
  if (canFuse(left)) {
    const Expr *addend = valueOf(right);
    if (isMinus)
      addend = context_.node(Op::Neg, addend->range, {addend});
    result = fuse(left, left.isNegated, addend, range);
    if (right.isProduct())
      context_.sumsOfProducts[result] = 1;
  } else if (canFuse(right)) {
    result = fuse(right, right.isNegated != isMinus, valueOf(left), range);
  } else {
    result = context_.node(isMinus ? Op::Sub : Op::Add, range,
                           {valueOf(left), valueOf(right)});
  }
  return result;
}

const Expr *Elaborator::product(const ast::Expr &expression) {
  const Expr *left = numeric(*expression.args[0]);
  const Expr *right = numeric(*expression.args[1]);
  if (!left || !right)
    return nullptr;
  warnAboutFactors(left, right, expression.range);
  return context_.node(Op::Mul, expression.range, {left, right});
}

/// An array that Keras and torch multiply by one scalar after the other when
/// they decay it.
static bool isParameter(const Context &context, const Expr *node) {
  if (node->op == Op::Let)
    return llvm::StringRef(context.rule.lets[node->index].name).ends_with(".p");
  return node->op == Op::Param || node->op == Op::NewParam;
}

/// A factor as it is written, in the brackets that it stands in. A factor on
/// the right follows '*' or its own bracket.
static std::string factorText(llvm::SMRange range) {
  std::string text = textOf(range);
  if (!range.isValid())
    return text;
  const char *before = range.Start.getPointer() - 1;
  const char *after = range.End.getPointer();
  while (*before == ' ')
    --before;
  while (*after == ' ')
    ++after;
  return *before == '(' && *after == ')' ? "(" + text + ")" : text;
}

/// `u*lr*d` with an element u and scalars lr and d rounds twice at element
/// level; `lr*d*u` rounds lr*d once, in f64.
void Elaborator::warnAboutFactors(const Expr *left, const Expr *right,
                                  llvm::SMRange range) {
  auto isScalar = [](const Expr *node) {
    return node->level >= Level::Model && node->level <= Level::Tensor;
  };
  if (mode_ != Mode::Step || left->op != Op::Mul || !isScalar(right))
    return;
  const Expr *first = left->args[0], *second = left->args[1];
  if (isScalar(first))
    std::swap(first, second);
  if (first->level != Level::Element || !isScalar(second) ||
      isParameter(context_, first))
    return;
  std::string a = factorText(second->range), b = factorText(right->range);
  context_.error(Label::W3, range,
                 "'" + a + "' and '" + b +
                     "' are multiplied in one after the other, each with a "
                     "rounding per element; write '" +
                     a + "*" + b + "' first");
}
