//===- CheckNames.cpp - What the names of a rule stand for ----------------===//
//
// One name, one meaning: declarations and lets share one space with the names
// of the language, and every name has at most one equation. Equations under
// disjoint guards are no exception, so that a reader finds the one place.
//
//===----------------------------------------------------------------------===//

#include "CheckContext.h"

using namespace updraft;
using namespace updraft::check;

/// Declares a name. False after an error.
static bool declare(Context &context, const ast::Name &name, Symbol::Kind kind,
                    unsigned index) {
  if (isReserved(name.text))
    return context.diagnostics.report(
        Label::S2, name.range,
        "'" + name.text + "' is a name of the language and cannot be defined");
  auto [found, isNew] =
      context.symbols.try_emplace(name.text, Symbol{kind, index, name.range});
  if (isNew)
    return true;
  context.error(Label::S1, name.range, "'" + name.text + "' is defined twice");
  context.diagnostics.note(found->second.range,
                           "'" + name.text + "' is defined here first");
  return false;
}

/// `x = ...`
static void declareLet(Context &context, const ast::Equation &equation,
                       unsigned index) {
  const ast::Name &name = equation.target;
  if (name.text == "g" || name.text == "p") {
    context.error(Label::S2, name.range,
                  name.text == "p"
                      ? "'p' is the parameter before the step: write p' = ..."
                      : "'g' is the gradient and cannot be written; a "
                        "transform hands in another one by 'inner.g = ...'");
    return;
  }
  auto found = context.symbols.find(name.text);
  if (found == context.symbols.end() || isReserved(name.text)) {
    declare(context, name, Symbol::Kind::Let, index);
    return;
  }
  const Symbol &symbol = found->second;
  if (symbol.kind == Symbol::Kind::Let)
    context.error(Label::S1, name.range,
                  "'" + name.text + "' has two equations; join them with '?:'");
  else if (symbol.kind == Symbol::Kind::State)
    context.error(Label::S1, name.range,
                  "'" + name.text + "' is a state: its new value is " +
                      name.text + "' = ...");
  else
    context.error(Label::S1, name.range,
                  "'" + name.text + "' is defined twice");
  context.diagnostics.note(symbol.range,
                           "'" + name.text + "' is defined here first");
}

/// Reports that `x'` cannot have an equation.
static void reportNoNewValue(Context &context, const ast::Name &name) {
  auto found = context.symbols.find(name.text);
  std::string primed = name.text + "'";
  if (name.text == "g") {
    context.error(Label::S4, name.range,
                  "'g' is the gradient and has no new value");
  } else if (found != context.symbols.end()) {
    context.error(Label::S4, name.range,
                  "'" + primed + "' has an equation, but '" + name.text +
                      "' is not a state");
    context.diagnostics.note(found->second.range,
                             "'" + name.text + "' is declared here");
  } else if (isReserved(name.text)) {
    context.error(Label::S4, name.range,
                  "'" + name.text + "' cannot be given a new value");
  } else {
    std::vector<std::string> states = {"p"};
    for (const ast::State &state : context.box.states)
      states.push_back(state.name.text);
    context.error(Label::S4, name.range,
                  "'" + primed + "' has an equation, but there is no state '" +
                      name.text + "'" + didYouMean(name.text, states));
  }
}

/// `x' = ...`
static void declareNewValue(Context &context, const ast::Equation &equation,
                            unsigned index) {
  const ast::Name &name = equation.target;
  Definition &definition = context.definitions[index];
  unsigned *slot = nullptr;
  auto found = context.symbols.find(name.text);
  if (name.text == "p") {
    definition.target = Equation::Target::Param;
    slot = &context.paramEquation;
  } else if (found != context.symbols.end() &&
             found->second.kind == Symbol::Kind::State) {
    definition.target = Equation::Target::State;
    definition.state = found->second.index;
    slot = &context.states[definition.state].equation;
  } else {
    reportNoNewValue(context, name);
    return;
  }
  if (*slot == kNone) {
    *slot = index;
    return;
  }
  context.error(Label::S1, name.range,
                "'" + name.text + "'' has two equations; join them with '?:'");
  context.diagnostics.note(context.definitions[*slot].ast->target.range,
                           "'" + name.text + "'' has its first equation here");
}

/// Reports all but the first of what there may be only one of.
template <typename List, typename Predicate>
static void checkSingle(Context &context, const List &list, Predicate is,
                        const char *what, auto nameOf) {
  const ast::Name *first = nullptr;
  for (const auto &item : list) {
    if (!is(item))
      continue;
    const ast::Name &name = nameOf(item);
    if (!first) {
      first = &name;
      continue;
    }
    context.error(Label::S11, name.range,
                  "'" + name.text + "' is a second " + what +
                      ": a rule has at most one");
    context.diagnostics.note(first->range,
                             "the first is '" + first->text + "'");
  }
}

void check::collectNames(Context &context) {
  const ast::Box &box = context.box;
  auto declareAll = [&](const auto &list, Symbol::Kind kind) {
    for (unsigned i = 0; i < list.size(); ++i)
      declare(context, list[i].name, kind, i);
  };
  declareAll(box.options, Symbol::Kind::Option);
  declareAll(box.hypers, Symbol::Kind::Hyper);
  declareAll(box.states, Symbol::Kind::State);
  declareAll(box.inputs, Symbol::Kind::Input);

  context.states.resize(box.states.size());
  context.definitions.resize(box.equations.size());
  for (unsigned i = 0; i < box.equations.size(); ++i) {
    const ast::Equation &equation = box.equations[i];
    context.definitions[i].ast = &equation;
    if (equation.primed)
      declareNewValue(context, equation, i);
    else
      declareLet(context, equation, i);
  }
  checkSingle(
      context, box.hypers,
      [](const ast::Hyper &hyper) {
        // A routed rule has one for each route, named after it.
        return hyper.isRate && !llvm::StringRef(hyper.name.text).contains('.');
      },
      "rate", [](const ast::Hyper &hyper) -> auto & { return hyper.name; });
  checkSingle(
      context, box.equations,
      [](const ast::Equation &equation) { return equation.isPort; }, "port",
      [](const ast::Equation &equation) -> auto & { return equation.target; });
}
