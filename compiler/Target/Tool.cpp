//===- Tool.cpp - Programs that turn one file into another ----------------===//

#include "compiler/Target/Tool.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

namespace updraft {

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

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

Expected<llvm::SmallVector<char, 0>>
runTool(StringRef tool, llvm::ArrayRef<StringRef> options, StringRef input,
        StringRef inputSuffix, StringRef outputSuffix) {
  llvm::SmallString<128> from, to;
  for (llvm::SmallString<128> *path : {&from, &to})
    if (auto error = llvm::sys::fs::createTemporaryFile(
            "updraft", path == &from ? inputSuffix : outputSuffix, *path))
      return llvm::createFileError(*path, error);
  llvm::FileRemover removeInput(from), removeOutput(to);
  if (Error error = writeFile(from, input))
    return std::move(error);
  llvm::SmallVector<StringRef> arguments{tool};
  arguments.append(options.begin(), options.end());
  arguments.append({"-o", to, from});
  std::string message;
  int status = llvm::sys::ExecuteAndWait(tool, arguments, std::nullopt, {}, 0,
                                         0, &message);
  if (status != 0)
    return llvm::createStringError(
        std::errc::io_error, "'%s' failed with status %d%s%s",
        tool.str().c_str(), status, message.empty() ? "" : ": ",
        message.c_str());
  auto written = llvm::MemoryBuffer::getFile(to);
  if (!written)
    return llvm::createFileError(to, written.getError());
  StringRef bytes = (*written)->getBuffer();
  return llvm::SmallVector<char, 0>(bytes.begin(), bytes.end());
}

} // namespace updraft
