//===- Safetensors.cpp - Reading and writing tensor files -----------------===//
//
// The header is read, checked and printed by the runtime, as for checkpoints.
//
//===----------------------------------------------------------------------===//

#include "Safetensors.h"
#include "runtime/Safetensors.h"
#include "tools/Files.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace updraft;
using namespace updraft::run;

static llvm::Error wrong(llvm::StringRef path, const llvm::Twine &what) {
  return llvm::createStringError(path + ": " + what);
}

/// The checked tensor as the tools know it.
static llvm::Expected<Tensor> tensorOf(llvm::StringRef path,
                                       const runtime::SafeTensor &entry,
                                       llvm::StringRef data) {
  std::optional<Format> format = formatNamed(entry.dtype);
  if (!format)
    return wrong(path, "tensor '" + entry.name + "' has dtype " + entry.dtype +
                           "; wanted F64, F32, BF16 or F16");
  Tensor tensor;
  tensor.name = entry.name;
  tensor.format = *format;
  tensor.shape.assign(entry.shape.begin(), entry.shape.end());
  llvm::StringRef slice = data.slice(entry.begin, entry.end);
  tensor.bytes.assign(slice.begin(), slice.end());
  return tensor;
}

llvm::Expected<Tensors> run::readSafetensors(llvm::StringRef path) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return wrong(path, file.getError().message());
  llvm::StringRef content = (*file)->getBuffer();
  runtime::SafeHeader header;
  std::string problem;
  uint64_t length = 0;
  if (!runtime::readSafeLength(content.data(), content.size(), length, problem))
    return wrong(path, problem);
  llvm::StringRef data = content.substr(8 + length);
  if (!runtime::parseSafeHeader(content.substr(8, length), data.size(), header,
                                problem))
    return wrong(path, problem);
  llvm::sort(header.tensors, [](const auto &a, const auto &b) {
    return std::tie(a.begin, a.name) < std::tie(b.begin, b.name);
  });
  Tensors tensors;
  for (const runtime::SafeTensor &entry : header.tensors) {
    llvm::Expected<Tensor> tensor = tensorOf(path, entry, data);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

llvm::Error run::writeSafetensors(llvm::StringRef path,
                                  const Tensors &tensors) {
  runtime::SafeHeader header;
  uint64_t at = 0;
  for (const Tensor &tensor : tensors) {
    uint64_t end = at + tensor.bytes.size();
    header.tensors.push_back({tensor.name,
                              nameOf(tensor.format).str(),
                              {tensor.shape.begin(), tensor.shape.end()},
                              at,
                              end});
    at = end;
  }
  std::string front, problem;
  if (!runtime::printSafeHeader(header, front, problem))
    return wrong(path, problem);
  return tools::writeOutput(path, [&](llvm::raw_ostream &out) {
    out << front;
    for (const Tensor &tensor : tensors)
      out.write(reinterpret_cast<const char *>(tensor.bytes.data()),
                tensor.bytes.size());
  });
}
