//===- CheckDeclarations.cpp - Options, hypers and inputs -----------------===//

#include "CheckExpr.h"
#include "CheckSettle.h"
#include "Printer.h"

#include <cmath>

using namespace updraft;
using namespace updraft::check;

using Progress = Context::Progress;

/// A number known at compile time; reports if it is none.
static std::optional<double> constantNumber(Context &context,
                                            const ast::Expr &expression,
                                            const llvm::Twine &what) {
  Settled settled = settle(context, expression);
  if (settled.kind == Settled::Kind::Number)
    return settled.number;
  if (settled.kind == Settled::Kind::Boolean)
    context.error(Label::T1, expression.range,
                  what + " is a number, but '" + textOf(expression.range) +
                      "' is a boolean");
  else
    context.error(Label::D4, expression.range,
                  what + " must be known at compile time, but '" +
                      textOf(expression.range) + "' is not");
  return std::nullopt;
}

static bool isWhole(double value) {
  return std::isfinite(value) && value == std::floor(value);
}

static std::optional<double> optionValue(Context &context,
                                         const ast::Option &option) {
  const std::string &name = option.name.text;
  if (!option.initial) {
    context.error(Label::D6, option.name.range,
                  "option '" + name + "' has no default and no value is given");
    return std::nullopt;
  }
  llvm::SMRange range = option.initial->range;
  if (option.type == ast::Option::Type::Bool) {
    Settled settled = settle(context, *option.initial);
    if (settled.kind == Settled::Kind::Boolean)
      return settled.number;
    if (settled.kind == Settled::Kind::Number)
      context.error(Label::T2, range,
                    "option '" + name + "' is a boolean: write true or false");
    else
      context.error(Label::D4, range,
                    "the value of option '" + name +
                        "' must be known at compile time");
    return std::nullopt;
  }
  std::optional<double> value =
      constantNumber(context, *option.initial, "option '" + name + "'");
  if (value && option.type == ast::Option::Type::Int && !isWhole(*value)) {
    context.error(Label::D2, range,
                  "option '" + name + "' is a whole number, but its value is " +
                      printNumber(*value));
    return std::nullopt;
  }
  return value;
}

void check::checkOptions(Context &context) {
  const std::vector<ast::Option> &options = context.box.options;
  // An option may be computed from those before it.
  context.options.resize(options.size());
  for (unsigned i = 0; i < options.size(); ++i) {
    const ast::Option &option = options[i];
    std::optional<double> value = optionValue(context, option);
    context.options[i] = value;
    std::string text;
    if (value)
      text = option.type != ast::Option::Type::Bool ? printNumber(*value)
             : *value != 0                          ? "true"
                                                    : "false";
    context.rule.options.push_back({option.name.text, option.doc, text});
  }
}

static std::string domainText(const Domain &domain) {
  return (domain.lowOpen ? "(" : "[") + printNumber(domain.low) + ", " +
         printNumber(domain.high) + (domain.highOpen ? ")" : "]");
}

static bool contains(const Domain &domain, double value) {
  bool isAbove = domain.lowOpen ? value > domain.low : value >= domain.low;
  bool isBelow = domain.highOpen ? value < domain.high : value <= domain.high;
  // `[0, inf)` is every number from 0: infinity as a bound excludes only NaN
  // and, where open, itself.
  return isAbove && isBelow;
}

static void checkDomain(Context &context, const ast::Hyper &declared,
                        Hyper &hyper) {
  if (!declared.low || !declared.high)
    return;
  std::string what = "a bound of '" + hyper.name + "'";
  std::optional<double> low = constantNumber(context, *declared.low, what);
  std::optional<double> high = constantNumber(context, *declared.high, what);
  if (!low || !high)
    return;
  Domain domain{*low, *high, declared.lowOpen, declared.highOpen};
  bool isEmpty = !(*low <= *high) ||
                 (*low == *high && (domain.lowOpen || domain.highOpen));
  if (isEmpty)
    context.error(Label::D5, declared.low->range,
                  "no number is in the domain " + domainText(domain) + " of '" +
                      hyper.name + "'");
  else
    hyper.domain = domain;
}

/// A default that is a number.
static bool checkDefault(Context &context, const ast::Hyper &declared,
                         Hyper &hyper, double value) {
  llvm::SMRange range = declared.initial->range;
  if (hyper.isInt && !isWhole(value))
    return context.diagnostics.report(
        Label::D2, range,
        "'" + hyper.name + "' is a whole number, but its default is " +
            printNumber(value));
  if (!contains(hyper.domain, value))
    return context.diagnostics.report(
        Label::D3, range,
        "the default " + printNumber(value) + " of '" + hyper.name +
            "' is outside its domain " + domainText(hyper.domain));
  hyper.initial = value;
  return true;
}

/// A default over `calls` or other hypers: computed in every step.
static bool checkComputed(Context &context, const ast::Hyper &declared,
                          Hyper &hyper) {
  const Expr *value =
      Elaborator(context, Mode::Computed).numeric(*declared.initial);
  if (!value)
    return false;
  if (value->level > hyper.level) {
    context.error(Label::L1, declared.initial->range,
                  "'" + hyper.name + "' is " + perWhat(hyper.level) +
                      ", but its default is " + perWhat(value));
    if (const Expr *leaf = leafOf(value, value->level))
      context.diagnostics.note(leaf->range, "this is " + perWhat(leaf));
    return false;
  }
  hyper.computed = value;
  return true;
}

static bool checkInitial(Context &context, unsigned index) {
  const ast::Hyper &declared = context.box.hypers[index];
  Hyper &hyper = context.rule.hypers[index];
  if (!declared.initial)
    return true;
  Settled settled = settle(context, *declared.initial);
  if (settled.kind == Settled::Kind::Number)
    return checkDefault(context, declared, hyper, settled.number);
  return checkComputed(context, declared, hyper);
}

bool check::resolveHyper(Context &context, unsigned index, llvm::SMRange use) {
  constexpr unsigned kDeepest = 64;
  Progress &progress = context.hypers[index];
  if (progress == Progress::Waiting) {
    if (llvm::count(context.hypers, Progress::Open) > kDeepest)
      return context.diagnostics.report(
          Label::D8, use, "defaults stand behind more than 64 others");
    progress = Progress::Open;
    progress = checkInitial(context, index) ? Progress::Done : Progress::Failed;
  } else if (progress == Progress::Open) {
    return context.diagnostics.report(Label::S3, use,
                                      "the default of '" +
                                          context.rule.hypers[index].name +
                                          "' needs itself");
  }
  return progress == Progress::Done;
}

void check::declareHypers(Context &context) {
  for (const ast::Hyper &declared : context.box.hypers) {
    Hyper hyper;
    hyper.name = declared.name.text;
    hyper.doc = declared.doc;
    hyper.level = declared.isModel ? Level::Model : Level::Group;
    hyper.isRate = declared.isRate;
    hyper.isInt = declared.isInt;
    checkDomain(context, declared, hyper);
    context.rule.hypers.push_back(std::move(hyper));
  }
  context.hypers.assign(context.box.hypers.size(), Progress::Waiting);
}

void check::checkDefaults(Context &context) {
  for (unsigned i = 0; i < context.hypers.size(); ++i)
    resolveHyper(context, i, context.box.hypers[i].name.range);
}

void check::checkInputs(Context &context) {
  for (const ast::Input &input : context.box.inputs)
    context.rule.inputs.push_back({input.name.text, input.doc, input.isScalar});
}
