//===- CheckSettle.h - What compile time knows of an expression -----------===//
//
// Guards and the conditions of `?:` are settled before anything else is made of
// an expression: their other side need not even exist. Known are options,
// literals, what the variant under way has answered about shapes, and lets made
// only of these.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_CHECKSETTLE_H
#define UPDRAFT_DSL_CHECKSETTLE_H

#include "CheckContext.h"

namespace updraft::check {

/// Never reports: what is wrong is found where it is elaborated.
Settled settle(Context &context, const ast::Expr &expression);

/// The expression that is left when conditions known now are settled: a side of
/// a `?:` for the `?:`.
const ast::Expr &strip(Context &context, const ast::Expr &expression);

/// Whether a guard holds in the variant under way; null is true.
bool guardHolds(Context &context, const ast::ExprPtr &guard);

} // namespace updraft::check

#endif // UPDRAFT_DSL_CHECKSETTLE_H
