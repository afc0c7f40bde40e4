//===- BodyParser.cpp - The instructions of a function --------------------===//

#include "Parser.h"

#include <algorithm>

namespace updraft::gpu {

namespace {

class Body {
public:
  Body(Reader &reader, Function &function, Program &program)
      : reader(reader), function(function), program(program),
        names(function, program) {}

  void parse();

private:
  Reader &reader;
  Function &function;
  Program &program;
  Names names;
  std::map<std::string_view, uint32_t> labels;
  std::map<std::string_view, uint32_t> tables;
  struct Jump {
    uint32_t from, line; // from: the instruction, or the table's entry
    std::string_view label;
    uint32_t table, entry;
  };
  std::vector<Jump> jumps;

  void statement();
  void directive();
  void registers();
  void table(std::string_view name);
  void instruction();
  void guard(Instruction &made);
  void control(Build &build, std::string_view base);
  void call(Build &build);
  void resolve();
  std::vector<Parameter> passed(Build &build, const Argument &list);
};

void Body::parse() {
  for (auto *list : {&function.results, &function.parameters})
    for (Parameter &each : *list)
      if (!names.addParameter(each))
        reader.fail("two parameters of one name");
  reader.need("{");
  while (names.depth() > 1 || reader.peek().text != "}")
    statement();
  reader.need("}");
  Instruction end;
  end.line = reader.line();
  end.control = Control::Return;
  function.code.push_back(end);
  resolve();
}

void Body::statement() {
  std::string_view text = reader.peek().text;
  if (reader.take("{"))
    names.open();
  else if (reader.take("}"))
    names.close();
  else if (text[0] == '.')
    directive();
  else if (reader.peek(1).text == ":") {
    reader.next();
    reader.next();
    if (reader.take(".branchtargets"))
      table(text);
    else if (!labels.try_emplace(text, function.code.size()).second)
      reader.fail("a label set twice");
  } else if (!reader.take(";"))
    instruction();
}

void Body::directive() {
  if (reader.take(".reg")) {
    registers();
  } else if (reader.take(".param")) {
    Parameter made = parseParameter(reader);
    if (!names.addParameter(made))
      reader.fail("a name used twice");
    reader.need(";");
  } else if (reader.take(".shared")) {
    Variable made;
    std::string_view name = parseVariable(reader, "shared", program, made);
    if (made.dynamic)
      reader.fail("dynamic memory within a function");
    names.addVariable(name, made.address);
  } else if (reader.take(".pragma")) {
    reader.next();
    reader.need(";");
  } else if (reader.peek().text == ".loc") {
    reader.skipLine();
  } else {
    reader.fail("not known");
  }
}

void Body::registers() {
  std::string_view text = reader.peek().text;
  unsigned bits = text == ".pred" ? 1 : 0;
  if (bits)
    reader.next();
  else
    bits = reader.bitsOfType();
  do {
    std::string_view name = reader.next().text;
    bool added;
    if (reader.take("<")) {
      added = names.addRegisters(name, reader.integer(), bits);
      reader.need(">");
    } else {
      added = names.addRegister(name, bits);
    }
    if (!added || bits == 8)
      reader.fail("such a register cannot be");
  } while (reader.take(","));
  reader.need(";");
}

void Body::table(std::string_view name) {
  uint32_t index = function.tables.size();
  tables[name] = index;
  function.tables.emplace_back();
  do {
    auto entry = static_cast<uint32_t>(function.tables[index].size());
    jumps.push_back({~0u, reader.line(), reader.next().text, index, entry});
    function.tables[index].push_back(0);
  } while (reader.take(","));
  reader.need(";");
}

void Body::guard(Instruction &made) {
  if (!reader.take("@"))
    return;
  made.guarded = true;
  made.negated = reader.take("!");
  auto found = names.findRegister(reader.peek().text);
  if (!found || found->bits != 1)
    reader.fail("a predicate is wanted");
  reader.next();
  made.guard = found->place;
}

void Body::instruction() {
  Instruction made;
  made.line = reader.line();
  guard(made);
  Token opcode = reader.next();
  std::vector<Argument> arguments;
  while (!reader.take(";")) {
    if (!arguments.empty())
      reader.need(",");
    arguments.push_back(parseArgument(reader));
  }
  std::string_view base = opcode.text.substr(0, opcode.text.find('.'));
  Build build(function, names, made, opcode.text, std::move(arguments));
  static const Families families = [] {
    Families all;
    for (auto *each :
         {&integerFamilies, &bitFamilies, &compareFamilies, &convertFamilies,
          &moveFamilies, &memoryFamilies, &warpFamilies})
      all.insert((*each)().begin(), (*each)().end());
    return all;
  }();
  // Floating-point arithmetic shares its first words with that of integers.
  auto last = typeOf(opcode.text.substr(opcode.text.rfind('.') + 1));
  bool isReal = last && std::string_view("fhwF").find(last->kind) < 4;
  const Families &real = floatFamilies();
  auto found = isReal ? real.find(base) : real.end();
  bool known = found != real.end();
  if (!known) {
    found = families.find(base);
    known = found != families.end();
  }
  if (known)
    found->second(build);
  else
    control(build, base);
  function.code.push_back(made);
}

void Body::control(Build &build, std::string_view base) {
  Instruction &made = build.made;
  build.take("uni");
  auto index = static_cast<uint32_t>(function.code.size());
  auto nothing = [](Warp &, const Instruction &, uint32_t) {};
  if (base == "bra") {
    build.count(1);
    made.control = Control::Branch;
    jumps.push_back({index, made.line, build.arguments[0].text, 0, 0});
  } else if (base == "brx") {
    build.need("idx");
    build.count(2);
    build.source(build.arguments[0], 32);
    made.control = Control::Table;
    auto found = tables.find(build.arguments[1].text);
    if (found == tables.end())
      build.fail("a table that is not known");
    made.jump = found->second;
  } else if (base == "call") {
    call(build);
  } else if (base == "ret" || base == "exit") {
    build.count(0);
    made.control = base == "ret" ? Control::Return : Control::Exit;
  } else {
    build.fail("not known");
  }
  build.finish(nothing);
}

std::vector<Parameter> Body::passed(Build &build, const Argument &list) {
  std::vector<Parameter> found;
  for (const Argument &each : list.parts) {
    const Parameter *parameter = names.findParameter(each.text);
    if (!parameter)
      build.fail("not a parameter");
    found.push_back(*parameter);
  }
  return found;
}

/// call (results), name, (arguments): both lists may be absent.
void Body::call(Build &build) {
  Call made;
  made.line = build.made.line;
  size_t at = 0;
  auto &arguments = build.arguments;
  auto isList = [&] {
    return at < arguments.size() && arguments[at].kind == Argument::List;
  };
  if (isList())
    made.results = passed(build, arguments[at++]);
  if (at < arguments.size() && arguments[at].kind == Argument::Name)
    made.name = arguments[at++].text;
  if (isList())
    made.arguments = passed(build, arguments[at++]);
  if (at != arguments.size() || names.findRegister(made.name))
    build.fail("a call of this kind is not known");
  build.made.control = Control::Call;
  build.made.jump = function.calls.size();
  function.calls.push_back(std::move(made));
}

void Body::resolve() {
  for (const Jump &jump : jumps) {
    auto found = labels.find(jump.label);
    if (found == labels.end())
      refuse(jump.line, "a label that is not set", jump.label);
    if (jump.from != ~0u)
      function.code[jump.from].jump = found->second;
    else
      function.tables[jump.table][jump.entry] = found->second;
  }
}

} // namespace

void parseBody(Reader &reader, Function &function, Program &program) {
  Body(reader, function, program).parse();
}

} // namespace updraft::gpu
