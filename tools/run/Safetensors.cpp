//===- Safetensors.cpp - Reading and writing tensor files -----------------===//

#include "Safetensors.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cerrno>

using namespace updraft;
using namespace updraft::run;

static llvm::Error wrong(llvm::StringRef path, const llvm::Twine &what) {
  return llvm::createStringError(path + ": " + what);
}

/// Where a tensor's data stands behind the header.
struct Extent {
  uint64_t begin, end;
};

/// The shape and the number of bytes it asks for; false if it is no shape.
static bool readShape(const llvm::json::Object &entry, Tensor &tensor,
                      uint64_t &bytes) {
  const llvm::json::Array *shape = entry.getArray("shape");
  if (!shape)
    return false;
  bytes = bytesOf(tensor.format);
  for (const llvm::json::Value &item : *shape) {
    std::optional<int64_t> extent = item.getAsInteger();
    if (!extent || *extent < 0 ||
        __builtin_mul_overflow(bytes, uint64_t(*extent), &bytes))
      return false;
    tensor.shape.push_back(*extent);
  }
  return true;
}

static bool readExtent(const llvm::json::Object &entry, Extent &extent) {
  const llvm::json::Array *offsets = entry.getArray("data_offsets");
  if (!offsets || offsets->size() != 2)
    return false;
  std::optional<int64_t> begin = (*offsets)[0].getAsInteger();
  std::optional<int64_t> end = (*offsets)[1].getAsInteger();
  if (!begin || !end || *begin < 0 || *end < *begin)
    return false;
  extent = {uint64_t(*begin), uint64_t(*end)};
  return true;
}

static llvm::Error readEntry(llvm::StringRef path, llvm::StringRef name,
                             const llvm::json::Value &value,
                             llvm::StringRef data, Tensor &tensor,
                             uint64_t &begin) {
  const llvm::json::Object *entry = value.getAsObject();
  std::optional<llvm::StringRef> dtype =
      entry ? entry->getString("dtype") : std::nullopt;
  if (!dtype)
    return wrong(path, "tensor '" + name + "' has no dtype");
  std::optional<Format> format = formatNamed(*dtype);
  if (!format)
    return wrong(path, "tensor '" + name + "' has dtype " + *dtype +
                           "; wanted F64, F32, BF16 or F16");
  tensor.name = name.str();
  tensor.format = *format;
  uint64_t bytes;
  Extent extent;
  if (!readShape(*entry, tensor, bytes))
    return wrong(path, "tensor '" + name + "' has no valid shape");
  if (!readExtent(*entry, extent) || extent.end > data.size())
    return wrong(path,
                 "the data of tensor '" + name + "' lies outside the file");
  if (extent.end - extent.begin != bytes)
    return wrong(path, "tensor '" + name + "' has " +
                           llvm::Twine(extent.end - extent.begin) +
                           " bytes of data; shape " + shapeText(tensor.shape) +
                           " of " + *dtype + " needs " + llvm::Twine(bytes));
  llvm::StringRef slice = data.slice(extent.begin, extent.end);
  tensor.bytes.assign(slice.begin(), slice.end());
  begin = extent.begin;
  return llvm::Error::success();
}

/// The reader of JSON calls itself for each level, and a stack ends. A header
/// has three levels.
static bool nestsDeeply(llvm::StringRef json) {
  unsigned depth = 0;
  bool isQuoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (isQuoted)
      i += c == '\\';
    if (c == '"')
      isQuoted = !isQuoted;
    else if (!isQuoted && (c == '[' || c == '{') && ++depth > 16)
      return true;
    else if (!isQuoted && (c == ']' || c == '}'))
      depth -= depth > 0;
  }
  return false;
}

llvm::Expected<Tensors> run::readSafetensors(llvm::StringRef path) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return wrong(path, file.getError().message());
  llvm::StringRef content = (*file)->getBuffer();
  if (content.size() < 8)
    return wrong(path, "not a safetensors file: shorter than its length field");
  uint64_t length = llvm::support::endian::read64le(content.data());
  if (length > content.size() - 8)
    return wrong(path, "not a safetensors file: a header of " +
                           llvm::Twine(length) + " bytes in a file of " +
                           llvm::Twine(content.size()));
  if (nestsDeeply(content.substr(8, length)))
    return wrong(path, "the header is not that of a safetensors file: it nests "
                       "too deeply");
  llvm::Expected<llvm::json::Value> header =
      llvm::json::parse(content.substr(8, length));
  if (!header)
    return wrong(path, "the header is not JSON: " +
                           llvm::toString(header.takeError()));
  const llvm::json::Object *entries = header->getAsObject();
  if (!entries)
    return wrong(path, "the header is not a JSON object");

  std::vector<std::pair<uint64_t, Tensor>> found;
  for (const auto &[key, value] : *entries) {
    if (key == "__metadata__")
      continue;
    found.emplace_back();
    auto &[begin, tensor] = found.back();
    if (llvm::Error error = readEntry(
            path, key, value, content.substr(8 + length), tensor, begin))
      return error;
  }
  std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) {
    return std::tie(a.first, a.second.name) < std::tie(b.first, b.second.name);
  });
  Tensors tensors;
  for (auto &[begin, tensor] : found)
    tensors.push_back(std::move(tensor));
  return tensors;
}

/// Length, header and padding to 8 bytes: what stands before the data.
static std::string headerText(const Tensors &tensors) {
  std::string json;
  llvm::raw_string_ostream stream(json);
  llvm::json::OStream out(stream);
  uint64_t at = 0;
  out.object([&] {
    for (const Tensor &tensor : tensors)
      out.attributeObject(tensor.name, [&] {
        out.attribute("dtype", nameOf(tensor.format));
        out.attributeArray("shape", [&] {
          for (int64_t extent : tensor.shape)
            out.value(extent);
        });
        out.attributeArray("data_offsets", [&] {
          out.value(int64_t(at));
          out.value(int64_t(at += tensor.bytes.size()));
        });
      });
  });
  json.append((8 - json.size() % 8) % 8, ' ');
  char length[8];
  llvm::support::endian::write64le(length, json.size());
  return std::string(length, 8) + json;
}

llvm::Error run::writeSafetensors(llvm::StringRef path,
                                  const Tensors &tensors) {
  // A pipe or device is written in place; only a file can be replaced.
  llvm::sys::fs::file_status status;
  bool special = !llvm::sys::fs::status(path, status) &&
                 llvm::sys::fs::exists(status) &&
                 !llvm::sys::fs::is_regular_file(status);
  std::string target = special ? path.str() : (path + ".part").str();
  std::error_code code;
  llvm::raw_fd_ostream out(target, code);
  if (code)
    return wrong(path, code.message());
  out << headerText(tensors);
  for (const Tensor &tensor : tensors)
    out.write(reinterpret_cast<const char *>(tensor.bytes.data()),
              tensor.bytes.size());
  out.close();
  if (out.has_error()) {
    code = out.error();
    out.clear_error();
    if (!special)
      llvm::sys::fs::remove(target);
    return wrong(path, code.message());
  }
  if (!special && (code = llvm::sys::fs::rename(target, path)))
    return wrong(path, code.message());
  return llvm::Error::success();
}
