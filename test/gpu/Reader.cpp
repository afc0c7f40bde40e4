//===- Reader.cpp - What is read alike in all places of PTX ---------------===//

#include "Parser.h"

#include <charconv>

namespace updraft::gpu {

Token Reader::next() {
  Token token = peek();
  if (token.text.empty())
    fail("the text ends too early");
  ++at;
  return token;
}

bool Reader::take(std::string_view text) {
  if (peek().text != text)
    return false;
  ++at;
  return true;
}

void Reader::need(std::string_view text) {
  if (!take(text))
    fail("wanted " + std::string(text));
}

void Reader::fail(std::string_view what) const {
  std::string text;
  for (size_t i = 0; i < 6 && !peek(i).text.empty(); ++i)
    text += (i ? " " : "") + std::string(peek(i).text);
  refuse(line(), what, text);
}

void Reader::skipLine() {
  for (uint32_t first = line(); !atEnd() && line() == first;)
    ++at;
}

namespace {

bool digits(std::string_view word, int base, uint64_t &value) {
  const char *end = word.data() + word.size();
  auto [stop, error] = std::from_chars(word.data(), end, value, base);
  return error == std::errc() && stop == end && !word.empty();
}

} // namespace

bool number(std::string_view word, Argument &argument) {
  if (word.empty() || word[0] < '0' || word[0] > '9')
    return false;
  argument.kind = Argument::Integer;
  std::string_view head = word.substr(0, 2), rest = word.substr(head.size());
  if (head == "0f" || head == "0F") {
    argument.kind = Argument::Real32;
    return rest.size() == 8 && digits(rest, 16, argument.value);
  }
  if (head == "0d" || head == "0D") {
    argument.kind = Argument::Real64;
    return rest.size() == 16 && digits(rest, 16, argument.value);
  }
  if (word.back() == 'U')
    word.remove_suffix(1);
  if (head == "0x" || head == "0X")
    return digits(word.substr(2), 16, argument.value);
  if (head == "0b" || head == "0B")
    return digits(word.substr(2), 2, argument.value);
  return digits(word, word[0] == '0' ? 8 : 10, argument.value);
}

uint64_t Reader::integer() {
  bool minus = take("-");
  Argument argument;
  if (!number(peek().text, argument) || argument.kind != Argument::Integer)
    fail("an integer is wanted");
  ++at;
  return minus ? -argument.value : argument.value;
}

unsigned Reader::bitsOfType() {
  std::string_view word = peek().text;
  auto type = word.substr(0, 1) == "." ? typeOf(word.substr(1)) : std::nullopt;
  if (!type)
    fail("a type is wanted");
  ++at;
  return type->bits;
}

namespace {

Argument oneArgument(Reader &reader) {
  Argument made;
  auto list = [&](Argument::Kind kind, std::string_view end) {
    made.kind = kind;
    while (!reader.take(end)) {
      if (!made.parts.empty())
        reader.need(",");
      made.parts.push_back(parseArgument(reader));
    }
  };
  if (reader.take("{")) {
    list(Argument::Vector, "}");
  } else if (reader.take("(")) {
    list(Argument::List, ")");
  } else if (reader.take("[")) {
    made.kind = Argument::Address;
    made.parts.push_back(oneArgument(reader));
    if (reader.take("+"))
      made.value = reader.integer();
    else if (reader.peek().text == "-")
      made.value = reader.integer();
    reader.need("]");
  } else if (reader.take("!")) {
    made = oneArgument(reader);
    made.negated = !made.negated;
  } else if (reader.peek().text == "-") {
    made.kind = Argument::Integer;
    made.value = reader.integer();
  } else {
    made.text = reader.next().text;
    if (made.text == "_")
      made.kind = Argument::Sink;
    else if (made.text == "WARP_SZ")
      made.kind = Argument::Integer, made.value = kLanes;
    else
      number(made.text, made);
  }
  return made;
}

} // namespace

Argument parseArgument(Reader &reader) {
  Argument made = oneArgument(reader);
  if (!reader.take("|"))
    return made;
  Argument pair;
  pair.kind = Argument::Pair;
  pair.parts.push_back(made);
  pair.parts.push_back(oneArgument(reader));
  return pair;
}

} // namespace updraft::gpu
