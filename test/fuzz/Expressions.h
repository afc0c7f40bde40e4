//===- Expressions.h - Valid expressions from choices ---------------------===//
//
// Writes expressions that the checker accepts: it knows of every name its
// level, where it may be read and under which guards it exists.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_FUZZ_EXPRESSIONS_H
#define UPDRAFT_TEST_FUZZ_EXPRESSIONS_H

#include "Choices.h"

#include "dsl/Rule.h"

#include <array>
#include <string>
#include <vector>

namespace updraft::fuzz {

/// Where an expression stands; a set of places is their sum.
enum Place : unsigned {
  InEquation = 1,
  InInitial = 2,
  InView = 4,
  InDefault = 8,
  Anywhere = 15
};

/// What guards ask; the first is about options, the others about a tensor.
constexpr unsigned kAtoms = 5;
extern const char *const atoms[kAtoms];

/// Of each atom: 1 it holds, -1 it does not, 0 either.
using Facts = std::array<int8_t, kAtoms>;

/// Whether the facts say something about one tensor.
bool areOfTensor(const Facts &facts);
/// The facts as a condition; empty without facts.
std::string conditionOf(const Facts &facts);

/// Something to read.
struct Name {
  std::string text;
  Level level = Level::Element;
  unsigned places = Anywhere;
  bool isBoolean = false;
  bool varies = false; ///< from tensor to tensor, whatever the level
  Facts needs{};
};

/// An expression and its level.
struct Piece {
  std::string text;
  Level level = Level::Build;
};

class Expressions {
public:
  explicit Expressions(Choices &choices) : choices(choices) {}

  void add(Name name) { names.push_back(std::move(name)); }

  /// Begins an expression for `place`, which is of use only where `facts` hold.
  void begin(Place place, const Facts &facts);
  /// At most of that level.
  Piece number(Level most, unsigned depth);
  Piece condition(Level most, unsigned depth);
  /// Of exactly that level, Tensor or Element.
  Piece numberAt(Level level, unsigned depth);

  /// What a name for what was written since begin() has to say.
  unsigned placesUsed() const { return places; }
  bool isVarying() const { return varies; }

private:
  bool isReadable(const Name &name, Level most, bool isBoolean) const;
  const Name *pick(Level most, bool isBoolean);
  Piece use(const Name &name);
  Piece leaf(Level most);
  Piece literal();
  Piece raised(Piece piece, Level level);
  Piece binary(Level most, unsigned depth);
  Piece call(Level most, unsigned depth);
  Piece power(Level most, unsigned depth);
  Piece select(Level most, unsigned depth, bool isBoolean);
  Piece settled(Level most, unsigned depth, bool isBoolean);
  Piece reduction(Level most, unsigned depth, bool isBoolean);
  Piece comparison(Level most, unsigned depth);
  Piece fact(Level most);
  Piece any(Level most, unsigned depth, bool isBoolean) {
    return isBoolean ? condition(most, depth) : number(most, depth);
  }
  bool knowsTensor(Level most) const {
    return most >= Level::Tensor || isInReduction;
  }

  Choices &choices;
  std::vector<Name> names;
  Place place = InEquation;
  Facts facts{};
  bool isInReduction = false;
  unsigned places = Anywhere;
  bool varies = false;
};

} // namespace updraft::fuzz

#endif // UPDRAFT_TEST_FUZZ_EXPRESSIONS_H
