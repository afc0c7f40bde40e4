//===- Permissions.h - What a launch may read and write -------------------===//

#ifndef UPDRAFT_TEST_GPU_PERMISSIONS_H
#define UPDRAFT_TEST_GPU_PERMISSIONS_H

#include "Emulator.h"
#include "Program.h"

namespace updraft::gpu {

/// Checks::mayAccess with a memory for whole pages, of one launch.
class Permissions {
public:
  Permissions(const Checks &checks, const Program &program)
      : checks(checks), program(program) {}

  bool allowed(uint64_t address, uint64_t bytes, bool write) {
    if (!checks.mayAccess)
      return true;
    uint64_t key = address >> 12;
    if ((address + bytes - 1) >> 12 != key)
      return ask(address, bytes, write);
    Known &known = near[key % kNear][write];
    if (known.key != key)
      known = {key, checks.mayAccess(key << 12, 4096, write)};
    return known.all || ask(address, bytes, write);
  }

private:
  bool ask(uint64_t address, uint64_t bytes, bool write) const {
    if (checks.mayAccess(address, bytes, write))
      return true;
    for (const auto &[name, each] : program.variables)
      if (each.space != "shared" && address >= each.address &&
          address + bytes <= each.address + each.bytes)
        return !write || each.space == "global";
    return false;
  }

  struct Known {
    uint64_t key = ~uint64_t(0);
    bool all = false;
  };
  static constexpr size_t kNear = 64;
  Known near[kNear][2];
  const Checks &checks;
  const Program &program;
};

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_PERMISSIONS_H
