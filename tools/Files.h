//===- Files.h - How every tool writes ------------------------------------===//

#ifndef UPDRAFT_TOOLS_FILES_H
#define UPDRAFT_TOOLS_FILES_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace updraft::tools {

/// Writes what `print` prints to `path`, or to standard output if that is empty
/// or "-". A file appears whole under its name or not at all, and one that was
/// there stays as it was; a link stays a link; a device is written in place.
/// The error is a sentence: "cannot write 'x.o': No space left on device".
llvm::Error writeOutput(llvm::StringRef path,
                        llvm::function_ref<void(llvm::raw_ostream &)> print);

/// The same for text that is there already.
llvm::Error writeOutput(llvm::StringRef path, llvm::StringRef bytes);

/// A file that outgrows the user's limit is then a failed write with a reason,
/// and not the end of the process. For the first line of main.
void ignoreFileSizeSignal();

} // namespace updraft::tools

#endif // UPDRAFT_TOOLS_FILES_H
