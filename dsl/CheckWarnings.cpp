//===- CheckWarnings.cpp - What is allowed but probably not meant ---------===//
//
// Warnings about a rule as a whole; those about the form of one expression
// (W2, W3, W5, W7) stand where it is elaborated. Counters of held rules are
// Compose's and not the user's, so nothing is said about them.
//
//===----------------------------------------------------------------------===//

#include "CheckContext.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace updraft;
using namespace updraft::check;

static bool isMadeCounter(const State &state) {
  llvm::StringRef name = state.name;
  return name.ends_with(".step") || name.ends_with(".calls") ||
         name.ends_with(".t");
}

//===----------------------------------------------------------------------===//
// What reads what
//===----------------------------------------------------------------------===//

namespace {
/// The leaves of a rule's equations in one variant, by what they define.
class Reads {
public:
  Reads(const Rule &rule, const Variant &variant)
      : rule_(rule), variant_(variant) {
    for (const auto *list : {&rule.shared, &variant.equations})
      for (const Equation &equation : *list) {
        all_.push_back(&equation);
        if (equation.target == Equation::Target::Let)
          lets_[equation.index] = &equation;
        else if (equation.target == Equation::Target::State)
          states_[equation.index] = &equation;
        else
          param_ = &equation;
      }
    for (const Equation *equation : all_)
      leaves(*equation, [&](const Expr &leaf) {
        if (leaf.op == Op::Let)
          readers_[leaf.index].push_back(equation);
      });
  }

  /// The equations that read a let.
  llvm::ArrayRef<const Equation *> readers(unsigned let) const {
    auto found = readers_.find(let);
    if (found == readers_.end())
      return {};
    return found->second;
  }

  const std::vector<const Equation *> &all() const { return all_; }
  const Equation *ofLet(unsigned index) const { return lets_.lookup(index); }
  const Equation *ofState(unsigned index) const {
    return states_.lookup(index);
  }
  const Equation *ofParam() const { return param_; }

  /// The operand of a reduction over group or model, here.
  const Expr *operand(unsigned cross) const {
    const Reduction &reduction = rule_.reductions[cross];
    return reduction.shared ? reduction.shared : variant_.operands[cross];
  }

  /// Calls `visit` with each leaf of an expression, those of the operands of
  /// its reductions too.
  template <typename Visit>
  void leaves(const Expr *node, const Visit &visit) const {
    if (!node)
      return;
    if (node->args.empty())
      visit(*node);
    for (const Expr *arg : node->args)
      leaves(arg, visit);
    if (node->op == Op::Cross)
      leaves(operand(node->index), visit);
  }
  template <typename Visit>
  void leaves(const Equation &equation, const Visit &visit) const {
    leaves(equation.value, visit);
    leaves(equation.commit, visit);
  }

  /// The equation that gives a leaf its value in this step, null for others.
  const Equation *source(const Expr &leaf) const {
    switch (leaf.op) {
    case Op::Let:
      return ofLet(leaf.index);
    case Op::New:
      return ofState(leaf.index);
    case Op::NewParam:
      return param_;
    default:
      return nullptr;
    }
  }

private:
  const Rule &rule_;
  const Variant &variant_;
  std::vector<const Equation *> all_;
  llvm::DenseMap<unsigned, const Equation *> lets_, states_;
  llvm::DenseMap<unsigned, std::vector<const Equation *>> readers_;
  const Equation *param_ = nullptr;
};
} // namespace

/// All equations that `from` needs in this step.
static llvm::DenseMap<const Equation *, char> closure(const Reads &reads,
                                                      const Equation *from) {
  llvm::DenseMap<const Equation *, char> seen;
  std::vector<const Equation *> stack = {from};
  while (!stack.empty()) {
    const Equation *equation = stack.back();
    stack.pop_back();
    if (!seen.try_emplace(equation, 0).second)
      continue;
    reads.leaves(*equation, [&](const Expr &leaf) {
      if (const Equation *source = reads.source(leaf))
        stack.push_back(source);
    });
  }
  return seen;
}

//===----------------------------------------------------------------------===//
// W1: the old value read where the new one is meant
//===----------------------------------------------------------------------===//

/// Whether an equation reads the gradient, itself or through lets: then the old
/// state beside it is meant, as in Lion or Nesterov's momentum.
static bool readsGradient(const Reads &reads, const Equation &equation) {
  bool found = false;
  std::vector<const Equation *> stack = {&equation};
  llvm::DenseMap<const Equation *, char> seen;
  while (!stack.empty() && !found) {
    const Equation *next = stack.back();
    stack.pop_back();
    if (!seen.try_emplace(next, 0).second)
      continue;
    reads.leaves(*next, [&](const Expr &leaf) {
      found |= leaf.op == Op::Grad || leaf.op == Op::Input;
      if (leaf.op == Op::Let && leaf.level == Level::Element)
        stack.push_back(reads.ofLet(leaf.index));
    });
  }
  return found;
}

