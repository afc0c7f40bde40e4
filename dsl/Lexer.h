//===- Lexer.h - Text to tokens -------------------------------------------===//

#ifndef UPDRAFT_DSL_LEXER_H
#define UPDRAFT_DSL_LEXER_H

#include "Diagnostics.h"

#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace updraft {

struct Token {
  enum class Kind : uint8_t {
    End,
    Name,   ///< "m", "inner.p"; reserved words too
    Number, ///< `number`
    String, ///< `text` with its quotes
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftSquare,
    RightSquare,
    Comma,
    Colon,
    Assign,
    Prime,
    Caret,
    Plus,
    Minus,
    Star,
    Slash,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    AndAnd,
    OrOr,
    Not,
    Question,
    Pipe,
  };

  Kind kind = Kind::End;
  bool startsLine = false; ///< the first of its line
  bool afterSpace = false; ///< space, comment or newline before it
  /// Text before it was reported and left out, so that what the parser expects
  /// here says nothing new.
  bool afterStranger = false;
  int doc = -1; ///< index into Tokens::docs of its `///` lines
  llvm::StringRef text;
  double number = 0;

  llvm::SMRange range() const {
    return {llvm::SMLoc::getFromPointer(text.begin()),
            llvm::SMLoc::getFromPointer(text.end())};
  }
};

struct Tokens {
  std::vector<Token> tokens; ///< the last one is End
  std::vector<std::string> docs;
  /// Index into docs of the lines at the head of the file that a blank line
  /// separates from all that follows; -1: none.
  int fileDoc = -1;
};

/// The largest text that is read, in bytes.
constexpr size_t kMaxSourceSize = 1 << 20;

/// The longest name, dots included.
constexpr size_t kMaxNameLength = 255;

/// The tokens of a buffer. Text that is no token is reported and left out, so
/// the parser always has something to read.
Tokens lex(unsigned buffer, Diagnostics &diagnostics);

} // namespace updraft

#endif // UPDRAFT_DSL_LEXER_H
