//===- Build.cpp - One instruction from its words -------------------------===//

#include "Build.h"

#include <algorithm>

namespace updraft::gpu {

Build::Build(Function &function, Names &names, Instruction &made,
             std::string_view opcode, std::vector<Argument> arguments)
    : function(function), names(names), made(made),
      arguments(std::move(arguments)), opcode(opcode) {
  for (size_t from = opcode.find('.'); from != opcode.npos;) {
    size_t end = opcode.find('.', from + 1);
    words.push_back(opcode.substr(from + 1, end - from - 1));
    from = end;
  }
  made.first = function.operands.size();
}

bool Build::take(std::string_view word) {
  auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end())
    return false;
  words.erase(found);
  return true;
}

bool Build::has(std::string_view word) const {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void Build::need(std::string_view word) {
  if (!take(word))
    fail("." + std::string(word) + " is wanted");
}

std::string_view Build::lastWord() {
  if (words.empty())
    fail("a word is missing");
  std::string_view word = words.back();
  words.pop_back();
  return word;
}

Type Build::type() {
  auto type = typeOf(lastWord());
  if (!type)
    fail("not a type");
  return *type;
}

void Build::count(size_t wanted) const {
  if (arguments.size() != wanted)
    fail("not " + std::to_string(wanted) + " operands");
}

void Build::append(Operand operand, bool isTarget) {
  function.operands.push_back(operand);
  uint8_t &count = isTarget ? made.targets : made.sources;
  if (++count > 16 || (isTarget && made.sources))
    fail("operands out of order");
}

unsigned Build::targetOfAny(const Argument &argument) {
  auto found = argument.kind == Argument::Name && !argument.negated
                   ? names.findRegister(argument.text)
                   : std::nullopt;
  if (!found)
    fail("not a register to write");
  append(found->place, true);
  return found->bits;
}

void Build::target(const Argument &argument, unsigned bits) {
  if (targetOfAny(argument) != bits)
    fail("a register of another width");
}

unsigned Build::sourceOfAny(const Argument &argument, unsigned bits) {
  if (argument.negated)
    fail("! is not known here");
  switch (argument.kind) {
  case Argument::Name:
    if (auto found = names.findRegister(argument.text)) {
      append(found->place, false);
      return found->bits;
    }
    if (auto found = names.findSpecial(argument.text)) {
      append(found->place, false);
      return found->bits;
    }
    if (auto found = names.address(argument.text); found && bits >= 32) {
      append(names.constant(*found, bits), false);
      return bits;
    }
    fail("a name that is not known");
  case Argument::Real32:
  case Argument::Real64:
    if (bits != (argument.kind == Argument::Real32 ? 32 : 64))
      fail("a number of another width");
    [[fallthrough]];
  case Argument::Integer:
    append(names.constant(argument.value, bits), false);
    return bits;
  default:
    fail("not an operand to read");
  }
}

void Build::source(const Argument &argument, unsigned bits) {
  if (sourceOfAny(argument, bits) != bits)
    fail("a register of another width");
}

unsigned Build::address(const Argument &argument) {
  if (argument.kind != Argument::Address)
    fail("an address is wanted");
  made.offset = static_cast<int64_t>(argument.value);
  unsigned bits = sourceOfAny(argument.parts.at(0), 64);
  if (bits != 32 && bits != 64)
    fail("not an address");
  return bits;
}

uint64_t Build::integer(const Argument &argument) const {
  if (argument.kind != Argument::Integer)
    fail("a constant is wanted");
  return argument.value;
}

void Build::finish(Handler handler) {
  if (!words.empty())
    fail("." + std::string(words.back()) + " is not known");
  if (!handler)
    fail("not known for this type");
  made.run = handler;
}

void Build::fail(std::string_view what) const {
  refuse(made.line, what, opcode);
}

} // namespace updraft::gpu
