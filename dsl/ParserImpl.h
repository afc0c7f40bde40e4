//===- ParserImpl.h - The parser's state ----------------------------------===//
//
// Recursive descent, one function a grammar rule. A function that could not
// read its rule has reported why and returns nothing; parseFile's loops then go
// on with the next item, so that one run finds all independent errors.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_PARSERIMPL_H
#define UPDRAFT_DSL_PARSERIMPL_H

#include "AstMake.h"
#include "Lexer.h"
#include "Parser.h"

namespace updraft {

class Parser {
public:
  Parser(unsigned buffer, Diagnostics &diagnostics)
      : diagnostics_(diagnostics), source_(lex(buffer, diagnostics)) {}

  void parseFile(ast::File &file);
  void parsePipeText(ast::File &file);

private:
  using Kind = Token::Kind;

  // Tokens (Parser.cpp).
  const Token &token() const { return source_.tokens[next_]; }
  const Token &tokenAfter(unsigned count) const;
  bool is(Kind kind) const { return token().kind == kind; }
  bool isWord(llvm::StringRef word) const;
  bool isOnNewLine() const { return openBrackets_ == 0 && token().startsLine; }
  Token take() { return is(Kind::End) ? token() : source_.tokens[next_++]; }
  bool takeIf(Kind kind);
  bool takeIfWord(llvm::StringRef word);
  bool expect(Kind kind, const char *what);
  bool expectWord(llvm::StringRef word, const char *where);
  bool expectClosing(Kind kind, const Token &opening);
  /// Reports that `what` was expected here; false.
  bool unexpected(const llvm::Twine &what);
  std::optional<ast::Name> parseName(const char *what);
  std::string docOf(const Token &token) const;
  llvm::SMRange rangeFrom(const Token &first) const;

  // Files and boxes (Parser.cpp).
  bool parseDeclaration(ast::File &file);
  bool parseUse(ast::File &file);
  bool parseBox(ast::File &file, bool isTransform);
  bool parseSchedule(ast::File &file);
  bool parseOptimizer(ast::File &file);
  bool parseItem(ast::Box &box);
  bool endsItem();
  bool startsDeclaration() const;
  bool startsItem() const;
  void skipToItem();
  void skipToDeclaration();

  // Items (ParserItems.cpp).
  bool parseOption(ast::Box &box);
  bool parseHyper(ast::Box &box, bool isRate);
  bool parseDomain(ast::Hyper &hyper);
  bool parseState(ast::Box &box);
  bool parseShape(ast::State &state);
  ast::ExprPtr parseBlockSize();
  bool parseFormat(std::string &format);
  bool parseInput(ast::Box &box);
  bool parseEquation(ast::Box &box);
  bool parseView(ast::Box &box);
  bool parseRequire(ast::Box &box);
  bool parseFold(ast::Box &box);

  // Pipes (ParserPipe.cpp).
  bool parsePipe(ast::Pipe &pipe);
  bool parseStage(ast::Stage &stage);
  bool parseBoxName(ast::Name &name);
  bool parseStorage(ast::Stage &stage);
  bool parseArguments(std::vector<ast::Argument> &arguments);

  // Expressions (ParserExpr.cpp). Null after an error.
  ast::ExprPtr parseExpr();
  ast::ExprPtr parseBinary(unsigned least);
  ast::ExprPtr parseUnary();
  ast::ExprPtr parsePower();
  ast::ExprPtr parsePrimary();
  ast::ExprPtr parseParenthesis();
  ast::ExprPtr parseWord();
  ast::ExprPtr parseCall(const Token &name);
  bool parseOver(ast::Expr &call);
  bool parseFilter(ast::Expr &call);
  ast::ExprPtr limited(ast::ExprPtr expression);

  Diagnostics &diagnostics_;
  Tokens source_;
  size_t next_ = 0;
  unsigned openBrackets_ = 0; ///< newlines inside brackets end nothing
  unsigned depth_ = 0;        ///< of expressions being parsed
};

} // namespace updraft

#endif // UPDRAFT_DSL_PARSERIMPL_H
