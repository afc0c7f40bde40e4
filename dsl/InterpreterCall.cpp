//===- InterpreterCall.cpp - The values of one call -----------------------===//

#include "InterpreterCall.h"

#include "InterpreterFormat.h"
#include "InterpreterMatrix.h"
#include "InterpreterOperate.h"

#include <cassert>

namespace updraft {

Call::Call(const InterpreterMemory &memory, llvm::ArrayRef<Gradient> gradients)
    : memory_(memory), gradients_(gradients), model_(makeScope()),
      groups_(memory.groups.size(), makeScope()),
      tensors_(memory.tensors.size(), makeScope()) {}

Call::Scope Call::makeScope() const {
  const Rule &rule = memory_.rule;
  Scope scope;
  scope.lets.resize(rule.lets.size());
  scope.states.resize(rule.states.size());
  scope.reductions.resize(rule.reductions.size());
  return scope;
}

/// Values up to tensor level are f64, finer ones of the compute type.
Compute Call::typeOf(Level level) const {
  return level <= Level::Tensor ? Compute::F64 : memory_.rule.compute;
}

/// Outside of a tensor there is one value of everything.
llvm::ArrayRef<uint64_t> Call::shapeAt(Place place) const {
  if (place.tensor == Place::none)
    return {};
  return memory_.tensors[place.tensor].setup.shape;
}

bool Call::isAbsent(unsigned tensor) const {
  return tensor < gradients_.size() && !gradients_[tensor];
}

Call::Scope &Call::scopeAt(Level level, Place place) {
  if (level <= Level::Model)
    return model_;
  return level == Level::Group ? groups_[place.group] : tensors_[place.tensor];
}

static Items itemsOf(const Values &values, uint64_t first, uint64_t stride,
                     uint64_t count) {
  // No items may have no memory, where there is nothing to begin after.
  bool isInPlace = values.isUniform() || count == 0;
  return isInPlace ? Items{values.data(), 0, count}
                   : Items{values.data() + first, stride, count};
}

//===- Expressions --------------------------------------------------------===//

Values Call::evaluate(const Expr &e, Place place) {
  if (std::optional<Values> value = leaf(e, place))
    return *value;
  if (std::optional<Values> value = shortCut(e, place))
    return *value;
  return operation(e, place);
}

/// A condition of tensor level or coarser decides before the sides are
/// evaluated, and only the one taken is.
std::optional<Values> Call::shortCut(const Expr &e, Place place) {
  bool decides = e.op == Op::Select || e.op == Op::And || e.op == Op::Or;
  if (!decides || e.args[0]->level > Level::Tensor)
    return std::nullopt;
  bool isTrue = evaluate(*e.args[0], place)[0] != 0;
  if (e.op == Op::Select)
    return evaluateAs(*e.args[isTrue ? 1 : 2], e.level, e.axis, place);
  if (isTrue == (e.op == Op::Or))
    return Values(isTrue);
  return evaluateAs(*e.args[1], e.level, e.axis, place);
}

Values Call::operation(const Expr &e, Place place) {
  static constexpr double kNone = 0;
  std::vector<Values> args;
  std::array<Items, 3> operands = {
      {{&kNone, 0, 1}, {&kNone, 0, 1}, {&kNone, 0, 1}}};
  bool isUniform = true;
  for (const Expr *arg : e.args) {
    args.push_back(spread(evaluate(*arg, place), *arg, e.level, e.axis, place));
    operands[args.size() - 1] = itemsOf(args.back(), 0, 1, args.back().size());
    isUniform &= args.back().isUniform();
  }
  std::vector<double> results(
      isUniform ? 1 : countOf(e.level, e.axis, shapeAt(place)));
  operate(e, typeOf(e.level), operands, results);
  return isUniform ? Values(results[0]) : Values(std::move(results));
}

/// The values of `e` once for each of what is finer.
Values Call::spread(Values values, const Expr &e, Level level, Axis axis,
                    Place place) const {
  Spread spread(e, level, axis, shapeAt(place));
  if (values.isUniform() || !spread.isNeeded())
    return values;
  std::vector<double> all(countOf(level, axis, shapeAt(place)));
  for (uint64_t i = 0; i < all.size(); ++i)
    all[i] = values[spread(i)];
  return Values(std::move(all));
}

Values Call::evaluateAs(const Expr &e, Level level, Axis axis, Place place) {
  return inTypeOf(level, spread(evaluate(e, place), e, level, axis, place));
}

/// The same numbers in the type of `level`.
Values Call::inTypeOf(Level level, Values values) const {
  Compute type = typeOf(level);
  if (type == Compute::F64)
    return values;
  if (values.isUniform())
    return Values(roundTo(type, values[0]));
  std::vector<double> rounded(values.size());
  for (uint64_t i = 0; i < rounded.size(); ++i)
    rounded[i] = roundTo(type, values[i]);
  return Values(std::move(rounded));
}

//===- Leaves -------------------------------------------------------------===//

/// None if `e` has operands to be evaluated first.
std::optional<Values> Call::leaf(const Expr &e, Place place) {
  const TensorMemory *tensor =
      place.tensor == Place::none ? nullptr : &memory_.tensors[place.tensor];
  switch (e.op) {
  case Op::Number:
  case Op::Boolean:
    return Values(e.number);
  case Op::Hyper:
    return hyper(e.index, place);
  case Op::Step:
    return Values(double(memory_.step));
  case Op::TensorStep:
    return Values(double(tensor->step));
  case Op::Absent:
    return Values(isAbsent(place.tensor));
  case Op::Rank:
    return Values(double(tensor->setup.shape.size()));
  case Op::Size:
    return Values(double(tensor->size));
  case Op::Dim:
    return Values(double(tensor->setup.shape[e.index]));
  case Op::Input:
    return input(e.index, place);
  case Op::Param:
    return Values::elementsOf(tensor->param);
  case Op::NewParam:
    return updateOfParam(place.tensor)
        .value_or(Values::elementsOf(tensor->param));
  case Op::Grad:
    return gradient(place.tensor);
  case Op::Old:
    return oldState(e.index, place);
  case Op::New:
    return updateOfState(e.index, place).value_or(oldState(e.index, place));
  case Op::Let:
    return let(e.index, place);
  case Op::Cross:
    return Values(cross(e.index, place));
  case Op::Reduce:
    return reduction(e, place);
  case Op::NewtonSchulz:
    return newtonSchulz(e, place);
  default:
    return std::nullopt;
  }
}

Values Call::input(unsigned index, Place place) const {
  if (memory_.rule.inputs[index].isScalar)
    return Values(*memory_.inputs[index]);
  Values values =
      Values::elementsOf(*memory_.tensors[place.tensor].inputs[index]);
  return inTypeOf(Level::Element, values);
}

Values Call::gradient(unsigned tensor) {
  if (tensor >= gradients_.size() || isAbsent(tensor))
    return Values(0.0);
  std::optional<Values> &known = tensors_[tensor].gradient;
  if (!known)
    known = inTypeOf(Level::Element, Values::elementsOf(*gradients_[tensor]));
  return *known;
}

Values Call::hyper(unsigned index, Place place) {
  const Hyper &hyper = memory_.rule.hypers[index];
  unsigned group = hyper.level == Level::Group ? place.group : 0;
  if (hyper.computed)
    return evaluate(*hyper.computed, hyper.level == Level::Group
                                         ? Place{place.group, Place::none}
                                         : Place{});
  return Values(memory_.groups[group].hypers[index]);
}

/// A let stands among the tensor's equations or among the shared ones; there
/// its level says of what it is a value.
Values Call::let(unsigned index, Place place) {
  const Equation *equation = nullptr;
  Level level = memory_.rule.lets[index].level;
  if (place.tensor != Place::none)
    equation = memory_.tensors[place.tensor].definitions->lets[index];
  if (equation)
    level = std::max(level, Level::Tensor);
  else
    equation = memory_.shared.lets[index];
  assert(equation && "a let without an equation");

  if (level <= Level::Model)
    place = Place{};
  else if (level == Level::Group)
    place.tensor = Place::none;
  if (std::optional<Values> &known = scopeAt(level, place).lets[index])
    return *known;
  Values value = evaluate(*equation->value, place);
  scopeAt(level, place).lets[index] = value;
  return value;
}

Values Call::oldState(unsigned index, Place place) const {
  switch (memory_.rule.states[index].level) {
  case Level::Element:
  case Level::Axis:
    return Values::elementsOf(memory_.tensors[place.tensor].states[index]);
  case Level::Tensor:
    return Values(memory_.tensors[place.tensor].states[index][0]);
  case Level::Group:
    return Values(memory_.groups[place.group].states[index][0]);
  default:
    return Values(memory_.states[index][0]);
  }
}

//===- New values ---------------------------------------------------------===//

/// What `equation` gives to a target, unless it keeps the old bytes.
std::optional<Values> Call::update(const Equation &equation, Level level,
                                   Axis axis, Place place) {
  if (equation.commit && evaluate(*equation.commit, place)[0] == 0)
    return std::nullopt;
  return evaluateAs(*equation.value, level, axis, place);
}

std::optional<Values> Call::updateOfState(unsigned index, Place place) {
  const State &state = memory_.rule.states[index];
  const Definitions *definitions = &memory_.shared;
  if (state.level >= Level::Tensor) {
    definitions = memory_.tensors[place.tensor].definitions;
    if (isAbsent(place.tensor) && !state.coversAbsent)
      return std::nullopt;
  } else {
    place.tensor = Place::none;
    if (state.level <= Level::Model)
      place = Place{};
  }
  const Equation *equation = definitions->states[index];
  if (!equation)
    return std::nullopt;
  if (auto &known = scopeAt(state.level, place).states[index])
    return *known;
  std::optional<Values> value =
      update(*equation, state.level, state.axis, place);
  scopeAt(state.level, place).states[index] = value;
  return value;
}

std::optional<Values> Call::updateOfParam(unsigned tensor) {
  const Equation *equation = memory_.tensors[tensor].definitions->param;
  if (!equation || (isAbsent(tensor) && !memory_.rule.coversAbsent))
    return std::nullopt;
  if (auto &known = tensors_[tensor].param)
    return *known;
  std::optional<Values> value =
      update(*equation, Level::Element, Axis(), placeOf(tensor));
  tensors_[tensor].param = value;
  return value;
}

//===- Reductions ---------------------------------------------------------===//

/// Rows and columns of elements are summed in runs; a list of any other values,
/// also of those that rows have, like a tensor.
Values Call::reduction(const Expr &e, Place place) {
  const Expr &operand = *e.args[0];
  Compute type = memory_.rule.compute;
  if (e.level == Level::Tensor)
    return Values(finishTotal(e.reducer,
                              totalOfTensor(e.reducer, operand, place.tensor)));
  Values values = evaluate(operand, place);
  assert((operand.level == Level::Element || e.axis.kind == AxisKind::Matrix) &&
         "nothing to reduce");
  Matrices matrices = Matrices::of(shapeAt(place), e.axis.isFolded);
  auto total = [&](uint64_t i) {
    switch (e.axis.kind) {
    case AxisKind::Rows: {
      uint64_t count = matrices.cols;
      return rowTotal(e.reducer, type, itemsOf(values, i * count, 1, count));
    }
    case AxisKind::Cols: {
      uint64_t first = i / matrices.cols * matrices.rows * matrices.cols;
      return columnTotal(e.reducer, type,
                         itemsOf(values, first + i % matrices.cols,
                                 matrices.cols, matrices.rows));
    }
    case AxisKind::Matrix: {
      uint64_t count =
          operand.axis.kind == AxisKind::Rows ? matrices.rows : matrices.cols;
      return listTotal(e.reducer, type, itemsOf(values, i * count, 1, count));
    }
    default: {
      uint64_t first = i * e.axis.block;
      uint64_t all = memory_.tensors[place.tensor].size;
      return listTotal(
          e.reducer, type,
          itemsOf(values, first, 1, std::min(e.axis.block, all - first)));
    }
    }
  };
  std::vector<double> results(countOf(e.level, e.axis, shapeAt(place)));
  for (uint64_t i = 0; i < results.size(); ++i)
    results[i] = roundTo(type, finishTotal(e.reducer, total(i)));
  return Values(std::move(results));
}

Total Call::totalOfTensor(Reducer reducer, const Expr &operand,
                          unsigned tensor) {
  Place place = placeOf(tensor);
  Values values = evaluate(operand, place);
  if (operand.level < Level::Axis)
    return scalarTotal(reducer, values[0]);
  uint64_t count = countOf(operand.level, operand.axis, shapeAt(place));
  return listTotal(reducer, memory_.rule.compute, itemsOf(values, 0, 1, count));
}

Values Call::newtonSchulz(const Expr &e, Place place) {
  Matrices matrices = Matrices::of(shapeAt(place), e.axis.isFolded);
  Values x = evaluate(*e.args[0], place);
  NewtonSchulz numbers;
  numbers.steps = e.index;
  double *scalars[] = {&numbers.eps, &numbers.a, &numbers.b, &numbers.c};
  for (unsigned i = 0; i < 4; ++i)
    *scalars[i] = evaluate(*e.args[i + 1], place)[0];
  return Values(updraft::newtonSchulz(
      numbers, memory_.rule.compute,
      itemsOf(x, 0, 1, matrices.rows * matrices.cols), matrices.rows));
}

/// Absent tensors keep their place in the list, and add nothing. Those routed
/// elsewhere have none.
Total Call::totalOfGroup(unsigned index, unsigned group) {
  const Reduction &reduction = memory_.rule.reductions[index];
  if (reduction.shared)
    return scalarTotal(reduction.reducer,
                       evaluate(*reduction.shared, {group, Place::none})[0]);
  std::vector<Total> totals;
  for (unsigned tensor : memory_.groups[group].tensors) {
    const Expr *operand = memory_.tensors[tensor].variant->operands[index];
    if (!operand) // routed elsewhere
      continue;
    totals.push_back(isAbsent(tensor)
                         ? emptyTotal(reduction.reducer)
                         : totalOfTensor(reduction.reducer, *operand, tensor));
  }
  return joinTotals(reduction.reducer, totals);
}

double Call::cross(unsigned index, Place place) {
  const Reduction &reduction = memory_.rule.reductions[index];
  if (std::optional<double> known =
          scopeAt(reduction.over, place).reductions[index])
    return *known;
  std::vector<Total> totals;
  if (reduction.over == Level::Group)
    totals.push_back(totalOfGroup(index, place.group));
  else
    for (unsigned group = 0; group < memory_.groups.size(); ++group)
      totals.push_back(totalOfGroup(index, group));
  Total total = reduction.over == Level::Group
                    ? totals[0]
                    : joinTotals(reduction.reducer, totals);
  double value = finishTotal(reduction.reducer, total);
  scopeAt(reduction.over, place).reductions[index] = value;
  return value;
}

} // namespace updraft
