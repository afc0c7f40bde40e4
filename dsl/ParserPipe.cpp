//===- ParserPipe.cpp - Pipes of boxes ------------------------------------===//

#include "ParserImpl.h"

#include "llvm/ADT/Twine.h"

namespace updraft {

/// The longest pipe, routers included: a pipe is a list, but its `else` is a
/// tree, and both are walked by recursion.
static constexpr unsigned kMaxRoutes = 64;

/// pipe ::= stage {'|' stage} ['where' expr 'else' pipe]      SPEC (G4)
bool Parser::parsePipe(ast::Pipe &pipe) {
  Token first = token();
  do {
    ast::Stage stage;
    if (!parseStage(stage))
      return false;
    pipe.stages.push_back(std::move(stage));
  } while (takeIf(Kind::Pipe));
  if (isOnNewLine() || !takeIfWord("where")) {
    pipe.range = rangeFrom(first);
    return true;
  }
  if (++depth_ > kMaxRoutes)
    return diagnostics_.report(Label::G5, rangeFrom(first),
                               "a pipe has at most " + llvm::Twine(kMaxRoutes) +
                                   " routes");
  pipe.otherwise = std::make_shared<ast::Pipe>();
  if (!(pipe.where = parseExpr()) ||
      !expectWord("else", "and the other route") || !parsePipe(*pipe.otherwise))
    return false;
  --depth_;
  pipe.range = rangeFrom(first);
  return true;
}

/// stage ::= [name ':'] box ['(' arguments ')'] ['with' storage]   SPEC (G4)
bool Parser::parseStage(ast::Stage &stage) {
  Token first = token();
  if (tokenAfter(1).kind == Kind::Colon) {
    stage.label = parseName("a label");
    if (!stage.label)
      return false;
    take();
  }
  if (!parseBoxName(stage.box))
    return false;
  if (is(Kind::LeftParen) && !isOnNewLine() && !parseArguments(stage.arguments))
    return false;
  if (!isOnNewLine() && isWord("with") && !parseStorage(stage))
    return false;
  stage.range = rangeFrom(first);
  return true;
}

/// box ::= name {'/' name}, without spaces      SPEC (G4)
bool Parser::parseBoxName(ast::Name &name) {
  Token first = token();
  std::optional<ast::Name> part =
      parseName("the name of a rule, transform or optimizer");
  if (!part)
    return false;
  name = *part;
  while (is(Kind::Slash) && !isOnNewLine()) {
    take();
    part = parseName("a name after '/'");
    if (!part)
      return false;
    name.text += "/" + part->text;
  }
  name.range = rangeFrom(first);
  return true;
}

/// storage ::= 'with' '{' [name 'as' format {',' name 'as' format}] '}'
/// SPEC (G4)
bool Parser::parseStorage(ast::Stage &stage) {
  take();
  Token opening = token();
  if (!expect(Kind::LeftBrace, "'{' after 'with'"))
    return false;
  ++openBrackets_;
  while (!is(Kind::RightBrace)) {
    std::optional<ast::Name> state = parseName("a state's name");
    ast::Stage::Storage storage;
    if (!state || !expectWord("as", "and a storage format") ||
        !parseFormat(storage.format))
      return false;
    storage.state = *state;
    stage.storage.push_back(std::move(storage));
    if (!takeIf(Kind::Comma))
      break;
  }
  --openBrackets_;
  return expectClosing(Kind::RightBrace, opening);
}

/// arguments ::= [argument {',' argument}]
/// argument ::= [name '='] expr      SPEC (G4)
bool Parser::parseArguments(std::vector<ast::Argument> &arguments) {
  Token opening = take();
  ++openBrackets_;
  while (!is(Kind::RightParen)) {
    ast::Argument argument;
    if (is(Kind::Name) && tokenAfter(1).kind == Kind::Assign) {
      argument.name = parseName("an argument's name");
      if (!argument.name)
        return false;
      take();
    }
    if (!(argument.value = parseExpr()))
      return false;
    arguments.push_back(std::move(argument));
    if (!takeIf(Kind::Comma))
      break;
  }
  --openBrackets_;
  return expectClosing(Kind::RightParen, opening);
}

} // namespace updraft
