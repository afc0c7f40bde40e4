//===- Library.cpp - Finding and reading rule files -----------------------===//

#include "Library.h"
#include "Parser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>

namespace updraft {

/// The folder of the library or program that this is linked into. A program's
/// own name may be what it was called by, so /proc is asked for that.
static std::string ownFolder() {
  static int here;
  Dl_info info;
  llvm::SmallString<256> file;
  bool isKnown = dladdr(&here, &info) && info.dli_fname &&
                 llvm::StringRef(info.dli_fname).contains('/') &&
                 !llvm::sys::fs::real_path(info.dli_fname, file);
  return llvm::sys::path::parent_path(
             isKnown ? std::string(file)
                     : llvm::sys::fs::getMainExecutable(nullptr, &here))
      .str();
}

/// Where the rules of an installation or a build tree are.
static std::string defaultFolder() {
  if (const char *given = std::getenv("UPDRAFT_LIBRARY"))
    return given;
  llvm::SmallString<256> folder(ownFolder());
  llvm::sys::path::append(folder, "..", "share", "updraft", "optimizers");
  if (llvm::sys::fs::is_directory(folder))
    return folder.str().str();
  return UPDRAFT_SOURCE_LIBRARY;
}

Library::Library(std::string folder)
    : folder_(folder.empty() ? defaultFolder() : std::move(folder)) {}

/// Parses `text` and keeps the tree under `key`.
const ast::File *Library::parse(std::unique_ptr<llvm::MemoryBuffer> text,
                                llvm::StringRef key, bool isPipe,
                                Diagnostics &diagnostics) {
  std::string path = text->getBufferIdentifier().str();
  unsigned buffer =
      diagnostics.sources().AddNewSourceBuffer(std::move(text), llvm::SMLoc());
  std::unique_ptr<ast::File> file =
      isPipe ? parsePipe(buffer, diagnostics) : parseFile(buffer, diagnostics);
  file->path = std::move(path);
  return (files_[key.str()] = std::move(file)).get();
}

/// A key of a text that stands in no file. Such texts may share a name; none
/// replaces another, and no path looks like this.
static std::string keyOfText(llvm::StringRef name, size_t count) {
  return (name + "\n" + llvm::Twine(count)).str();
}

const ast::File *Library::readSource(llvm::StringRef source,
                                     llvm::StringRef name,
                                     Diagnostics &diagnostics) {
  return parse(llvm::MemoryBuffer::getMemBufferCopy(source, name),
               keyOfText(name, files_.size()), /*isPipe=*/false, diagnostics);
}

const ast::File *Library::readPipe(llvm::StringRef pipe,
                                   Diagnostics &diagnostics) {
  return parse(llvm::MemoryBuffer::getMemBufferCopy(pipe, "<pipe>"),
               keyOfText("<pipe>", files_.size()), /*isPipe=*/true,
               diagnostics);
}

const ast::File *Library::readFile(llvm::StringRef path,
                                   Diagnostics &diagnostics,
                                   ast::Range usedAt) {
  auto known = files_.find(path.str());
  if (known != files_.end())
    return known->second.get();
  auto complain = [&](const llvm::Twine &why) {
    diagnostics.report(Label::N9, usedAt, "cannot read '" + path + "': " + why);
    return nullptr;
  };
  if (llvm::sys::fs::is_directory(path))
    return complain("it is a folder");
  // A device or a pipe may never end.
  if (llvm::sys::fs::exists(path) && !llvm::sys::fs::is_regular_file(path))
    return complain("it is no regular file");
  auto text = llvm::MemoryBuffer::getFile(path);
  if (!text)
    return complain(text.getError().message());
  return parse(std::move(*text), path, /*isPipe=*/false, diagnostics);
}

const ast::File *Library::findByName(llvm::StringRef name,
                                     Diagnostics &diagnostics) {
  for (const char *part : {"", "transforms", "schedules"}) {
    llvm::SmallString<256> path(folder_);
    llvm::sys::path::append(path, part, name + ".upd");
    if (llvm::sys::fs::exists(path))
      return readFile(path, diagnostics);
  }
  return nullptr;
}

/// Paths of all rule files below `folder`, sorted.
static std::vector<std::string> pathsIn(const std::string &folder) {
  std::vector<std::string> paths;
  std::error_code error;
  using Iterator = llvm::sys::fs::recursive_directory_iterator;
  for (Iterator i(folder, error), end; i != end && !error; i.increment(error))
    if (llvm::StringRef(i->path()).ends_with(".upd"))
      paths.push_back(i->path());
  llvm::sort(paths);
  return paths;
}

/// The library name of the file at `path`.
static std::string nameOf(llvm::StringRef path, const std::string &folder) {
  llvm::StringRef name = path.drop_front(folder.size()).drop_back(4).ltrim('/');
  name.consume_front("transforms/");
  name.consume_front("schedules/");
  return name.str();
}

std::vector<std::string> Library::names() const {
  std::vector<std::string> names;
  for (const std::string &path : pathsIn(folder_))
    names.push_back(nameOf(path, folder_));
  llvm::sort(names);
  return names;
}

std::vector<Library::Entry> Library::list(Diagnostics &diagnostics) {
  std::vector<Entry> entries;
  for (const std::string &path : pathsIn(folder_)) {
    const ast::File *file = readFile(path, diagnostics);
    if (!file)
      continue;
    std::string name = nameOf(path, folder_);
    for (const ast::Box &box : file->boxes)
      entries.push_back(
          {name, box.isTransform ? "transform" : "rule", box.doc});
    for (const ast::Schedule &schedule : file->schedules)
      entries.push_back({name, "schedule", schedule.doc});
  }
  llvm::sort(entries, [](const Entry &a, const Entry &b) {
    return std::tie(a.name, a.kind) < std::tie(b.name, b.kind);
  });
  return entries;
}

std::vector<std::string> Library::filesRead() const {
  std::vector<std::string> paths;
  for (const auto &[key, file] : files_)
    if (!llvm::StringRef(key).contains('\n'))
      paths.push_back(file->path);
  return paths;
}

} // namespace updraft
