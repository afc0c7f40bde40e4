//===- Cache.h - Compiled programs on disk --------------------------------===//
//
// One file an entry: the files that the program was made from with the hashes
// of their content, then the image. An entry whose files have changed, or that
// is damaged, is a miss. A cache that cannot be written is no error: it only
// does not help.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_CACHE_H
#define UPDRAFT_COMPILER_CACHE_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace updraft {

using Hash = std::array<uint8_t, 16>;

/// XXH3-128 of bytes, in canonical form.
Hash hashOf(std::string_view bytes);
std::string hexOf(const Hash &hash);

/// The content of a regular file; none if it cannot be read.
std::optional<std::string> contentOf(const std::string &path);

/// A file that a program depends on.
struct Dependency {
  std::string path;
  bool exists = true; ///< false: the program depends on its absence
};

class Cache {
public:
  /// `folder` empty: never hits and stores nothing.
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}

  /// The user's folder: $XDG_CACHE_HOME/updraft, else ~/.cache/updraft, else
  /// empty.
  static std::string userFolder();

  /// The image file of an entry that is whole and up to date.
  std::optional<std::string> find(const Hash &key) const;

  /// Stores an image. `startedAt` (ns since the epoch) is when its compilation
  /// began: if a file was changed later, nobody knows which content was read,
  /// and nothing is stored.
  void store(const Hash &key, const std::vector<Dependency> &dependencies,
             int64_t startedAt, std::string_view image) const;

private:
  bool isTrusted() const;
  bool create() const;
  std::string pathOf(const Hash &key) const;

  std::string folder_;
};

} // namespace updraft

#endif // UPDRAFT_COMPILER_CACHE_H
