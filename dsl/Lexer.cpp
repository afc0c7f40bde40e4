//===- Lexer.cpp - Text to tokens -----------------------------------------===//
//
// The whole text becomes tokens at once: equations end at newlines, and the
// parser decides by the token after a newline whether one does. Doc comments
// belong to the token that follows them.
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ConvertUTF.h"

#include <charconv>

namespace updraft {

namespace {

constexpr size_t kMaxNumberLength = 400;

bool isNameStart(char c) { return llvm::isAlpha(c) || c == '_'; }
bool isNamePart(char c) { return llvm::isAlnum(c) || c == '_'; }

struct Lexer {
  Diagnostics &diagnostics;
  llvm::StringRef text;
  const char *at;
  Tokens result;
  std::vector<llvm::StringRef> doc; ///< lines not yet given to a token
  bool startsLine = true, afterSpace = true, afterStranger = false;
  unsigned blankLines = 0; ///< newlines since the last token or comment

  llvm::SMRange rangeFrom(const char *begin) const {
    return {llvm::SMLoc::getFromPointer(begin),
            llvm::SMLoc::getFromPointer(at)};
  }
  char peek(size_t ahead = 0) const {
    return size_t(text.end() - at) > ahead ? at[ahead] : '\0';
  }

  bool isReadable();
  void skipSpace();
  void lexComment();
  int takeDoc();
  void lexToken();
  void lexNumber(const char *begin);
  void lexString(const char *begin);
  void lexName(const char *begin);
  bool lexPunctuation(const char *begin);
  void skipStranger(const char *begin);
  void add(Token::Kind kind, const char *begin, double number = 0);
  void run();
};

/// text ::= UTF-8 without NUL, at most 1 MiB      SPEC (G1, G5)
bool Lexer::isReadable() {
  const char *begin = text.begin();
  auto placeAt = [&](const char *p) {
    llvm::SMLoc place = llvm::SMLoc::getFromPointer(p);
    return llvm::SMRange(place, place);
  };
  if (text.size() > kMaxSourceSize)
    return diagnostics.report(Label::G5, placeAt(begin),
                              "the text has " + llvm::Twine(text.size()) +
                                  " bytes, at most " +
                                  llvm::Twine(kMaxSourceSize) + " are read");
  size_t nul = text.find('\0');
  if (nul != llvm::StringRef::npos)
    return diagnostics.report(Label::G1, placeAt(begin + nul),
                              "the text has a NUL byte here; is this a rule "
                              "file?");
  auto *bytes = reinterpret_cast<const llvm::UTF8 *>(begin);
  auto *end = reinterpret_cast<const llvm::UTF8 *>(text.end());
  if (!llvm::isLegalUTF8String(&bytes, end))
    return diagnostics.report(Label::G1,
                              placeAt(reinterpret_cast<const char *>(bytes)),
                              "the text is not UTF-8 here (byte 0x" +
                                  llvm::Twine(llvm::utohexstr(*bytes)) + ")");
  return true;
}

void Lexer::add(Token::Kind kind, const char *begin, double number) {
  Token token;
  token.kind = kind;
  token.text = llvm::StringRef(begin, at - begin);
  token.startsLine = startsLine;
  token.afterSpace = afterSpace;
  token.afterStranger = afterStranger;
  token.number = number;
  token.doc = takeDoc();
  result.tokens.push_back(token);
  startsLine = afterSpace = afterStranger = false;
  blankLines = 0;
}

/// comment ::= '#' ...   doc ::= '///' ...      SPEC (G1)
void Lexer::lexComment() {
  bool isDoc = *at == '/';
  const char *begin = at + (isDoc ? 3 : 1);
  while (at < text.end() && *at != '\n')
    ++at;
  blankLines = 0;
  if (!isDoc)
    return;
  llvm::StringRef line = llvm::StringRef(begin, at - begin).rtrim("\r \t");
  if (line.starts_with(" "))
    line = line.drop_front();
  doc.push_back(line);
}

/// The index of the doc comment that has been read; -1: none, or nothing in it.
int Lexer::takeDoc() {
  std::string text = llvm::join(doc, "\n");
  doc.clear();
  if (text.find_first_not_of('\n') == std::string::npos)
    return -1;
  result.docs.push_back(std::move(text));
  return int(result.docs.size()) - 1;
}

void Lexer::skipSpace() {
  for (; at < text.end(); afterSpace = true) {
    if (*at == '\n') {
      startsLine = true;
      // The head of the file ends at its first blank line.
      if (++blankLines == 2 && result.tokens.empty() && result.fileDoc < 0 &&
          !doc.empty())
        result.fileDoc = takeDoc();
      ++at;
    } else if (*at == ' ' || *at == '\t' || *at == '\r') {
      ++at;
    } else if (*at == '#' ||
               llvm::StringRef(at, text.end() - at).starts_with("///")) {
      lexComment();
    } else {
      return;
    }
  }
}

/// number ::= digits ['.' digits] [('e' | 'E') ['+' | '-'] digits]  SPEC (G3)
/// digits ::= digit {['_'] digit}
void Lexer::lexNumber(const char *begin) {
  std::string digits;
  bool isBad = false;
  auto takeDigits = [&] {
    isBad |= !llvm::isDigit(peek());
    while (llvm::isDigit(peek()) ||
           (peek() == '_' && llvm::isDigit(peek(1)) && !digits.empty())) {
      if (*at != '_')
        digits += *at;
      ++at;
    }
  };
  takeDigits();
  if (peek() == '.') {
    digits += *at++;
    takeDigits();
  }
  if (peek() == 'e' || peek() == 'E') {
    digits += *at++;
    if (peek() == '+' || peek() == '-')
      digits += *at++;
    takeDigits();
  }
  const char *numberEnd = at;
  while (isNamePart(peek()))
    ++at;
  llvm::StringRef written(begin, at - begin);
  double value = 0;
  add(Token::Kind::Number, begin);
  if (isBad || at != numberEnd) {
    diagnostics.report(Label::G3, rangeFrom(begin),
                       "'" + written.take_front(40) +
                           "' is not a number; numbers look like 1_000, 0.5, "
                           "1e-8, and a product is written '2*x'");
    return;
  }
  if (written.size() > kMaxNumberLength) {
    diagnostics.report(Label::G5, rangeFrom(begin),
                       "a number has at most " + llvm::Twine(kMaxNumberLength) +
                           " digits");
    return;
  }
  auto parsed =
      std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec == std::errc::result_out_of_range) {
    diagnostics.report(Label::G3, rangeFrom(begin),
                       "'" + written.take_front(40) +
                           "' does not fit into a 64-bit float; write inf or "
                           "0 if that is meant");
    return;
  }
  result.tokens.back().number = value;
}

/// string ::= '"' {any character but '"' and newline} '"'      SPEC (G2)
void Lexer::lexString(const char *begin) {
  ++at;
  while (at < text.end() && *at != '"' && *at != '\n')
    ++at;
  if (at < text.end() && *at == '"') {
    ++at;
    add(Token::Kind::String, begin);
    return;
  }
  while (at[-1] == '\r')
    --at;
  diagnostics.report(Label::G2, rangeFrom(begin),
                     "the string is not closed on its line; expected '\"'");
  add(Token::Kind::String, begin);
  afterStranger = true; // brackets that should follow were part of it
}

/// name ::= word {'.' word}   word ::= (letter | '_') {letter | digit | '_'}
void Lexer::lexName(const char *begin) {
  do {
    at += at != begin;
    while (isNamePart(peek()))
      ++at;
  } while (peek() == '.' && isNameStart(peek(1)));
  if (size_t(at - begin) > kMaxNameLength)
    diagnostics.report(Label::G5, rangeFrom(begin),
                       "a name has at most " + llvm::Twine(kMaxNameLength) +
                           " characters, this one has " +
                           llvm::Twine(at - begin));
  add(Token::Kind::Name, begin);
}

bool Lexer::lexPunctuation(const char *begin) {
  using Kind = Token::Kind;
  struct Row {
    llvm::StringLiteral text;
    Kind kind;
  };
  // Longer ones first.
  static constexpr Row kRows[] = {
      {"<=", Kind::LessEqual}, {">=", Kind::GreaterEqual},
      {"==", Kind::Equal},     {"!=", Kind::NotEqual},
      {"&&", Kind::AndAnd},    {"||", Kind::OrOr},
      {"(", Kind::LeftParen},  {")", Kind::RightParen},
      {"{", Kind::LeftBrace},  {"}", Kind::RightBrace},
      {"[", Kind::LeftSquare}, {"]", Kind::RightSquare},
      {",", Kind::Comma},      {":", Kind::Colon},
      {"=", Kind::Assign},     {"'", Kind::Prime},
      {"^", Kind::Caret},      {"+", Kind::Plus},
      {"-", Kind::Minus},      {"*", Kind::Star},
      {"/", Kind::Slash},      {"<", Kind::Less},
      {">", Kind::Greater},    {"!", Kind::Not},
      {"?", Kind::Question},   {"|", Kind::Pipe},
  };
  llvm::StringRef rest(at, text.end() - at);
  for (const Row &row : kRows)
    if (rest.starts_with(row.text)) {
      at += row.text.size();
      add(row.kind, begin);
      return true;
    }
  return false;
}

/// Reports a run of characters that begin no token, as one.
void Lexer::skipStranger(const char *begin) {
  char first = *at;
  at += llvm::getNumBytesForUTF8(static_cast<llvm::UTF8>(first));
  llvm::StringRef what(begin, at - begin);
  llvm::StringRef hint = first == '&'   ? "; 'and' is written '&&'"
                         : first == ';' ? "; an equation ends with its line"
                         : first == '%' ? "; the remainder is written 'mod'"
                         : first == '.' ? "; a number begins with a digit"
                                        : "";
  if (static_cast<unsigned char>(first) < 0x20 || first == 0x7f)
    diagnostics.report(Label::G1, rangeFrom(begin),
                       "a control character (0x" +
                           llvm::Twine(llvm::utohexstr(first)) +
                           ") means nothing here");
  else
    diagnostics.report(Label::G1, rangeFrom(begin),
                       "'" + what + "' means nothing here" + hint);
  while (llvm::StringRef(at, text.end() - at).starts_with(what))
    at += what.size();
  afterSpace = afterStranger = true;
}

void Lexer::lexToken() {
  const char *begin = at;
  if (llvm::isDigit(*at))
    lexNumber(begin);
  else if (isNameStart(*at))
    lexName(begin);
  else if (*at == '"')
    lexString(begin);
  else if (!lexPunctuation(begin))
    skipStranger(begin);
}

void Lexer::run() {
  if (isReadable()) {
    if (text.starts_with("\xEF\xBB\xBF"))
      at += 3; // a byte order mark says nothing about UTF-8
    for (skipSpace(); at < text.end() && !diagnostics.isFull(); skipSpace())
      lexToken();
  }
  at = text.end();
  startsLine = afterSpace = true;
  add(Token::Kind::End, at);
}

} // namespace

Tokens lex(unsigned buffer, Diagnostics &diagnostics) {
  llvm::StringRef text =
      diagnostics.sources().getMemoryBuffer(buffer)->getBuffer();
  Lexer lexer{diagnostics, text, text.begin(), {}, {}};
  lexer.run();
  return std::move(lexer.result);
}

} // namespace updraft
