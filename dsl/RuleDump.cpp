//===- RuleDump.cpp - A checked rule as text ------------------------------===//

#include "RuleDump.h"
#include "Builtins.h"
#include "Printer.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

using namespace updraft;

static std::string levelName(Level level, Axis axis = {}) {
  static const char *const names[] = {"build",  "model", "group",
                                      "tensor", "axis",  "element"};
  static const char *const kinds[] = {"", "rows", "cols", "matrix", "block"};
  if (level != Level::Axis)
    return names[unsigned(level)];
  std::string text = axis.isFolded ? "folded " : "";
  text += kinds[unsigned(axis.kind)];
  return axis.block ? text + "(" + std::to_string(axis.block) + ")" : text;
}

static const char *formatName(Format format) {
  static const char *const names[] = {"f64", "f32", "bf16", "f16"};
  return names[unsigned(format)];
}

/// The word before the arguments of an inner node.
static std::string headOf(const Expr &node) {
  switch (node.op) {
  case Op::Neg:
    return "neg";
  case Op::Add:
    return "add";
  case Op::Sub:
    return "sub";
  case Op::Mul:
    return "mul";
  case Op::Div:
    return "div";
  case Op::Mod:
    return "mod";
  case Op::Fma:
    return "fma";
  case Op::PowInt:
    return "pow" + std::to_string(node.index);
  case Op::Call:
    return nameOf(node.builtin).str();
  case Op::Lt:
    return "lt";
  case Op::Le:
    return "le";
  case Op::Gt:
    return "gt";
  case Op::Ge:
    return "ge";
  case Op::Eq:
    return "eq";
  case Op::Ne:
    return "ne";
  case Op::Not:
    return "not";
  case Op::And:
    return "and";
  case Op::Or:
    return "or";
  case Op::Select:
    return "select";
  case Op::Reduce:
    return nameOf(node.reducer).str();
  case Op::NewtonSchulz:
    return "newton_schulz" + std::to_string(node.index);
  default:
    llvm_unreachable("leaf");
  }
}

/// A let's name; with its index if another let has the same.
static std::string letName(const Rule &rule, unsigned index) {
  unsigned count = 0;
  for (const Let &let : rule.lets)
    count += let.name == rule.lets[index].name;
  const std::string &name = rule.lets[index].name;
  return count > 1 ? name + "#" + std::to_string(index) : name;
}

static std::string leaf(const Rule &rule, const Expr &node) {
  switch (node.op) {
  case Op::Number:
    return printNumber(node.number) +
           (node.level == Level::Element ? ":element" : "");
  case Op::Boolean:
    return node.number != 0 ? "true" : "false";
  case Op::Hyper:
    return rule.hypers[node.index].name;
  case Op::Step:
    return "step";
  case Op::TensorStep:
    return "t";
  case Op::Absent:
    return "absent";
  case Op::Rank:
    return "rank";
  case Op::Size:
    return "size";
  case Op::Dim:
    return "dim" + std::to_string(node.index);
  case Op::Input:
    return rule.inputs[node.index].name;
  case Op::Param:
    return "p";
  case Op::NewParam:
    return "p'";
  case Op::Grad:
    return "g";
  case Op::Old:
    return rule.states[node.index].name;
  case Op::New:
    return rule.states[node.index].name + "'";
  case Op::Let:
    return letName(rule, node.index);
  case Op::Cross:
    return "cross" + std::to_string(node.index);
  default:
    return {};
  }
}

static void write(llvm::raw_ostream &out, const Rule &rule, const Expr *node) {
  std::string text = leaf(rule, *node);
  if (!text.empty()) {
    out << text;
    return;
  }
  out << headOf(*node) << '(';
  for (size_t i = 0; i < node->args.size(); ++i) {
    out << (i ? ", " : "");
    write(out, rule, node->args[i]);
  }
  if (node->op == Op::Reduce && node->level == Level::Axis)
    out << " to " << levelName(node->level, node->axis);
  if (node->op == Op::NewtonSchulz && node->axis.isFolded)
    out << " over folded p";
  out << ')';
}

static void write(llvm::raw_ostream &out, const Rule &rule,
                  const Hyper &hyper) {
  out << (hyper.isRate ? "rate " : "hyper ") << hyper.name << ": "
      << levelName(hyper.level) << (hyper.isInt ? " int" : "");
  if (hyper.initial)
    out << " = " << printNumber(*hyper.initial);
  if (hyper.computed) {
    out << " computed ";
    write(out, rule, hyper.computed);
  }
  const Domain &domain = hyper.domain;
  out << " in " << (domain.lowOpen ? '(' : '[') << printNumber(domain.low)
      << ", " << printNumber(domain.high) << (domain.highOpen ? ')' : ']')
      << '\n';
}

