//===- Names.h - What names mean in a function of PTX ---------------------===//

#ifndef UPDRAFT_TEST_GPU_NAMES_H
#define UPDRAFT_TEST_GPU_NAMES_H

#include "Program.h"

#include <optional>
#include <string_view>

namespace updraft::gpu {

/// A type of PTX: kind 'b', 'u', 's', 'f', 'h' (f16), 'w' (bf16), 'F' (f32x2)
/// or 'p' (pred), and how many of it are packed.
struct Type {
  char kind = 0;
  unsigned bits = 0; // of all that are packed
  unsigned packed = 1;
  bool is(char k, unsigned b) const { return kind == k && bits == b; }
  bool isInteger() const { return kind == 'b' || kind == 'u' || kind == 's'; }
};
std::optional<Type> typeOf(std::string_view name);

struct Register {
  unsigned bits; // 1: a predicate
  Operand place;
};

/// The names of one function: registers, parameters and labels by scope, and
/// the register file that grows as they are used.
class Names {
public:
  Names(Function &function, const Program &program)
      : function(function), program(program), scopes(1) {}

  void open() { scopes.emplace_back(); }
  void close() { scopes.pop_back(); }
  size_t depth() const { return scopes.size(); }

  /// False: the name is taken.
  bool addRegister(std::string_view name, unsigned bits);
  /// Registers name0 to name(count-1).
  bool addRegisters(std::string_view name, unsigned count, unsigned bits);
  /// Places the parameter in the frame's parameter space.
  bool addParameter(Parameter &parameter);

  std::optional<Register> findRegister(std::string_view name);
  std::optional<Register> findSpecial(std::string_view name);
  const Parameter *findParameter(std::string_view name) const;
  /// The value of a variable's or parameter's name as an address.
  std::optional<uint64_t> address(std::string_view name) const;
  Operand constant(uint64_t value, unsigned bits);
  void addVariable(std::string_view name, uint64_t address);

private:
  struct Scope {
    std::map<std::string, Register, std::less<>> registers;
    std::map<std::string, std::pair<unsigned, unsigned>, std::less<>> ranges;
    std::map<std::string, Parameter, std::less<>> parameters;
    std::map<std::string, uint64_t, std::less<>> variables;
  };
  Function &function;
  const Program &program;
  std::vector<Scope> scopes;
  std::map<std::pair<uint64_t, unsigned>, Operand> constants;
  std::map<std::string, Register, std::less<>> specials;

  uint32_t room(unsigned bits);
};

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_NAMES_H
