//===- Printer.h - A tree as canonical text -------------------------------===//
//
// One text for each tree: what is printed parses to the same tree, and prints
// the same again. Comments that are not doc comments are not kept.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_PRINTER_H
#define UPDRAFT_DSL_PRINTER_H

#include "Ast.h"

#include <string>

namespace updraft {

std::string print(const ast::File &file);
std::string print(const ast::Box &box);
std::string print(const ast::Pipe &pipe);
std::string print(const ast::Expr &expression);

/// The word after `over`: "tensor".
const char *wordFor(ast::Over over);

/// The shortest literal that reads as `value`: "1e-8", "10000", "inf".
std::string printNumber(double value);

} // namespace updraft

#endif // UPDRAFT_DSL_PRINTER_H
