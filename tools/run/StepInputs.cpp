//===- StepInputs.cpp - What a rule is given beside gradients -------------===//

#include "StepInputs.h"
#include "Random.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace updraft;
using namespace updraft::run;

/// What the rule takes, as the names that an argument may hold.
static std::string namesOf(const Rule &rule) {
  std::vector<std::string> names;
  for (const Input &input : rule.inputs)
    names.push_back(input.isScalar ? input.name : "<param>." + input.name);
  return names.empty() ? "the rule has no inputs"
                       : "the rule has " + llvm::join(names, ", ");
}

static std::string described(const Tensor &tensor) {
  return nameOf(tensor.format).str() + " " + shapeText(tensor.shape);
}

/// The parameter that an array input's tensor is for, by their joined name.
static const Tensor *paramOf(llvm::StringRef name, const Input &input,
                             const Tensors &params) {
  if (input.isScalar || !name.consume_back("." + input.name))
    return nullptr;
  return find(params, name);
}

static llvm::Error takeTensor(Tensor tensor, const std::string &source,
                              const Rule &rule, const Tensors &params,
                              StepInputs &result) {
  auto wrong = [&](const llvm::Twine &what) {
    return llvm::createStringError(source + ": input '" + tensor.name + "' " +
                                   what);
  };
  for (const Input &input : rule.inputs) {
    if (input.isScalar && input.name == tensor.name) {
      if (tensor.size() != 1)
        return wrong("is a scalar, found " + described(tensor));
      result.scalars.push_back({input.name, tensor.at(0)});
      return llvm::Error::success();
    }
    const Tensor *param = paramOf(tensor.name, input, params);
    if (!param)
      continue;
    if (tensor.format != param->format || tensor.shape != param->shape)
      return wrong("is " + described(tensor) + ", its parameter " +
                   described(*param));
    result.arrays.push_back(
        {input.name, size_t(param - params.data()), std::move(tensor)});
    return llvm::Error::success();
  }
  return wrong("belongs to nothing; " + namesOf(rule));
}

static llvm::Expected<StepInputs> readStepInputs(const std::string &source,
                                                 const Rule &rule,
                                                 const Inputs &inputs) {
  llvm::Expected<Tensors> tensors = readTensors(source, inputs.format);
  if (!tensors)
    return tensors.takeError();
  StepInputs result;
  llvm::StringSet<> seen;
  for (Tensor &tensor : *tensors) {
    if (!seen.insert(tensor.name).second)
      return llvm::createStringError(source + ": input '" + tensor.name +
                                     "' stands here twice");
    if (llvm::Error error =
            takeTensor(std::move(tensor), source, rule, inputs.params, result))
      return error;
  }
  return result;
}

static StepInputs makeUp(const CommandLine &line, const Rule &rule,
                         const Inputs &inputs, size_t step) {
  StepInputs result;
  // Another sequence than those of parameters and gradients.
  Random random(~(line.seed * 1000003 + step));
  for (const Input &input : rule.inputs) {
    if (input.isScalar) {
      bool isGiven = llvm::any_of(line.inputs, [&](const Setting &setting) {
        return input.name == setting.name ||
               llvm::StringRef(input.name).ends_with("." + setting.name);
      });
      if (!isGiven)
        result.scalars.push_back(
            {input.name, makeUpNumber(random, Format::F64)});
      continue;
    }
    for (size_t param = 0; param < inputs.params.size(); ++param) {
      const Tensor &like = inputs.params[param];
      Tensor values(like.name + "." + input.name, like.format, like.shape);
      for (uint64_t i = 0; i < values.size(); ++i)
        values.set(i, makeUpNumber(random, like.format));
      result.arrays.push_back({input.name, param, std::move(values)});
    }
  }
  return result;
}

llvm::Expected<StepInputs> run::stepInputs(const CommandLine &line,
                                           const Rule &rule,
                                           const Inputs &inputs, size_t step) {
  if (line.params.empty())
    return makeUp(line, rule, inputs, step);
  if (step >= line.stepInputs.size())
    return StepInputs();
  return readStepInputs(line.stepInputs[step], rule, inputs);
}
