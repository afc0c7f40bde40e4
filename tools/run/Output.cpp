//===- Output.cpp - What a run shows --------------------------------------===//

#include "Output.h"
#include "Safetensors.h"
#include "tools/Files.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>

using namespace updraft;
using namespace updraft::run;

std::vector<std::string> run::viewNames(const Rule &rule) {
  std::vector<std::string> names;
  auto add = [&](const std::vector<View> &views) {
    for (const View &view : views)
      if (!llvm::is_contained(names, view.name))
        names.push_back(view.name);
  };
  add(rule.views);
  for (const Variant &variant : rule.variants)
    add(variant.views);
  return names;
}

void run::addView(Tensors &results, Tensors view) {
  for (Tensor &tensor : view)
    if (!find(results, tensor.name))
      results.push_back(std::move(tensor));
}

static void printTensor(llvm::raw_ostream &out, const Tensor &tensor) {
  out << tensor.name << ' ' << nameOf(tensor.format) << ' '
      << shapeText(tensor.shape) << " =";
  for (uint64_t index = 0; index < tensor.size(); ++index)
    out << ' ' << numberText(tensor.at(index));
  out << '\n';
}

llvm::Error run::writeTensors(llvm::StringRef path, const Tensors &tensors) {
  if (!path.empty() && path != "-")
    return writeSafetensors(path, tensors);
  return tools::writeOutput("", [&](llvm::raw_ostream &out) {
    for (const Tensor &tensor : tensors)
      printTensor(out, tensor);
  });
}

std::string run::checkSummary(const Tensors &params, size_t steps) {
  uint64_t elements = 0;
  for (const Tensor &param : params)
    elements += param.size();
  return llvm::formatv("{0} steps of {1} tensors ({2} elements): no bit "
                       "differs",
                       steps, params.size(), elements);
}

std::string run::timeSummary(std::vector<double> seconds) {
  if (seconds.empty())
    return "no step was taken";
  std::sort(seconds.begin(), seconds.end());
  return llvm::formatv("{0:f4} ms a step (median of {1}; least {2:f4} ms)",
                       seconds[seconds.size() / 2] * 1e3, seconds.size(),
                       seconds.front() * 1e3);
}
