//===- Check.cpp - Both roads side by side --------------------------------===//

#include "Check.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

using namespace updraft;
using namespace updraft::run;

/// A number as people and as machines see it: 0.1 (0x3dcccccd).
static std::string shown(const Tensor &tensor, uint64_t index) {
  unsigned width = bytesOf(tensor.format);
  std::string hex;
  for (unsigned byte = width; byte-- > 0;)
    hex += llvm::formatv("{0:x-2}", tensor.bytes[index * width + byte]).str();
  return numberText(tensor.at(index)) + " (0x" + hex + ")";
}

static std::optional<std::string> firstDifference(const Tensor &interpreted,
                                                  const Tensor &compiled) {
  if (interpreted.format != compiled.format ||
      interpreted.shape != compiled.shape)
    return "'" + interpreted.name + "' is " + nameOf(interpreted.format).str() +
           " " + shapeText(interpreted.shape) + " interpreted and " +
           nameOf(compiled.format).str() + " " + shapeText(compiled.shape) +
           " compiled";
  // Same bytes need no look at the numbers.
  if (interpreted.bytes == compiled.bytes)
    return std::nullopt;
  for (uint64_t index = 0; index < interpreted.size(); ++index)
    if (!interpreted.sameAt(index, compiled))
      return "'" + interpreted.name + "' differs at element " +
             std::to_string(index) + ": interpreted " +
             shown(interpreted, index) + ", compiled " + shown(compiled, index);
  return std::nullopt;
}

std::optional<std::string> run::firstDifference(const Tensors &interpreted,
                                                const Tensors &compiled) {
  llvm::StringMap<const Tensor *> byName;
  for (const Tensor &tensor : compiled)
    byName[tensor.name] = &tensor;
  for (const Tensor &tensor : interpreted) {
    auto other = byName.find(tensor.name);
    if (other == byName.end())
      return "'" + tensor.name + "' exists interpreted, not compiled";
    if (auto difference = ::firstDifference(tensor, *other->second))
      return difference;
    byName.erase(other);
  }
  for (const Tensor &tensor : compiled)
    if (byName.count(tensor.name))
      return "'" + tensor.name + "' exists compiled, not interpreted";
  return std::nullopt;
}
