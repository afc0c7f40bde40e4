//===- Expressions.cpp - Valid expressions from choices -------------------===//

#include "Expressions.h"

#include <algorithm>

using namespace updraft;
using namespace updraft::fuzz;

const char *const fuzz::atoms[kAtoms] = {"wide", "tag(\"a\")", "rank(p) >= 2",
                                         "size(p) > 100", "tag(\"b\")"};
/// The atom that allows for dim(p, 0) and dim(p, 1).
static constexpr unsigned kIsMatrix = 2;

bool fuzz::areOfTensor(const Facts &facts) {
  return std::any_of(facts.begin() + 1, facts.end(),
                     [](int8_t fact) { return fact != 0; });
}

std::string fuzz::conditionOf(const Facts &facts) {
  std::string text;
  for (unsigned atom = 0; atom < kAtoms; ++atom)
    if (facts[atom])
      text += (text.empty() ? "" : " && ") +
              (facts[atom] > 0 ? std::string(atoms[atom])
                               : "!(" + std::string(atoms[atom]) + ")");
  return text;
}

void Expressions::begin(Place at, const Facts &known) {
  place = at;
  facts = known;
  places = Anywhere;
  varies = false;
  isInReduction = false;
}

//===- Names and constants ------------------------------------------------===//

bool Expressions::isReadable(const Name &name, Level most,
                             bool isBoolean) const {
  if (name.level > most || name.isBoolean != isBoolean ||
      !(name.places & place) || (name.varies && !knowsTensor(most)))
    return false;
  for (unsigned atom = 0; atom < kAtoms; ++atom)
    if (name.needs[atom] && name.needs[atom] != facts[atom])
      return false;
  return true;
}

/// One of those that can be read here, rather a late one; null without any.
const Name *Expressions::pick(Level most, bool isBoolean) {
  std::vector<const Name *> readable;
  for (const Name &name : names)
    if (isReadable(name, most, isBoolean))
      readable.push_back(&name);
  if (readable.empty())
    return nullptr;
  unsigned count = readable.size();
  unsigned back = choices.below(count);
  if (choices.once(2))
    back = std::min(back, choices.below(count));
  return readable[count - 1 - back];
}

Piece Expressions::use(const Name &name) {
  places &= name.places;
  varies |= name.varies;
  return {name.text, name.level};
}

Piece Expressions::literal() {
  static const char *const everyday[] = {"1",   "2",    "0.5",  "0",  "3",
                                         "0.9", "1e-3", "1e-8", "10", "0.999"};
  // The ends of every format, and what is not exact in some of them.
  static const char *const special[] = {
      "inf",    "pi",    "1e-45", "5e-324",      "1e-310",
      "3e38",   "4e38",  "1e308", "65504",       "65520",
      "6e-8",   "1e-40", "1e20",  "16777217",    "0.1",
      "1e-300", "88.7",  "-104",  "1_000_000",   "709.8",
      "4097",   "2.5",   "-0.0",  "1.17549e-38", "9007199254740993"};
  return {choices.once(3) ? choices.of(special) : choices.of(everyday),
          Level::Build};
}

Piece Expressions::leaf(Level most) {
  if (most >= Level::Tensor && facts[kIsMatrix] > 0 && choices.once(9) &&
      place != InDefault) {
    places &= InEquation | InInitial | InView;
    return {choices.once(2) ? "dim(p, 1)" : "dim(p, 0)", Level::Tensor};
  }
  const Name *name = choices.once(4) ? nullptr : pick(most, false);
  return name ? use(*name) : literal();
}

/// With something of that level added, if it has a lower one.
Piece Expressions::raised(Piece piece, Level level) {
  if (piece.level >= level)
    return piece;
  static const char *const operators[] = {" + ", "*", " - ", "/"};
  std::string text = "(" + piece.text + ")" + choices.of(operators);
  if (level == Level::Element) {
    bool readsGrad = place == InEquation && choices.once(2);
    places &= readsGrad ? InEquation : InEquation | InInitial | InView;
    return {"(" + text + (readsGrad ? "g)" : "p)"), level};
  }
  places &= InEquation | InInitial | InView;
  return {"(" + text + "size(p))", level};
}

//===- Numbers ------------------------------------------------------------===//

