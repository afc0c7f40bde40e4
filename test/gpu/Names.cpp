//===- Names.cpp - What names mean in a function of PTX -------------------===//

#include "Names.h"

#include <cctype>

namespace updraft::gpu {

std::optional<Type> typeOf(std::string_view name) {
  static const std::map<std::string_view, Type> types = {
      {"pred", {'p', 1}},       {"b8", {'b', 8}},
      {"u8", {'u', 8}},         {"s8", {'s', 8}},
      {"b16", {'b', 16}},       {"u16", {'u', 16}},
      {"s16", {'s', 16}},       {"b32", {'b', 32}},
      {"u32", {'u', 32}},       {"s32", {'s', 32}},
      {"b64", {'b', 64}},       {"u64", {'u', 64}},
      {"s64", {'s', 64}},       {"f32", {'f', 32}},
      {"f64", {'f', 64}},       {"f16", {'h', 16}},
      {"bf16", {'w', 16}},      {"f16x2", {'h', 32, 2}},
      {"bf16x2", {'w', 32, 2}}, {"f32x2", {'F', 64, 2}},
  };
  auto found = types.find(name);
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

uint32_t Names::room(unsigned bits) {
  uint32_t bytes = bits == 1 ? 4 : kLanes * bits / 8;
  uint32_t align = bits == 1 ? 4 : 64;
  uint32_t at = (function.fileBytes + align - 1) / align * align;
  function.fileBytes = at + bytes;
  return at;
}

bool Names::addRegister(std::string_view name, unsigned bits) {
  Register made{bits, {room(bits), function.ids}};
  bool added =
      scopes.back().registers.try_emplace(std::string(name), made).second;
  function.ids += added;
  return added;
}

bool Names::addRegisters(std::string_view name, unsigned count, unsigned bits) {
  return scopes.back()
      .ranges.try_emplace(std::string(name), count, bits)
      .second;
}

bool Names::addParameter(Parameter &parameter) {
  uint32_t align = std::max(parameter.align, 1u);
  parameter.at = (function.parameterBytes + align - 1) / align * align;
  function.parameterBytes = parameter.at + parameter.bytes;
  return scopes.back().parameters.try_emplace(parameter.name, parameter).second;
}

std::optional<Register> Names::findRegister(std::string_view name) {
  size_t digits = name.size();
  while (digits > 0 &&
         std::isdigit(static_cast<unsigned char>(name[digits - 1])))
    --digits;
  std::string_view prefix = name.substr(0, digits);
  std::string_view number = name.substr(digits);
  bool plain = !number.empty() && number.size() < 9 &&
               (number.size() == 1 || number[0] != '0');
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    auto found = scope->registers.find(name);
    if (found != scope->registers.end())
      return found->second;
    auto range = plain ? scope->ranges.find(prefix) : scope->ranges.end();
    if (range == scope->ranges.end() ||
        std::stoul(std::string(number)) >= range->second.first)
      continue;
    unsigned bits = range->second.second;
    Register made{bits, {room(bits), function.ids++}};
    scope->registers.emplace(name, made);
    return made;
  }
  return std::nullopt;
}

std::optional<Register> Names::findSpecial(std::string_view name) {
  static const std::map<std::string_view, Special> kinds = {
      {"%tid", Special::Tid},
      {"%ntid", Special::Ntid},
      {"%ctaid", Special::Ctaid},
      {"%nctaid", Special::Nctaid},
      {"%laneid", Special::LaneId},
      {"%lanemask_eq", Special::MaskEq},
      {"%lanemask_lt", Special::MaskLt},
      {"%lanemask_le", Special::MaskLe},
      {"%lanemask_gt", Special::MaskGt},
      {"%lanemask_ge", Special::MaskGe},
  };
  auto known = specials.find(name);
  if (known != specials.end())
    return known->second;
  size_t dot = name.find('.');
  auto kind = kinds.find(name.substr(0, dot));
  if (kind == kinds.end())
    return std::nullopt;
  uint32_t which = static_cast<uint32_t>(kind->second);
  bool scalar = kind->second >= Special::LaneId;
  if (scalar != (dot == name.npos))
    return std::nullopt;
  if (!scalar) {
    size_t axis = std::string_view("xyz").find(name.substr(dot + 1));
    if (name.size() != dot + 2 || axis > 2)
      return std::nullopt;
    which += axis;
  }
  Register made{32, {room(32), 0}};
  function.specials.emplace_back(which, made.place.at);
  specials.emplace(name, made);
  return made;
}

const Parameter *Names::findParameter(std::string_view name) const {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    auto found = scope->parameters.find(name);
    if (found != scope->parameters.end())
      return &found->second;
  }
  return nullptr;
}

std::optional<uint64_t> Names::address(std::string_view name) const {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    auto found = scope->variables.find(name);
    if (found != scope->variables.end())
      return found->second;
  }
  if (const Parameter *parameter = findParameter(name))
    return parameter->at;
  auto found = program.variables.find(name);
  if (found != program.variables.end())
    return found->second.address;
  return std::nullopt;
}

Operand Names::constant(uint64_t value, unsigned bits) {
  if (bits < 64)
    value &= (uint64_t(1) << bits) - 1;
  auto [found, added] = constants.try_emplace({value, bits});
  if (added) {
    found->second = {room(bits), 0};
    function.constants.push_back({found->second.at, bits, value});
  }
  return found->second;
}

void Names::addVariable(std::string_view name, uint64_t address) {
  scopes.back().variables.emplace(name, address);
}

} // namespace updraft::gpu
