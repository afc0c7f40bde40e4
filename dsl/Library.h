//===- Library.h - Finding and reading rule files -------------------------===//

#ifndef UPDRAFT_DSL_LIBRARY_H
#define UPDRAFT_DSL_LIBRARY_H

#include "Ast.h"
#include "Diagnostics.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace updraft {

/// The folder of rules and what has been read of it; serves one Diagnostics,
/// into whose buffers its trees point. A library name is looked
/// up as optimizers/<name>.upd, then optimizers/transforms/<name>.upd, then
/// optimizers/schedules/<name>.upd. Every file is parsed once.
class Library {
public:
  /// `folder` is the optimizers/ folder; empty: UPDRAFT_LIBRARY of the
  /// environment, else the one beside this build or installation.
  explicit Library(std::string folder = {});

  /// The parsed file of a library name, null if there is none.
  const ast::File *findByName(llvm::StringRef name, Diagnostics &diagnostics);
  /// The parsed file at a path; reports why it cannot be read.
  const ast::File *readFile(llvm::StringRef path, Diagnostics &diagnostics,
                            ast::Range usedAt = {});
  /// Parses text that stands in no file.
  const ast::File *readSource(llvm::StringRef source, llvm::StringRef name,
                              Diagnostics &diagnostics);

  /// Parses a pipe into a file with one optimizer without a name.
  const ast::File *readPipe(llvm::StringRef pipe, Diagnostics &diagnostics);

  /// All names with their kind ("rule", "transform", "schedule"), sorted.
  struct Entry {
    std::string name, kind, doc;
  };
  std::vector<Entry> list(Diagnostics &diagnostics);

  /// All names, sorted, without reading any file.
  std::vector<std::string> names() const;

  /// Paths of all files read so far: what a cached result depends on.
  std::vector<std::string> filesRead() const;

  const std::string &folder() const { return folder_; }

private:
  const ast::File *parse(std::unique_ptr<llvm::MemoryBuffer> text,
                         llvm::StringRef key, bool isPipe,
                         Diagnostics &diagnostics);

  std::string folder_;
  std::map<std::string, std::unique_ptr<ast::File>> files_;
};

} // namespace updraft

#endif // UPDRAFT_DSL_LIBRARY_H
