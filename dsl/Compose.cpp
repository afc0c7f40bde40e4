#include "FrontEnd.h"
#include "AstMake.h"
#include "Parser.h"

namespace updraft {
/// "my.upd:name" without ":name".
static llvm::StringRef pathOf(llvm::StringRef text) {
  size_t colon = text.rfind(".upd:");
  return colon == llvm::StringRef::npos ? text : text.take_front(colon + 4);
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
  if (path == "-" || path.ends_with(".upd"))
    return library.readFile(path, diagnostics);
  const ast::File *file = library.findByName(path, diagnostics);
  if (!file)
    diagnostics.report(Label::N9, {},
                       "there is no rule '" + path + "' in the library (" +
                           library.folder() + "); a file ends in '.upd'");
  return file;
}

std::unique_ptr<ast::Box> composeRule(const Request &request, Library &library,
                                      Diagnostics &diagnostics) {
  const ast::File *file = parseRequest(request, library, diagnostics);
  if (!file || diagnostics.hasErrors() || file->boxes.empty())
    return nullptr;
  auto box = std::make_unique<ast::Box>(file->boxes.front());
  for (const Setting &s : request.settings)
    for (ast::Option &o : box->options)
      if (o.name.text == s.name)
        o.initial = s.value == "true" || s.value == "false"
                        ? ast::makeBoolean(s.value == "true", o.name.range)
                        : ast::makeNumber(std::stod(s.value), o.name.range);
  return box;
}
} // namespace updraft
