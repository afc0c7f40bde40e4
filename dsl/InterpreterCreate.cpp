//===- InterpreterCreate.cpp - Before the first step ----------------------===//
//
// Hypers and their domains, the choice of variants, requirements and initial
// values: all that can be wrong between a checked rule and its tensors.
//
//===----------------------------------------------------------------------===//

#include "InterpreterCall.h"
#include "InterpreterFormat.h"
#include "InterpreterMemory.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>
#include <cstdio>

namespace updraft {

Definitions::Definitions(const Rule &rule,
                         const std::vector<Equation> &equations)
    : lets(rule.lets.size()), states(rule.states.size()) {
  for (const Equation &equation : equations)
    switch (equation.target) {
    case Equation::Target::Let:
      lets[equation.index] = &equation;
      break;
    case Equation::Target::State:
      states[equation.index] = &equation;
      break;
    case Equation::Target::Param:
      param = &equation;
    }
}

static std::string text(double number) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", number);
  return buffer;
}

//===- Hypers -------------------------------------------------------------===//

static bool isInside(const Domain &domain, double value) {
  return (domain.lowOpen ? value > domain.low : value >= domain.low) &&
         (domain.highOpen ? value < domain.high : value <= domain.high);
}

static bool checkHyper(const Hyper &hyper, double value, std::string &error) {
  if (hyper.isInt && std::floor(value) != value)
    return fail(error, "hyper '" + hyper.name +
                           "' wants a whole number, found " + text(value));
  if (isInside(hyper.domain, value))
    return true;
  const Domain &domain = hyper.domain;
  return fail(error, "hyper '" + hyper.name + "' is " + text(value) +
                         ", which is outside of " +
                         (domain.lowOpen ? "(" : "[") + text(domain.low) +
                         ", " + text(domain.high) +
                         (domain.highOpen ? ")" : "]"));
}

bool checkComputed(const InterpreterMemory &memory, Call &call,
                   std::string &error) {
  for (const Hyper &hyper : memory.rule.hypers) {
    bool hasDomain =
        std::isfinite(hyper.domain.low) || std::isfinite(hyper.domain.high);
    if (!hyper.computed || (!hasDomain && !hyper.isInt))
      continue;
    for (unsigned g = 0; g < memory.groups.size(); ++g)
      if (!checkHyper(hyper,
                      call.evaluate(*hyper.computed, {g, Place::none})[0],
                      error))
        return fail(error, "in call " + llvm::Twine(memory.step) +
                               " the computed " + error);
  }
  return true;
}

static std::optional<unsigned> findHyper(const Rule &rule, llvm::StringRef name,
                                         std::string &error) {
  for (unsigned h = 0; h < rule.hypers.size(); ++h)
    if (rule.hypers[h].name == name) {
      if (!rule.hypers[h].computed)
        return h;
      fail(error, "hyper '" + name + "' is computed in every step");
      return std::nullopt;
    }
  fail(error, "rule '" + rule.name + "' has no hyper '" + name + "'");
  return std::nullopt;
}

/// Defaults first, then what each group sets. A hyper of model level may be
/// set by any group, for all of them.
static bool setHypers(InterpreterMemory &memory,
                      const std::vector<GroupSetup> &groups,
                      std::string &error) {
  const Rule &rule = memory.rule;
  memory.groups.resize(std::max<size_t>(groups.size(), 1));
  for (GroupMemory &group : memory.groups)
    for (const Hyper &hyper : rule.hypers)
      group.hypers.push_back(hyper.initial.value_or(std::nan("")));
  std::vector<std::optional<double>> ofModel(rule.hypers.size());
  for (unsigned g = 0; g < groups.size(); ++g)
    for (const auto &[name, value] : groups[g].hypers) {
      std::optional<unsigned> h = findHyper(rule, name, error);
      if (!h || !checkHyper(rule.hypers[*h], value, error))
        return false;
      memory.groups[g].hypers[*h] = value;
      if (rule.hypers[*h].level != Level::Model)
        continue;
      if (ofModel[*h].value_or(value) != value)
        return fail(error, "hyper '" + name +
                               "' has one value for all groups, "
                               "found " +
                               text(*ofModel[*h]) + " and " + text(value));
      ofModel[*h] = value;
      for (GroupMemory &group : memory.groups)
        group.hypers[*h] = value;
    }
  for (const GroupMemory &group : memory.groups)
    for (unsigned h = 0; h < rule.hypers.size(); ++h)
      if (!rule.hypers[h].computed && std::isnan(group.hypers[h]))
        return fail(error, "hyper '" + rule.hypers[h].name +
                               "' has no default and must be given");
  return true;
}

//===- Requirements -------------------------------------------------------===//

static bool checkRequirements(const InterpreterMemory &memory,
                              std::string &error) {
  Call call(memory);
  for (unsigned g = 0; g < memory.groups.size(); ++g)
    for (const Require &require : memory.rule.requires_)
      if (call.evaluate(*require.condition, {g, Place::none})[0] == 0)
        return fail(error, memory.rule.name + ": " + require.message);
  for (unsigned t = 0; t < memory.tensors.size(); ++t)
    for (const Require &require : memory.tensors[t].variant->requires_)
      if (call.evaluate(*require.condition, call.placeOf(t))[0] == 0)
        return fail(error, memory.rule.name + ": tensor '" +
                               memory.tensors[t].setup.name +
                               "': " + require.message);
  return true;
}

