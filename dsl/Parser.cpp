//===- Parser.cpp - Files, boxes and recovery -----------------------------===//
//
// Declarations of a file and the frame around the items of a box. An item that
// cannot be read is skipped up to the next line that begins like one.
//
//===----------------------------------------------------------------------===//

#include "ParserImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

namespace updraft {

static const char *const kReserved[] = {
    "rule", "transform", "schedule", "optimizer", "use",  "option",
    "rate", "hyper",     "state",    "input",     "port", "view",
    "fold", "require",   "if",       "in",        "as",   "covers",
    "over", "mod",       "where",    "else",      "with", "like",
    "true", "false",     "inf",      "pi",        "keep", "absent"};

bool isReservedWord(llvm::StringRef word) {
  return llvm::is_contained(kReserved, word);
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

const Token &Parser::tokenAfter(unsigned count) const {
  return source_.tokens[std::min(next_ + count, source_.tokens.size() - 1)];
}

bool Parser::isWord(llvm::StringRef word) const {
  return is(Kind::Name) && token().text == word;
}

bool Parser::takeIf(Kind kind) {
  if (!is(kind))
    return false;
  take();
  return true;
}

bool Parser::takeIfWord(llvm::StringRef word) {
  if (!isWord(word))
    return false;
  take();
  return true;
}

bool Parser::unexpected(const llvm::Twine &what) {
  if (token().afterStranger)
    return false;
  if (is(Kind::End))
    return diagnostics_.report(Label::G4, token().range(),
                               "expected " + what +
                                   ", found the end of the text");
  return diagnostics_.report(Label::G4, token().range(),
                             "expected " + what + ", found '" +
                                 token().text.take_front(40) + "'");
}

bool Parser::expect(Kind kind, const char *what) {
  return takeIf(kind) || unexpected(what);
}

bool Parser::expectWord(llvm::StringRef word, const char *where) {
  return takeIfWord(word) || unexpected("'" + word + "' " + where);
}

/// Takes the bracket that closes `opening`.      SPEC (G10)
bool Parser::expectClosing(Kind kind, const Token &opening) {
  if (is(kind)) {
    take();
    return true;
  }
  if (token().afterStranger)
    return false;
  const char *closing = kind == Kind::RightParen   ? ")"
                        : kind == Kind::RightBrace ? "}"
                                                   : "]";
  diagnostics_.report(Label::G10, token().range(),
                      llvm::Twine("expected '") + closing + "', found " +
                          (is(Kind::End)
                               ? llvm::Twine("the end of the text")
                               : "'" + token().text.take_front(40) + "'"));
  diagnostics_.note(opening.range(), "to close this '" + opening.text + "'");
  return false;
}

/// A name that is being defined.      SPEC (G9)
std::optional<ast::Name> Parser::parseName(const char *what) {
  if (!is(Kind::Name)) {
    unexpected(what);
    return std::nullopt;
  }
  if (isReservedWord(token().text)) {
    diagnostics_.report(Label::G9, token().range(),
                        "'" + token().text + "' is a reserved word; expected " +
                            what);
    return std::nullopt;
  }
  Token name = take();
  return ast::Name{name.text.str(), name.range()};
}

std::string Parser::docOf(const Token &token) const {
  return token.doc < 0 ? std::string() : source_.docs[token.doc];
}

/// From `first` to the last token taken.
llvm::SMRange Parser::rangeFrom(const Token &first) const {
  const Token &last = source_.tokens[next_ == 0 ? 0 : next_ - 1];
  if (last.text.end() < first.text.end())
    return first.range();
  return {first.range().Start, last.range().End};
}

//===----------------------------------------------------------------------===//
// Recovery
//===----------------------------------------------------------------------===//

bool Parser::startsDeclaration() const {
  static const char *const kWords[] = {"rule", "transform", "schedule",
                                       "optimizer", "use"};
  return is(Kind::Name) && token().startsLine &&
         llvm::is_contained(kWords, token().text);
}

bool Parser::startsItem() const {
  static const char *const kWords[] = {"option",  "rate",  "hyper",
                                       "state",   "input", "port",
                                       "require", "view",  "fold"};
  if (!is(Kind::Name) || !token().startsLine)
    return false;
  unsigned after = tokenAfter(1).kind == Kind::Prime ? 2 : 1;
  return llvm::is_contained(kWords, token().text) ||
         tokenAfter(after).kind == Kind::Assign;
}

/// Inside brackets a line may begin with anything; the next item is then one
/// that looks like it.
void Parser::skipToItem() {
  bool wasInside = openBrackets_ != 0;
  openBrackets_ = 0;
  auto mayStartItem = [&] {
    return startsItem() || (!wasInside && is(Kind::Name) && token().startsLine);
  };
  while (!is(Kind::End) && !is(Kind::RightBrace) && !mayStartItem() &&
         !startsDeclaration())
    take();
}

void Parser::skipToDeclaration() {
  openBrackets_ = 0;
  while (!is(Kind::End) && !startsDeclaration())
    take();
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

/// file ::= {use | box | schedule | optimizer}      SPEC (G8)
void Parser::parseFile(ast::File &file) {
  if (source_.fileDoc >= 0)
    file.doc = source_.docs[source_.fileDoc];
  while (!is(Kind::End) && !diagnostics_.isFull()) {
    size_t before = next_;
    openBrackets_ = depth_ = 0;
    if (parseDeclaration(file))
      continue;
    if (next_ == before)
      take();
    skipToDeclaration();
  }
}

bool Parser::parseDeclaration(ast::File &file) {
  if (isWord("use"))
    return parseUse(file);
  if (isWord("rule") || isWord("transform"))
    return parseBox(file, isWord("transform"));
  if (isWord("schedule"))
    return parseSchedule(file);
  if (isWord("optimizer"))
    return parseOptimizer(file);
  if (!is(Kind::Name))
    return unexpected("'rule', 'transform', 'schedule', 'optimizer' or 'use'");
  return diagnostics_.report(
      Label::G8, token().range(),
      "'" + token().text +
          "' begins no declaration; expected 'rule', 'transform', "
          "'schedule', 'optimizer' or 'use'" +
          didYouMean(token().text,
                     {"rule", "transform", "schedule", "optimizer", "use"}));
}

/// use ::= 'use' string      SPEC (G4)
bool Parser::parseUse(ast::File &file) {
  Token first = take();
  if (!is(Kind::String))
    return unexpected("a file name in quotes after 'use'");
  std::string path = take().text.trim('"').str();
  file.uses.push_back({rangeFrom(first), std::move(path)});
  return endsItem();
}

/// box ::= ('rule' | 'transform') name ['covers' 'absent'] '{' {item} '}'
/// SPEC (G4, G10)
bool Parser::parseBox(ast::File &file, bool isTransform) {
  ast::Box box;
  box.isTransform = isTransform;
  box.doc = docOf(take());
  std::optional<ast::Name> name =
      parseName(isTransform ? "the transform's name" : "the rule's name");
  if (!name)
    return false;
  box.name = *name;
  if (takeIfWord("covers")) {
    if (!expectWord("absent", "after 'covers'"))
      return false;
    box.coversAbsent = true;
  }
  Token opening = token();
  if (!expect(Kind::LeftBrace, "'{'"))
    return false;
  while (!is(Kind::RightBrace) && !is(Kind::End) && !startsDeclaration() &&
         !diagnostics_.isFull()) {
    size_t before = next_;
    openBrackets_ = depth_ = 0;
    if (parseItem(box) && endsItem())
      continue;
    if (next_ == before)
      take();
    skipToItem();
  }
  openBrackets_ = 0;
  file.boxes.push_back(std::move(box));
  return expectClosing(Kind::RightBrace, opening);
}

/// schedule ::= 'schedule' name '(' [parameter {',' parameter}] ')' '=' expr
/// parameter ::= name ['=' expr]      SPEC (G4)
bool Parser::parseSchedule(ast::File &file) {
  ast::Schedule schedule;
  schedule.doc = docOf(take());
  std::optional<ast::Name> name = parseName("the schedule's name");
  if (!name)
    return false;
  schedule.name = *name;
  Token opening = token();
  if (!expect(Kind::LeftParen, "'(' and the schedule's parameters"))
    return false;
  ++openBrackets_;
  while (!is(Kind::RightParen)) {
    ast::Argument parameter;
    parameter.name = parseName("a parameter's name");
    if (!parameter.name)
      return false;
    if (takeIf(Kind::Assign) && !(parameter.value = parseExpr()))
      return false;
    schedule.parameters.push_back(std::move(parameter));
    if (!takeIf(Kind::Comma))
      break;
  }
  --openBrackets_;
  if (!expectClosing(Kind::RightParen, opening) ||
      !expect(Kind::Assign, "'=' and the schedule's expression") ||
      !(schedule.body = parseExpr()))
    return false;
  file.schedules.push_back(std::move(schedule));
  return endsItem();
}

/// optimizer ::= 'optimizer' name '=' pipe      SPEC (G4)
bool Parser::parseOptimizer(ast::File &file) {
  ast::Optimizer optimizer;
  optimizer.doc = docOf(take());
  std::optional<ast::Name> name = parseName("the optimizer's name");
  if (!name)
    return false;
  optimizer.name = *name;
  if (!expect(Kind::Assign, "'=' and a pipe") || !parsePipe(optimizer.pipe))
    return false;
  file.optimizers.push_back(std::move(optimizer));
  return endsItem();
}

void Parser::parsePipeText(ast::File &file) {
  ast::Optimizer optimizer;
  ++openBrackets_; // a pipe alone ends with its text
  if (!parsePipe(optimizer.pipe))
    return;
  if (!is(Kind::End)) {
    unexpected("'|' or the end of the pipe");
    return;
  }
  file.optimizers.push_back(std::move(optimizer));
}

//===----------------------------------------------------------------------===//
// Items
//===----------------------------------------------------------------------===//

/// item ::= option | hyper | state | input | equation | view | require | fold
/// SPEC (G8)
bool Parser::parseItem(ast::Box &box) {
  struct Row {
    const char *word;
    bool (*parse)(Parser &, ast::Box &);
  };
  static const Row kItems[] = {
      {"option", [](Parser &p, ast::Box &b) { return p.parseOption(b); }},
      {"rate", [](Parser &p, ast::Box &b) { return p.parseHyper(b, true); }},
      {"hyper", [](Parser &p, ast::Box &b) { return p.parseHyper(b, false); }},
      {"state", [](Parser &p, ast::Box &b) { return p.parseState(b); }},
      {"input", [](Parser &p, ast::Box &b) { return p.parseInput(b); }},
      {"view", [](Parser &p, ast::Box &b) { return p.parseView(b); }},
      {"require", [](Parser &p, ast::Box &b) { return p.parseRequire(b); }},
      {"fold", [](Parser &p, ast::Box &b) { return p.parseFold(b); }},
      {"port", [](Parser &p, ast::Box &b) { return p.parseEquation(b); }},
  };
  for (const Row &row : kItems)
    if (isWord(row.word))
      return row.parse(*this, box);
  Kind after = tokenAfter(1).kind;
  bool looksLikeWord = is(Kind::Name) && after == Kind::Name &&
                       !tokenAfter(1).startsLine &&
                       !isReservedWord(token().text);
  if (!looksLikeWord || isWord("p"))
    return parseEquation(box);
  std::vector<std::string> words;
  for (const Row &row : kItems)
    words.push_back(row.word);
  return diagnostics_.report(Label::G8, token().range(),
                             "'" + token().text + "' begins no item of a rule" +
                                 didYouMean(token().text, words));
}

/// Whether an item may end here: at a new line or before '}'.  SPEC (G7)
bool Parser::endsItem() {
  if (is(Kind::End) || is(Kind::RightBrace))
    return true;
  if (token().afterStranger && !token().startsLine)
    return false;
  if (!token().startsLine)
    return diagnostics_.report(Label::G7, token().range(),
                               "expected the end of the line, found '" +
                                   token().text.take_front(40) + "'");
  static constexpr Kind kOperators[] = {
      Kind::Plus,    Kind::Minus,        Kind::Caret,
      Kind::Less,    Kind::Equal,        Kind::LessEqual,
      Kind::Greater, Kind::GreaterEqual, Kind::NotEqual};
  if (llvm::is_contained(kOperators, token().kind) || isWord("if") ||
      isWord("mod") || isWord("in"))
    return diagnostics_.report(
        Label::G7, token().range(),
        "the equation ended with the line before; move '" + token().text +
            "' there, or use brackets");
  return true;
}

std::unique_ptr<ast::File> parseFile(unsigned buffer,
                                     Diagnostics &diagnostics) {
  auto file = std::make_unique<ast::File>();
  Parser(buffer, diagnostics).parseFile(*file);
  return file;
}

std::unique_ptr<ast::File> parsePipe(unsigned buffer,
                                     Diagnostics &diagnostics) {
  auto file = std::make_unique<ast::File>();
  Parser(buffer, diagnostics).parsePipeText(*file);
  return file;
}

} // namespace updraft
