//===- ParserExpr.cpp - Expressions ---------------------------------------===//
//
// Precedence climbing over one table. Input may be nested without end, the
// stack is not: both the depth of the recursion and the height of the tree are
// limited (kMaxHeight).
//
//===----------------------------------------------------------------------===//

#include "ParserImpl.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

namespace updraft {

using ast::ExprPtr;
using ast::Operator;

namespace {
/// Binary operators, loosest first. `?:` is looser than all of them; unary
/// operators and `^` are tighter.
struct BinaryRow {
  Token::Kind kind;
  Operator op;
  unsigned precedence;
};

constexpr unsigned kComparison = 3;

using Kind = Token::Kind;
constexpr BinaryRow kBinaries[] = {
    {Kind::OrOr, Operator::Or, 1},
    {Kind::AndAnd, Operator::And, 2},
    {Kind::Less, Operator::Lt, kComparison},
    {Kind::LessEqual, Operator::Le, kComparison},
    {Kind::Greater, Operator::Gt, kComparison},
    {Kind::GreaterEqual, Operator::Ge, kComparison},
    {Kind::Equal, Operator::Eq, kComparison},
    {Kind::NotEqual, Operator::Ne, kComparison},
    {Kind::Plus, Operator::Add, 4},
    {Kind::Minus, Operator::Sub, 4},
    {Kind::Star, Operator::Mul, 5},
    {Kind::Slash, Operator::Div, 5},
    {Kind::Name, Operator::Mod, 5}, // the word 'mod'
};

const BinaryRow *binaryOf(const Token &token) {
  for (const BinaryRow &row : kBinaries)
    if (row.kind == token.kind &&
        (token.kind != Kind::Name || token.text == "mod"))
      return &row;
  return nullptr;
}

/// Whether a line that begins so goes on with the line before.   SPEC (G7)
bool continuesLine(Token::Kind kind) {
  return kind == Kind::Question || kind == Kind::Colon || kind == Kind::Pipe ||
         kind == Kind::OrOr || kind == Kind::AndAnd || kind == Kind::Star ||
         kind == Kind::Slash;
}
} // namespace

/// Reports an expression that is too high to be walked.      SPEC (G5)
ExprPtr Parser::limited(ExprPtr expression) {
  if (expression && expression->height > ast::kMaxHeight) {
    diagnostics_.report(Label::G5, expression->range,
                        "the expression is nested more than " +
                            llvm::Twine(ast::kMaxHeight) +
                            " levels deep; name a part of it");
    return nullptr;
  }
  return expression;
}

/// expr ::= binary ['?' expr ':' expr]      SPEC (G4, G5)
ExprPtr Parser::parseExpr() {
  Token first = token();
  if (depth_ >= ast::kMaxHeight) {
    diagnostics_.report(Label::G5, first.range(),
                        "the expression is nested more than " +
                            llvm::Twine(ast::kMaxHeight) +
                            " levels deep; name a part of it");
    return nullptr;
  }
  ++depth_;
  ExprPtr value = parseBinary(1);
  if (value && is(Kind::Question)) {
    take();
    ExprPtr yes = parseExpr();
    if (!yes || !expect(Kind::Colon, "':' and the other side of '?'"))
      return nullptr;
    ExprPtr no = parseExpr();
    if (!no)
      return nullptr;
    value = limited(ast::makeSelect(value, std::move(yes), std::move(no),
                                    rangeFrom(first)));
  }
  --depth_;
  return value;
}

/// binary ::= unary {operator unary}, by precedence      SPEC (G4, G6)
ExprPtr Parser::parseBinary(unsigned least) {
  Token first = token();
  ExprPtr left = parseUnary();
  bool isComparison = false;
  while (left) {
    const BinaryRow *row = binaryOf(token());
    if (!row || row->precedence < least ||
        (isOnNewLine() && !continuesLine(token().kind)))
      return left;
    if (isComparison && row->precedence == kComparison) {
      diagnostics_.report(Label::G6, token().range(),
                          "comparisons do not chain; write 'a < b && b < c'");
      return nullptr;
    }
    take();
    ExprPtr right = parseBinary(row->precedence + 1);
    if (!right)
      return nullptr;
    left = limited(ast::makeBinary(row->op, std::move(left), std::move(right),
                                   rangeFrom(first)));
    isComparison = row->precedence == kComparison;
  }
  return nullptr;
}

/// unary ::= ('-' | '!') unary | power      SPEC (G4)
ExprPtr Parser::parseUnary() {
  if (!is(Kind::Minus) && !is(Kind::Not))
    return parsePower();
  Token first = take();
  if (++depth_ > ast::kMaxHeight) {
    diagnostics_.report(Label::G5, first.range(),
                        "the expression is nested too deeply");
    return nullptr;
  }
  ExprPtr operand = parseUnary();
  --depth_;
  if (!operand)
    return nullptr;
  Operator op = first.kind == Kind::Minus ? Operator::Neg : Operator::Not;
  return limited(ast::makeUnary(op, std::move(operand), rangeFrom(first)));
}

/// power ::= primary ['^' unary]      SPEC (G4)
ExprPtr Parser::parsePower() {
  Token first = token();
  ExprPtr base = parsePrimary();
  if (!base || !is(Kind::Caret) || isOnNewLine())
    return base;
  take();
  if (++depth_ > ast::kMaxHeight) {
    diagnostics_.report(Label::G5, first.range(),
                        "the expression is nested too deeply");
    return nullptr;
  }
  ExprPtr exponent = parseUnary();
  --depth_;
  if (!exponent)
    return nullptr;
  return limited(ast::makeBinary(Operator::Pow, std::move(base),
                                 std::move(exponent), rangeFrom(first)));
}

/// primary ::= number | string | '(' expr ')' | word      SPEC (G4)
ExprPtr Parser::parsePrimary() {
  if (isOnNewLine() && startsItem()) {
    unexpected("an expression");
    return nullptr;
  }
  switch (token().kind) {
  case Kind::Number: {
    Token number = take();
    return ast::makeNumber(number.number, number.range());
  }
  case Kind::String: {
    Token string = take();
    ast::Expr node = ast::blank(ast::Expr::Kind::String, string.range());
    node.name = string.text.trim('"').str();
    return ast::make(std::move(node));
  }
  case Kind::LeftParen:
    return parseParenthesis();
  case Kind::Name:
    return parseWord();
  default:
    unexpected("an expression");
    return nullptr;
  }
}

ExprPtr Parser::parseParenthesis() {
  Token opening = take();
  ++openBrackets_;
  ExprPtr value = parseExpr();
  --openBrackets_;
  if (!value || !expectClosing(Kind::RightParen, opening))
    return nullptr;
  return value;
}

/// word ::= 'true' | 'false' | 'inf' | 'pi' | 'keep' | 'absent'
///        | name ["'"] | call      SPEC (G9)
ExprPtr Parser::parseWord() {
  Token word = token();
  if (isReservedWord(word.text) && word.text != "absent") {
    llvm::SMRange range = word.range();
    if (takeIfWord("true"))
      return ast::makeBoolean(true, range);
    if (takeIfWord("false"))
      return ast::makeBoolean(false, range);
    if (takeIfWord("inf"))
      return ast::makeNumber(std::numeric_limits<double>::infinity(), range);
    if (takeIfWord("pi"))
      return ast::makeNumber(llvm::numbers::pi, range);
    if (takeIfWord("keep"))
      return ast::makeKeep(range);
    diagnostics_.report(Label::G9, range,
                        "'" + word.text +
                            "' is a reserved word; expected an expression");
    return nullptr;
  }
  take();
  if (is(Kind::LeftParen) && !isOnNewLine())
    return parseCall(word);
  bool isPrimed = is(Kind::Prime) && !token().afterSpace;
  if (isPrimed)
    take();
  return ast::makeRef(word.text, rangeFrom(word), isPrimed);
}

/// call ::= name '(' [argument {',' argument} ['over' over ['if' expr]]] ')'
/// SPEC (G4)
ExprPtr Parser::parseCall(const Token &name) {
  ast::Expr call = ast::blank(ast::Expr::Kind::Call, name.range());
  call.name = name.text.str();
  Token opening = take();
  ++openBrackets_;
  bool hasNames = false;
  while (!is(Kind::RightParen)) {
    std::string argName;
    if (is(Kind::Name) && tokenAfter(1).kind == Kind::Assign) {
      std::optional<ast::Name> written = parseName("an argument's name");
      if (!written)
        return nullptr;
      argName = written->text;
      hasNames = true;
      take();
    }
    ExprPtr value = parseExpr();
    if (!value)
      return nullptr;
    call.args.push_back(std::move(value));
    call.argNames.push_back(std::move(argName));
    if (isWord("over")) {
      if (!parseOver(call) || !parseFilter(call))
        return nullptr;
      break;
    }
    if (!takeIf(Kind::Comma))
      break;
  }
  if (!hasNames)
    call.argNames.clear();
  --openBrackets_;
  if (!expectClosing(Kind::RightParen, opening))
    return nullptr;
  call.range = rangeFrom(name);
  return limited(ast::make(std::move(call)));
}

/// over ::= 'tensor' | 'group' | 'model' | ['folded'] ('rows' | 'cols')
///        | 'block' '(' expr ')' | 'folded' 'p'      SPEC (G4)
bool Parser::parseOver(ast::Expr &call) {
  using ast::Over;
  static const std::pair<const char *, Over> kWords[] = {
      {"tensor", Over::Tensor}, {"group", Over::Group}, {"model", Over::Model},
      {"rows", Over::Rows},     {"cols", Over::Cols},   {"block", Over::Block}};
  take();
  call.isFolded = takeIfWord("folded");
  if (call.isFolded && takeIfWord("p"))
    return true;
  for (auto [word, over] : kWords) {
    bool canFold = over == Over::Rows || over == Over::Cols;
    if ((call.isFolded && !canFold) || !takeIfWord(word))
      continue;
    call.over = over;
    return over != Over::Block || (call.block = parseBlockSize());
  }
  if (call.isFolded)
    return unexpected("'rows', 'cols' or 'p' after 'folded'");
  return unexpected("'tensor', 'group', 'model', 'rows', 'cols' or 'block(n)' "
                    "after 'over'");
}

/// ['if' expr]: which tensors stand in the list of a group or model.  SPEC (G4)
bool Parser::parseFilter(ast::Expr &call) {
  bool isAcross =
      call.over == ast::Over::Group || call.over == ast::Over::Model;
  if (!isAcross || !takeIfWord("if"))
    return true;
  ExprPtr condition = parseExpr();
  if (!condition)
    return false;
  call.args.push_back(std::move(condition));
  call.argNames.emplace_back();
  call.isFiltered = true;
  return true;
}

} // namespace updraft
