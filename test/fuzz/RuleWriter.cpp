//===- RuleWriter.cpp - Files of rules from choices -----------------------===//

#include "RuleWriter.h"

using namespace updraft;
using namespace updraft::fuzz;

/// A number or a schedule for a hyper.
static std::string value(Choices &choices, const Written::Argument &argument) {
  static const char *const schedules[] = {
      "ramp(0.5, 3)",
      "ramp(1)",
      "0.1*ramp(2, k = 2)",
      "calls*0.25",
      "exponential_decay(0.1, 2, 0.7, staircase = 1)",
      "cosine_decay(0.1, 5, 0.1, 0.4, 3)",
      "piecewise_constant_decay(0.5, 1, 0.1, 3, 0.3)"};
  if (argument.isWide && choices.once(3))
    return choices.of(schedules);
  return choices.once(2) ? argument.other : argument.one;
}

static std::string stage(Choices &choices, const Written &box) {
  std::string arguments;
  auto add = [&](const std::string &text) {
    arguments += (arguments.empty() ? "" : ", ") + text;
  };
  for (const Written::Argument &argument : box.arguments)
    if (choices.once(3))
      add(argument.name + " = " + value(choices, argument));
  if (choices.once(3))
    add(choices.once(2) ? "wide = true" : "wide = false");
  return arguments.empty() ? box.name : box.name + "(" + arguments + ")";
}

static Written libraryRule(Choices &choices) {
  struct Known {
    const char *text;
    bool hasPort;
  };
  static const Known known[] = {
      {"torch/adamw(0.1, amsgrad = true)", true},
      {"keras/adam(0.1, 0.5)", true},
      {"keras/sgd(0.1)", true},
      {"keras/sgd(0.1, momentum = 0.9, nesterov = true)", false},
      {"keras/adagrad(0.5)", true},
      {"keras/adadelta(1)", true},
      {"keras/nadam(0.1)", true},
      {"paper/lion(0.1, weight_decay = 0.1)", true}};
  const Known &rule = choices.of(known);
  Written result;
  result.name = rule.text;
  result.hasPort = rule.hasPort;
  result.hasRate = true;
  return result;
}

static std::string libraryBox(Choices &choices, const Written &core) {
  static const char *const boxes[] = {"ema(0.9)",
                                      "accumulate(2)",
                                      "clip_by_global_norm(1)",
                                      "lookahead(2)",
                                      "keras/ema(overwrite_frequency = 2)",
                                      "clip_by_norm(1)",
                                      "dynamic_loss_scale(2, 4)",
                                      "clip_by_value(0.5)",
                                      "loss_scale(8)",
                                      "keras/global_clipnorm(1)",
                                      "l2(0.1)"};
  if (core.hasPort && choices.once(6))
    return "cautious";
  if (core.hasRate && choices.once(6))
    return "weight_decay(0.1)";
  return choices.of(boxes);
}

std::string fuzz::writeFile(Choices &choices) {
  std::string text = "schedule ramp(top, k = 4) = top*min(1, n/k)\n";
  Written core;
  if (choices.once(6)) {
    core = libraryRule(choices);
  } else {
    core = BoxWriter(choices, "core", nullptr).write();
    text += core.text;
  }
  std::string pipe;
  unsigned boxes = choices.once(2) ? choices.below(4) : 0;
  for (unsigned i = 0; i < boxes; ++i) {
    std::string label = "b" + std::to_string(i);
    if (choices.once(2)) {
      pipe += label + ": " + libraryBox(choices, core) + " | ";
      continue;
    }
    Written box = BoxWriter(choices, label, &core).write();
    text += box.text;
    pipe += stage(choices, box) + " | ";
  }
  // A rule of the library brings its arguments along.
  std::string last = core.text.empty() ? core.name : stage(choices, core);
  return text + "optimizer it = " + pipe + last + "\n";
}