static void write(llvm::raw_ostream &out, const Rule &rule,
                  const State &state) {
  out << "state " << state.name << ": " << levelName(state.level, state.axis);
  if (state.format)
    out << " as " << formatName(*state.format);
  out << " = ";
  write(out, rule, state.initial);
  out << (state.coversAbsent ? " covers absent\n" : "\n");
}

static void write(llvm::raw_ostream &out, const Rule &rule,
                  const Equation &equation) {
  out << "  ";
  switch (equation.target) {
  case Equation::Target::Let:
    out << letName(rule, equation.index) << ": "
        << levelName(rule.lets[equation.index].level,
                     rule.lets[equation.index].axis);
    break;
  case Equation::Target::State:
    out << rule.states[equation.index].name << '\'';
    break;
  case Equation::Target::Param:
    out << "p'";
    break;
  }
  out << " = ";
  write(out, rule, equation.value);
  if (equation.commit) {
    out << " commit ";
    write(out, rule, equation.commit);
  }
  out << '\n';
}

static void write(llvm::raw_ostream &out, const Test &test) {
  if (test.what == Test::What::Tag) {
    out << (test.value != 0 ? "" : "!") << "tag(\"" << test.tag << "\")";
    return;
  }
  switch (test.what) {
  case Test::What::Rank:
    out << "rank";
    break;
  case Test::What::Size:
    out << "size";
    break;
  default:
    out << "dim" << test.index;
    break;
  }
  Expr relation;
  relation.op = test.relation;
  out << ' ' << headOf(relation) << ' ' << printNumber(test.value);
}

static void write(llvm::raw_ostream &out, const Rule &rule,
                  const std::vector<View> &views,
                  const std::vector<Require> &requirements) {
  for (const View &view : views) {
    out << "  view " << view.name << ": " << levelName(view.level, view.axis)
        << " = ";
    write(out, rule, view.value);
    out << '\n';
  }
  for (const Require &require : requirements) {
    out << "  require ";
    write(out, rule, require.condition);
    out << '\n';
  }
}

static void write(llvm::raw_ostream &out, const Rule &rule,
                  const Variant &variant) {
  out << "variant " << variant.name;
  for (size_t i = 0; i < variant.tests.size(); ++i) {
    out << (i ? ", " : ": ");
    write(out, variant.tests[i]);
  }
  out << '\n';
  if (!variant.states.empty()) {
    out << "  states";
    for (unsigned state : variant.states)
      out << ' ' << rule.states[state].name;
    out << '\n';
  }
  for (const Equation &equation : variant.equations)
    write(out, rule, equation);
  for (size_t i = 0; i < variant.operands.size(); ++i) {
    if (!variant.operands[i])
      continue;
    out << "  cross" << i << " takes ";
    write(out, rule, variant.operands[i]);
    out << '\n';
  }
  write(out, rule, variant.views, variant.requires_);
}

std::string updraft::dump(const Rule &rule, const Expr *expression) {
  std::string text;
  llvm::raw_string_ostream out(text);
  write(out, rule, expression);
  return text;
}

std::string updraft::dump(const Rule &rule) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "rule " << rule.name << ": " << formatName(rule.param)
      << (rule.coversAbsent ? " covers absent\n" : "\n");
  for (const Option &option : rule.options)
    out << "option " << option.name << " = " << option.value << '\n';
  for (const Hyper &hyper : rule.hypers)
    write(out, rule, hyper);
  for (const Input &input : rule.inputs)
    out << "input " << input.name
        << (input.isScalar ? ": scalar\n" : ": like p\n");
  for (const State &state : rule.states)
    write(out, rule, state);
  for (size_t i = 0; i < rule.reductions.size(); ++i) {
    const Reduction &reduction = rule.reductions[i];
    out << "cross" << i << " = " << nameOf(reduction.reducer) << " over "
        << levelName(reduction.over);
    if (reduction.shared) {
      out << " of ";
      write(out, rule, reduction.shared);
    }
    out << '\n';
  }
  out << "shared\n";
  for (const Equation &equation : rule.shared)
    write(out, rule, equation);
  write(out, rule, rule.views, rule.requires_);
  for (const Variant &variant : rule.variants)
    write(out, rule, variant);
  return text;
}
