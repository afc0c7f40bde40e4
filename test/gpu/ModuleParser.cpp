//===- ModuleParser.cpp - Directives, variables and functions -------------===//

#include "Parser.h"

#include <cstring>

namespace updraft::gpu {

namespace {

/// A value of an initialiser: a number or the address of a variable.
uint64_t initial(Reader &reader, const Program &program, unsigned bits) {
  Argument argument;
  if (reader.peek().text == "-")
    return reader.integer();
  std::string_view word = reader.next().text;
  bool generic = word == "generic" && reader.take("(");
  if (generic)
    word = reader.next().text;
  if (number(word, argument))
    return argument.value;
  auto found = program.variables.find(word);
  if (found == program.variables.end() || bits != 64 ||
      found->second.space == "shared")
    reader.fail("an initialiser that is not known");
  if (generic)
    reader.need(")");
  return found->second.address + (reader.take("+") ? reader.integer() : 0);
}

void initialise(Reader &reader, const Program &program, const Variable &made,
                unsigned bits) {
  auto *bytes = reinterpret_cast<uint8_t *>(made.address);
  bool list = reader.take("{");
  uint64_t at = 0;
  do {
    uint64_t value = initial(reader, program, bits);
    if (at + bits / 8 > made.bytes)
      reader.fail("more values than there is room");
    std::memcpy(bytes + at, &value, bits / 8);
    at += bits / 8;
  } while (list && reader.take(","));
  if (list)
    reader.need("}");
}

void parsePerformance(Reader &reader, Function &function) {
  for (;;) {
    if (reader.take(".reqntid")) {
      for (uint32_t &axis : function.required)
        axis = 1;
      size_t axis = 0;
      do
        function.required[axis++] = reader.integer();
      while (axis < 3 && reader.take(","));
    } else if (reader.take(".maxntid")) {
      function.most = 1;
      do
        function.most *= reader.integer();
      while (reader.take(","));
    } else if (reader.take(".minnctapersm") || reader.take(".maxnreg")) {
      reader.integer();
    } else if (!reader.take(".noreturn")) {
      return;
    }
  }
}

std::vector<Parameter> parseParameters(Reader &reader) {
  std::vector<Parameter> found;
  reader.need("(");
  while (!reader.take(")")) {
    if (!found.empty())
      reader.need(",");
    reader.need(".param");
    found.push_back(parseParameter(reader));
  }
  return found;
}

void parseFunction(Reader &reader, Program &program, bool entry) {
  auto made = std::make_unique<Function>();
  made->entry = entry;
  made->line = reader.line();
  if (!entry && reader.peek().text == "(")
    made->results = parseParameters(reader);
  made->name = reader.next().text;
  if (reader.peek().text == "(")
    made->parameters = parseParameters(reader);
  parsePerformance(reader, *made);
  auto &slot = program.functions[made->name];
  if (slot && slot->defined)
    reader.fail("a function defined twice");
  made->defined = reader.peek().text == "{";
  if (made->defined)
    parseBody(reader, *made, program);
  else
    reader.need(";");
  slot = std::move(made);
}

/// Calls know their function by name until all are read.
void resolveCalls(Program &program) {
  auto same = [](const auto &a, const auto &b) {
    bool equal = a.size() == b.size();
    for (size_t i = 0; equal && i < a.size(); ++i)
      equal = a[i].bytes == b[i].bytes;
    return equal;
  };
  for (auto &[name, function] : program.functions)
    for (Call &call : function->calls) {
      auto found = program.functions.find(call.name);
      if (found == program.functions.end() || !found->second->defined ||
          found->second->entry)
        refuse(call.line, "a call of no function of this module", call.name);
      call.callee = found->second.get();
      if (!same(call.arguments, call.callee->parameters) ||
          !same(call.results, call.callee->results))
        refuse(call.line, "a call with other parameters", call.name);
    }
}

void parseDirective(Reader &reader, Program &program) {
  while (reader.take(".visible") || reader.take(".weak") ||
         reader.take(".extern"))
    ;
  Token token = reader.next();
  std::string_view text = token.text;
  if (text == ".version") {
    reader.next();
  } else if (text == ".target") {
    do
      reader.next();
    while (reader.take(","));
  } else if (text == ".address_size") {
    if (reader.integer() != 64)
      reader.fail("addresses have 64 bits");
  } else if (text == ".file") {
    reader.skipLine();
  } else if (text == ".global" || text == ".const" || text == ".shared") {
    Variable made;
    std::string name(parseVariable(reader, text.substr(1), program, made));
    if (!program.variables.try_emplace(name, made).second)
      reader.fail("a variable defined twice");
  } else if (text == ".entry" || text == ".func") {
    parseFunction(reader, program, text == ".entry");
  } else {
    refuse(token.line, "not known", text);
  }
}

} // namespace

Parameter parseParameter(Reader &reader) {
  Parameter made;
  if (reader.take(".align"))
    made.align = reader.integer();
  made.bytes = reader.bitsOfType() / 8;
  if (reader.take(".ptr")) {
    if (reader.peek().text == ".global" || reader.peek().text == ".shared" ||
        reader.peek().text == ".const")
      reader.next();
    if (reader.take(".align"))
      reader.integer(); // of what it points to
  }
  made.align = std::max(made.align, made.bytes);
  made.name = reader.next().text;
  if (reader.take("[")) {
    made.bytes *= reader.integer();
    reader.need("]");
  }
  return made;
}

std::string_view parseVariable(Reader &reader, std::string_view space,
                               Program &program, Variable &made) {
  uint64_t align = reader.take(".align") ? reader.integer() : 1;
  unsigned bits = reader.bitsOfType();
  align = std::max<uint64_t>(align, bits / 8);
  std::string_view name = reader.next().text;
  made.space = space;
  made.bytes = bits / 8;
  if (reader.take("[")) {
    made.dynamic = reader.take("]");
    made.bytes *= made.dynamic ? 0 : reader.integer();
    if (!made.dynamic)
      reader.need("]");
  }
  if (space == "shared") {
    made.address = (program.sharedBytes + align - 1) / align * align;
    if (made.dynamic)
      made.address = kDynamicShared;
    else
      program.sharedBytes = made.address + made.bytes;
    if (program.sharedBytes > 48 << 10)
      reader.fail("more than 48 KiB of static shared memory");
  } else {
    program.storage.emplace_back(new uint8_t[made.bytes + align]());
    auto start = reinterpret_cast<uint64_t>(program.storage.back().get());
    made.address = (start + align - 1) / align * align;
    if (made.dynamic)
      reader.fail("a variable without a size");
    if (reader.take("="))
      initialise(reader, program, made, bits);
  }
  reader.need(";");
  return name;
}

void parseModule(Reader &reader, Program &program) {
  while (!reader.atEnd())
    parseDirective(reader, program);
  resolveCalls(program);
  for (auto &[name, function] : program.functions)
    for (Instruction &each : function->code)
      each.operands = function->operands.data() + each.first;
}

} // namespace updraft::gpu
