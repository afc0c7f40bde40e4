//===- CheckShapes.cpp - What is known about a tensor's shape -------------===//

#include "CheckShapes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <cmath>

using namespace updraft;
using namespace updraft::check;

Op check::negated(Op relation) {
  switch (relation) {
  case Op::Lt:
    return Op::Ge;
  case Op::Le:
    return Op::Gt;
  case Op::Gt:
    return Op::Le;
  case Op::Ge:
    return Op::Lt;
  case Op::Eq:
    return Op::Ne;
  case Op::Ne:
    return Op::Eq;
  default:
    llvm_unreachable("not a relation");
  }
}

Op check::mirrored(Op relation) {
  switch (relation) {
  case Op::Lt:
    return Op::Gt;
  case Op::Le:
    return Op::Ge;
  case Op::Gt:
    return Op::Lt;
  case Op::Ge:
    return Op::Le;
  default:
    return relation;
  }
}

Op check::relationOf(ast::Operator op) {
  switch (op) {
  case ast::Operator::Lt:
    return Op::Lt;
  case ast::Operator::Le:
    return Op::Le;
  case ast::Operator::Gt:
    return Op::Gt;
  case ast::Operator::Ge:
    return Op::Ge;
  case ast::Operator::Eq:
    return Op::Eq;
  default:
    return Op::Ne;
  }
}

bool check::compare(Op relation, double a, double b) {
  switch (relation) {
  case Op::Lt:
    return a < b;
  case Op::Le:
    return a <= b;
  case Op::Gt:
    return a > b;
  case Op::Ge:
    return a >= b;
  case Op::Eq:
    return a == b;
  case Op::Ne:
    return a != b;
  default:
    llvm_unreachable("not a relation");
  }
}

const Shapes::Interval *Shapes::find(Test::What what, unsigned index) const {
  for (const Interval &interval : intervals_)
    if (interval.what == what && interval.index == index)
      return &interval;
  return nullptr;
}

Shapes::Interval &Shapes::get(Test::What what, unsigned index) {
  if (const Interval *interval = find(what, index))
    return const_cast<Interval &>(*interval);
  Interval interval;
  interval.what = what;
  interval.index = index;
  intervals_.push_back(interval);
  return intervals_.back();
}

std::optional<bool> Shapes::answer(const Question &question) const {
  if (question.what == Test::What::Tag) {
    for (const Tag &tag : tags_)
      if (tag.name == question.tag)
        return tag.has == (question.value != 0);
    return std::nullopt;
  }
  static const Interval anything{};
  const Interval *known = find(question.what, question.index);
  const Interval &interval = known ? *known : anything;
  double low = interval.low, high = interval.high, value = question.value;
  if (std::isnan(value))
    return question.relation == Op::Ne;
  switch (question.relation) {
  case Op::Lt:
  case Op::Ge: {
    bool isLess = question.relation == Op::Lt;
    if (high < value)
      return isLess;
    if (low >= value)
      return !isLess;
    return std::nullopt;
  }
  case Op::Le:
  case Op::Gt: {
    bool isLess = question.relation == Op::Le;
    if (high <= value)
      return isLess;
    if (low > value)
      return !isLess;
    return std::nullopt;
  }
  default: {
    bool isEqual = question.relation == Op::Eq;
    if (low == high && low == value)
      return isEqual;
    if (value < low || value > high || value != std::floor(value) ||
        std::isinf(value) || llvm::is_contained(interval.holes, value))
      return !isEqual;
    return std::nullopt;
  }
  }
}

void Shapes::restrict(Interval &interval, Op relation, double value) {
  switch (relation) {
  case Op::Lt:
    interval.high = std::min(interval.high, std::ceil(value) - 1);
    break;
  case Op::Le:
    interval.high = std::min(interval.high, std::floor(value));
    break;
  case Op::Gt:
    interval.low = std::max(interval.low, std::floor(value) + 1);
    break;
  case Op::Ge:
    interval.low = std::max(interval.low, std::ceil(value));
    break;
  case Op::Eq:
    interval.low = interval.high = value;
    break;
  default:
    interval.holes.push_back(value);
    break;
  }
  // A hole at an end moves the end, so that ends are always possible.
  while (llvm::is_contained(interval.holes, interval.low))
    ++interval.low;
  while (llvm::is_contained(interval.holes, interval.high))
    --interval.high;
}

void Shapes::learn(const Question &question, bool answer, bool isTest) {
  Test test;
  test.what = question.what;
  test.index = question.index;
  test.relation = answer ? question.relation : negated(question.relation);
  test.value = question.value;
  if (question.what == Test::What::Tag) {
    bool has = answer == (question.value != 0);
    test.relation = Op::Eq;
    test.value = has;
    test.tag = question.tag.str();
    tags_.push_back({question.tag, has});
  } else {
    restrict(get(question.what, question.index), test.relation, test.value);
    // A scalar has one element.
    const Interval *rank = find(Test::What::Rank, 0);
    if (rank && rank->high == 0)
      restrict(get(Test::What::Size, 0), Op::Eq, 1);
  }
  if (isTest)
    tests_.push_back(std::move(test));
}

unsigned Shapes::leastRank() const {
  const Interval *rank = find(Test::What::Rank, 0);
  return rank ? unsigned(std::min(rank->low, 1e6)) : 0;
}
