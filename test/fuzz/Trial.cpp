//===- Trial.cpp - One rule, interpreted and compiled ---------------------===//

#include "Trial.h"
#include "RuleWriter.h"
#include "Values.h"

#include "tools/run/Check.h"
#include "tools/run/Output.h"
#include "tools/run/Road.h"

#include "llvm/Support/raw_ostream.h"

#include <deque>

using namespace updraft;
using namespace updraft::fuzz;
using namespace updraft::run;

namespace {
class Trial {
public:
  explicit Trial(llvm::ArrayRef<uint8_t> bytes) : choices(bytes) {}
  Outcome run();

private:
  bool buildRules();
  void makeParams();
  void chooseHypers();
  Tensor made(const Tensor &like);
  Tensors makeGrads();
  void fail(const std::string &what);
  bool agree(llvm::MutableArrayRef<llvm::Error> errors, const char *what);
  bool onAll(const char *what,
             llvm::function_ref<llvm::Error(Road &road, unsigned which)> act);
  void createRoads();
  void giveArray(const std::string &name);
  void giveInputs();
  void changeHyper();
  bool takeStep(const Tensors &grads);
  void compare();
  void compareWith(unsigned which, llvm::Expected<Tensors> wanted,
                   llvm::Expected<Tensors> got);
  bool isOver() const { return !outcome.difference.empty(); }

  Choices choices;
  Outcome outcome;
  Library library, flatLibrary;
  Diagnostics diagnostics, flatDiagnostics;
  Setup setup, flat;
  Random random{0};
  Tensors params;
  /// Interpreted, compiled, and compiled from the flat text.
  std::vector<std::unique_ptr<Road>> roads;
  std::deque<Tensor> inputs; ///< those in use; they stay where they are
};
} // namespace

static const char *const roadNames[] = {"interpreted", "compiled",
                                        "compiled from the flat rule"};

void Trial::fail(const std::string &what) {
  if (!isOver())
    outcome.difference =
        "after step " + std::to_string(outcome.steps) + ": " + what;
}

//===- The rule -----------------------------------------------------------===//

bool Trial::buildRules() {
  outcome.rule = writeFile(choices);
  static const Format formats[] = {Format::F32, Format::F32, Format::F64,
                                   Format::BF16, Format::F16};
  Request &request = setup.request;
  request.kind = Request::Kind::Source;
  request.text = outcome.rule;
  request.param = choices.of(formats);
  setup.rule = buildRule(request, library, diagnostics);
  if (!setup.rule) {
    llvm::raw_string_ostream out(outcome.rejection);
    diagnostics.print(out);
    return false;
  }
  flat.request = request;
  flat.request.text = setup.rule->source;
  flat.rule = buildRule(flat.request, flatLibrary, flatDiagnostics);
  if (!flat.rule) {
    llvm::raw_string_ostream out(outcome.difference);
    flatDiagnostics.print(out);
    out << "the flat rule is refused\n" << setup.rule->source;
    return false;
  }
  return true;
}

void Trial::chooseHypers() {
  setup.groups.resize(1 + choices.below(3));
  for (const Hyper &hyper : setup.rule->hypers)
    for (unsigned group = 0; group < setup.groups.size(); ++group)
      if (!hyper.computed && choices.once(3) &&
          (hyper.level == Level::Group || group == 0))
        setup.groups[group].push_back({hyper.name, numberFor(choices, hyper)});
  for (size_t index = 0; index < params.size(); ++index) {
    setup.groupOf.push_back(choices.below(setup.groups.size()));
    std::vector<std::string> &tags = setup.tagsOf.emplace_back();
    for (const char *tag : {"a", "b", "no_decay"})
      if (choices.once(3))
        tags.push_back(tag);
  }
}

//===- Tensors ------------------------------------------------------------===//

void Trial::makeParams() {
  static const std::vector<int64_t> shapes[] = {
      {7},       {},     {1},     {0},       {3, 5},   {16},   {17},  {127},
      {128},     {129},  {4, 33}, {2, 3, 4}, {0, 3},   {1, 1}, {31},  {63, 2},
      {5, 0, 2}, {1000}, {4096},  {4097},    {64, 65}, {2, 1}, {255}, {2000}};
  unsigned count = 1 + choices.below(6);
  if (choices.once(40))
    count = 0;
  uint64_t seed = 0;
  for (int i = 0; i < 4; ++i)
    seed = seed * 256 + choices.below(256);
  random = Random(seed);
  uint64_t total = 0;
  for (unsigned index = 0; index < count; ++index) {
    Tensor like("t" + std::to_string(index), setup.request.param,
                choices.of(shapes));
    total += like.size();
    if (total < 5000)
      params.push_back(made(like));
  }
}

Tensor Trial::made(const Tensor &like) {
  unsigned mood = choices.below(kMoods);
  Tensor tensor = like;
  for (uint64_t index = 0; index < tensor.size(); ++index)
    tensor.set(index, makeUp(random, tensor.format, mood));
  return tensor;
}

