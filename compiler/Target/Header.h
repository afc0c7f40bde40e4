//===- Header.h - The C header of a program -------------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_HEADER_H
#define UPDRAFT_COMPILER_TARGET_HEADER_H

#include "compiler/Target/Descriptor.h"

namespace updraft {

/// A C header that declares the program's constant and says in comments what
/// can be set, what is kept and what is shown.
std::string headerOf(const Descriptor &descriptor);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_HEADER_H
