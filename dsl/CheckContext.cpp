//===- CheckContext.cpp - What the parts of the checker share -------------===//

#include "CheckContext.h"
#include "Builtins.h"
#include "InterpreterOperate.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace updraft;
using namespace updraft::check;

std::nullptr_t Context::error(Label label, llvm::SMRange range,
                              const llvm::Twine &message) {
  diagnostics.report(label, range, message);
  return nullptr;
}

void Context::setShapes(const Shapes &answers) {
  shapes = answers;
  settleMemo.clear();
  for (Definition &definition : definitions)
    definition.isSettled = false;
}

unsigned Context::definitionOf(llvm::StringRef name, bool primed) const {
  if (primed && name == "p")
    return paramEquation;
  auto found = symbols.find(name);
  if (found == symbols.end())
    return kNone;
  const Symbol &symbol = found->second;
  if (primed)
    return symbol.kind == Symbol::Kind::State ? states[symbol.index].equation
                                              : kNone;
  return symbol.kind == Symbol::Kind::Let ? symbol.index : kNone;
}

std::vector<std::string> Context::candidates() const {
  std::vector<std::string> names = {"p", "g", "t", "step", "calls", "absent"};
  auto add = [&](const auto &list) {
    for (const auto &item : list)
      names.push_back(item.name.text);
  };
  add(box.options);
  add(box.hypers);
  add(box.states);
  add(box.inputs);
  for (const ast::Equation &equation : box.equations)
    if (!equation.primed)
      names.push_back(equation.target.text);
  return names;
}

std::nullptr_t Context::unknown(llvm::StringRef name, llvm::SMRange range) {
  if (!unknownNames.try_emplace(name, 0).second)
    return nullptr;
  if (findFunction(name))
    return error(Label::N1, range,
                 "'" + name +
                     "' is a function: it wants arguments in brackets");
  return error(Label::N1, range,
               "'" + name + "' is not defined" +
                   didYouMean(name, candidates()));
}

Expr *Context::make(Op op, Level level, llvm::SMRange range) {
  Expr &node = rule.nodes.emplace_back();
  node.op = op;
  node.level = level;
  node.range = range;
  return &node;
}

const Expr *Context::number(double value, llvm::SMRange range) {
  Expr *node = make(Op::Number, Level::Build, range);
  node->number = value;
  return node;
}

const Expr *Context::boolean(bool value, llvm::SMRange range) {
  Expr *node = make(Op::Boolean, Level::Build, range);
  node->number = value;
  node->isBoolean = true;
  return node;
}

/// The axis on which values of both have a place of their own, none if there is
/// no such axis. Of rows and columns that is every element.
static std::optional<Axis> meeting(Axis a, Axis b) {
  if (a == b)
    return a;
  bool areOfMatrices = a.kind != AxisKind::Block && b.kind != AxisKind::Block &&
                       a.isFolded == b.isFolded;
  if (!areOfMatrices)
    return std::nullopt;
  if (a.kind == AxisKind::Matrix)
    return b;
  return b.kind == AxisKind::Matrix ? a : Axis();
}

Span check::join(const Span &a, const Span &b) {
  if (a.level != Level::Axis || b.level != Level::Axis)
    return a.level < b.level ? b : a;
  std::optional<Axis> both = meeting(a.axis, b.axis);
  if (!both)
    return {Level::Axis, a.axis, false};
  bool isElement = both->kind == AxisKind::None;
  return {isElement ? Level::Element : Level::Axis, *both, a.meets && b.meets};
}

Span check::spanOf(llvm::ArrayRef<const Expr *> operands) {
  Span span;
  for (const Expr *operand : operands) {
    if (operand->level == Level::Element)
      return {Level::Element};
    span = join(span, {operand->level, operand->axis});
  }
  return span;
}

