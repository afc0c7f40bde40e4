//===- Safetensors.cpp - The file format of checkpoints
//--------------------===//
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

//===- Printing
//-------------------------------------------------------------===//

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
  return true;
}

//===- Parsing
//--------------------------------------------------------------===//

namespace {

class HeaderReader {
public:
  HeaderReader(std::string_view text, SafeHeader &header, std::string &problem)
      : json(text), header(header), problem(problem) {}

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

  JsonReader json;
  SafeHeader &header;
  std::string &problem;
  std::unordered_set<std::string> names;
};

bool HeaderReader::run() {
  if (!json.take('{'))
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
  bool fits = tensor.begin <= tensor.end;
  for (uint64_t dim : tensor.shape)
    fits = fits && !__builtin_mul_overflow(size, dim, &size);
  return (fits && tensor.end - tensor.begin == size) ||
         wrong("'" + tensor.name +
               "' has offsets that do not agree with its shape");
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

/// Whether the tensors fill the data exactly.
static bool fillsData(const SafeHeader &header, uint64_t dataBytes) {
  std::vector<std::pair<uint64_t, uint64_t>> spans;
  for (const SafeTensor &tensor : header.tensors)
    spans.emplace_back(tensor.begin, tensor.end);
  std::sort(spans.begin(), spans.end());
  uint64_t at = 0;
  for (auto [begin, end] : spans) {
    if (begin != at)
      return false;
    at = end;
  }
  return at == dataBytes;
}

bool updraft::runtime::parseSafeHeader(std::string_view text,
                                       uint64_t dataBytes, SafeHeader &header,
                                       std::string &problem) {
  if (!HeaderReader(text, header, problem).run())
    return false;
  if (fillsData(header, dataBytes))
    return true;
  problem = "the tensors do not fill the file: it is truncated or damaged";
  return false;
}
