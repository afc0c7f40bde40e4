//===- InterpreterRoad.cpp - Running the interpreter ----------------------===//

#include "Road.h"
#include "dsl/Interpreter.h"

#include "llvm/ADT/STLExtras.h"

using namespace updraft;
using namespace updraft::run;

static std::vector<double> valuesOf(const Tensor &tensor) {
  std::vector<double> values(tensor.size());
  for (uint64_t index = 0; index < values.size(); ++index)
    values[index] = tensor.at(index);
  return values;
}

static Tensor withValues(std::string name, Format format,
                         std::vector<int64_t> shape,
                         const std::vector<double> &values) {
  Tensor tensor(std::move(name), format, std::move(shape));
  for (uint64_t index = 0; index < values.size(); ++index)
    tensor.set(index, values[index]);
  return tensor;
}

/// What the interpreter said, if it refused.
static llvm::Error asError(bool isDone, const std::string &text) {
  return isDone ? llvm::Error::success() : llvm::createStringError(text);
}

/// The shape of an array of this axis: p's without the axes that are reduced
/// away; one number a block in a row.
static std::vector<int64_t> shapeOf(Axis axis, std::vector<int64_t> shape) {
  int64_t size = 1;
  for (int64_t dim : shape)
    size *= dim;
  if (axis.kind == AxisKind::Block)
    return {int64_t((uint64_t(size) + axis.block - 1) / axis.block)};
  if (axis.kind == AxisKind::None)
    return shape;
  if (axis.isFolded && shape.size() > 2) {
    int64_t rest = 1;
    for (size_t i = 1; i < shape.size(); ++i)
      rest *= shape[i];
    shape = {shape[0], rest};
  }
  if (axis.kind != AxisKind::Rows)
    shape.erase(shape.end() - 2);
  if (axis.kind != AxisKind::Cols)
    shape.pop_back();
  return shape;
}

namespace {
class InterpreterRoad : public Road {
public:
  InterpreterRoad(const Setup &setup, const Tensors &params)
      : setup(setup), rule(*setup.rule), params(params) {}

  llvm::Error create();
  llvm::Error setInputs(const StepInputs &inputs) override;
  llvm::Error step(const Tensors &grads) override;
  llvm::Error setHyper(unsigned group, llvm::StringRef name,
                       double value) override;
  llvm::Error setInput(llvm::StringRef name, double value) override;
  llvm::Error setInput(llvm::StringRef name, size_t param,
                       const Tensor &values) override;
  llvm::Expected<Tensors> snapshot() override;
  llvm::Expected<Tensors> view(llvm::StringRef name) override;

private:
  /// The format of element values, which scalars never have.
  Format computeFormat() const {
    return rule.compute == Compute::F64 ? Format::F64 : Format::F32;
  }
  void appendStates(Level level, unsigned index, const Tensor *param,
                    const std::string &owner, Tensors &tensors);
  void appendView(const View &view, Tensors &tensors);

  const Setup &setup;
  const Rule &rule;
  const Tensors &params;
  std::unique_ptr<Interpreter> interpreter;
};
} // namespace

llvm::Error InterpreterRoad::create() {
  std::vector<GroupSetup> groups;
  for (const std::vector<HyperValue> &hypers : setup.groups) {
    GroupSetup &group = groups.emplace_back();
    for (const HyperValue &hyper : hypers)
      group.hypers.emplace_back(hyper.name, hyper.value);
  }
  std::vector<TensorSetup> tensors;
  for (size_t index = 0; index < params.size(); ++index) {
    const std::vector<int64_t> &shape = params[index].shape;
    tensors.push_back({params[index].name,
                       {shape.begin(), shape.end()},
                       setup.tagsOf[index],
                       setup.groupOf[index],
                       valuesOf(params[index])});
  }
  std::string text;
  interpreter =
      Interpreter::create(rule, std::move(groups), std::move(tensors), text);
  if (!interpreter)
    return llvm::createStringError(text);
  for (const HyperValue &input : setup.inputs)
    if (llvm::Error error = setInput(input.name, input.value))
      return error;
  return llvm::Error::success();
}

