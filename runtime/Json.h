//===- Json.h - As much JSON as a header needs ----------------------------===//
//
// A reader that consumes text from the front: strings, whole numbers,
// punctuation. There are no trees and no nesting beyond what the caller asks
// for, so no input can exhaust the stack.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_JSON_H
#define UPDRAFT_RUNTIME_JSON_H

#include <cstdint>
#include <string>
#include <string_view>

namespace updraft::runtime {

bool isUtf8(std::string_view text);

/// Appends `text` as a JSON string.
void printJson(std::string_view text, std::string &to);

class JsonReader {
public:
  explicit JsonReader(std::string_view text) : rest(text) {}

  /// Consumes `mark` if it comes next, after spaces.
  bool take(char mark);
  bool string(std::string &result);
  /// A whole number that fits 63 bits.
  bool number(uint64_t &result);
  /// Whether only spaces are left.
  bool atEnd();

private:
  void skipSpaces();
  bool escape(std::string &result);
  bool unicode(std::string &result);
  bool hex4(uint32_t &result);

  std::string_view rest;
};

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_JSON_H