/// Whether the gradient comes to what an equation's let goes into.
static bool meetsGradient(const Reads &reads, const Equation &equation) {
  llvm::DenseMap<const Equation *, char> seen;
  std::vector<const Equation *> stack = {&equation};
  while (!stack.empty()) {
    const Equation *next = stack.back();
    stack.pop_back();
    if (!seen.try_emplace(next, 0).second)
      continue;
    if (readsGradient(reads, *next))
      return true;
    if (next->target == Equation::Target::Let)
      for (const Equation *reader : reads.readers(next->index))
        stack.push_back(reader);
  }
  return false;
}

static void warnAboutOldValues(Context &context, const Reads &reads,
                               const Variant &variant) {
  const Rule &rule = context.rule;
  std::vector<char> isNewRead(rule.states.size(), 0);
  std::vector<std::pair<const Equation *, const Expr *>> oldReads;
  for (const Equation *equation : reads.all())
    reads.leaves(*equation, [&](const Expr &leaf) {
      if (leaf.op == Op::New)
        isNewRead[leaf.index] = 1;
      else if (leaf.op == Op::Old)
        oldReads.push_back({equation, &leaf});
    });
  for (const View &view : variant.views)
    reads.leaves(view.value, [&](const Expr &leaf) {
      if (leaf.op == Op::Old)
        isNewRead[leaf.index] = 1;
    });
  for (auto [equation, leaf] : oldReads) {
    const State &state = rule.states[leaf->index];
    const Equation *own = reads.ofState(leaf->index);
    if (isNewRead[leaf->index] || state.level != Level::Element || !own ||
        own == equation || own->commit || meetsGradient(reads, *equation) ||
        closure(reads, own).count(equation))
      continue;
    context.error(Label::W1, leaf->range,
                  "'" + state.name + "' is the value before the step, and '" +
                      state.name + "'' is never read; was '" + state.name +
                      "'' meant?");
  }
}

//===----------------------------------------------------------------------===//
// W8, W9: states without effect, states without equation
//===----------------------------------------------------------------------===//

/// Marks the states that reach p' or a view in a variant.
static void markUseful(const Rule &rule, const Reads &reads,
                       const Variant &variant, std::vector<char> &isUseful) {
  std::vector<const Equation *> stack;
  llvm::DenseMap<const Equation *, char> seen;
  auto visit = [&](const Expr &leaf) {
    if (leaf.op == Op::Old || leaf.op == Op::New) {
      isUseful[leaf.index] = 1;
      stack.push_back(reads.ofState(leaf.index));
    } else {
      stack.push_back(reads.source(leaf));
    }
  };
  stack.push_back(reads.ofParam());
  for (const auto *views : {&rule.views, &variant.views})
    for (const View &view : *views)
      reads.leaves(view.value, visit);
  for (const Hyper &hyper : rule.hypers)
    reads.leaves(hyper.computed, visit);
  while (!stack.empty()) {
    const Equation *equation = stack.back();
    stack.pop_back();
    if (equation && seen.try_emplace(equation, 0).second)
      reads.leaves(*equation, visit);
  }
}

static void warnAboutStates(Context &context,
                            const std::vector<char> &isUseful) {
  Rule &rule = context.rule;
  for (unsigned i = 0; i < context.states.size(); ++i) {
    const StateFacts &facts = context.states[i];
    if (facts.rule == kNone)
      continue;
    const State &state = rule.states[facts.rule];
    if (isMadeCounter(state))
      continue;
    bool readsParam = leafOf(state.initial, Level::Element) ||
                      leafOf(state.initial, Level::Tensor);
    bool hasEquation =
        facts.equation != kNone &&
        llvm::any_of(context.definitions[facts.equation].forms,
                     [](const Form &form) { return !form.keeps; });
    for (const Variant &variant : rule.variants)
      for (const Equation &equation : variant.equations)
        hasEquation |= equation.target == Equation::Target::State &&
                       equation.index == facts.rule;
    if (!hasEquation && !readsParam)
      context.error(
          Label::W9, state.range,
          "'" + state.name +
              "' has no equation and keeps its initial value; write " +
              state.name + "' = ..., or use a hyper");
    else if (!isUseful[facts.rule])
      context.error(Label::W8, state.range,
                    "'" + state.name +
                        "' affects neither p' nor a view; leave it out");
  }
}

//===----------------------------------------------------------------------===//
// W4: division by zero at the first step
//===----------------------------------------------------------------------===//

namespace {
/// What is sure about values when all counters are 1.
class FirstStep {
public:
  FirstStep(Context &context, const Reads &reads)
      : context_(context), reads_(reads) {}

