//===- Json.cpp - As much JSON as a header needs --------------------------===//
//
// Strings are UTF-8 on both sides; what is not is refused.
//
//===----------------------------------------------------------------------===//

#include "Json.h"

#include <cstdio>

using namespace updraft::runtime;

/// The length of the sequence at the front, 0 if it is none.
static size_t sequence(std::string_view text) {
  auto byte = [&](size_t i) { return uint8_t(text[i]); };
  if (byte(0) < 0x80)
    return 1;
  size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length)
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
  bool overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) ||
                  (byte(0) == 0xf0 && byte(1) < 0x90);
  bool surrogate = byte(0) == 0xed && byte(1) >= 0xa0;
  bool beyond = byte(0) == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

bool updraft::runtime::isUtf8(std::string_view text) {
  while (!text.empty()) {
    size_t length = sequence(text);
    if (!length)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

void updraft::runtime::printJson(std::string_view text, std::string &to) {
  to += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (uint8_t(c) < 0x20) {
      char escape[8];
      snprintf(escape, sizeof escape, "\\u%04x", unsigned(uint8_t(c)));
      to += escape;
    } else
      to += c;
  }
  to += '"';
}

void JsonReader::skipSpaces() {
  size_t start = rest.find_first_not_of(" \t\r\n");
  rest.remove_prefix(start == rest.npos ? rest.size() : start);
}

bool JsonReader::take(char mark) {
  skipSpaces();
  if (rest.empty() || rest[0] != mark)
    return false;
  rest.remove_prefix(1);
  return true;
}

bool JsonReader::atEnd() {
  skipSpaces();
  return rest.empty();
}

bool JsonReader::number(uint64_t &result) {
  skipSpaces();
  result = 0;
  size_t digits = 0;
  while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') {
    if (result > (uint64_t(INT64_MAX) - 9) / 10)
      return false;
    result = result * 10 + uint64_t(rest[digits++] - '0');
  }
  bool leadingZero = digits > 1 && rest[0] == '0';
  rest.remove_prefix(digits);
  return digits && !leadingZero;
}

bool JsonReader::hex4(uint32_t &result) {
  result = 0;
  if (rest.size() < 4)
    return false;
  for (int i = 0; i < 4; ++i) {
    char c = rest[size_t(i)];
    uint32_t digit = c >= '0' && c <= '9'   ? uint32_t(c - '0')
                     : c >= 'a' && c <= 'f' ? uint32_t(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? uint32_t(c - 'A') + 10
                                            : 16;
    if (digit > 15)
      return false;
    result = result * 16 + digit;
  }
  rest.remove_prefix(4);
  return true;
}

/// What follows `\u`, with the second half of a pair.
bool JsonReader::unicode(std::string &result) {
  uint32_t code = 0, low = 0;
  if (!hex4(code) || (code >= 0xdc00 && code < 0xe000))
    return false;
  if (code >= 0xd800 && code < 0xdc00) {
    if (!rest.starts_with("\\u"))
      return false;
    rest.remove_prefix(2);
    if (!hex4(low) || low < 0xdc00 || low >= 0xe000)
      return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  if (code < 0x80) {
    result += char(code);
    return true;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const uint32_t lead[] = {0, 0xc0, 0xe0, 0xf0};
  result += char(lead[more] | code >> (6 * more));
  while (more-- > 0)
    result += char(0x80 | (code >> (6 * more) & 0x3f));
  return true;
}

bool JsonReader::escape(std::string &result) {
  if (rest.empty())
    return false;
  char c = rest[0];
  rest.remove_prefix(1);
  static constexpr std::string_view from = "\"\\/bfnrt";
  static constexpr std::string_view to = "\"\\/\b\f\n\r\t";
  if (c == 'u')
    return unicode(result);
  size_t place = from.find(c);
  if (place == from.npos)
    return false;
  result += to[place];
  return true;
}

bool JsonReader::string(std::string &result) {
  result.clear();
  if (!take('"'))
    return false;
  while (!rest.empty() && rest[0] != '"') {
    char c = rest[0];
    rest.remove_prefix(1);
    if (uint8_t(c) < 0x20)
      return false;
    if (c != '\\')
      result += c;
    else if (!escape(result))
      return false;
  }
  return take('"') && isUtf8(result);
}