llvm::Error InterpreterRoad::setInputs(const StepInputs &inputs) {
  std::string text;
  for (const StepInputs::Scalar &scalar : inputs.scalars)
    if (!interpreter->setInput(scalar.name, scalar.value, text))
      return llvm::createStringError(text);
  for (const StepInputs::Array &array : inputs.arrays)
    if (!interpreter->setInput(array.name, unsigned(array.param),
                               valuesOf(array.values), text))
      return llvm::createStringError(text);
  return llvm::Error::success();
}

llvm::Error InterpreterRoad::step(const Tensors &grads) {
  std::vector<Gradient> gradients;
  for (const Tensor &grad : grads)
    gradients.push_back(isAbsent(grad) ? Gradient() : valuesOf(grad));
  std::string text;
  return asError(interpreter->step(gradients, text), text);
}

llvm::Error InterpreterRoad::setHyper(unsigned group, llvm::StringRef name,
                                      double value) {
  std::string text;
  return asError(interpreter->setHyper(group, name, value, text), text);
}

llvm::Error InterpreterRoad::setInput(llvm::StringRef name, double value) {
  std::string text;
  return asError(interpreter->setInput(name, value, text), text);
}

llvm::Error InterpreterRoad::setInput(llvm::StringRef name, size_t param,
                                      const Tensor &values) {
  std::string text;
  return asError(interpreter->setInput(name, param, valuesOf(values), text),
                 text);
}

void InterpreterRoad::appendStates(Level level, unsigned index,
                                   const Tensor *param,
                                   const std::string &owner, Tensors &tensors) {
  for (const State &state : rule.states) {
    bool isArray = level >= Level::Axis;
    if (isArray ? state.level < Level::Axis : state.level != level)
      continue;
    const std::vector<double> *values = interpreter->state(state.name, index);
    if (!values)
      continue;
    tensors.push_back(withValues(
        owner + "." + state.name,
        isArray ? state.format.value_or(computeFormat()) : Format::F64,
        isArray ? shapeOf(state.axis, param->shape) : std::vector<int64_t>{},
        *values));
  }
}

llvm::Expected<Tensors> InterpreterRoad::snapshot() {
  Tensors tensors;
  for (unsigned index = 0; index < params.size(); ++index) {
    const Tensor &param = params[index];
    tensors.push_back(withValues(param.name, param.format, param.shape,
                                 interpreter->param(index)));
    appendStates(Level::Element, index, &param, param.name, tensors);
    appendStates(Level::Tensor, index, &param, param.name, tensors);
  }
  // A group without parameters shows nothing.
  for (unsigned group = 0; group < setup.groups.size(); ++group)
    if (llvm::is_contained(setup.groupOf, group))
      appendStates(Level::Group, group, nullptr,
                   "group" + std::to_string(group), tensors);
  if (!params.empty())
    appendStates(Level::Model, 0, nullptr, "model", tensors);
  return tensors;
}

/// One tensor for each parameter, group or program that has it.
void InterpreterRoad::appendView(const View &view, Tensors &tensors) {
  for (unsigned index = 0; index < params.size(); ++index) {
    std::string owner = params[index].name;
    unsigned place = index;
    if (view.level == Level::Group) {
      place = setup.groupOf[index];
      owner = "group" + std::to_string(place);
    } else if (view.level <= Level::Model) {
      owner = "model";
    }
    std::string full = owner + "." + view.name;
    auto values = interpreter->view(view.name, place);
    if (!values || find(tensors, full))
      continue;
    bool isArray = view.level >= Level::Axis;
    tensors.push_back(withValues(full, isArray ? computeFormat() : Format::F64,
                                 isArray
                                     ? shapeOf(view.axis, params[index].shape)
                                     : std::vector<int64_t>{},
                                 *values));
  }
}

llvm::Expected<Tensors> InterpreterRoad::view(llvm::StringRef name) {
  Tensors tensors;
  auto append = [&](const std::vector<View> &views) {
    for (const View &view : views)
      if (view.name == name)
        appendView(view, tensors);
  };
  append(rule.views);
  for (const Variant &variant : rule.variants)
    append(variant.views);
  return tensors;
}

llvm::Expected<std::unique_ptr<Road>>
run::makeInterpreter(const Setup &setup, const Tensors &params) {
  auto road = std::make_unique<InterpreterRoad>(setup, params);
  if (llvm::Error error = road->create())
    return error;
  return road;
}
