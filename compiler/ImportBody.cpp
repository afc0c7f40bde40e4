//===- ImportBody.cpp - Names, states and counters of a body --------------===//
//
// What a plain or a primed name is in MLIR, and which stores a body makes. A
// store that an absent tensor or a held box leaves out carries its condition;
// whoever reads the new value then reads `condition ? new : old`.
//
//===----------------------------------------------------------------------===//

#include "compiler/ImportBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace updraft {

Location ImportContext::locate(MLIRContext *context,
                               llvm::SMRange range) const {
  if (!sources || !range.isValid())
    return UnknownLoc::get(context);
  unsigned buffer = sources->FindBufferContainingLoc(range.Start);
  if (!buffer)
    return UnknownLoc::get(context);
  auto [line, column] = sources->getLineAndColumn(range.Start, buffer);
  return FileLineColLoc::get(
      context, sources->getMemoryBuffer(buffer)->getBufferIdentifier(), line,
      column);
}

Location ImportContext::quote(MLIRContext *context, llvm::SMRange range) const {
  Location location = locate(context, range);
  if (!range.isValid())
    return location;
  // Ranges point into the text, which outlives the rule.
  llvm::StringRef text(range.Start.getPointer(),
                       range.End.getPointer() - range.Start.getPointer());
  std::string words; // on one line
  for (llvm::StringRef rest = text.ltrim(); !rest.empty();) {
    auto [word, behind] = rest.split(' ');
    word = word.trim();
    if (!word.empty())
      words += (words.empty() ? "" : " ") + word.str();
    rest = behind;
  }
  return NameLoc::get(StringAttr::get(context, words), location);
}

BodyImporter::BodyImporter(const ImportContext &import, ir::BodyOp body,
                           const Variant *variant,
                           std::set<unsigned> &usedReductions)
    : context_(import), rule_(import.rule), variant_(variant),
      when_(body.getWhen()),
      builder_(OpBuilder::atBlockEnd(&body.getBody().front())),
      location_(body.getLoc()), usedReductions_(usedReductions) {}

//===----------------------------------------------------------------------===//
// Small values
//===----------------------------------------------------------------------===//

Type BodyImporter::typeAt(Level level) const {
  return level >= Level::Axis ? context_.compute
                              : Float64Type::get(builder_.getContext());
}

Value BodyImporter::constant(double number, Type type) {
  return arith::ConstantOp::create(builder_, location_,
                                   builder_.getFloatAttr(type, number));
}

Value BodyImporter::boolean(bool value) {
  return arith::ConstantOp::create(builder_, location_,
                                   builder_.getBoolAttr(value));
}

Value BodyImporter::negate(Value condition) {
  return arith::XOrIOp::create(builder_, location_, condition, boolean(true));
}

Value BodyImporter::both(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return arith::AndIOp::create(builder_, location_, a, b);
}

Value BodyImporter::round(Value value, Level level) {
  Type type = typeAt(level);
  if (value.getType() == type || value.getType().isInteger(1))
    return value;
  return arith::TruncFOp::create(builder_, location_, type, value);
}

Value BodyImporter::get(llvm::StringRef name, Type type) {
  Value &known = gets_[name];
  if (!known)
    known = ir::GetOp::create(builder_, location_, type, name);
  return known;
}

