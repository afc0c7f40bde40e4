//===- InterpreterCall.h - The values of one call -------------------------===//
//
// Evaluates expressions: on demand, each let, new value and reduction once for
// each tensor, group or call. So what is not needed is not evaluated, and the
// order of equations does not matter.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_INTERPRETERCALL_H
#define UPDRAFT_DSL_INTERPRETERCALL_H

#include "InterpreterAxes.h"
#include "InterpreterMemory.h"
#include "InterpreterReduce.h"

namespace updraft {

/// One number for each element of a tensor (row, column, ...), or one for all.
class Values {
public:
  explicit Values(double number)
      : owned_(std::make_shared<std::vector<double>>(1, number)),
        data_(owned_->data()), size_(1), isUniform_(true) {}
  explicit Values(std::vector<double> numbers)
      : owned_(std::make_shared<std::vector<double>>(std::move(numbers))),
        data_(owned_->data()), size_(owned_->size()), isUniform_(false) {}
  /// Of memory that outlives these values.
  static Values elementsOf(const std::vector<double> &memory) {
    return Values(memory.data(), memory.size());
  }

  double operator[](uint64_t i) const { return data_[isUniform_ ? 0 : i]; }
  const double *data() const { return data_; }
  /// How many are kept.
  uint64_t size() const { return size_; }
  bool isUniform() const { return isUniform_; }

private:
  Values(const double *data, uint64_t size)
      : data_(data), size_(size), isUniform_(false) {}

  std::shared_ptr<std::vector<double>> owned_;
  const double *data_;
  uint64_t size_;
  bool isUniform_;
};

/// Where an expression stands: in the equations of a tensor, of a group or of
/// the model. A tensor's place has its group.
struct Place {
  static constexpr unsigned none = ~0u;
  unsigned group = none, tensor = none;
};

class Call {
public:
  /// Without gradients: for initial values, requirements and views.
  explicit Call(const InterpreterMemory &memory,
                llvm::ArrayRef<Gradient> gradients = {});

  Values evaluate(const Expr &e, Place place);
  /// The same as values of this level and axis, in their type.
  Values evaluateAs(const Expr &e, Level level, Axis axis, Place place);
  /// The value that an equation gives, in the type of its target; none if the
  /// stored bytes stay.
  std::optional<Values> updateOfState(unsigned state, Place place);
  std::optional<Values> updateOfParam(unsigned tensor);

  bool isAbsent(unsigned tensor) const;
  Place placeOf(unsigned tensor) const {
    return {memory_.tensors[tensor].setup.group, tensor};
  }

private:
  /// What is known so far at one place. The inner optional of an update is
  /// empty where the stored bytes stay.
  struct Scope {
    std::vector<std::optional<Values>> lets;
    std::vector<std::optional<std::optional<Values>>> states;
    std::optional<std::optional<Values>> param;
    std::optional<Values> gradient;
    std::vector<std::optional<double>> reductions;
  };

  Compute typeOf(Level level) const;
  llvm::ArrayRef<uint64_t> shapeAt(Place place) const;
  Scope &scopeAt(Level level, Place place);
  Scope makeScope() const;

  std::optional<Values> leaf(const Expr &e, Place place);
  std::optional<Values> shortCut(const Expr &e, Place place);
  Values operation(const Expr &e, Place place);
  Values spread(Values values, const Expr &e, Level level, Axis axis,
                Place place) const;
  Values reduction(const Expr &e, Place place);
  Values newtonSchulz(const Expr &e, Place place);
  Values input(unsigned index, Place place) const;
  Values gradient(unsigned tensor);
  Values hyper(unsigned index, Place place);
  Values let(unsigned index, Place place);
  Values oldState(unsigned index, Place place) const;
  std::optional<Values> update(const Equation &equation, Level level, Axis axis,
                               Place place);
  Values inTypeOf(Level level, Values values) const;

  Total totalOfTensor(Reducer reducer, const Expr &operand, unsigned tensor);
  Total totalOfGroup(unsigned reduction, unsigned group);
  double cross(unsigned reduction, Place place);

  const InterpreterMemory &memory_;
  llvm::ArrayRef<Gradient> gradients_;
  Scope model_;
  std::vector<Scope> groups_, tensors_;
};

/// SPEC (D3): whether the computed hypers of this call lie in their domains.
/// `error` says which does not.
bool checkComputed(const InterpreterMemory &memory, Call &call,
                   std::string &error);

} // namespace updraft

#endif // UPDRAFT_DSL_INTERPRETERCALL_H
