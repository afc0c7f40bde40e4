//===- Names.h - Finding what a person named ------------------------------===//
//
// Full names are for files, short ones for people: `max_norm` stands for
// `clip_by_global_norm.max_norm` as long as nothing else ends so.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_NAMES_H
#define UPDRAFT_RUNTIME_NAMES_H

#include "Error.h"

#include <span>
#include <string_view>

namespace updraft::runtime {

/// Whether `wanted` is the last part, or parts, of `full`.
bool isShortFor(std::string_view wanted, std::string_view full);

/// Finds `wanted` among `names`: the name itself, else the only one that ends
/// in `.wanted`. Otherwise fails with a text that begins with `rule`, calls the
/// thing a `noun` and suggests a name, or lists the candidates or all names.
updraft_status findName(std::span<const char *const> names, const char *wanted,
                        const char *rule, const char *noun, size_t &index);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_NAMES_H
