//===- BoxDeclarations.cpp - What a rule declares -------------------------===//

#include "RuleWriter.h"

using namespace updraft;
using namespace updraft::fuzz;

void BoxWriter::writeOptions() {
  line(std::string("option wide: bool = ") +
       (choices.once(2) ? "true" : "false"));
  if (!choices.once(3))
    return;
  line("option k: int = " + std::to_string(choices.below(5)));
  expressions.add({"k", Level::Build});
}

void BoxWriter::writeHypers() {
  struct Kind {
    const char *domain, *one, *other;
    bool isWide;
  };
  static const Kind kinds[] = {{"", "0.1", "2", true},
                               {" in [0, inf)", "1e-3", "3e38", true},
                               {" in [0, 1)", "0.9", "0", false},
                               {" in (0, 1]", "1", "5e-324", false},
                               {" in [-inf, inf]", "-1", "1e-8", true},
                               {" in (-2, 2)", "1.5", "-1e-45", false}};
  unsigned count = 1 + choices.below(3);
  for (unsigned i = 0; i < count; ++i) {
    bool isRate = !core && i == 0 && !choices.once(5);
    bool isModel = !isRate && choices.once(3);
    bool isWhole = !isRate && choices.once(5);
    const Kind &kind = choices.of(kinds);
    std::string domain = isWhole ? " in [1, inf)" : kind.domain;
    std::string one = isWhole ? "2" : kind.one,
                other = isWhole ? "3" : kind.other;
    std::string hyper = isRate ? "lr" : "h" + std::to_string(i);
    line((isRate ? "rate " : "hyper ") + hyper +
         (isModel && isWhole ? ": model int"
          : isModel          ? ": model"
          : isWhole          ? ": int"
                             : "") +
         " = " + one + domain);
    expressions.add({hyper, isModel ? Level::Model : Level::Group, Anywhere});
    result.arguments.push_back({hyper, one, other, !isWhole && kind.isWide});
    result.hasRate |= isRate;
  }
  if (choices.once(4))
    writeComputedHyper();
}

void BoxWriter::writeComputedHyper() {
  bool isModel = choices.once(2);
  Level level = isModel ? Level::Model : Level::Group;
  expressions.begin(InDefault, {});
  std::string value = expressions.number(level, depth()).text;
  line(std::string("hyper c") + (isModel ? ": model" : "") + " = calls*(" +
       value + ")");
  expressions.add({"c", level, InEquation | InView});
}

void BoxWriter::writeInputs() {
  if (!choices.once(5))
    return;
  bool isScalar = choices.once(2);
  line(std::string("input i: ") + (isScalar ? "scalar" : "like p"));
  expressions.add({"i", isScalar ? Level::Model : Level::Element, InEquation});
}

void BoxWriter::writeState(unsigned number) {
  struct Kind {
    Level level;
    const char *shape;
  };
  static const Kind kinds[] = {{Level::Element, "like p"},
                               {Level::Element, "like p as bf16"},
                               {Level::Element, "like p as f16"},
                               {Level::Element, "like p as p"},
                               {Level::Element, "like p as f32"},
                               {Level::Element, "like p as f64"},
                               {Level::Tensor, "tensor"},
                               {Level::Group, "group"},
                               {Level::Model, "model"}};
  const Kind &kind = choices.of(kinds);
  State state{"s" + std::to_string(number), kind.level,
              chooseFacts(kind.level >= Level::Tensor)};
  std::string initial = "0";
  if (choices.once(2)) {
    expressions.begin(InInitial, state.needs);
    initial = expressions.number(kind.level, depth()).text;
  }
  line("state " + state.name + ": " + kind.shape + " = " + initial +
       (choices.once(5) ? "  covers absent" : "") + guard(state.needs));
  expressions.add(
      {state.name, kind.level, InEquation | InView, false, false, state.needs});
  states.push_back(state);
}

void BoxWriter::writeStates() {
  unsigned count = choices.below(5);
  for (unsigned i = 0; i < count; ++i)
    writeState(i);
}
