//===- InterpreterOperate.h - One operation on numbers --------------------===//

#ifndef UPDRAFT_DSL_INTERPRETEROPERATE_H
#define UPDRAFT_DSL_INTERPRETEROPERATE_H

#include "Rule.h"

namespace updraft {

/// Whether a node of this kind computes from its operands alone: an operator, a
/// comparison, a builtin or a choice; no leaf, no reduction, no matrix.
constexpr bool isOperation(Op op) { return Op::Neg <= op && op <= Op::Select; }

/// What the operator, comparison or builtin of node `e` makes of its operands,
/// computed in `type`, to which the operands are rounded first. Conditions are
/// 1 and 0. Operands that the node does not have are ignored.
double operate(const Expr &e, Compute type, double a, double b, double c);

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETEROPERATE_H