  /// In the order of the equations, so that no value waits for a deeper one.
  void check(const Equation &equation) {
    value(equation.value);
    check(equation.value);
    if (equation.commit)
      check(equation.commit);
  }

private:
  void check(const Expr *node) {
    if (node->op == Op::Select) {
      check(node->args[0]);
      std::optional<double> condition = value(node->args[0]);
      if (!condition || *condition != 0)
        check(node->args[1]);
      if (!condition || *condition == 0)
        check(node->args[2]);
      return;
    }
    if (node->op == Op::Div && value(node->args[1]) == 0.0)
      context_.error(Label::W4, node->args[1]->range,
                     "'" + textOf(node->args[1]->range) +
                         "' is 0 at the first step, where counters are 1");
    for (const Expr *arg : node->args)
      check(arg);
  }
  std::optional<double> value(const Expr *node);
  std::optional<double> operate(const Expr *node);

  Context &context_;
  const Reads &reads_;
  llvm::DenseMap<const Expr *, std::optional<double>> memo_;
};
} // namespace

std::optional<double> FirstStep::value(const Expr *node) {
  auto [found, isNew] = memo_.try_emplace(node, std::nullopt);
  if (!isNew)
    return found->second;
  std::optional<double> result = operate(node);
  memo_[node] = result;
  return result;
}

std::optional<double> FirstStep::operate(const Expr *node) {
  auto arg = [&](unsigned i) { return value(node->args[i]); };
  switch (node->op) {
  case Op::Number:
  case Op::Boolean:
    return node->number;
  case Op::Step:
  case Op::TensorStep:
    return 1;
  case Op::Let:
    if (const Equation *equation = reads_.ofLet(node->index))
      return value(equation->value);
    return std::nullopt;
  case Op::Call:
    // Anything to the power 0 is 1.
    if (node->builtin == Builtin::Pow && arg(1) == 0.0)
      return 1;
    if (node->builtin == Builtin::Sqrt)
      if (std::optional<double> x = arg(0))
        return std::sqrt(*x);
    return std::nullopt;
  default:
    break;
  }
  if (node->args.size() != 2)
    return std::nullopt;
  std::optional<double> a = arg(0), b = arg(1);
  if (!a || !b)
    return std::nullopt;
  switch (node->op) {
  case Op::Add:
    return *a + *b;
  case Op::Sub:
    return *a - *b;
  case Op::Mul:
    return *a * *b;
  case Op::Lt:
  case Op::Le:
  case Op::Gt:
  case Op::Ge:
  case Op::Eq:
  case Op::Ne:
    return compare(node->op, *a, *b);
  default:
    return std::nullopt;
  }
}

//===----------------------------------------------------------------------===//
// W10: formats that lose what is added
//===----------------------------------------------------------------------===//

/// x' = lerp(x, e, 1 - beta): a change below half an ulp of a narrow format is
/// lost when it is stored, so x stands still.
static void warnAboutFormats(Context &context, const Reads &reads) {
  constexpr double kBF16 = 0x1p-9, kF16 = 0x1p-12;
  const Rule &rule = context.rule;
  for (unsigned i = 0; i < rule.states.size(); ++i) {
    const State &state = rule.states[i];
    const Equation *equation = reads.ofState(i);
    bool isNarrow = state.format == Format::BF16 || state.format == Format::F16;
    if (!isNarrow || !equation || equation->value->op != Op::Fma)
      continue;
    const Expr *weight = equation->value->args[1];
    const Expr *last = equation->value->args[2];
    if (last->op != Op::Old || last->index != i || weight->op != Op::Sub ||
        weight->args[0]->op != Op::Number || weight->args[1]->op != Op::Hyper)
      continue;
    const Hyper &hyper = rule.hypers[weight->args[1]->index];
    double least = state.format == Format::BF16 ? kBF16 : kF16;
    if (!hyper.initial || weight->args[0]->number - *hyper.initial >= least)
      continue;
    context.error(Label::W10, state.range,
                  "'" + state.name + "' moves by less than the format '" +
                      (state.format == Format::BF16 ? "bf16" : "f16") +
                      "' resolves (1 - " + hyper.name +
                      "), so rounding to nearest holds it; store it as f32");
  }
}

void check::warnAboutRule(Context &context) {
  const Rule &rule = context.rule;
  std::vector<char> isUseful(rule.states.size(), 0);
  for (const Variant &variant : rule.variants) {
    Reads reads(rule, variant);
    warnAboutOldValues(context, reads, variant);
    markUseful(rule, reads, variant, isUseful);
    warnAboutFormats(context, reads);
    FirstStep first(context, reads);
    for (const Equation *equation : reads.all())
      first.check(*equation);
  }
  warnAboutStates(context, isUseful);
}
