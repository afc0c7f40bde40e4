//===- RuleWriter.h - Valid rules from choices ----------------------------===//
//
// Writes a file with a rule, transforms, a schedule and an optimizer that puts
// them and boxes of the library together. The checker accepts nearly all.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_FUZZ_RULEWRITER_H
#define UPDRAFT_TEST_FUZZ_RULEWRITER_H

#include "Expressions.h"

namespace updraft::fuzz {

/// What others may say about a box, or a rule, that was written.
struct Written {
  std::string name, text;
  /// Hypers that an argument may give, with two numbers that they may have.
  struct Argument {
    std::string name, one, other;
    bool isWide = true; ///< takes the values of any schedule
  };
  std::vector<Argument> arguments;
  bool hasPort = false, hasRate = false;
};

/// Writes one rule. A transform knows what it finds inside: `core`; it is null
/// for a rule.
class BoxWriter {
public:
  BoxWriter(Choices &choices, std::string name, const Written *core)
      : choices(choices), expressions(choices), name(std::move(name)),
        core(core) {}

  Written write();

private:
  struct State {
    std::string name;
    Level level;
    Facts needs;
    bool isWritten = false;
  };

  void addLanguage();
  void writeOptions();
  void writeHypers();
  void writeComputedHyper();
  void writeInputs();
  void writeStates();
  void writeState(unsigned number);
  void writeHandedIn();
  void writeBody();
  void writeLet();
  void writeStateEquation(State &state);
  void writeAnyState();
  void writePort();
  void writeResult();
  void writeViews();
  void writeRequire();
  void line(const std::string &text) { lines.push_back("  " + text + "\n"); }
  void equation(const std::string &text) {
    equations.push_back("  " + text + "\n");
  }
  Facts chooseFacts(bool ofTensor);
  std::string guard(const Facts &facts);
  std::string kept(const State &state, unsigned depth);
  unsigned depth() { return 1 + choices.below(4); }

  Choices &choices;
  Expressions expressions;
  std::string name;
  const Written *core;
  Written result;
  std::vector<std::string> lines, equations;
  std::vector<State> states;
  unsigned lets = 0;
};

/// A file and the name of its optimizer: "it".
std::string writeFile(Choices &choices);

} // namespace updraft::fuzz

#endif // UPDRAFT_TEST_FUZZ_RULEWRITER_H
