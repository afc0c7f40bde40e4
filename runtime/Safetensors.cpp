//===- Safetensors.cpp - The file format of checkpoints -------------------===//
//
// The header's printer and its parser, which is for files from anywhere.
//
//===----------------------------------------------------------------------===//

#include "Safetensors.h"
#include "Json.h"
#include "abi.h"

#include <algorithm>
#include <unordered_set>

using namespace updraft::runtime;

const char *updraft::runtime::safeDtype(uint32_t format) {
  static const char *const names[] = {"F64", "F32", "BF16", "F16"};
  return format <= UPDRAFT_F16 ? names[format] : "?";
}

/// 0 for a dtype that is unknown.
static uint64_t bytesOfDtype(std::string_view dtype) {
  struct {
    std::string_view name;
    uint64_t bytes;
  } static constexpr dtypes[] = {
      {"F64", 8},  {"F32", 4}, {"BF16", 2},    {"F16", 2},
      {"I64", 8},  {"U64", 8}, {"I32", 4},     {"U32", 4},
      {"I16", 2},  {"U16", 2}, {"I8", 1},      {"U8", 1},
      {"BOOL", 1}, {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1},
  };
  for (const auto &each : dtypes)
    if (each.name == dtype)
      return each.bytes;
  return 0;
}

//===- Printing -----------------------------------------------------------===//

static void printNumbers(const std::vector<uint64_t> &numbers,
                         std::string &text) {
  text += '[';
  for (size_t i = 0; i < numbers.size(); ++i)
    text += (i ? "," : "") + std::to_string(numbers[i]);
  text += ']';
}

static bool printName(std::string_view name, std::string &text,
                      std::string &problem) {
  if (!isUtf8(name)) {
    problem = "the name '" + std::string(name) + "' is not UTF-8";
    return false;
  }
  printJson(name, text);
  text += ':';
  return true;
}

bool updraft::runtime::printSafeHeader(const SafeHeader &header,
                                       std::string &text,
                                       std::string &problem) {
  text = "{";
  if (!header.metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto &[key, value] : header.metadata) {
      text += text.back() == '{' ? "" : ",";
      if (!printName(key, text, problem))
        return false;
      printJson(isUtf8(value) ? value : "", text);
    }
    text += '}';
  }
  for (const SafeTensor &tensor : header.tensors) {
    text += text.size() > 1 ? "," : "";
    if (!printName(tensor.name, text, problem))
      return false;
    text += "{\"dtype\":";
    printJson(tensor.dtype, text);
    text += ",\"shape\":";
    printNumbers(tensor.shape, text);
    text += ",\"data_offsets\":";
    printNumbers({tensor.begin, tensor.end}, text);
    text += '}';
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string prefix;
  for (int shift = 0; shift < 64; shift += 8)
    prefix += char(uint64_t(text.size()) >> shift);
  text.insert(0, prefix);
  return true;
}

//===- Parsing ------------------------------------------------------------===//

bool updraft::runtime::readSafeLength(const void *prefix, uint64_t fileBytes,
                                      uint64_t &length, std::string &problem) {
  length = 0;
  if (fileBytes < 8) {
    problem = "the file is truncated: it has no header";
    return false;
  }
  for (int i = 0; i < 8; ++i)
    length |= uint64_t(static_cast<const uint8_t *>(prefix)[i]) << (8 * i);
  if (length <= fileBytes - 8 && length <= kLargestSafeHeader)
    return true;
  problem = "the file is truncated or not a safetensors file: its header "
            "would have " +
            std::to_string(length) + " bytes, the file has " +
            std::to_string(fileBytes);
  return false;
}

namespace {

class HeaderReader {
public:
  HeaderReader(std::string_view text, SafeHeader &header, std::string &problem)
      : text(text), json(text), header(header), problem(problem) {}

  bool run();

private:
  bool wrong(const std::string &what) {
    problem = what;
    return false;
  }
  bool metadata();
  bool tensor(std::string name);
  bool field(SafeTensor &tensor, unsigned &seen);
  bool numbers(std::vector<uint64_t> &result);
  bool checkSize(const SafeTensor &tensor);

