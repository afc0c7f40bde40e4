//===- File.h - Files that are wholly there or not at all -----------------===//
//
// A new file is written beside its place and renamed when all is on the disk;
// on any failure the old one stays as it was.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_FILE_H
#define UPDRAFT_RUNTIME_FILE_H

#include "Error.h"

namespace updraft::runtime {

class NewFile {
public:
  explicit NewFile(const char *path) : path(path) {}
  ~NewFile(); ///< removes what was not committed

  updraft_status open();
  updraft_status write(const void *data, uint64_t bytes);
  updraft_status commit();

private:
  updraft_status failed(const char *what);

  std::string path, temporary;
  int file = -1;
};

class OldFile {
public:
  explicit OldFile(const char *path) : path(path) {}
  ~OldFile();

  updraft_status open();
  uint64_t bytes() const { return size; }
  updraft_status read(uint64_t offset, void *data, uint64_t bytes);

private:
  std::string path;
  uint64_t size = 0;
  int file = -1;
};

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_FILE_H
