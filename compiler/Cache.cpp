//===- Cache.cpp - Compiled programs on disk ------------------------------===//
//
// Entries hold machine code that will be run, so the folder must belong to the
// user and be writable by nobody else, and nothing is followed through a link.
//
//===----------------------------------------------------------------------===//

#include "compiler/Cache.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace updraft {

namespace {

/// What an entry begins with; then the list of files, then the image file,
/// which has a checksum of its own.
struct EntryHead {
  char magic[8];
  uint64_t listBytes;
  uint64_t imageBytes;
  uint8_t checksum[16]; ///< of the list
};
constexpr char kMagic[8] = {'u', 'p', 'd', 'e', 'n', 't', 'r', '1'};

/// A file descriptor that closes itself.
class File {
public:
  File(const char *path, int flags, mode_t mode = 0)
      : descriptor_(open(path, flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (isOpen())
      ::close(descriptor_);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;

  bool isOpen() const { return descriptor_ >= 0; }
  bool status(struct stat &result) const {
    return fstat(descriptor_, &result) == 0;
  }
  std::optional<std::string> readAll(size_t size) const;
  bool writeAll(std::string_view bytes) const;

private:
  int descriptor_;
};

} // namespace

std::optional<std::string> File::readAll(size_t size) const {
  std::string result(size, '\0');
  size_t done = 0;
  while (done < size) {
    ssize_t count = read(descriptor_, result.data() + done, size - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return std::nullopt;
    done += size_t(count);
  }
  return result;
}

bool File::writeAll(std::string_view bytes) const {
  while (!bytes.empty()) {
    ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    bytes.remove_prefix(size_t(count));
  }
  return true;
}

Hash hashOf(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical,
                           XXH3_128bits(bytes.data(), bytes.size()));
  Hash result;
  memcpy(result.data(), canonical.digest, result.size());
  return result;
}

std::string hexOf(const Hash &hash) {
  std::string result;
  for (uint8_t byte : hash) {
    result += "0123456789abcdef"[byte >> 4];
    result += "0123456789abcdef"[byte & 15];
  }
  return result;
}

std::optional<std::string> contentOf(const std::string &path) {
  File file(path.c_str(), O_RDONLY | O_NONBLOCK);
  struct stat status;
  if (!file.isOpen() || !file.status(status) || !S_ISREG(status.st_mode))
    return std::nullopt;
  return file.readAll(size_t(status.st_size));
}

//===- The folder ---------------------------------------------------------===//

std::string Cache::userFolder() {
  // A relative path would be another folder in every working directory.
  if (const char *base = getenv("XDG_CACHE_HOME"); base && *base == '/')
    return std::string(base) + "/updraft";
  if (const char *home = getenv("HOME"); home && *home == '/')
    return std::string(home) + "/.cache/updraft";
  return {};
}

bool Cache::isTrusted() const {
  struct stat status;
  return !folder_.empty() && lstat(folder_.c_str(), &status) == 0 &&
         S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool Cache::create() const {
  for (size_t slash = folder_.find('/', 1); slash != std::string::npos;
       slash = folder_.find('/', slash + 1))
    mkdir(folder_.substr(0, slash).c_str(), 0700);
  mkdir(folder_.c_str(), 0700);
  return isTrusted();
}

std::string Cache::pathOf(const Hash &key) const {
  return folder_ + "/" + hexOf(key) + ".image";
}

//===- Entries ------------------------------------------------------------===//

/// One line a dependency: the content's hash or "absent", then the path.
static bool isUpToDate(std::string_view list) {
  while (!list.empty()) {
    size_t end = list.find('\n'), space = list.find(' ');
    if (end == std::string_view::npos || space > end)
      return false;
    std::string_view wanted = list.substr(0, space);
    std::string path(list.substr(space + 1, end - space - 1));
    std::optional<std::string> content = contentOf(path);
    if (wanted == "absent" ? content.has_value()
                           : !content || hexOf(hashOf(*content)) != wanted)
      return false;
    list.remove_prefix(end + 1);
  }
  return true;
}

std::optional<std::string> Cache::find(const Hash &key) const {
  if (!isTrusted())
    return std::nullopt;
  File file(pathOf(key).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;
  if (!file.isOpen() || !file.status(status) || !S_ISREG(status.st_mode) ||
      status.st_uid != geteuid() ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
      status.st_size < off_t(sizeof(EntryHead)))
    return std::nullopt;
  std::optional<std::string> entry = file.readAll(size_t(status.st_size));
  if (!entry)
    return std::nullopt;
  EntryHead head;
  memcpy(&head, entry->data(), sizeof(head));
  size_t rest = entry->size() - sizeof(head);
  if (memcmp(head.magic, kMagic, sizeof(kMagic)) != 0 ||
      head.listBytes > rest || head.imageBytes != rest - head.listBytes)
    return std::nullopt;
  std::string_view list =
      std::string_view(*entry).substr(sizeof(head), head.listBytes);
  if (memcmp(hashOf(list).data(), head.checksum, sizeof(head.checksum)) != 0 ||
      !isUpToDate(list))
    return std::nullopt;
  entry->erase(0, sizeof(head) + head.listBytes);
  return entry;
}

/// The list of dependencies; none if one of them has changed since `startedAt`
/// or cannot be written in a line.
static std::optional<std::string>
listOf(const std::vector<Dependency> &dependencies, int64_t startedAt) {
  std::string list;
  for (const Dependency &dependency : dependencies) {
    if (dependency.path.find('\n') != std::string::npos)
      return std::nullopt;
    if (!dependency.exists) {
      list += "absent " + dependency.path + "\n";
      continue;
    }
    struct stat status;
    std::optional<std::string> content = contentOf(dependency.path);
    if (!content || stat(dependency.path.c_str(), &status) != 0)
      return std::nullopt;
    int64_t changed =
        int64_t(status.st_mtim.tv_sec) * 1000000000 + status.st_mtim.tv_nsec;
    if (changed >= startedAt)
      return std::nullopt;
    list += hexOf(hashOf(*content)) + " " + dependency.path + "\n";
  }
  return list;
}

void Cache::store(const Hash &key, const std::vector<Dependency> &dependencies,
                  int64_t startedAt, std::string_view image) const {
  if (folder_.empty() || !create())
    return;
  std::optional<std::string> list = listOf(dependencies, startedAt);
  if (!list)
    return;
  EntryHead head = {};
  memcpy(head.magic, kMagic, sizeof(kMagic));
  head.listBytes = list->size();
  head.imageBytes = image.size();
  memcpy(head.checksum, hashOf(*list).data(), sizeof(head.checksum));
  // Others may write the same entry at this moment: each writes a file of its
  // own and puts it in place whole.
  static std::atomic<unsigned> count{0};
  std::string temporary = folder_ + "/." + hexOf(key) + "." +
                          std::to_string(getpid()) + "." +
                          std::to_string(count++);
  bool written;
  {
    File file(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
              0600);
    if (!file.isOpen())
      return;
    std::string_view headBytes(reinterpret_cast<const char *>(&head),
                               sizeof(head));
    written = file.writeAll(headBytes) && file.writeAll(*list) &&
              file.writeAll(image);
  }
  if (!written || rename(temporary.c_str(), pathOf(key).c_str()) != 0)
    unlink(temporary.c_str());
}

} // namespace updraft
