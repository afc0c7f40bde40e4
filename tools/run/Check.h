//===- Check.h - Both roads side by side ----------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_CHECK_H
#define UPDRAFT_TOOLS_RUN_CHECK_H

#include "Road.h"

namespace updraft::run {

/// The first number that differs between what the interpreter has and what the
/// compiled program has, as text; none if all bits are the same.
std::optional<std::string> firstDifference(const Tensors &interpreted,
                                           const Tensors &compiled);

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_CHECK_H
