//===- Version.h - Which compiler this is ---------------------------------===//

#ifndef UPDRAFT_COMPILER_VERSION_H
#define UPDRAFT_COMPILER_VERSION_H

namespace updraft {

/// Changes whenever the code or the form of a program changes.
inline constexpr char kVersion[] = "updraft 0.1.0";

} // namespace updraft

#endif // UPDRAFT_COMPILER_VERSION_H
