//===- Inputs.cpp - The parameters and gradients of a run -----------------===//

#include "Inputs.h"
#include "Random.h"
#include "Safetensors.h"

#include "llvm/Support/FileSystem.h"

#include <cmath>

using namespace updraft;
using namespace updraft::run;

//===- Tensors on the command line ---------------------------------------===//

/// 'w[2x2]=1,0,0,1'; without brackets a vector.
static llvm::Expected<Tensor> readInlineTensor(llvm::StringRef text,
                                               Format format) {
  auto [left, right] = text.split('=');
  auto [name, extents] = left.trim().split('[');
  llvm::SmallVector<llvm::StringRef> items, axes;
  right.split(items, ',', -1, /*KeepEmpty=*/false);
  std::vector<int64_t> shape;
  if (left.contains('[')) {
    if (!extents.consume_back("]"))
      return llvm::createStringError("']' is missing in '" + text + "'");
    extents.split(axes, 'x', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef axis : axes) {
      uint32_t extent;
      if (axis.getAsInteger(10, extent))
        return llvm::createStringError("'" + axis + "' is no size in '" + text +
                                       "'");
      shape.push_back(extent);
    }
  } else {
    shape.push_back(items.size());
  }
  uint64_t wanted = 1;
  for (int64_t extent : shape)
    wanted *= extent;
  if (name.empty() || wanted != items.size())
    return llvm::createStringError(
        "'" + text + "' has " + llvm::Twine(items.size()) +
        " values; wanted NAME=VALUE,... or NAME[2x2]=VALUE,... with " +
        llvm::Twine(wanted));
  Tensor tensor(name.str(), format, shape);
  for (size_t index = 0; index < items.size(); ++index) {
    llvm::Expected<double> value = readDouble(items[index].trim());
    if (!value)
      return llvm::createStringError("'" + items[index] + "' " +
                                     llvm::toString(value.takeError()) +
                                     " in '" + text + "'");
    tensor.set(index, *value);
    double stored = tensor.at(index);
    if (std::isinf(stored) != std::isinf(*value) || !stored != !*value)
      return llvm::createStringError("'" + items[index] + "' does not fit " +
                                     nameOf(format) + " in '" + text + "'");
  }
  return tensor;
}

/// A file, or tensors as text. A name of a file goes first.
llvm::Expected<Tensors> run::readTensors(llvm::StringRef source,
                                         Format format) {
  bool isText = source.empty() || source.contains('=');
  if (!isText || llvm::sys::fs::exists(source))
    return readSafetensors(source);
  Tensors tensors;
  llvm::SmallVector<llvm::StringRef> parts;
  source.split(parts, ';', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    llvm::Expected<Tensor> tensor = readInlineTensor(part, format);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

//===- Tensors made up ---------------------------------------------------===//

double run::makeUpNumber(Random &random, Format format) {
  double value = random.uniform() + random.uniform();
  switch (random.bits() % 64) {
  case 0:
    return std::copysign(0.0, value);
  case 1:
    return value * (format == Format::F64   ? 0x1p-1060
                    : format == Format::F16 ? 0x1p-20
                                            : 0x1p-135);
  case 2:
    return value * 0x1p-14;
  case 3:
    return value * 0x1p+7;
  default:
    return value;
  }
}

/// Sizes with a small divisor become matrices, so that both ranks are seen.
static std::vector<int64_t> shapeOfSize(uint64_t size) {
  if (size == 1)
    return {};
  for (int64_t rows : {64, 17, 3})
    if (size >= 16 && size % rows == 0)
      return {rows, int64_t(size) / rows};
  return {int64_t(size)};
}

static Tensors makeUpParams(const CommandLine &line, Format format) {
  std::vector<uint64_t> sizes = line.sizes;
  if (sizes.empty())
    sizes = {0, 1, 7, 127, 4096, 4097, 100003};
  Tensors params;
  for (size_t index = 0; index < sizes.size(); ++index) {
    Random random(line.seed * 1000003 + index);
    Tensor &tensor = params.emplace_back("t" + std::to_string(index), format,
                                         shapeOfSize(sizes[index]));
    for (uint64_t i = 0; i < sizes[index]; ++i)
      tensor.set(i, makeUpNumber(random, format));
  }
  return params;
}

/// Step 2 lacks every third gradient, step 3 all of them; the last step, if
/// there are more, has infinities and a NaN.
Tensors Inputs::makeUpGrads(size_t step) const {
  bool isLast = steps > 4 && step + 1 == steps;
  Tensors grads(params.size());
  for (size_t index = 0; index < params.size(); ++index) {
    if (step == 3 || (step == 2 && index % 3 == 2))
      continue;
    Random random((seed * 1000003 + index) * 65537 + step + 1);
    Tensor grad(params[index].name, format, params[index].shape);
    for (uint64_t i = 0; i < grad.size(); ++i)
      grad.set(i, makeUpNumber(random, format));
    const double special[] = {INFINITY, -INFINITY, NAN, -0.0};
    for (uint64_t i = 0; isLast && index % 2 == 0 && i < grad.size() / 2; ++i)
      if (i < 4)
        grad.set(i * 2, special[i]);
    grads[index] = std::move(grad);
  }
  return grads;
}

//===- Inputs ------------------------------------------------------------===//

llvm::Expected<Inputs> Inputs::open(const CommandLine &line) {
  Inputs inputs;
  inputs.format = line.param.value_or(Format::F32);
  inputs.seed = line.seed;
  inputs.madeUp = line.params.empty();
  if (inputs.madeUp) {
    inputs.params = makeUpParams(line, inputs.format);
    inputs.steps = line.steps;
    return inputs;
  }
  inputs.gradSources = line.grads;
  inputs.steps = line.grads.size();
  llvm::Expected<Tensors> params = readTensors(line.params, inputs.format);
  if (!params)
    return params.takeError();
  inputs.params = std::move(*params);
  if (!inputs.params.empty())
    inputs.format = inputs.params.front().format;
  for (const Tensor &param : inputs.params)
    if (param.format != inputs.format)
      return llvm::createStringError(
          line.params + ": parameters '" + inputs.params.front().name + "' (" +
          nameOf(inputs.format) + ") and '" + param.name + "' (" +
          nameOf(param.format) + ") differ in dtype; one program has one");
  if (line.param && *line.param != inputs.format)
    return llvm::createStringError(line.params + ": the parameters are " +
                                   nameOf(inputs.format) + ", '--param' says " +
                                   nameOf(*line.param));
  return inputs;
}

llvm::Expected<Tensors> Inputs::readGrads(size_t step) const {
  const std::string &source = gradSources[step];
  llvm::Expected<Tensors> read = readTensors(source, format);
  if (!read)
    return read.takeError();
  Tensors grads(params.size());
  for (Tensor &grad : *read) {
    const Tensor *param = find(params, grad.name);
    if (!param)
      return llvm::createStringError(source + ": gradient '" + grad.name +
                                     "' belongs to no parameter");
    if (grad.format != param->format || grad.shape != param->shape)
      return llvm::createStringError(
          source + ": gradient '" + grad.name + "' is " + nameOf(grad.format) +
          " " + shapeText(grad.shape) + ", its parameter " +
          nameOf(param->format) + " " + shapeText(param->shape));
    Tensor &place = grads[param - params.data()];
    if (!isAbsent(place))
      return llvm::createStringError(source + ": gradient '" + grad.name +
                                     "' stands here twice");
    place = std::move(grad);
  }
  return grads;
}

llvm::Expected<Tensors> Inputs::grads(size_t step) const {
  if (madeUp)
    return makeUpGrads(step);
  return readGrads(step);
}
