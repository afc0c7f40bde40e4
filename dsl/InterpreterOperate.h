//===- InterpreterOperate.h - One operation on numbers --------------------===//

#ifndef UPDRAFT_DSL_INTERPRETEROPERATE_H
#define UPDRAFT_DSL_INTERPRETEROPERATE_H

#include "InterpreterReduce.h"

#include <array>

namespace updraft {

/// Whether a node of this kind computes from its operands alone: an operator, a
/// comparison, a builtin or a choice; no leaf, no reduction, no matrix.
constexpr bool isOperation(Op op) { return Op::Neg <= op && op <= Op::Select; }

/// What the operator, comparison or builtin of node `e` makes of its operands,
/// computed in `type`, to which the operands are rounded first: result i of
/// item i of each. Conditions are 1 and 0. Operands that the node does not have
/// are read and ignored.
void operate(const Expr &e, Compute type, const std::array<Items, 3> &operands,
             llvm::MutableArrayRef<double> results);

/// The same of one number each, in f64.
double operate(const Expr &e, double a, double b, double c);

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETEROPERATE_H
