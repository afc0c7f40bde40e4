//===- Interpreter.cpp - What a rule means --------------------------------===//

#include "Interpreter.h"

#include "InterpreterCall.h"
#include "InterpreterFormat.h"
#include "InterpreterMemory.h"

#include <algorithm>

namespace updraft {

Interpreter::Interpreter(std::unique_ptr<InterpreterMemory> memory)
    : memory_(std::move(memory)) {}
Interpreter::~Interpreter() = default;

//===- A step -------------------------------------------------------------===//

namespace {

/// A new value on its way to memory. All are computed before one is stored.
struct Store {
  std::vector<double> *target;
  std::vector<double> numbers;
};

class Stores {
public:
  void add(std::vector<double> &target, Format format,
           const std::optional<Values> &value) {
    if (!value)
      return;
    std::vector<double> numbers(target.size());
    for (size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = roundTo(format, (*value)[i]);
    stores_.push_back({&target, std::move(numbers)});
  }
  void write() {
    for (Store &store : stores_)
      *store.target = std::move(store.numbers);
  }

private:
  std::vector<Store> stores_;
};

} // namespace

static bool checkStep(const InterpreterMemory &memory,
                      llvm::ArrayRef<Gradient> gradients, std::string &error) {
  const Rule &rule = memory.rule;
  if (gradients.size() != memory.tensors.size())
    return fail(error, "there are " + llvm::Twine(gradients.size()) +
                           " gradients for " +
                           llvm::Twine(memory.tensors.size()) + " tensors");
  for (size_t i = 0; i < rule.inputs.size(); ++i)
    if (rule.inputs[i].isScalar && !memory.inputs[i])
      return fail(error, "input '" + rule.inputs[i].name + "' was never set");
  for (size_t i = 0; i < gradients.size(); ++i) {
    const TensorMemory &tensor = memory.tensors[i];
    if (gradients[i] && gradients[i]->size() != tensor.size)
      return fail(error, "the gradient of '" + tensor.setup.name + "' has " +
                             llvm::Twine(gradients[i]->size()) +
                             " elements, the tensor " +
                             llvm::Twine(tensor.size));
    for (size_t k = 0; k < rule.inputs.size(); ++k)
      if (!rule.inputs[k].isScalar && !tensor.inputs[k])
        return fail(error, "input '" + rule.inputs[k].name + "' of '" +
                               tensor.setup.name + "' was never set");
  }
  return true;
}

bool Interpreter::step(llvm::ArrayRef<Gradient> gradients, std::string &error) {
  InterpreterMemory &memory = *memory_;
  const Rule &rule = memory.rule;
  if (!checkStep(memory, gradients, error))
    return false;
  if (llvm::none_of(gradients, [](const Gradient &g) { return bool(g); }))
    return true;

  Call call(memory, gradients);
  if (!checkComputed(memory, call, error))
    return false;
  Stores stores;
  for (unsigned s = 0; s < rule.states.size(); ++s) {
    Format format = memory.formatOf(rule.states[s]);
    if (rule.states[s].level <= Level::Model)
      stores.add(memory.states[s], format, call.updateOfState(s, {}));
    else if (rule.states[s].level == Level::Group)
      for (unsigned g = 0; g < memory.groups.size(); ++g)
        stores.add(memory.groups[g].states[s], format,
                   call.updateOfState(s, {g, Place::none}));
  }
  for (unsigned t = 0; t < memory.tensors.size(); ++t) {
    TensorMemory &tensor = memory.tensors[t];
    for (unsigned s : tensor.variant->states)
      stores.add(tensor.states[s], memory.formatOf(rule.states[s]),
                 call.updateOfState(s, call.placeOf(t)));
    stores.add(tensor.param, rule.param, call.updateOfParam(t));
  }

  stores.write();
  ++memory.step;
  for (unsigned t = 0; t < memory.tensors.size(); ++t)
    memory.tensors[t].step += !call.isAbsent(t);
  return true;
}

//===- What can be asked --------------------------------------------------===//

unsigned Interpreter::tensorCount() const { return memory_->tensors.size(); }

const std::vector<double> &Interpreter::param(unsigned tensor) const {
  return memory_->tensors[tensor].param;
}

const std::string &Interpreter::variantName(unsigned tensor) const {
  return memory_->tensors[tensor].variant->name;
}

uint64_t Interpreter::stepNumber() const { return memory_->step; }

uint64_t Interpreter::tensorStepNumber(unsigned tensor) const {
  return memory_->tensors[tensor].step;
}

const std::vector<double> *Interpreter::state(llvm::StringRef name,
                                              unsigned index) const {
  const Rule &rule = memory_->rule;
  for (unsigned s = 0; s < rule.states.size(); ++s) {
    if (rule.states[s].name != name)
      continue;
    if (rule.states[s].level <= Level::Model)
      return &memory_->states[s];
    if (rule.states[s].level == Level::Group)
      return &memory_->groups[index].states[s];
    const TensorMemory &tensor = memory_->tensors[index];
    return llvm::is_contained(tensor.variant->states, s) ? &tensor.states[s]
                                                         : nullptr;
  }
  return nullptr;
}

std::optional<std::vector<double>> Interpreter::view(llvm::StringRef name,
                                                     unsigned index) const {
  Call call(*memory_);
  for (const View &view : memory_->rule.views)
    if (view.name == name) {
      Place place;
      if (view.level == Level::Group)
        place.group = index;
      return std::vector<double>(1, call.evaluate(*view.value, place)[0]);
    }
  if (index >= memory_->tensors.size())
    return std::nullopt;
  const TensorMemory &tensor = memory_->tensors[index];
  for (const View &view : tensor.variant->views)
    if (view.name == name) {
      Values values = call.evaluateAs(*view.value, view.level, view.axis,
                                      call.placeOf(index));
      std::vector<double> numbers(
          countOf(view.level, view.axis, tensor.setup.shape));
      for (size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = values[i];
      return numbers;
    }
  return std::nullopt;
}

std::optional<double> Interpreter::hyper(unsigned group,
                                         llvm::StringRef name) const {
  const Rule &rule = memory_->rule;
  for (unsigned h = 0; h < rule.hypers.size(); ++h)
    if (rule.hypers[h].name == name) {
      Expr read;
      read.op = Op::Hyper;
      read.level = rule.hypers[h].level;
      read.index = h;
      return Call(*memory_).evaluate(read, {group, Place::none})[0];
    }
  return std::nullopt;
}

bool Interpreter::setInput(llvm::StringRef name, double value,
                           std::string &error) {
  const Rule &rule = memory_->rule;
  for (unsigned i = 0; i < rule.inputs.size(); ++i)
    if (rule.inputs[i].name == name && rule.inputs[i].isScalar) {
      memory_->inputs[i] = value;
      return true;
    }
  return fail(error, "there is no scalar input '" + name + "'");
}

bool Interpreter::setInput(llvm::StringRef name, unsigned tensor,
                           std::vector<double> values, std::string &error) {
  const Rule &rule = memory_->rule;
  TensorMemory &memory = memory_->tensors[tensor];
  for (unsigned i = 0; i < rule.inputs.size(); ++i)
    if (rule.inputs[i].name == name && !rule.inputs[i].isScalar) {
      if (values.size() != memory.size)
        return fail(error, "input '" + name + "' of '" + memory.setup.name +
                               "' has " + llvm::Twine(values.size()) +
                               " elements, the tensor " +
                               llvm::Twine(memory.size));
      memory.inputs[i] = std::move(values);
      return true;
    }
  return fail(error, "there is no input '" + name + "' like p");
}

} // namespace updraft
