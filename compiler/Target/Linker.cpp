//===- Linker.cpp - A shared object by the system's linker ----------------===//

#include "compiler/Target/Linker.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

namespace updraft {

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// lld links for every architecture, the system's own linker only for its own.
static llvm::ErrorOr<std::string> findLinker() {
  for (StringRef name : {"ld.lld", "ld.lld-22"})
    if (auto path = llvm::sys::findProgramByName(name))
      return path;
  return llvm::sys::findProgramByName("ld");
}

static Error writeFile(StringRef path, StringRef content) {
  std::error_code error;
  llvm::raw_fd_ostream out(path, error);
  if (!error) {
    out << content;
    out.close();
    error = out.error();
    out.clear_error();
  }
  return error ? llvm::createFileError(path, error) : Error::success();
}

Expected<llvm::SmallVector<char, 0>> linkShared(StringRef object) {
  auto linker = findLinker();
  if (!linker)
    return llvm::createStringError(
        linker.getError(), "no linker was found: neither 'ld.lld' nor 'ld'");
  llvm::SmallString<128> input, output;
  for (llvm::SmallString<128> *path : {&input, &output})
    if (auto error = llvm::sys::fs::createTemporaryFile(
            "updraft", path == &input ? "o" : "so", *path))
      return llvm::createFileError(*path, error);
  llvm::FileRemover removeInput(input), removeOutput(output);
  if (Error error = writeFile(input, object))
    return std::move(error);
  std::string message;
  int status =
      llvm::sys::ExecuteAndWait(*linker,
                                {*linker, "-shared", "--hash-style=gnu", "-z",
                                 "noexecstack", "-o", output, input},
                                std::nullopt, {}, 0, 0, &message);
  if (status != 0)
    return llvm::createStringError(
        std::errc::io_error, "'%s' failed with status %d%s%s", linker->c_str(),
        status, message.empty() ? "" : ": ", message.c_str());
  auto linked = llvm::MemoryBuffer::getFile(output);
  if (!linked)
    return llvm::createFileError(output, linked.getError());
  StringRef bytes = (*linked)->getBuffer();
  return llvm::SmallVector<char, 0>(bytes.begin(), bytes.end());
}

} // namespace updraft
