//===- CheckShapes.h - What is known about a tensor's shape ---------------===//
//
// Guards ask about rank, axes, size and tags. A variant is a set of answers;
// this class keeps them and says what follows from them, so that contradictory
// answers are never enumerated and conditions that they decide are settled.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_CHECKSHAPES_H
#define UPDRAFT_DSL_CHECKSHAPES_H

#include "Ast.h"
#include "Rule.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace updraft::check {

/// A yes-or-no question about a shape. `tag` points into the syntax tree.
struct Question {
  Test::What what = Test::What::Rank;
  unsigned index = 0;
  Op relation = Op::Eq;
  double value = 0;
  llvm::StringRef tag;
};

/// The relation that holds where `relation` does not.
Op negated(Op relation);
/// The relation with its sides exchanged.
Op mirrored(Op relation);
/// The relation that a comparison asks for.
Op relationOf(ast::Operator op);
/// What a comparison of two numbers gives.
bool compare(Op relation, double a, double b);

class Shapes {
public:
  /// The answer that follows from what is known, or none.
  std::optional<bool> answer(const Question &question) const;
  /// Learns an answer to a question that has none. `isTest`: the runtime has to
  /// ask it to find the variant; not so what a `require` promises.
  void learn(const Question &question, bool answer, bool isTest = true);
  /// The rank is at least this.
  unsigned leastRank() const;
  /// The answers in the order in which they were learnt.
  const std::vector<Test> &tests() const { return tests_; }

private:
  /// What a whole number can be: within [low, high], none of `holes`.
  struct Interval {
    Test::What what;
    unsigned index;
    double low = 0, high = std::numeric_limits<double>::infinity();
    llvm::SmallVector<double, 2> holes;
  };
  struct Tag {
    llvm::StringRef name;
    bool has;
  };

  const Interval *find(Test::What what, unsigned index) const;
  Interval &get(Test::What what, unsigned index);
  static void restrict(Interval &interval, Op relation, double value);

  llvm::SmallVector<Interval, 4> intervals_;
  llvm::SmallVector<Tag, 2> tags_;
  std::vector<Test> tests_;
};

} // namespace updraft::check

#endif // UPDRAFT_DSL_CHECKSHAPES_H
