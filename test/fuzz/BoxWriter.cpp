//===- BoxWriter.cpp - Valid rules and transforms from choices ------------===//

#include "RuleWriter.h"

#include <algorithm>

using namespace updraft;
using namespace updraft::fuzz;

/// What every rule may read.
void BoxWriter::addLanguage() {
  constexpr unsigned stored = InEquation | InInitial | InView;
  expressions.add({"absent", Level::Tensor, InEquation, true});
  expressions.add({"rank(p)", Level::Tensor, stored});
  expressions.add({"size(p)", Level::Tensor, stored});
  expressions.add({"t", Level::Tensor, InEquation | InView});
  expressions.add({"step", Level::Model, InEquation | InView | InDefault});
  expressions.add({"calls", Level::Model, InEquation | InView | InDefault});
  expressions.add({"p", Level::Element, stored});
  expressions.add({"g", Level::Element, InEquation});
}

Facts BoxWriter::chooseFacts(bool ofTensor) {
  Facts facts{};
  if (!choices.once(4))
    return facts;
  facts[ofTensor ? choices.below(kAtoms) : 0] = choices.once(2) ? -1 : 1;
  if (ofTensor && choices.once(4))
    facts[choices.below(kAtoms)] = choices.once(2) ? -1 : 1;
  return facts;
}

std::string BoxWriter::guard(const Facts &facts) {
  std::string condition = conditionOf(facts);
  return condition.empty() ? "" : "  if " + condition;
}

//===- Equations ----------------------------------------------------------===//

void BoxWriter::writeLet() {
  Facts needs = chooseFacts(true);
  Name let{"x" + std::to_string(lets++)};
  expressions.begin(choices.once(6) ? InView : InEquation, needs);
  let.isBoolean = choices.once(4);
  static const Level levels[] = {Level::Element, Level::Element, Level::Tensor,
                                 Level::Group, Level::Model};
  Level most = choices.of(levels);
  Piece piece = let.isBoolean ? expressions.condition(most, depth())
                              : expressions.number(most, depth());
  let.level = piece.level;
  let.places = expressions.placesUsed() & ~InDefault;
  let.varies = expressions.isVarying() || areOfTensor(needs);
  let.needs = needs;
  equation(let.text + " = " + piece.text + guard(needs));
  expressions.add(std::move(let));
}

/// `c ? a : keep` in some of its forms.
std::string BoxWriter::kept(const State &state, unsigned deep) {
  Level most = std::min(state.level, Level::Tensor);
  std::string condition = expressions.condition(most, deep).text;
  std::string value = expressions.number(state.level, deep).text;
  switch (choices.below(3)) {
  default:
    return condition + " ? " + value + " : keep";
  case 1:
    return condition + " ? keep : " + value;
  case 2:
    return condition + " ? " + value + " : " +
           expressions.condition(most, deep).text +
           " ? keep : " + expressions.number(state.level, deep).text;
  }
}

void BoxWriter::writeStateEquation(State &state) {
  state.isWritten = true;
  expressions.begin(InEquation, state.needs);
  unsigned deep = depth();
  std::string value = choices.once(4)
                          ? kept(state, deep)
                          : expressions.number(state.level, deep).text;
  equation(state.name + "' = " + value + guard(state.needs));
  expressions.add(
      {state.name + "'", state.level, InEquation, false, false, state.needs});
}

void BoxWriter::writeAnyState() {
  for (State &state : states)
    if (!state.isWritten)
      return writeStateEquation(state);
  writeLet();
}

void BoxWriter::writePort() {
  expressions.begin(InEquation, {});
  Piece piece = expressions.numberAt(Level::Element, depth());
  equation("port u = " + piece.text);
  expressions.add({"u", Level::Element, InEquation});
  result.hasPort = true;
}

/// p', mostly a small step away from p.
void BoxWriter::writeResult() {
  expressions.begin(InEquation, {});
  std::string step = expressions.numberAt(Level::Element, depth()).text;
  std::string start = core ? "inner.p'" : "p";
  if (choices.once(4))
    equation("p' = " + step);
  else if (choices.once(4))
    equation("p' = " + expressions.condition(Level::Tensor, depth()).text +
             " ? " + start + " - " + step + " : keep");
  else
    equation("p' = " + start + " - 0.01*" + step);
  expressions.add({"p'", Level::Element, InEquation});
}

/// What a transform gives to its inside, and what it can read of it then.
void BoxWriter::writeHandedIn() {
  static const char *const wholes[] = {"inner.g", "inner.p"};
  for (const char *whole : wholes)
    if (choices.once(2)) {
      Facts needs = chooseFacts(true);
      expressions.begin(InEquation, needs);
      std::string value = expressions.numberAt(Level::Element, depth()).text;
      equation(std::string(whole) + " = " + value + guard(needs));
    }
  if (choices.once(3)) {
    expressions.begin(InEquation, {});
    std::string value = expressions.condition(Level::Model, depth()).text;
    equation((choices.once(3) ? "inner.call = " : "inner.commit = ") + value);
  }
  expressions.add({"inner.committed", Level::Model, InEquation, true});
  for (const char *counter : {"inner.step", "inner.calls"})
    expressions.add({counter, Level::Model, InEquation});
  expressions.add({"inner.t", Level::Tensor, InEquation});
  if (core->hasRate)
    expressions.add({"inner.rate", Level::Group, InEquation});
  if (core->hasPort && choices.once(2)) {
    expressions.add({"inner.u", Level::Element, InEquation});
    Facts needs = chooseFacts(true);
    expressions.begin(InEquation, needs);
    std::string value = expressions.numberAt(Level::Element, depth()).text;
    equation("u = " + value + guard(needs));
  }
  expressions.add({"inner.p'", Level::Element, InEquation});
}

void BoxWriter::writeBody() {
  unsigned before = choices.below(6), after = choices.below(4);
  for (unsigned i = 0; i < before; ++i)
    choices.once(3) ? writeAnyState() : writeLet();
  if (core)
    writeHandedIn();
  else if (choices.once(2))
    writePort();
  for (unsigned i = 0; core && i < after; ++i)
    choices.once(3) ? writeAnyState() : writeLet();
  if (!core || choices.once(2))
    writeResult();
  for (unsigned i = 0; i < after; ++i)
    choices.once(3) ? writeAnyState() : writeLet();
  for (State &state : states)
    if (!state.isWritten && !choices.once(8))
      writeStateEquation(state);
}

//===- The rest -----------------------------------------------------------===//

void BoxWriter::writeViews() {
  if (!states.empty() && choices.once(3))
    line("view " + states.front().name);
  if (!choices.once(3))
    return;
  expressions.begin(InView, {});
  Piece piece = choices.once(3) ? expressions.number(Level::Group, depth())
                                : expressions.numberAt(Level::Element, depth());
  line("view look = " + piece.text);
}

void BoxWriter::writeRequire() {
  if (choices.once(6))
    line("require size(p) >= 0 || " + result.arguments.front().name +
         " > 0, \"a tensor\"");
}

Written BoxWriter::write() {
  addLanguage();
  writeOptions();
  writeHypers();
  writeInputs();
  writeStates();
  writeBody();
  writeViews();
  writeRequire();
  // Equations have no order.
  if (choices.once(2))
    std::reverse(equations.begin(), equations.end());
  result.name = name;
  result.text = (core ? "transform " : "rule ") + name +
                (choices.once(4) ? " covers absent {\n" : " {\n");
  for (const std::string &text : lines)
    result.text += text;
  for (const std::string &text : equations)
    result.text += text;
  result.text += "}\n";
  return result;
}
