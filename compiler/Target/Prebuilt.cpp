//===- Prebuilt.cpp - Machine code of the functions that programs share ---===//

#include "compiler/Target/Prebuilt.h"

#include <algorithm>
#include <tuple>

namespace updraft {

llvm::ArrayRef<uint8_t> findPrebuilt(llvm::StringRef target,
                                     llvm::StringRef function) {
  if (!&updraft_prebuilt_table || target.empty())
    return {};
  auto keyOf = [](const PrebuiltFunction &entry) {
    return std::tuple(llvm::StringRef(entry.target),
                      llvm::StringRef(entry.name));
  };
  llvm::ArrayRef<PrebuiltFunction> all(updraft_prebuilt_table.functions,
                                       updraft_prebuilt_table.count);
  auto key = std::tuple(target, function);
  const PrebuiltFunction *found = std::lower_bound(
      all.begin(), all.end(), key,
      [&](const PrebuiltFunction &a, const auto &b) { return keyOf(a) < b; });
  if (found == all.end() || keyOf(*found) != key)
    return {};
  return {found->code, found->bytes};
}

} // namespace updraft