bool Interpreter::setHyper(unsigned group, llvm::StringRef name, double value,
                           std::string &error) {
  InterpreterMemory &memory = *memory_;
  std::optional<unsigned> h = findHyper(memory.rule, name, error);
  if (!h || !checkHyper(memory.rule.hypers[*h], value, error))
    return false;
  bool isOfModel = memory.rule.hypers[*h].level == Level::Model;
  if (!isOfModel && group >= memory.groups.size())
    return fail(error, "there is no group " + llvm::Twine(group));
  std::vector<double> before;
  for (GroupMemory &each : memory.groups)
    before.push_back(each.hypers[*h]);
  for (unsigned g = 0; g < memory.groups.size(); ++g)
    if (isOfModel || g == group)
      memory.groups[g].hypers[*h] = value;
  if (checkRequirements(memory, error))
    return true;
  for (unsigned g = 0; g < memory.groups.size(); ++g)
    memory.groups[g].hypers[*h] = before[g];
  return false;
}

//===- Tensors ------------------------------------------------------------===//

static bool compare(Op relation, double a, double b) {
  switch (relation) {
  case Op::Lt:
    return a < b;
  case Op::Le:
    return a <= b;
  case Op::Gt:
    return a > b;
  case Op::Ge:
    return a >= b;
  case Op::Ne:
    return a != b;
  default:
    return a == b;
  }
}

/// A test of a dimension that the tensor does not have fails.
static bool holds(const Test &test, const TensorMemory &tensor) {
  const std::vector<uint64_t> &shape = tensor.setup.shape;
  switch (test.what) {
  case Test::What::Rank:
    return compare(test.relation, double(shape.size()), test.value);
  case Test::What::Dim:
    return test.index < shape.size() &&
           compare(test.relation, double(shape[test.index]), test.value);
  case Test::What::Size:
    return compare(test.relation, double(tensor.size), test.value);
  case Test::What::Tag:
    return compare(test.relation,
                   llvm::is_contained(tensor.setup.tags, test.tag), test.value);
  }
  return false;
}

static bool addTensor(InterpreterMemory &memory, TensorSetup setup,
                      std::string &error) {
  TensorMemory tensor;
  for (uint64_t dim : setup.shape)
    tensor.size *= dim;
  if (setup.values.size() != tensor.size)
    return fail(error, "tensor '" + setup.name + "' has " +
                           llvm::Twine(setup.values.size()) +
                           " values, its shape wants " +
                           llvm::Twine(tensor.size));
  if (setup.group >= memory.groups.size())
    return fail(error, "tensor '" + setup.name + "' is in group " +
                           llvm::Twine(setup.group) + " of " +
                           llvm::Twine(memory.groups.size()));
  for (double value : setup.values)
    tensor.param.push_back(roundTo(memory.rule.param, value));
  tensor.setup = std::move(setup);
  for (const Variant &variant : memory.rule.variants)
    if (!tensor.variant && llvm::all_of(variant.tests, [&](const Test &test) {
          return holds(test, tensor);
        }))
      tensor.variant = &variant;
  if (!tensor.variant)
    return fail(error, "tensor '" + tensor.setup.name +
                           "' fits no variant of " + "rule '" +
                           memory.rule.name + "'");
  tensor.definitions =
      &memory.variants
           .try_emplace(tensor.variant, memory.rule, tensor.variant->equations)
           .first->second;
  tensor.inputs.resize(memory.rule.inputs.size());
  memory.groups[tensor.setup.group].tensors.push_back(memory.tensors.size());
  memory.tensors.push_back(std::move(tensor));
  return true;
}

//===- Initial values -----------------------------------------------------===//

/// Initial values may read hypers and p, not each other.
static void setInitialValues(InterpreterMemory &memory) {
  const Rule &rule = memory.rule;
  Call call(memory);
  auto initial = [&](unsigned s, Place place, uint64_t size) {
    const State &state = rule.states[s];
    Values values =
        call.evaluateAs(*state.initial, state.level, state.axis, place);
    std::vector<double> numbers(size);
    for (uint64_t i = 0; i < size; ++i)
      numbers[i] = roundTo(memory.formatOf(state), values[i]);
    return numbers;
  };
  memory.states.resize(rule.states.size());
  for (GroupMemory &group : memory.groups)
    group.states.resize(rule.states.size());
  for (unsigned s = 0; s < rule.states.size(); ++s) {
    if (rule.states[s].level <= Level::Model)
      memory.states[s] = initial(s, {}, 1);
    else if (rule.states[s].level == Level::Group)
      for (unsigned g = 0; g < memory.groups.size(); ++g)
        memory.groups[g].states[s] = initial(s, {g, Place::none}, 1);
  }
  for (unsigned t = 0; t < memory.tensors.size(); ++t) {
    TensorMemory &tensor = memory.tensors[t];
    tensor.states.resize(rule.states.size());
    for (unsigned s : tensor.variant->states)
      tensor.states[s] =
          initial(s, call.placeOf(t),
                  countOf(rule.states[s].level, rule.states[s].axis,
                          tensor.setup.shape));
  }
}

std::unique_ptr<Interpreter>
Interpreter::create(const Rule &rule, std::vector<GroupSetup> groups,
                    std::vector<TensorSetup> tensors, std::string &error) {
  auto memory = std::make_unique<InterpreterMemory>(rule);
  memory->inputs.resize(rule.inputs.size());
  if (!setHypers(*memory, groups, error))
    return nullptr;
  for (TensorSetup &tensor : tensors)
    if (!addTensor(*memory, std::move(tensor), error))
      return nullptr;
  if (!checkRequirements(*memory, error))
    return nullptr;
  setInitialValues(*memory);
  return std::unique_ptr<Interpreter>(new Interpreter(std::move(memory)));
}

} // namespace updraft
