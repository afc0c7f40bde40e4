//===- ParserItems.cpp - What stands in a box -----------------------------===//

#include "ParserImpl.h"

#include "llvm/ADT/Twine.h"

namespace updraft {

/// option ::= 'option' one {',' one}      SPEC (G4)
/// one ::= name ':' ('bool' | 'int' | 'float') ['=' expr]
bool Parser::parseOption(ast::Box &box) {
  std::string doc = docOf(take());
  do {
    ast::Option option;
    option.doc = token().doc < 0 ? doc : docOf(token());
    std::optional<ast::Name> name = parseName("the option's name");
    if (!name)
      return false;
    option.name = *name;
    if (!expect(Kind::Colon, "':' and the option's type"))
      return false;
    if (takeIfWord("bool"))
      option.type = ast::Option::Type::Bool;
    else if (takeIfWord("int"))
      option.type = ast::Option::Type::Int;
    else if (takeIfWord("float"))
      option.type = ast::Option::Type::Float;
    else
      return unexpected("'bool', 'int' or 'float'");
    if (takeIf(Kind::Assign) && !(option.initial = parseExpr()))
      return false;
    box.options.push_back(std::move(option));
  } while (takeIf(Kind::Comma));
  return true;
}

/// hyper ::= ('hyper' | 'rate') one {',' one}      SPEC (G4)
/// one ::= name [':' ['model'] ['int']] ['=' expr] ['in' domain]
bool Parser::parseHyper(ast::Box &box, bool isRate) {
  std::string doc = docOf(take());
  do {
    ast::Hyper hyper;
    hyper.isRate = isRate;
    hyper.doc = token().doc < 0 ? doc : docOf(token());
    std::optional<ast::Name> name =
        parseName(isRate ? "the rate's name" : "the hyper's name");
    if (!name)
      return false;
    hyper.name = *name;
    if (takeIf(Kind::Colon)) {
      hyper.isModel = takeIfWord("model");
      hyper.isInt = takeIfWord("int");
      if (!hyper.isModel && !hyper.isInt)
        return unexpected("'model', 'int' or 'model int'");
    }
    if (takeIf(Kind::Assign) && !(hyper.initial = parseExpr()))
      return false;
    if (takeIfWord("in") && !parseDomain(hyper))
      return false;
    box.hypers.push_back(std::move(hyper));
  } while (takeIf(Kind::Comma));
  return true;
}

/// domain ::= ('[' | '(') expr ',' expr (']' | ')')      SPEC (G4)
bool Parser::parseDomain(ast::Hyper &hyper) {
  if (!is(Kind::LeftSquare) && !is(Kind::LeftParen))
    return unexpected("a domain such as '[0, 1)' after 'in'");
  Token opening = take();
  hyper.lowOpen = opening.kind == Kind::LeftParen;
  ++openBrackets_;
  if (!(hyper.low = parseExpr()) ||
      !expect(Kind::Comma, "',' between the ends of the domain") ||
      !(hyper.high = parseExpr()))
    return false;
  --openBrackets_;
  hyper.highOpen = is(Kind::RightParen);
  if (hyper.highOpen || is(Kind::RightSquare)) {
    take();
    return true;
  }
  return expectClosing(Kind::RightSquare, opening);
}

/// state ::= 'state' name {',' name} ':' shape ['as' format] '=' expr
///           ['covers' 'absent'] ['if' expr]      SPEC (G4)
bool Parser::parseState(ast::Box &box) {
  ast::State state;
  std::string doc = docOf(take());
  std::vector<std::pair<ast::Name, std::string>> names;
  do {
    std::string own = token().doc < 0 ? doc : docOf(token());
    std::optional<ast::Name> name = parseName("the state's name");
    if (!name)
      return false;
    names.push_back({*name, own});
  } while (takeIf(Kind::Comma));
  if (!expect(Kind::Colon, "':' and the state's shape") || !parseShape(state))
    return false;
  if (takeIfWord("as") && !parseFormat(state.format))
    return false;
  if (!expect(Kind::Assign, "'=' and the state's initial value") ||
      !(state.initial = parseExpr()))
    return false;
  if (!isOnNewLine() && takeIfWord("covers")) {
    if (!expectWord("absent", "after 'covers'"))
      return false;
    state.coversAbsent = true;
  }
  if (!isOnNewLine() && takeIfWord("if") && !(state.guard = parseExpr()))
    return false;
  for (auto &[name, own] : names) {
    state.name = name;
    state.doc = own;
    box.states.push_back(state);
  }
  return true;
}

/// shape ::= 'tensor' | 'group' | 'model' | array 'p'
/// array ::= 'like' | ['folded'] ('rows' | 'cols' | 'matrix')
///         | 'block' '(' expr ')'      SPEC (G4)
bool Parser::parseShape(ast::State &state) {
  using ast::Shape;
  static const std::pair<const char *, Shape> kScalars[] = {
      {"tensor", Shape::Tensor},
      {"group", Shape::Group},
      {"model", Shape::Model}};
  static const std::pair<const char *, Shape> kShapes[] = {
      {"like", Shape::Like},
      {"rows", Shape::Rows},
      {"cols", Shape::Cols},
      {"matrix", Shape::Matrix},
      {"block", Shape::Block}};
  for (auto [word, shape] : kScalars)
    if (takeIfWord(word)) {
      state.shape = shape;
      return true;
    }
  state.isFolded = takeIfWord("folded");
  for (auto [word, shape] : kShapes) {
    bool canFold = shape != Shape::Like && shape != Shape::Block;
    if ((state.isFolded && !canFold) || !takeIfWord(word))
      continue;
    state.shape = shape;
    if (shape == Shape::Block && !(state.block = parseBlockSize()))
      return false;
    return expectWord("p", "after the shape");
  }
  if (state.isFolded)
    return unexpected("'rows', 'cols' or 'matrix' after 'folded'");
  return unexpected("a shape: 'like p', 'tensor', 'group', 'model', 'rows p', "
                    "'cols p', 'matrix p' or 'block(n) p'");
}

/// '(' expr ')'; null after an error      SPEC (G4)
ast::ExprPtr Parser::parseBlockSize() {
  Token opening = token();
  if (!expect(Kind::LeftParen, "'(' and the block's size"))
    return nullptr;
  ++openBrackets_;
  ast::ExprPtr size = parseExpr();
  --openBrackets_;
  if (!size || !expectClosing(Kind::RightParen, opening))
    return nullptr;
  return size;
}

/// format ::= name ['(' arg {',' arg} ')'] ['stochastic' | 'kahan']
/// SPEC (G4)
bool Parser::parseFormat(std::string &format) {
  if (!is(Kind::Name) || isReservedWord(token().text))
    return unexpected("a storage format such as 'bf16' or 'p'");
  format = take().text.str();
  if (is(Kind::LeftParen)) {
    Token opening = take();
    format += '(';
    ++openBrackets_;
    while (is(Kind::Name) || is(Kind::Number)) {
      format += take().text.str();
      if (!takeIf(Kind::Comma))
        break;
      format += ", ";
    }
    --openBrackets_;
    format += ')';
    if (!expectClosing(Kind::RightParen, opening))
      return false;
  }
  if (isWord("stochastic") || isWord("kahan"))
    format += " " + take().text.str();
  return true;
}

/// input ::= 'input' name ':' ('scalar' | 'like' 'p')      SPEC (G4)
bool Parser::parseInput(ast::Box &box) {
  ast::Input input;
  input.doc = docOf(take());
  std::optional<ast::Name> name = parseName("the input's name");
  if (!name)
    return false;
  input.name = *name;
  if (!expect(Kind::Colon, "':' and the input's shape"))
    return false;
  input.isScalar = takeIfWord("scalar");
  if (!input.isScalar) {
    if (!isWord("like"))
      return unexpected("'scalar' or 'like p'");
    take();
    if (!expectWord("p", "after 'like'"))
      return false;
  }
  box.inputs.push_back(std::move(input));
  return true;
}

/// equation ::= ['port'] name ["'"] '=' expr ['if' expr]      SPEC (G4)
bool Parser::parseEquation(ast::Box &box) {
  ast::Equation equation;
  equation.doc = docOf(token());
  equation.isPort = takeIfWord("port");
  std::optional<ast::Name> name =
      parseName(equation.isPort ? "the port's name" : "an equation");
  if (!name)
    return false;
  equation.target = *name;
  if (name->text == "p" && isWord("as"))
    return diagnostics_.report(
        Label::U1, token().range(),
        "a storage format for p itself is not supported yet");
  equation.primed = takeIf(Kind::Prime);
  if (!expect(Kind::Assign, "'='") || !(equation.value = parseExpr()))
    return false;
  if (!isOnNewLine() && takeIfWord("if") && !(equation.guard = parseExpr()))
    return false;
  box.equations.push_back(std::move(equation));
  return true;
}

/// view ::= 'view' name ['=' expr ['if' expr]]      SPEC (G4)
bool Parser::parseView(ast::Box &box) {
  ast::View view;
  view.doc = docOf(take());
  std::optional<ast::Name> name = parseName("the view's name");
  if (!name)
    return false;
  view.name = *name;
  if (takeIf(Kind::Assign)) {
    if (!(view.value = parseExpr()))
      return false;
    if (!isOnNewLine() && takeIfWord("if") && !(view.guard = parseExpr()))
      return false;
  }
  box.views.push_back(std::move(view));
  return true;
}

/// require ::= 'require' expr ',' string      SPEC (G4)
bool Parser::parseRequire(ast::Box &box) {
  Token first = take();
  ast::Require require;
  if (!(require.condition = parseExpr()) ||
      !expect(Kind::Comma, "',' and a message in quotes"))
    return false;
  if (!is(Kind::String))
    return unexpected("a message in quotes");
  require.message = take().text.trim('"').str();
  require.range = rangeFrom(first);
  box.requires_.push_back(std::move(require));
  return true;
}

/// fold ::= 'fold' 'p'      SPEC (G4)
bool Parser::parseFold(ast::Box &box) {
  take();
  box.foldsParam = true;
  return expectWord("p", "after 'fold'");
}

} // namespace updraft
