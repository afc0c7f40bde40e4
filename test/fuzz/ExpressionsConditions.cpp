//===- ExpressionsConditions.cpp - Reductions and conditions --------------===//

#include "Expressions.h"

#include <algorithm>

using namespace updraft;
using namespace updraft::fuzz;

//===- Reductions ---------------------------------------------------------===//

Piece Expressions::reduction(Level most, unsigned depth, bool isBoolean) {
  static const char *const numbers[] = {"sum",    "mean",   "norm",  "rms",
                                        "max_of", "min_of", "count", "dot"};
  static const char *const conditions[] = {"any", "all"};
  std::vector<Level> levels;
  if (place == InEquation && most >= Level::Model)
    levels.push_back(Level::Model);
  if (place == InEquation && most >= Level::Group)
    levels.push_back(Level::Group);
  if (place != InDefault && most >= Level::Tensor)
    levels.push_back(Level::Tensor);
  if (levels.empty())
    return any(most, depth, isBoolean);
  Level over = levels[levels.size() - 1 - choices.below(levels.size())];
  std::string name = isBoolean ? choices.of(conditions) : choices.of(numbers);
  Facts outer = facts;
  bool wasInReduction = isInReduction, wasVarying = varies;
  if (over != Level::Tensor) {
    // All tensors take part, so only what all have can be read.
    std::fill(facts.begin() + 1, facts.end(), 0);
    isInReduction = true;
    places &= InEquation;
  }
  Level least =
      over == Level::Tensor || choices.once(2) ? Level::Element : Level::Tensor;
  std::string operand;
  if (isBoolean || name == "count") {
    operand = numberAt(least, depth).text + " > " +
              number(Level::Element, depth).text;
  } else {
    operand = numberAt(least, depth).text;
    if (name == "dot")
      operand += ", " + number(Level::Element, depth).text;
  }
  facts = outer;
  isInReduction = wasInReduction;
  const char *suffix = "";
  if (over == Level::Model)
    suffix = " over model";
  else if (over == Level::Group)
    suffix = " over group";
  if (over != Level::Tensor)
    varies = wasVarying;
  return {name + "(" + operand + suffix + ")", over};
}

//===- Conditions ---------------------------------------------------------===//

Piece Expressions::condition(Level most, unsigned depth) {
  if (depth == 0)
    return fact(most);
  switch (choices.below(12)) {
  default:
    return comparison(most, depth - 1);
  case 5:
    return fact(most);
  case 6: {
    Piece piece = condition(most, depth - 1);
    return {"!(" + piece.text + ")", piece.level};
  }
  case 7:
  case 8: {
    Piece left = condition(most, depth - 1);
    Piece right = condition(most, depth - 1);
    const char *word = choices.once(2) ? " && " : " || ";
    return {"(" + left.text + word + right.text + ")",
            std::max(left.level, right.level)};
  }
  case 9: {
    Piece piece = number(most, depth - 1);
    return {(choices.once(2) ? "is_nan(" : "is_finite(") + piece.text + ")",
            piece.level};
  }
  case 10:
    return choices.once(2) ? select(most, depth - 1, true)
                           : settled(most, depth - 1, true);
  case 11:
    return reduction(most, depth - 1, true);
  }
}

Piece Expressions::comparison(Level most, unsigned depth) {
  static const char *const relations[] = {
      " > ", " < ", " <= ", " >= ", " == ", " != "};
  Piece left = number(most, depth), right = number(most, depth);
  return {"(" + left.text + choices.of(relations) + right.text + ")",
          std::max(left.level, right.level)};
}

/// A condition without parts.
Piece Expressions::fact(Level most) {
  if (const Name *name = pick(most, true))
    if (!choices.once(3))
      return use(*name);
  if (choices.once(2) || place == InDefault)
    return {choices.once(2) ? "true" : "false", Level::Build};
  return comparison(most, 0);
}
