//===- Interpreter.h - What a rule means ----------------------------------===//
//
// Runs a checked rule on tensors, exactly by the project's arithmetic, one
// operation after the other. It is the meaning of the language: written to be
// read beside a paper's algorithm box, sharing no code with the compiler, and
// the judge of it in the tests.
//
// Numbers are held as doubles that are exactly representable in their type:
// f32 values as doubles that are floats, bf16 ones as doubles that are bf16.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_INTERPRETER_H
#define UPDRAFT_DSL_INTERPRETER_H

#include "Rule.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace updraft {

/// Hypers of one group, by full name; the others keep their defaults.
struct GroupSetup {
  std::vector<std::pair<std::string, double>> hypers;
};

/// A parameter. `values` are in row-major order, as many as the shape says.
struct TensorSetup {
  std::string name;
  std::vector<uint64_t> shape;
  std::vector<std::string> tags;
  unsigned group = 0;
  std::vector<double> values;
};

/// The gradient of one tensor in one call; none: the tensor is absent.
using Gradient = std::optional<std::vector<double>>;

struct InterpreterMemory;

class Interpreter {
public:
  /// Chooses variants, checks hypers and requirements, sets initial values. No
  /// groups: one with all defaults. Null after an error, which `error` tells.
  /// The rule must outlive the interpreter.
  static std::unique_ptr<Interpreter> create(const Rule &rule,
                                             std::vector<GroupSetup> groups,
                                             std::vector<TensorSetup> tensors,
                                             std::string &error);
  ~Interpreter();

  /// One call, with a gradient or none for each tensor. False after an error,
  /// which `error` tells and which changes nothing.
  bool step(llvm::ArrayRef<Gradient> gradients, std::string &error);

  /// Sets a hyper of a group; one of model level for all, `group` is ignored.
  bool setHyper(unsigned group, llvm::StringRef name, double value,
                std::string &error);
  /// Sets a scalar input for the following steps.
  bool setInput(llvm::StringRef name, double value, std::string &error);
  /// Sets one tensor's part of an input that is like p.
  bool setInput(llvm::StringRef name, unsigned tensor,
                std::vector<double> values, std::string &error);

  unsigned tensorCount() const;
  const std::vector<double> &param(unsigned tensor) const;
  /// Name of the variant that a tensor belongs to.
  const std::string &variantName(unsigned tensor) const;
  /// A state as it is stored; null if there is none of that name here. `index`
  /// is that of a tensor, of a group for group states, and else ignored.
  const std::vector<double> *state(llvm::StringRef name, unsigned index) const;
  /// A view, evaluated now; `index` as for a state. Counters count the call
  /// that comes next.
  std::optional<std::vector<double>> view(llvm::StringRef name,
                                          unsigned index) const;
  /// A hyper as it was set or, for a computed one, as the next call has it.
  std::optional<double> hyper(unsigned group, llvm::StringRef name) const;
  /// Number of the call that comes next, from 1.
  uint64_t stepNumber() const;
  /// The same for one tensor, without the calls in which it was absent.
  uint64_t tensorStepNumber(unsigned tensor) const;

private:
  explicit Interpreter(std::unique_ptr<InterpreterMemory> memory);
  std::unique_ptr<InterpreterMemory> memory_;
};

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETER_H