/// Some steps lack some gradients, some all.
Tensors Trial::makeGrads() {
  Tensors grads;
  unsigned lacking = choices.below(6);
  for (const Tensor &param : params)
    grads.push_back(lacking == 5 || (lacking >= 3 && choices.once(2))
                        ? Tensor()
                        : made(param));
  return grads;
}

//===- Steps --------------------------------------------------------------===//

/// All roads go on, or all refuse; then there is no more to see.
bool Trial::onAll(
    const char *what,
    llvm::function_ref<llvm::Error(Road &road, unsigned which)> act) {
  std::vector<std::string> refusals;
  unsigned count = 0;
  for (unsigned which = 0; which < roads.size(); ++which) {
    refusals.push_back(llvm::toString(act(*roads[which], which)));
    count += !refusals.back().empty();
  }
  if (count == 0 || count == roads.size())
    return count == 0;
  for (unsigned which = 0; which < roads.size(); ++which)
    if (!refusals[which].empty())
      fail(std::string(what) + " is refused " + roadNames[which] +
           " only: " + refusals[which]);
  return false;
}

void Trial::createRoads() {
  flat.groups = setup.groups;
  flat.groupOf = setup.groupOf;
  flat.tagsOf = setup.tagsOf;
  setup.threads = 1;
  setup.target = "x86-64-v3";
  // Threads wait for one another, which takes long on a busy machine.
  flat.threads = choices.once(64) ? 2 : 1;
  std::string refusals[3];
  for (unsigned which = 0; which < 3; ++which) {
    auto road = which == 0
                    ? makeInterpreter(setup, params)
                    : makeCompiled(which == 1 ? setup : flat, params, false);
    if (road)
      roads.push_back(std::move(*road));
    else
      refusals[which] = llvm::toString(road.takeError());
  }
  if (roads.size() == 3)
    return;
  for (unsigned which = 0; which < 3; ++which)
    if (!roads.empty() && !refusals[which].empty())
      fail(std::string("creation is refused ") + roadNames[which] +
           " only: " + refusals[which]);
  roads.clear();
}

/// A compiled program knows only of inputs that its variant reads.
void Trial::giveArray(const std::string &name) {
  for (size_t index = 0; index < params.size(); ++index) {
    inputs.push_back(made(params[index]));
    for (unsigned which = 0; which < roads.size(); ++which) {
      llvm::Error error = roads[which]->setInput(name, index, inputs.back());
      if (which == 0 && error)
        fail(llvm::toString(std::move(error)));
      else
        llvm::consumeError(std::move(error));
    }
  }
}

void Trial::giveInputs() {
  inputs.clear();
  for (const Input &input : setup.rule->inputs) {
    if (!input.isScalar) {
      giveArray(input.name);
      continue;
    }
    double value = makeUp(random, Format::F64, choices.below(kMoods));
    onAll("an input", [&](Road &road, unsigned) {
      return road.setInput(input.name, value);
    });
  }
}

void Trial::changeHyper() {
  const std::vector<Hyper> &hypers = setup.rule->hypers;
  if (hypers.empty() || !choices.once(4))
    return;
  const Hyper &hyper = hypers[choices.below(hypers.size())];
  unsigned group = choices.below(setup.groups.size());
  double value = numberFor(choices, hyper);
  onAll("a hyper", [&](Road &road, unsigned) {
    return road.setHyper(group, hyper.name, value);
  });
}

void Trial::compareWith(unsigned which, llvm::Expected<Tensors> wanted,
                        llvm::Expected<Tensors> got) {
  if (!wanted || !got)
    return fail(
        std::string(roadNames[which]) + ": " +
        llvm::toString(llvm::joinErrors(wanted.takeError(), got.takeError())));
  if (auto difference = firstDifference(*wanted, *got))
    fail(std::string(roadNames[which]) + ": " + *difference);
}

void Trial::compare() {
  for (unsigned which = 1; which < roads.size() && !isOver(); ++which) {
    compareWith(which, roads[0]->snapshot(), roads[which]->snapshot());
    for (const std::string &name : viewNames(*setup.rule))
      compareWith(which, roads[0]->view(name), roads[which]->view(name));
  }
}

/// False if there is no more to see.
bool Trial::takeStep(const Tensors &grads) {
  bool isOutside = false;
  return onAll("a step", [&](Road &road, unsigned which) {
    if (isOutside)
      return llvm::createStringError("as interpreted");
    llvm::Error error = road.step(grads);
    if (which > 0 || !error)
      return error;
    std::string text = llvm::toString(std::move(error));
    // SPEC.md D3: a compiled step does not look.
    isOutside = llvm::StringRef(text).contains("the computed hyper");
    return llvm::createStringError(text);
  });
}

Outcome Trial::run() {
  if (!buildRules())
    return outcome;
  makeParams();
  chooseHypers();
  createRoads();
  if (roads.empty())
    return outcome;
  compare();
  unsigned steps = 1 + choices.below(5);
  while (outcome.steps < steps && !isOver()) {
    giveInputs();
    changeHyper();
    Tensors grads = makeGrads();
    ++outcome.steps;
    if (!takeStep(grads))
      break;
    compare();
  }
  return outcome;
}

Outcome fuzz::tryRule(llvm::ArrayRef<uint8_t> bytes) {
  return Trial(bytes).run();
}