/// Reports the first two operands whose axes do not meet.      SPEC (L5)
static void reportNoMeeting(Context &context, llvm::SMRange range,
                            llvm::ArrayRef<const Expr *> args) {
  for (const Expr *a : args)
    for (const Expr *b : args) {
      if (a->level != Level::Axis || b->level != Level::Axis ||
          spanOf({a, b}).meets)
        continue;
      context.error(Label::L5, range,
                    "'" + textOf(a->range) + "' is " + perWhat(a) + " and '" +
                        textOf(b->range) + "' " + perWhat(b) +
                        "; no value belongs to both");
      return;
    }
}

const Expr *Context::node(Op op, llvm::SMRange range,
                          std::vector<const Expr *> args, bool isBoolean,
                          unsigned index, Builtin builtin) {
  bool allConstant = llvm::all_of(args, isConstant);
  Span span = spanOf(args);
  if (!span.meets)
    reportNoMeeting(*this, range, args);
  Expr *node = make(op, span.level, range);
  node->axis = span.axis;
  node->isBoolean = isBoolean;
  node->index = index;
  node->builtin = builtin;
  node->args = std::move(args);
  if (!allConstant || !isOperation(op))
    return node;
  // With the bits that it would have at run time (numerics.md 3), so a value of
  // build level is always a constant.
  auto arg = [&](unsigned i) {
    return i < node->args.size() ? node->args[i]->number : 0;
  };
  node->number = operate(*node, arg(0), arg(1), arg(2));
  node->op = isBoolean ? Op::Boolean : Op::Number;
  node->index = 0;
  node->args.clear();
  return node;
}

std::string check::textOf(llvm::SMRange range) {
  constexpr size_t kLongest = 40;
  if (!range.isValid())
    return "...";
  const char *start = range.Start.getPointer(), *end = range.End.getPointer();
  llvm::StringRef text(start, end > start ? end - start : 0);
  if (text.empty() || text.size() > kLongest || text.contains('\n'))
    return "...";
  return text.str();
}

/// "row", "block of 64".
static std::string wordFor(Axis axis) {
  std::string folded = axis.isFolded ? " of the folded p" : "";
  switch (axis.kind) {
  case AxisKind::Rows:
    return "row" + folded;
  case AxisKind::Cols:
    return "column" + folded;
  case AxisKind::Matrix:
    return "matrix" + folded;
  default:
    return "block of " + std::to_string(axis.block);
  }
}

bool check::fits(const Expr *value, Level level, Axis axis) {
  if (value->level != Level::Axis || level != Level::Axis)
    return value->level <= level;
  return meeting(value->axis, axis) == axis;
}

std::string check::perWhat(Level level, Axis axis) {
  switch (level) {
  case Level::Build:
    return "a constant";
  case Level::Model:
    return "one value per model";
  case Level::Group:
    return "one value per group";
  case Level::Tensor:
    return "one value per tensor";
  case Level::Axis:
    return "one value per " + wordFor(axis);
  case Level::Element:
    return "one value per element";
  }
  return "";
}

/// Also true of two NaN.
static bool sameBits(double a, double b) {
  return llvm::bit_cast<uint64_t>(a) == llvm::bit_cast<uint64_t>(b);
}

bool check::sameTree(const Expr *a, const Expr *b) {
  if (a == b)
    return true;
  if (!a || !b || a->op != b->op || a->level != b->level ||
      a->axis != b->axis || !sameBits(a->number, b->number) ||
      a->index != b->index || a->builtin != b->builtin ||
      a->reducer != b->reducer || a->args.size() != b->args.size())
    return false;
  for (size_t i = 0; i < a->args.size(); ++i)
    if (!sameTree(a->args[i], b->args[i]))
      return false;
  return true;
}

const Expr *check::leafOf(const Expr *node, Level level) {
  if (node->args.empty() || node->op == Op::Reduce)
    return node->level == level ? node : nullptr;
  for (const Expr *arg : node->args)
    if (const Expr *leaf = leafOf(arg, level))
      return leaf;
  return nullptr;
}

bool check::isReserved(llvm::StringRef name) {
  static const llvm::StringRef words[] = {"p",     "g",      "t",     "step",
                                          "calls", "absent", "keep",  "inf",
                                          "pi",    "true",   "false", "inner"};
  return llvm::is_contained(words, name) || findFunction(name);
}
