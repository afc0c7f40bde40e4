//===- RuleDump.h - A checked rule as text --------------------------------===//
//
// What the checker made of a rule, for tests and for those who wonder where a
// fused multiply-add was formed. Deterministic; nothing parses it.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_RULEDUMP_H
#define UPDRAFT_DSL_RULEDUMP_H

#include "Rule.h"

namespace updraft {

std::string dump(const Rule &rule);
std::string dump(const Rule &rule, const Expr *expression);

} // namespace updraft

#endif // UPDRAFT_DSL_RULEDUMP_H
