//===- Printer.cpp - A tree as canonical text -----------------------------===//
//
// Items of a box are printed sort by sort, because an `.upd` text has no order.
// Brackets stand only where the tree would be another without them.
//
//===----------------------------------------------------------------------===//

#include "Printer.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <charconv>
#include <cmath>

namespace updraft {

using ast::Expr;
using ast::Operator;
using llvm::raw_ostream;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

std::string printNumber(double value) {
  // Its sign is the machine's, and says nothing.
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  if (value == llvm::numbers::pi)
    return "pi";
  char digits[32];
  // Whole numbers up to 2^53 look like what they count.
  bool isCount = value == std::trunc(value) && std::fabs(value) < 0x1p53;
  auto end = isCount ? std::to_chars(digits, std::end(digits), int64_t(value))
                     : std::to_chars(digits, std::end(digits), value);
  llvm::StringRef text(digits, end.ptr - digits);
  auto [mantissa, exponent] = text.split('e');
  if (exponent.empty())
    return text.str();
  bool isNegative = exponent.consume_front("-");
  exponent.consume_front("+");
  return (mantissa + (isNegative ? "e-" : "e") + exponent.ltrim('0')).str();
}

namespace {
enum Precedence {
  kSelect,
  kOr,
  kAnd,
  kCompare,
  kAdd,
  kMul,
  kUnary,
  kPow,
  kPrimary
};

struct OperatorText {
  const char *text;
  Precedence precedence;
};
} // namespace

static OperatorText textOf(Operator op) {
  switch (op) {
  case Operator::Neg:
    return {"-", kUnary};
  case Operator::Not:
    return {"!", kUnary};
  case Operator::Pow:
    return {"^", kPow};
  case Operator::Mul:
    return {"*", kMul};
  case Operator::Div:
    return {"/", kMul};
  case Operator::Mod:
    return {"mod", kMul};
  case Operator::Add:
    return {"+", kAdd};
  case Operator::Sub:
    return {"-", kAdd};
  case Operator::Lt:
    return {"<", kCompare};
  case Operator::Le:
    return {"<=", kCompare};
  case Operator::Gt:
    return {">", kCompare};
  case Operator::Ge:
    return {">=", kCompare};
  case Operator::Eq:
    return {"==", kCompare};
  case Operator::Ne:
    return {"!=", kCompare};
  case Operator::And:
    return {"&&", kAnd};
  case Operator::Or:
    return {"||", kOr};
  }
  llvm_unreachable("an operator has a text");
}

static Precedence precedenceOf(const Expr &e) {
  switch (e.kind) {
  case Expr::Kind::Select:
    return kSelect;
  case Expr::Kind::Unary:
  case Expr::Kind::Binary:
    return textOf(e.op).precedence;
  case Expr::Kind::Number:
    return std::signbit(e.number) ? kUnary : kPrimary;
  default:
    return kPrimary;
  }
}

const char *wordFor(ast::Over over) {
  switch (over) {
  case ast::Over::Tensor:
    return "tensor";
  case ast::Over::Group:
    return "group";
  case ast::Over::Model:
    return "model";
  case ast::Over::Rows:
    return "rows";
  case ast::Over::Cols:
    return "cols";
  case ast::Over::Block:
    return "block";
  }
  llvm_unreachable("every over has a text");
}

static void printExpr(raw_ostream &out, const Expr &e, Precedence least);

static void printBinary(raw_ostream &out, const Expr &e) {
  OperatorText op = textOf(e.op);
  if (e.op == Operator::Pow) { // binds to the right, and tightly
    printExpr(out, *e.args[0], kPrimary);
    out << '^';
    printExpr(out, *e.args[1], kUnary);
    return;
  }
  // Comparisons do not chain: neither side may be one.
  auto next = Precedence(op.precedence + 1);
  printExpr(out, *e.args[0], op.precedence == kCompare ? next : op.precedence);
  bool isTight = e.op == Operator::Mul || e.op == Operator::Div;
  if (isTight)
    out << op.text;
  else
    out << ' ' << op.text << ' ';
  printExpr(out, *e.args[1], next);
}

static void printCall(raw_ostream &out, const Expr &e) {
  out << e.name << '(';
  size_t count = e.args.size() - e.isFiltered;
  for (size_t i = 0; i < count; ++i) {
    if (i)
      out << ", ";
    if (i < e.argNames.size() && !e.argNames[i].empty())
      out << e.argNames[i] << " = ";
    printExpr(out, *e.args[i], kSelect);
  }
  if (e.over || e.isFolded)
    out << " over " << (e.isFolded ? "folded " : "")
        << (e.over ? wordFor(*e.over) : "p");
  if (e.block)
    out << '(' << print(*e.block) << ')';
  if (e.isFiltered) {
    out << " if ";
    printExpr(out, *e.args.back(), kSelect);
  }
  out << ')';
}

static void printBare(raw_ostream &out, const Expr &e) {
  switch (e.kind) {
  case Expr::Kind::Number:
    out << printNumber(e.number);
    return;
  case Expr::Kind::Boolean:
    out << (e.boolean ? "true" : "false");
    return;
  case Expr::Kind::String:
    out << '"' << e.name << '"';
    return;
  case Expr::Kind::Ref:
    out << e.name << (e.primed ? "'" : "");
    return;
  case Expr::Kind::Keep:
    out << "keep";
    return;
  case Expr::Kind::Call:
    printCall(out, e);
    return;
  case Expr::Kind::Binary:
    printBinary(out, e);
    return;
  case Expr::Kind::Unary:
    out << textOf(e.op).text;
    printExpr(out, *e.args[0], kUnary);
    return;
  case Expr::Kind::Select:
    printExpr(out, *e.args[0], kOr);
    out << " ? ";
    printExpr(out, *e.args[1], kSelect);
    out << " : ";
    printExpr(out, *e.args[2], kSelect);
    return;
  }
}

static void printExpr(raw_ostream &out, const Expr &e, Precedence least) {
  bool needsBrackets = precedenceOf(e) < least;
  if (needsBrackets)
    out << '(';
  printBare(out, e);
  if (needsBrackets)
    out << ')';
}

static std::string text(const ast::ExprPtr &e) { return print(*e); }

//===----------------------------------------------------------------------===//
// Items
//===----------------------------------------------------------------------===//

static void printDoc(raw_ostream &out, llvm::StringRef doc,
                     llvm::StringRef indent) {
  if (doc.empty())
    return;
  for (llvm::StringRef line : llvm::split(doc, '\n'))
    out << indent << "///" << (line.empty() ? "" : " ") << line << '\n';
}

static void printOption(raw_ostream &out, const ast::Option &option) {
  static const char *const kTypes[] = {"bool", "int", "float"};
  out << "  option " << option.name.text << ": " << kTypes[int(option.type)];
  if (option.initial)
    out << " = " << text(option.initial);
  out << '\n';
}

static void printHyper(raw_ostream &out, const ast::Hyper &hyper) {
  out << (hyper.isRate ? "  rate " : "  hyper ") << hyper.name.text;
  if (hyper.isModel || hyper.isInt)
    out << ':' << (hyper.isModel ? " model" : "")
        << (hyper.isInt ? " int" : "");
  if (hyper.initial)
    out << " = " << text(hyper.initial);
  if (hyper.low)
    out << " in " << (hyper.lowOpen ? '(' : '[') << text(hyper.low) << ", "
        << text(hyper.high) << (hyper.highOpen ? ')' : ']');
  out << '\n';
}

static void printState(raw_ostream &out, const ast::State &state) {
  static const char *const kShapes[] = {"like p",   "rows p", "cols p",
                                        "matrix p", "block",  "tensor",
                                        "group",    "model"};
  out << "  state " << state.name.text << ": "
      << (state.isFolded ? "folded " : "") << kShapes[int(state.shape)];
  if (state.block)
    out << '(' << text(state.block) << ") p";
  if (!state.format.empty())
    out << " as " << state.format;
  out << " = " << text(state.initial);
  if (state.coversAbsent)
    out << " covers absent";
  if (state.guard)
    out << " if " << text(state.guard);
  out << '\n';
}

static void printEquation(raw_ostream &out, const ast::Equation &equation) {
  out << (equation.isPort ? "  port " : "  ") << equation.target.text
      << (equation.primed ? "' = " : " = ") << text(equation.value);
  if (equation.guard)
    out << " if " << text(equation.guard);
  out << '\n';
}

static void printView(raw_ostream &out, const ast::View &view) {
  out << "  view " << view.name.text;
  if (view.value)
    out << " = " << text(view.value);
  if (view.guard)
    out << " if " << text(view.guard);
  out << '\n';
}

template <typename Items, typename Print>
static void printItems(raw_ostream &out, const Items &items, Print printItem) {
  for (const auto &item : items) {
    printDoc(out, item.doc, "  ");
    printItem(out, item);
  }
}

static void printBox(raw_ostream &out, const ast::Box &box) {
  printDoc(out, box.doc, "");
  out << (box.isTransform ? "transform " : "rule ") << box.name.text
      << (box.coversAbsent ? " covers absent" : "") << " {\n";
  if (box.foldsParam)
    out << "  fold p\n";
  printItems(out, box.options, printOption);
  printItems(out, box.hypers, printHyper);
  printItems(out, box.states, printState);
  printItems(out, box.inputs, [](raw_ostream &out, const ast::Input &input) {
    out << "  input " << input.name.text << ": "
        << (input.isScalar ? "scalar" : "like p") << '\n';
  });
  for (const ast::Require &require : box.requires_)
    out << "  require " << text(require.condition) << ", \"" << require.message
        << "\"\n";
  if (!box.equations.empty() &&
      !(box.options.empty() && box.hypers.empty() && box.states.empty()))
    out << '\n';
  printItems(out, box.equations, printEquation);
  printItems(out, box.views, printView);
  out << "}\n";
}

//===----------------------------------------------------------------------===//
// Pipes and files
//===----------------------------------------------------------------------===//

static void printArguments(raw_ostream &out,
                           const std::vector<ast::Argument> &arguments) {
  out << '(';
  llvm::ListSeparator comma;
  for (const ast::Argument &argument : arguments) {
    out << comma;
    if (argument.name)
      out << argument.name->text;
    if (argument.name && argument.value)
      out << " = ";
    if (argument.value)
      out << text(argument.value);
  }
  out << ')';
}

static void printPipe(raw_ostream &out, const ast::Pipe &pipe) {
  llvm::ListSeparator bar(" | ");
  for (const ast::Stage &stage : pipe.stages) {
    out << bar;
    if (stage.label)
      out << stage.label->text << ": ";
    out << stage.box.text;
    if (!stage.arguments.empty())
      printArguments(out, stage.arguments);
    if (stage.storage.empty())
      continue;
    out << " with {";
    llvm::ListSeparator comma(",");
    for (const ast::Stage::Storage &storage : stage.storage)
      out << comma << ' ' << storage.state.text << " as " << storage.format;
    out << " }";
  }
  if (!pipe.where)
    return;
  out << " where " << text(pipe.where) << " else ";
  printPipe(out, *pipe.otherwise);
}

std::string print(const Expr &expression) {
  std::string result;
  llvm::raw_string_ostream out(result);
  printExpr(out, expression, kSelect);
  return result;
}

std::string print(const ast::Box &box) {
  std::string result;
  llvm::raw_string_ostream out(result);
  printBox(out, box);
  return result;
}

std::string print(const ast::Pipe &pipe) {
  std::string result;
  llvm::raw_string_ostream out(result);
  printPipe(out, pipe);
  return result;
}

std::string print(const ast::File &file) {
  std::string result;
  llvm::raw_string_ostream out(result);
  printDoc(out, file.doc, "");
  if (!file.doc.empty())
    out << '\n'; // it belongs to the file because of this line
  bool needsLine = false;
  auto separate = [&] {
    if (needsLine)
      out << '\n';
    needsLine = true;
  };
  if (!file.uses.empty())
    separate();
  for (const ast::Use &use : file.uses)
    out << "use \"" << use.path << "\"\n";
  for (const ast::Schedule &schedule : file.schedules) {
    separate();
    printDoc(out, schedule.doc, "");
    out << "schedule " << schedule.name.text;
    printArguments(out, schedule.parameters);
    out << " = " << text(schedule.body) << '\n';
  }
  for (const ast::Box &box : file.boxes) {
    separate();
    printBox(out, box);
  }
  for (const ast::Optimizer &optimizer : file.optimizers) {
    separate();
    printDoc(out, optimizer.doc, "");
    if (!optimizer.name.text.empty())
      out << "optimizer " << optimizer.name.text << " = ";
    printPipe(out, optimizer.pipe);
    out << '\n';
  }
  return result;
}

} // namespace updraft
