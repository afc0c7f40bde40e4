//===- File.cpp - Files that are wholly there or not at all ---------------===//
//
// POSIX calls, with short writes and interruptions taken care of.
//
//===----------------------------------------------------------------------===//

#include "File.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace updraft::runtime;

/// Linux moves at most 2 GiB in one call.
static constexpr uint64_t kMostAtOnce = uint64_t(1) << 30;

NewFile::~NewFile() {
  if (file < 0)
    return;
  close(file);
  unlink(temporary.c_str());
}

updraft_status NewFile::failed(const char *what) {
  return fail(UPDRAFT_IO_ERROR, "%s: cannot %s: %s", path.c_str(), what,
              strerror(errno));
}

updraft_status NewFile::open() {
  static std::atomic<unsigned> counter{0};
  struct stat facts;
  if (!stat(path.c_str(), &facts) && !S_ISREG(facts.st_mode))
    return fail(UPDRAFT_IO_ERROR,
                "%s: cannot write: it exists and is not a regular file",
                path.c_str());
  temporary = path + ".new." + std::to_string(getpid()) + "." +
              std::to_string(counter.fetch_add(1));
  file =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  return file < 0 ? failed("write") : UPDRAFT_OK;
}

updraft_status NewFile::write(const void *data, uint64_t bytes) {
  const char *from = static_cast<const char *>(data);
  while (bytes) {
    ssize_t done = ::write(file, from, std::min(bytes, kMostAtOnce));
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return failed("write");
    from += done;
    bytes -= uint64_t(done);
  }
  return UPDRAFT_OK;
}

/// Puts the renaming itself on the disk; a file system that cannot is no error.
static void syncFolder(const std::string &path) {
  size_t slash = path.rfind('/');
  std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
  int handle = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0)
    return;
  (void)fsync(handle);
  close(handle);
}

updraft_status NewFile::commit() {
  if (fsync(file))
    return failed("write");
  if (rename(temporary.c_str(), path.c_str()))
    return failed("rename the new file");
  close(file);
  file = -1;
  syncFolder(path);
  return UPDRAFT_OK;
}

OldFile::~OldFile() {
  if (file >= 0)
    close(file);
}

updraft_status OldFile::open() {
  file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts;
  if (file < 0 || fstat(file, &facts))
    return fail(errno == ENOENT ? UPDRAFT_NOT_FOUND : UPDRAFT_IO_ERROR,
                "%s: cannot read: %s", path.c_str(), strerror(errno));
  if (!S_ISREG(facts.st_mode))
    return fail(UPDRAFT_IO_ERROR, "%s: cannot read: it is not a regular file",
                path.c_str());
  size = uint64_t(facts.st_size);
  return UPDRAFT_OK;
}

updraft_status OldFile::read(uint64_t offset, void *data, uint64_t bytes) {
  char *to = static_cast<char *>(data);
  while (bytes) {
    ssize_t done = pread(file, to, std::min(bytes, kMostAtOnce), off_t(offset));
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return fail(UPDRAFT_IO_ERROR, "%s: cannot read: %s", path.c_str(),
                  done ? strerror(errno) : "the file has become shorter");
    to += done;
    offset += uint64_t(done);
    bytes -= uint64_t(done);
  }
  return UPDRAFT_OK;
}