/// Lets people read `words` where `value` crosses kernels.
void BodyImporter::name(Value value, llvm::StringRef words) {
  Operation *op = value.getDefiningOp();
  if (op && !isa<NameLoc>(op->getLoc()) && !isa<ir::GetOp>(op))
    op->setLoc(NameLoc::get(builder_.getStringAttr(words), op->getLoc()));
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// A body of a variant reads the shared equations too: equal values of several
/// bodies become one when kernels are cut.
const Equation *BodyImporter::equationOf(Equation::Target target,
                                         unsigned index) const {
  auto search =
      [&](const std::vector<Equation> &equations) -> const Equation * {
    for (const Equation &equation : equations)
      if (equation.target == target &&
          (target == Equation::Target::Param || equation.index == index))
        return &equation;
    return nullptr;
  };
  if (variant_)
    if (const Equation *found = search(variant_->equations))
      return found;
  return search(rule_.shared);
}

Value BodyImporter::let(unsigned index) {
  if (Value known = lets_.lookup(index))
    return known;
  const Let &declared = rule_.lets[index];
  const Equation *equation = equationOf(Equation::Target::Let, index);
  Value value = importAt(equation->value, declared.level);
  name(value, declared.name);
  return lets_[index] = value;
}

Value BodyImporter::oldState(unsigned index) {
  const State &state = rule_.states[index];
  return get(state.name, typeAt(state.level));
}

Value BodyImporter::oldParam() { return get("p", context_.compute); }

Value BodyImporter::present() {
  if (!present_)
    present_ = negate(ir::ShapeOp::create(
        builder_, location_, builder_.getI1Type(), ir::Shape::Absent));
  return present_;
}

Value BodyImporter::whenOf(const Equation &equation, bool coversAbsent) {
  Value when;
  if (equation.commit)
    when = import(equation.commit);
  if (variant_ && !coversAbsent)
    when = both(when, present());
  return when;
}

/// What an equation computes, rounded to what its target is computed in.
Value BodyImporter::stored(const Equation &equation, Level level) {
  if (Value known = stored_.lookup(&equation))
    return known;
  return stored_[&equation] = importAt(equation.value, level);
}

Value BodyImporter::newState(unsigned index) {
  if (Value known = newStates_.lookup(index))
    return known;
  const Equation *equation = equationOf(Equation::Target::State, index);
  if (!equation)
    return oldState(index);
  const State &state = rule_.states[index];
  Value value = stored(*equation, state.level);
  // States of the shared part know no tensor.
  bool isShared = state.level < Level::Tensor;
  Value when = isShared
                   ? (equation->commit ? import(equation->commit) : Value())
                   : whenOf(*equation, state.coversAbsent);
  if (when)
    value = arith::SelectOp::create(builder_, location_, when, value,
                                    oldState(index));
  return newStates_[index] = value;
}

Value BodyImporter::newParam() {
  if (newParam_)
    return newParam_;
  const Equation *equation = equationOf(Equation::Target::Param, 0);
  if (!equation)
    return oldParam();
  Value value = stored(*equation, Level::Element);
  if (Value when = whenOf(*equation, rule_.coversAbsent))
    value =
        arith::SelectOp::create(builder_, location_, when, value, oldParam());
  return newParam_ = value;
}

/// An absent tensor's gradient is +0 and nobody may read its memory.
Value BodyImporter::grad() {
  if (!grad_)
    grad_ = arith::SelectOp::create(builder_, location_, present(),
                                    get("g", context_.compute),
                                    constant(0.0, context_.compute));
  return grad_;
}

Value BodyImporter::hyper(unsigned index) {
  const Hyper &declared = rule_.hypers[index];
  if (!declared.computed)
    return get(declared.name, typeAt(declared.level));
  Value &known = hypers_[index];
  if (!known) {
    Value value = importAt(declared.computed, declared.level);
    name(value, declared.name);
    hypers_[index] = value;
    return value;
  }
  return known;
}

/// The counters start at 1; when states begin they are not yet stored.
Value BodyImporter::step(bool isTensor) {
  Type type = typeAt(Level::Model);
  if (when_ == ir::When::Init)
    return constant(1.0, type);
  return get(isTensor ? "t" : "step", type);
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

void BodyImporter::putEquation(const Equation &equation) {
  Location location = context_.locate(builder_.getContext(), equation.range);
  location_ = location;
  if (equation.target == Equation::Target::Param) {
    Value value = stored(equation, Level::Element);
    ir::PutOp::create(builder_, location, "p", value,
                      whenOf(equation, rule_.coversAbsent));
    return;
  }
  const State &state = rule_.states[equation.index];
  Value value = stored(equation, state.level);
  name(value, state.name);
  ir::PutOp::create(builder_, location, state.name, value,
                    whenOf(equation, state.coversAbsent));
}

void BodyImporter::putCounter(llvm::StringRef name, Value when) {
  Type type = typeAt(Level::Model);
  Value next = arith::AddFOp::create(builder_, location_, get(name, type),
                                     constant(1.0, type));
  ir::PutOp::create(builder_, location_, name, next, when);
}

void BodyImporter::importStep() {
  for (const Equation &equation : variant_ ? variant_->equations : rule_.shared)
    if (equation.target != Equation::Target::Let)
      putEquation(equation);
  location_ = UnknownLoc::get(builder_.getContext());
  if (variant_) {
    if (context_.countsTensors)
      putCounter("t", present());
    return;
  }
  putCounter("step", {});
  for (auto [index, declared] : llvm::enumerate(rule_.hypers))
    if (declared.computed)
      ir::PutOp::create(builder_, location_, declared.name, hyper(index),
                        Value());
}

void BodyImporter::importInit() {
  auto putInitial = [&](const State &state) {
    location_ = context_.locate(builder_.getContext(), state.range);
    Value value = state.initial ? importAt(state.initial, state.level)
                                : constant(0.0, typeAt(state.level));
    ir::PutOp::create(builder_, location_, state.name, value, Value());
  };
  if (!variant_ || context_.countsTensors)
    ir::PutOp::create(builder_, location_, variant_ ? "t" : "step",
                      constant(1.0, typeAt(Level::Model)), Value());
  if (variant_) {
    for (unsigned index : variant_->states)
      putInitial(rule_.states[index]);
    return;
  }
  for (const State &state : rule_.states)
    if (state.level < Level::Tensor)
      putInitial(state);
}

void BodyImporter::importRequire(const Require &require,
                                 llvm::StringRef scalar) {
  location_ = context_.locate(builder_.getContext(), require.range);
  ir::PutOp::create(builder_, location_, scalar, import(require.condition),
                    Value());
}

void BodyImporter::importView(const View &view) {
  location_ = context_.quote(builder_.getContext(), view.value->range);
  ir::PutOp::create(builder_, location_, view.name,
                    importAt(view.value, view.level), Value());
}

} // namespace updraft
