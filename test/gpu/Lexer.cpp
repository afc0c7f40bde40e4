//===- Lexer.cpp - Words of PTX -------------------------------------------===//

#include "Lexer.h"

#include <cctype>
#include <stdexcept>

namespace updraft::gpu {

namespace {

bool isWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '%' || c == '.';
}

/// The end of the word at `from`: `::` belongs to it, `:` does not.
size_t wordEnd(std::string_view text, size_t from) {
  while (from < text.size()) {
    if (isWord(text[from]))
      ++from;
    else if (text.substr(from, 2) == "::")
      from += 2;
    else
      break;
  }
  return from;
}

/// The end of the comment at `from`, or `from`.
size_t commentEnd(std::string_view text, size_t from) {
  if (text.substr(from, 2) == "//")
    return std::min(text.find('\n', from), text.size());
  if (text.substr(from, 2) == "/*") {
    size_t end = text.find("*/", from + 2);
    return end == text.npos ? text.size() : end + 2;
  }
  return from;
}

} // namespace

std::vector<Token> tokens(std::string_view text) {
  std::vector<Token> found;
  uint32_t line = 1;
  for (size_t at = 0; at < text.size();) {
    size_t end = commentEnd(text, at);
    bool skip = end > at;
    if (!skip && std::isspace(static_cast<unsigned char>(text[at]))) {
      end = at + 1;
      skip = true;
    } else if (!skip && text[at] == '"') {
      end = std::min(text.find('"', at + 1), text.size() - 1) + 1;
    } else if (!skip) {
      end = isWord(text[at]) ? wordEnd(text, at) : at + 1;
    }
    if (!skip)
      found.push_back({text.substr(at, end - at), line});
    for (; at < end; ++at)
      line += text[at] == '\n';
  }
  found.push_back({text.substr(text.size()), line});
  return found;
}

void refuse(uint32_t line, std::string_view what, std::string_view text) {
  throw std::runtime_error("PTX line " + std::to_string(line) + ": " +
                           std::string(what) + ": " + std::string(text));
}

} // namespace updraft::gpu
