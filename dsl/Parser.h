//===- Parser.h - Tokens to a tree ----------------------------------------===//

#ifndef UPDRAFT_DSL_PARSER_H
#define UPDRAFT_DSL_PARSER_H

#include "Ast.h"
#include "Diagnostics.h"

#include <memory>

namespace updraft {

/// The file in a buffer. Always a tree: what could not be read is reported and
/// left out of it.
std::unique_ptr<ast::File> parseFile(unsigned buffer, Diagnostics &diagnostics);

/// The pipe in a buffer, as the one optimizer, without a name, of a file.
std::unique_ptr<ast::File> parsePipe(unsigned buffer, Diagnostics &diagnostics);

/// Words that cannot be names.
bool isReservedWord(llvm::StringRef word);

} // namespace updraft

#endif // UPDRAFT_DSL_PARSER_H