  std::string_view text;
  JsonReader json;
  SafeHeader &header;
  std::string &problem;
  std::unordered_set<std::string> names;
};

bool HeaderReader::run() {
  // The format wants the brace itself to come first, without spaces.
  if (!text.starts_with('{') || !json.take('{'))
    return wrong("the header is not a JSON object");
  if (!json.take('}'))
    do {
      std::string name;
      if (!json.string(name) || !json.take(':'))
        return wrong("the header has a wrong name");
      if (!names.insert(name).second)
        return wrong("'" + name + "' occurs twice");
      if (name == "__metadata__" ? !metadata() : !tensor(name))
        return false;
    } while (json.take(','));
  else if (json.atEnd())
    return true;
  else
    return wrong("the header goes on after its end");
  if (!json.take('}') || !json.atEnd())
    return wrong("the header ends in the wrong place");
  return true;
}

bool HeaderReader::metadata() {
  if (!json.take('{'))
    return wrong("the metadata is not an object");
  if (json.take('}'))
    return true;
  do {
    std::string key, value;
    if (!json.string(key) || !json.take(':') || !json.string(value))
      return wrong("the metadata does not consist of strings");
    header.metadata.emplace_back(std::move(key), std::move(value));
  } while (json.take(','));
  return json.take('}') || wrong("the metadata ends in the wrong place");
}

bool HeaderReader::numbers(std::vector<uint64_t> &result) {
  result.clear();
  if (!json.take('['))
    return false;
  if (json.take(']'))
    return true;
  do {
    uint64_t number = 0;
    if (!json.number(number))
      return false;
    result.push_back(number);
  } while (json.take(','));
  return json.take(']');
}

bool HeaderReader::field(SafeTensor &tensor, unsigned &seen) {
  std::string key;
  if (!json.string(key) || !json.take(':'))
    return false;
  if (key == "dtype" && !(seen & 1)) {
    seen |= 1;
    return json.string(tensor.dtype);
  }
  if (key == "shape" && !(seen & 2)) {
    seen |= 2;
    return numbers(tensor.shape);
  }
  std::vector<uint64_t> offsets;
  if (key != "data_offsets" || seen & 4 || !numbers(offsets) ||
      offsets.size() != 2)
    return false;
  seen |= 4;
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  return true;
}

bool HeaderReader::checkSize(const SafeTensor &tensor) {
  uint64_t size = bytesOfDtype(tensor.dtype);
  if (!size)
    return wrong("'" + tensor.name + "' has the unknown dtype '" +
                 tensor.dtype + "'");
  std::string offsets = "offsets " + std::to_string(tensor.begin) + " and " +
                        std::to_string(tensor.end);
  if (tensor.begin > tensor.end)
    return wrong("'" + tensor.name + "' has the " + offsets +
                 ", which are not in order");
  for (uint64_t dim : tensor.shape)
    if (__builtin_mul_overflow(size, dim, &size))
      return wrong("'" + tensor.name + "' has a shape of more than 2^64 bytes");
  return tensor.end - tensor.begin == size ||
         wrong("'" + tensor.name + "' has the " + offsets +
               "; its dtype and shape need " + std::to_string(size) + " bytes");
}

bool HeaderReader::tensor(std::string name) {
  SafeTensor tensor;
  tensor.name = std::move(name);
  unsigned seen = 0;
  if (!json.take('{'))
    return wrong("'" + tensor.name + "' is not an object");
  do {
    if (!field(tensor, seen))
      return wrong("'" + tensor.name + "' has a wrong field");
  } while (json.take(','));
  if (!json.take('}') || seen != 7)
    return wrong("'" + tensor.name + "' lacks dtype, shape or data_offsets");
  if (!checkSize(tensor))
    return false;
  header.tensors.push_back(std::move(tensor));
  return true;
}

} // namespace

/// Whether the tensors fill the data exactly; else `problem` says where not.
static bool fillsData(const SafeHeader &header, uint64_t dataBytes,
                      std::string &problem) {
  std::vector<const SafeTensor *> ordered;
  for (const SafeTensor &tensor : header.tensors)
    ordered.push_back(&tensor);
  std::sort(ordered.begin(), ordered.end(),
            [](const SafeTensor *a, const SafeTensor *b) {
              return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
            });
  uint64_t at = 0;
  const SafeTensor *before = nullptr;
  for (const SafeTensor *tensor : ordered) {
    if (tensor->begin < at)
      problem = "the data of '" + tensor->name + "' overlaps that of '" +
                before->name + "'";
    else if (tensor->begin > at)
      problem = "there is a gap of " + std::to_string(tensor->begin - at) +
                " bytes before the data of '" + tensor->name + "'";
    else if (tensor->end > dataBytes)
      problem = "the file is truncated: the data of '" + tensor->name +
                "' ends " + std::to_string(tensor->end - dataBytes) +
                " bytes behind it";
    if (!problem.empty())
      return false;
    at = tensor->end;
    before = tensor;
  }
  if (at != dataBytes)
    problem = std::to_string(dataBytes - at) +
              " bytes behind the data belong to no tensor";
  return at == dataBytes;
}

bool updraft::runtime::parseSafeHeader(std::string_view text,
                                       uint64_t dataBytes, SafeHeader &header,
                                       std::string &problem) {
  problem.clear();
  return HeaderReader(text, header, problem).run() &&
         fillsData(header, dataBytes, problem);
}
