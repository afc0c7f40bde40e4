//===- Files.cpp - How every tool writes ----------------------------------===//

#include "Files.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

#include <csignal>

using namespace updraft;

using Print = llvm::function_ref<void(llvm::raw_ostream &)>;

/// A stream that is destroyed with an error ends the process.
static std::error_code finish(llvm::raw_fd_ostream &out) {
  out.flush();
  std::error_code code = out.error();
  out.clear_error();
  return code;
}

static std::error_code writeInPlace(llvm::StringRef path, Print print) {
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (code)
    return code;
  print(out);
  return finish(out);
}

/// Makes a file beside `path`; its name holds the process' number, and more
/// where another run has left such a file.
static std::error_code makeBeside(llvm::StringRef path, std::string &name,
                                  int &descriptor) {
  std::error_code code;
  for (unsigned attempt = 0; attempt < 100; ++attempt) {
    name = (path + ".part" + llvm::Twine(llvm::sys::Process::getProcessId()) +
            "-" + llvm::Twine(attempt))
               .str();
    code = llvm::sys::fs::openFileForWrite(name, descriptor,
                                           llvm::sys::fs::CD_CreateNew);
    if (code != std::errc::file_exists)
      break;
  }
  return code;
}

/// Beside its place first, so that a failure leaves nothing behind.
static std::error_code replaceFile(llvm::StringRef path, Print print) {
  std::string name;
  int descriptor;
  if (std::error_code code = makeBeside(path, name, descriptor))
    return code;
  llvm::sys::RemoveFileOnSignal(name);
  std::error_code code;
  {
    llvm::raw_fd_ostream out(descriptor, /*shouldClose=*/true);
    print(out);
    out.close();
    code = finish(out);
  }
  if (!code)
    code = llvm::sys::fs::rename(name, path);
  if (code)
    llvm::sys::fs::remove(name);
  llvm::sys::DontRemoveFileOnSignal(name);
  return code;
}

static std::error_code writeFile(llvm::StringRef path, Print print) {
  // What is there and no file, such as /dev/stdout, is not replaced by one.
  if (llvm::sys::fs::exists(path) && !llvm::sys::fs::is_regular_file(path))
    return writeInPlace(path, print);
  // A link stays one: what it points to is replaced.
  llvm::SmallString<256> target(path);
  if (llvm::sys::fs::exists(path))
    if (std::error_code code = llvm::sys::fs::real_path(path, target))
      return code;
  return replaceFile(target, print);
}

llvm::Error tools::writeOutput(llvm::StringRef path, Print print) {
  bool toStdout = path.empty() || path == "-";
  std::error_code code;
  if (toStdout) {
    print(llvm::outs());
    code = finish(llvm::outs());
  } else {
    code = writeFile(path, print);
  }
  if (!code)
    return llvm::Error::success();
  return llvm::createStringError(
      "cannot write " +
      (toStdout ? "standard output" : "'" + path.str() + "'") + ": " +
      code.message());
}

llvm::Error tools::writeOutput(llvm::StringRef path, llvm::StringRef bytes) {
  return writeOutput(path, [&](llvm::raw_ostream &out) { out << bytes; });
}

void tools::ignoreFileSizeSignal() { std::signal(SIGXFSZ, SIG_IGN); }
