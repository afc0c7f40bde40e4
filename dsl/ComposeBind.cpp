//===- ComposeBind.cpp - Arguments, schedules and settings ----------------===//
//
// A number is a new default. An expression over `calls` becomes the hyper's
// computed value; the parameters of a schedule in it become hypers of their
// own, so that they can still be set while the program runs.
//
//===----------------------------------------------------------------------===//

#include "Builtins.h"
#include "Compose.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>

namespace updraft {

using ast::ExprPtr;

/// Schedules may stand in defaults of schedules, two in each: more is an
/// attack.
static constexpr size_t kMaxParameters = 256;

namespace {
/// Binds the arguments of one part.
struct Binder {
  Scopes &scopes;
  Diagnostics &diagnostics;
  Part &part;
  /// Schedules whose defaults are being bound.
  std::vector<const ast::Schedule *> open;

  bool bindStage();
  bool bindOption(ast::Option &option, const ExprPtr &value);
  bool bindHyper(ast::Hyper &hyper, const std::string &fullName,
                 const ExprPtr &value);
  ExprPtr inlined(const ExprPtr &value, const ast::Hyper &hyper,
                  const std::string &fullName);
  ExprPtr inlinedCall(const ast::Expr &call, const ast::Schedule &schedule,
                      const ast::Hyper &hyper, const std::string &fullName);
  bool matchArguments(const ast::Expr &call, const ast::Schedule &schedule,
                      std::vector<ExprPtr> &values);
  ExprPtr scheduleBody(const ExprPtr &value, const ast::Schedule &schedule,
                       const std::string &fullName);
  bool addParameter(ast::Hyper made, const ExprPtr &value);
  ExprPtr unknownName(const ast::Expr &ref);
};
} // namespace

//===----------------------------------------------------------------------===//
// Arguments of a stage
//===----------------------------------------------------------------------===//

static std::string described(const Part &part) {
  return (part.box.isTransform ? "the transform '" : "the rule '") +
         part.box.name.text + "'";
}

/// Positional arguments bind the rate, then the hypers as declared; the rest
/// is given by name.      SPEC (B2, B3, B4)
bool Binder::bindStage() {
  if (!part.stage)
    return true;
  std::vector<ast::Hyper *> inOrder;
  for (ast::Hyper &hyper : part.box.hypers)
    if (hyper.isRate)
      inOrder.push_back(&hyper);
  for (ast::Hyper &hyper : part.box.hypers)
    if (!hyper.isRate)
      inOrder.push_back(&hyper);
  std::vector<std::string> names;
  for (const ast::Hyper *hyper : inOrder)
    names.push_back(hyper->name.text);
  for (const ast::Option &option : part.box.options)
    names.push_back(option.name.text);

  bool isGood = true;
  size_t position = 0;
  std::map<std::string, ast::Range> given;
  for (const ast::Argument &argument : part.stage->arguments) {
    ast::Range range =
        argument.name ? argument.name->range : argument.value->range;
    if (!argument.name && position >= inOrder.size()) {
      isGood = diagnostics.report(Label::B4, range,
                                  described(part) + " takes at most " +
                                      llvm::Twine(inOrder.size()) +
                                      " arguments without a name");
      diagnostics.note(part.box.name.range, "it is declared here");
      break;
    }
    std::string name =
        argument.name ? argument.name->text : inOrder[position++]->name.text;
    auto [first, isNew] = given.insert({name, range});
    if (!isNew) {
      isGood =
          diagnostics.report(Label::B3, range, "'" + name + "' is given twice");
      diagnostics.note(first->second, "it is given here first");
      continue;
    }
    auto hyper = llvm::find_if(
        inOrder, [&](ast::Hyper *h) { return h->name.text == name; });
    auto option = llvm::find_if(part.box.options, [&](const ast::Option &o) {
      return o.name.text == name;
    });
    if (hyper != inOrder.end()) {
      isGood &= bindHyper(**hyper, part.fullName(name), argument.value);
    } else if (option != part.box.options.end()) {
      isGood &= bindOption(*option, argument.value);
    } else {
      isGood = diagnostics.report(Label::B2, range,
                                  described(part) + " has no '" + name + "'" +
                                      didYouMean(name, names));
      diagnostics.note(part.box.name.range, "it is declared here");
    }
  }
  return isGood;
}

/// An option is given as a literal of its type.      SPEC (B5)
bool Binder::bindOption(ast::Option &option, const ExprPtr &value) {
  std::optional<BuildValue> given = evaluateBuild(*value, ast::Box());
  const char *wanted = "true or false";
  bool fits = given && given->isBoolean;
  if (option.type != ast::Option::Type::Bool) {
    bool isInt = option.type == ast::Option::Type::Int;
    wanted = isInt ? "a whole number" : "a number";
    fits = given && !given->isBoolean &&
           (!isInt || given->number == std::trunc(given->number));
  }
  if (!fits) {
    diagnostics.report(Label::B5, value->range,
                       "the option '" + option.name.text + "' wants " + wanted);
    diagnostics.note(option.name.range, "it is declared here");
    return false;
  }
  option.initial = value;
  return true;
}

//===----------------------------------------------------------------------===//
// Hypers and schedules
//===----------------------------------------------------------------------===//

bool Binder::bindHyper(ast::Hyper &hyper, const std::string &fullName,
                       const ExprPtr &value) {
  ExprPtr bound = inlined(value, hyper, fullName);
  if (!bound)
    return false;
  if (bound->height > ast::kMaxHeight)
    return diagnostics.report(Label::G5, value->range,
                              "the schedule is nested more than " +
                                  llvm::Twine(ast::kMaxHeight) +
                                  " levels deep");
  hyper.initial = std::move(bound);
  return true;
}

/// Only `calls` has a meaning in an argument.      SPEC (B5)
ExprPtr Binder::unknownName(const ast::Expr &ref) {
  diagnostics.report(Label::B5, ref.range,
                     "'" + ref.name +
                         "' means nothing in an argument, which is made of "
                         "numbers, functions, schedules and 'calls'");
  return nullptr;
}

/// `value` with the schedules in it replaced by their expressions.
ExprPtr Binder::inlined(const ExprPtr &value, const ast::Hyper &hyper,
                        const std::string &fullName) {
  const ast::Expr &e = *value;
  if (e.kind == ast::Expr::Kind::Ref)
    return e.name == "calls" && !e.primed ? value : unknownName(e);
  if (e.kind == ast::Expr::Kind::Call && !findFunction(e.name)) {
    if (const ast::Schedule *schedule =
            scopes.findSchedule(e.name, *part.scope))
      return inlinedCall(e, *schedule, hyper, fullName);
    diagnostics.report(
        Label::B1, e.range,
        "'" + e.name + "' is no function or schedule" +
            didYouMean(e.name, scopes.scheduleNames(*part.scope)));
    return nullptr;
  }
  ast::Expr copy = e;
  for (ExprPtr &arg : copy.args)
    if (!(arg = inlined(arg, hyper, fullName)))
      return nullptr;
  return copy.args.empty() ? value : ast::make(std::move(copy));
}

/// The argument of each parameter, null where it has its default.
/// SPEC (B2, B3, B4, B6)
bool Binder::matchArguments(const ast::Expr &call,
                            const ast::Schedule &schedule,
                            std::vector<ExprPtr> &values) {
  std::vector<std::string> names;
  for (const ast::Argument &parameter : schedule.parameters)
    names.push_back(parameter.name->text);
  values.resize(names.size());
  size_t position = 0;
  std::string what = "the schedule '" + schedule.name.text + "'";
  for (size_t i = 0; i < call.args.size(); ++i) {
    bool isNamed = i < call.argNames.size() && !call.argNames[i].empty();
    size_t index = isNamed ? llvm::find(names, call.argNames[i]) - names.begin()
                           : position++;
    ast::Range range = call.args[i]->range;
    if (index >= names.size()) {
      if (isNamed)
        diagnostics.report(Label::B2, range,
                           what + " has no '" + call.argNames[i] + "'" +
                               didYouMean(call.argNames[i], names));
      else
        diagnostics.report(Label::B4, range,
                           what + " takes at most " +
                               llvm::Twine(names.size()) + " arguments");
      diagnostics.note(schedule.name.range, "it is declared here");
      return false;
    }
    if (values[index])
      return diagnostics.report(Label::B3, range,
                                "'" + names[index] + "' is given twice");
    values[index] = call.args[i];
  }
  for (size_t i = 0; i < names.size(); ++i)
    if (!values[i] && !schedule.parameters[i].value) {
      diagnostics.report(Label::B6, call.range,
                         what + " needs '" + names[i] + "'");
      diagnostics.note(schedule.parameters[i].name->range,
                       "it has no default here");
      return false;
    }
  return true;
}

/// A parameter of a schedule becomes a hyper of the flat rule.   SPEC (B7)
bool Binder::addParameter(ast::Hyper made, const ExprPtr &value) {
  for (const ast::Hyper &other : part.parameters)
    if (other.name.text == made.name.text)
      return diagnostics.report(Label::B7, made.name.range,
                                "'" + made.name.text +
                                    "' would be the parameter of two "
                                    "schedules; declare one schedule that "
                                    "says what both do");
  size_t place = part.parameters.size();
  if (place == kMaxParameters)
    return diagnostics.report(Label::G5, made.name.range,
                              "the schedules of a box have at most " +
                                  llvm::Twine(kMaxParameters) + " parameters");
  part.parameters.push_back(made);
  ExprPtr bound = inlined(value, made, made.name.text);
  if (!bound)
    return false;
  part.parameters[place].initial = std::move(bound);
  return true;
}

/// The call of a schedule: its expression, over hypers that are its parameters.
/// SPEC (B14)
ExprPtr Binder::inlinedCall(const ast::Expr &call,
                            const ast::Schedule &schedule,
                            const ast::Hyper &hyper,
                            const std::string &fullName) {
  if (llvm::is_contained(open, &schedule)) {
    diagnostics.report(Label::B14, call.range,
                       "the schedule '" + schedule.name.text +
                           "' stands in itself");
    return nullptr;
  }
  std::vector<ExprPtr> values;
  if (!matchArguments(call, schedule, values))
    return nullptr;
  for (size_t i = 0; i < values.size(); ++i) {
    const ast::Argument &parameter = schedule.parameters[i];
    ast::Hyper made;
    made.name = {fullName + "." + parameter.name->text, call.range};
    made.doc = parameter.name->text + " of " + schedule.name.text + ".";
    made.isModel = hyper.isModel;
    // Only a default can stand in itself: an argument is a finite text.
    bool isDefault = !values[i];
    if (isDefault)
      open.push_back(&schedule);
    if (!addParameter(std::move(made), isDefault ? parameter.value : values[i]))
      return nullptr;
    if (isDefault)
      open.pop_back();
  }
  return scheduleBody(schedule.body, schedule, fullName);
}

/// `n` is `calls - 1`; parameters are the hypers they became.     SPEC (N1)
ExprPtr Binder::scheduleBody(const ExprPtr &value,
                             const ast::Schedule &schedule,
                             const std::string &fullName) {
  const ast::Expr &e = *value;
  if (e.kind == ast::Expr::Kind::Ref) {
    if (e.name == "n" && !e.primed)
      return ast::makeBinary(ast::Operator::Sub, ast::makeRef("calls", e.range),
                             ast::makeNumber(1, e.range), e.range);
    std::vector<std::string> names = {"n"};
    for (const ast::Argument &parameter : schedule.parameters) {
      if (parameter.name->text == e.name && !e.primed)
        return ast::makeRef(fullName + "." + e.name, e.range);
      names.push_back(parameter.name->text);
    }
    diagnostics.report(Label::N1, e.range,
                       "'" + e.name + "' is not defined in the schedule '" +
                           schedule.name.text + "'" +
                           didYouMean(e.name, names));
    return nullptr;
  }
  ast::Expr copy = e;
  for (ExprPtr &arg : copy.args)
    if (!(arg = scheduleBody(arg, schedule, fullName)))
      return nullptr;
  return copy.args.empty() ? value : ast::make(std::move(copy));
}

//===----------------------------------------------------------------------===//
// Settings
//===----------------------------------------------------------------------===//

namespace {
struct OptionOf {
  Part *part;
  ast::Option *option;
  std::string fullName() const { return part->fullName(option->name.text); }
};
} // namespace

/// The options that a setting's name may mean: the one called so in full, else
/// all whose last part is that.
static std::vector<OptionOf> optionsCalled(llvm::StringRef name,
                                           llvm::ArrayRef<Part *> parts,
                                           std::vector<std::string> &all) {
  std::vector<OptionOf> found;
  for (Part *part : parts)
    for (ast::Option &option : part->box.options) {
      OptionOf one{part, &option};
      all.push_back(one.fullName());
      if (one.fullName() == name)
        return {one};
      if (option.name.text == name)
        found.push_back(one);
    }
  return found;
}

/// The literal that a setting gives: 'true', 'false' or a number.
static ExprPtr literal(llvm::StringRef text, ast::Range range) {
  if (text == "true" || text == "false")
    return ast::makeBoolean(text == "true", range);
  double number;
  bool isNegative = text.consume_front("-");
  if (text.empty() || text.starts_with("-") || text.getAsDouble(number) ||
      std::isnan(number) ||
      (std::isinf(number) && !text.contains_insensitive("inf")))
    return nullptr;
  ExprPtr value = ast::makeNumber(number, range);
  return isNegative ? ast::makeUnary(ast::Operator::Neg, value, range) : value;
}

/// SPEC (B3, B5, B15, B16). `given` are the options of settings before.
static bool bindSetting(const Setting &setting, Scopes &scopes,
                        Diagnostics &diagnostics, llvm::ArrayRef<Part *> parts,
                        std::vector<ast::Option *> &given) {
  // The setting becomes a text of its own, so that messages can point at it.
  std::string text = setting.name + "=" + setting.value;
  unsigned buffer = diagnostics.sources().AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(text, "<setting>"), llvm::SMLoc());
  const char *begin =
      diagnostics.sources().getMemoryBuffer(buffer)->getBufferStart();
  auto placeOf = [&](size_t from, size_t length) {
    return ast::Range(llvm::SMLoc::getFromPointer(begin + from),
                      llvm::SMLoc::getFromPointer(begin + from + length));
  };
  ast::Range nameAt = placeOf(0, setting.name.size());
  std::vector<std::string> all;
  std::vector<OptionOf> found = optionsCalled(setting.name, parts, all);
  if (found.empty()) {
    for (const Part *part : parts)
      for (const ast::Hyper &hyper : part->box.hypers)
        if (part->fullName(hyper.name.text) == setting.name)
          return diagnostics.report(
              Label::B16, nameAt,
              "'" + setting.name +
                  "' is a hyper, not an option: it is set while the program "
                  "runs, or gets a default in the pipe");
    return diagnostics.report(Label::B16, nameAt,
                              "there is no option '" + setting.name + "'" +
                                  didYouMean(setting.name, all));
  }
  if (found.size() > 1) {
    std::string names;
    for (const OptionOf &one : found)
      names += (names.empty() ? "'" : ", '") + one.fullName() + "'";
    return diagnostics.report(Label::B15, nameAt,
                              "'" + setting.name + "' may mean " + names);
  }
  if (llvm::is_contained(given, found[0].option))
    return diagnostics.report(Label::B3, nameAt,
                              "'" + found[0].fullName() +
                                  "' is given by two settings");
  given.push_back(found[0].option);
  ast::Range valueAt = placeOf(setting.name.size() + 1, setting.value.size());
  ExprPtr value = literal(setting.value, valueAt);
  if (!value) // a text fits no option: bindOption says what would
    value = ast::makeRef(setting.value, valueAt);
  return Binder{scopes, diagnostics, *found[0].part, {}}.bindOption(
      *found[0].option, value);
}

bool bindParts(const std::vector<Setting> &settings, Scopes &scopes,
               Diagnostics &diagnostics, llvm::ArrayRef<Part *> parts) {
  bool isGood = true;
  std::vector<ast::Option *> given;
  for (Part *part : parts)
    isGood &= Binder{scopes, diagnostics, *part, {}}.bindStage();
  for (const Setting &setting : settings)
    isGood &= bindSetting(setting, scopes, diagnostics, parts, given);
  return isGood;
}

} // namespace updraft
