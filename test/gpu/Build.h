//===- Build.h - One instruction from its words ---------------------------===//
//
// The families of instructions (Integer.cpp, Float.cpp, ...) are tables from
// the first word to a function that takes the other words and the arguments
// away one by one; what is left over is refused.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_BUILD_H
#define UPDRAFT_TEST_GPU_BUILD_H

#include "Lexer.h"
#include "Names.h"

namespace updraft::gpu {

struct Argument {
  enum Kind {
    Name,
    Integer,
    Real32,
    Real64,
    Address,
    Vector,
    List,
    Sink,
    Pair
  };
  Kind kind = Name;
  std::string_view text;       // Name
  uint64_t value = 0;          // Integer, the bits of Real; of Address: offset
  bool negated = false;        // !p
  std::vector<Argument> parts; // Address: its base; Vector, List, Pair
};

class Build {
public:
  Build(Function &function, Names &names, Instruction &made,
        std::string_view opcode, std::vector<Argument> arguments);

  Function &function;
  Names &names;
  Instruction &made;
  std::vector<Argument> arguments;

  /// Whether the word was there; then it is taken.
  bool take(std::string_view word);
  bool has(std::string_view word) const;
  void need(std::string_view word);
  /// The last word, a type.
  Type type();
  std::string_view lastWord();
  void count(size_t wanted) const;

  /// Appends an operand of exactly `bits`; targets come before sources.
  void target(const Argument &argument, unsigned bits);
  void source(const Argument &argument, unsigned bits);
  /// One of any width, which is returned.
  unsigned targetOfAny(const Argument &argument);
  unsigned sourceOfAny(const Argument &argument, unsigned bitsIfConstant);
  /// The base of [base + offset] as a source, the offset into `made`; a name of
  /// memory is a base that is constant. Returns the bits of the base.
  unsigned address(const Argument &argument);
  uint64_t integer(const Argument &argument) const;

  /// Ends it: no word may be left.
  void finish(Handler handler);
  [[noreturn]] void fail(std::string_view what) const;

private:
  std::string_view opcode;
  std::vector<std::string_view> words;
  void append(Operand operand, bool isTarget);
};

using Family = void (*)(Build &);
using Families = std::map<std::string_view, Family>;
const Families &integerFamilies();
const Families &bitFamilies();
const Families &floatFamilies();
const Families &compareFamilies();
const Families &convertFamilies();
const Families &moveFamilies();
const Families &memoryFamilies();
const Families &warpFamilies();
const Families &controlFamilies();

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_BUILD_H