Piece Expressions::number(Level most, unsigned depth) {
  if (depth == 0)
    return leaf(most);
  switch (choices.below(16)) {
  default:
    return leaf(most);
  case 4:
  case 5:
  case 6:
  case 7:
  case 8:
    return binary(most, depth - 1);
  case 9: {
    Piece piece = number(most, depth - 1);
    return {"-" + piece.text, piece.level};
  }
  case 10:
  case 11:
    return call(most, depth - 1);
  case 12:
    return power(most, depth - 1);
  case 13:
    return select(most, depth - 1, false);
  case 14:
    return settled(most, depth - 1, false);
  case 15:
    return reduction(most, depth - 1, false);
  }
}

Piece Expressions::numberAt(Level level, unsigned depth) {
  return raised(number(level, depth), level);
}

/// Brackets stand only sometimes, so that trees of all forms arise.
Piece Expressions::binary(Level most, unsigned depth) {
  static const char *const operators[] = {" + ", " - ", "*",
                                          "*",   " / ", " mod "};
  Piece left = number(most, depth), right = number(most, depth);
  std::string text = left.text + choices.of(operators) + right.text;
  if (choices.once(2))
    text = "(" + text + ")";
  return {text, std::max(left.level, right.level)};
}

Piece Expressions::call(Level most, unsigned depth) {
  struct Function {
    const char *name;
    unsigned arguments;
  };
  static const Function functions[] = {
      {"sqrt", 1},  {"abs", 1},   {"max", 2},     {"min", 2},   {"lerp", 3},
      {"exp", 1},   {"log", 1},   {"expm1", 1},   {"log1p", 1}, {"tanh", 1},
      {"rsqrt", 1}, {"cos", 1},   {"sigmoid", 1}, {"atan2", 2}, {"pow", 2},
      {"sign", 1},  {"floor", 1}, {"ceil", 1},    {"round", 1}, {"ratio", 3},
      {"clamp", 3}};
  const Function &function = choices.of(functions);
  Piece result{std::string(function.name) + "(", Level::Build};
  for (unsigned i = 0; i < function.arguments; ++i) {
    Piece argument = number(most, depth);
    result.text += (i ? ", " : "") + argument.text;
    result.level = std::max(result.level, argument.level);
  }
  result.text += ")";
  return result;
}

Piece Expressions::power(Level most, unsigned depth) {
  static const char *const exponents[] = {"2", "3",  "8",   "0",   "1",
                                          "9", "-1", "0.5", "-2.5"};
  Piece base = number(most, depth);
  if (!choices.once(4))
    return {"(" + base.text + ")^" + choices.of(exponents), base.level};
  Piece exponent = number(most, depth);
  return {"(" + base.text + ")^(" + exponent.text + ")",
          std::max(base.level, exponent.level)};
}

Piece Expressions::select(Level most, unsigned depth, bool isBoolean) {
  Piece question = condition(most, depth);
  Piece left = any(most, depth, isBoolean), right = any(most, depth, isBoolean);
  return {"(" + question.text + " ? " + left.text + " : " + right.text + ")",
          std::max({question.level, left.level, right.level})};
}

/// A condition that the variant decides, whose sides may read more.
Piece Expressions::settled(Level most, unsigned depth, bool isBoolean) {
  unsigned atom = knowsTensor(most) ? choices.below(kAtoms) : 0;
  bool isKnownToFail = place == InDefault || (place == InInitial && atom % 3);
  if (facts[atom] || isKnownToFail)
    return any(most, depth, isBoolean);
  places &= atom == 0       ? InEquation | InInitial | InView
            : atom % 3 == 1 ? InEquation | InView
                            : InEquation | InInitial | InView;
  varies |= atom != 0;
  Facts before = facts;
  facts[atom] = 1;
  Piece left = any(most, depth, isBoolean);
  facts[atom] = -1;
  Piece right = any(most, depth, isBoolean);
  facts = before;
  Level level = std::max(left.level, right.level);
  if (!isBoolean && level >= Level::Tensor) {
    left = raised(left, level);
    right = raised(right, level);
  }
  return {"(" + std::string(atoms[atom]) + " ? " + left.text + " : " +
              right.text + ")",
          level};
}
