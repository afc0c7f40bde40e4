//===- Relocation.h - Applying what an object leaves open -----------------===//

#ifndef UPDRAFT_COMPILER_TARGET_RELOCATION_H
#define UPDRAFT_COMPILER_TARGET_RELOCATION_H

#include <cstdint>

namespace updraft {

/// One place to patch. All values are distances from the image's start, which
/// lies at a page.
struct Relocation {
  uint32_t type;
  uint64_t place; ///< what is patched
  int64_t target; ///< symbol plus addend
  uint8_t *bytes; ///< at `place`
};

/// Whether the type is one that is expected and the distance fits it.
bool applyX86(const Relocation &relocation);
bool applyAArch64(const Relocation &relocation);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_RELOCATION_H
