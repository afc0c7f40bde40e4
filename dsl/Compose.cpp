//===- Compose.cpp - From a request to a flat rule ------------------------===//

#include "Compose.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/MemoryBuffer.h"

namespace updraft {

/// "my.upd:name" without ":name".
static llvm::StringRef pathOf(llvm::StringRef text) {
  size_t colon = text.rfind(".upd:");
  return colon == llvm::StringRef::npos ? text : text.take_front(colon + 4);
}

/// The file on standard input.
static const ast::File *readInput(Library &library, Diagnostics &diagnostics) {
  auto text = llvm::MemoryBuffer::getSTDIN();
  if (text)
    return library.readSource((*text)->getBuffer(), "<stdin>", diagnostics);
  diagnostics.report(Label::N9, {},
                     "cannot read standard input: " +
                         text.getError().message());
  return nullptr;
}

const ast::File *parseRequest(const Request &request, Library &library,
                              Diagnostics &diagnostics) {
  switch (request.kind) {
  case Request::Kind::Pipe:
    return library.readPipe(request.text, diagnostics);
  case Request::Kind::Source:
    return library.readSource(request.text, request.sourceName, diagnostics);
  case Request::Kind::Name:
    break;
  }
  llvm::StringRef path = pathOf(request.text);
  if (path == "-")
    return readInput(library, diagnostics);
  if (path.ends_with(".upd"))
    return library.readFile(path, diagnostics);
  const ast::File *file = library.findByName(path, diagnostics);
  if (!file)
    diagnostics.report(Label::N9, {},
                       "there is no rule '" + path + "' in the library (" +
                           library.folder() + ")" +
                           didYouMean(path, library.names()) +
                           "; the name of a file ends in '.upd'");
  return file;
}

std::unique_ptr<ast::Box> composeRule(const Request &request, Library &library,
                                      Diagnostics &diagnostics) {
  Scopes scopes(library, diagnostics);
  Pieces pieces;
  if (!collectParts(request, library, scopes, diagnostics, pieces) ||
      !bindParts(request.settings, scopes, diagnostics, pieces.all()))
    return nullptr;
  Route whole;
  return flattenRoutes(pieces, whole, diagnostics);
}

} // namespace updraft
