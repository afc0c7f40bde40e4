//===- Parser.h - PTX text to a program -----------------------------------===//

#ifndef UPDRAFT_TEST_GPU_PARSER_H
#define UPDRAFT_TEST_GPU_PARSER_H

#include "Build.h"

namespace updraft::gpu {

/// The tokens and what is read alike in all places.
class Reader {
public:
  explicit Reader(std::vector<Token> all) : all(std::move(all)) {}

  const Token &peek(size_t ahead = 0) const {
    return all[std::min(at + ahead, all.size() - 1)];
  }
  Token next();
  bool atEnd() const { return peek().text.empty(); }
  bool take(std::string_view text);
  void need(std::string_view text);
  uint32_t line() const { return peek().line; }
  [[noreturn]] void fail(std::string_view what) const;

  /// An integer constant, maybe with a minus.
  uint64_t integer();
  /// A type and its bits; 8 or more.
  unsigned bitsOfType();
  void skipLine();

private:
  std::vector<Token> all;
  size_t at = 0;
};

/// Whether `word` is a number: sets its bits and what it is.
bool number(std::string_view word, Argument &argument);

/// An operand of an instruction.
Argument parseArgument(Reader &reader);
/// `.param .u64 .ptr .global .align 16 name[4]`, after `.param`.
Parameter parseParameter(Reader &reader);
/// `.align 4 .b8 name[16] = {...};`, after the space; places the variable.
/// Returns its name.
std::string_view parseVariable(Reader &reader, std::string_view space,
                               Program &program, Variable &made);
/// The body, from its first brace to its last.
void parseBody(Reader &reader, Function &function, Program &program);
void parseModule(Reader &reader, Program &program);

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_PARSER_H
