//===- updraft-run.cpp - Runs an optimizer on tensors ---------------------===//
//
// Reads parameters and gradients, takes the steps, writes what came out. With
// --check the interpreter and the compiled program go side by side.
//
//===----------------------------------------------------------------------===//

#include "run/Check.h"
#include "run/CommandLine.h"
#include "run/Inputs.h"
#include "run/Output.h"
#include "run/Road.h"
#include "run/Setup.h"
#include "run/StepInputs.h"
#include "tools/Files.h"

#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace updraft;
using namespace updraft::run;

/// Prints why, and says how to leave.
static int fail(llvm::Error error, const Diagnostics &diagnostics) {
  int status = WrongInput;
  llvm::handleAllErrors(
      std::move(error), [](const RuleError &) {},
      [&](const BugError &bug) {
        llvm::errs() << "updraft-run: internal error: " << bug.message()
                     << '\n';
        status = OurBug;
      },
      [&](const llvm::ErrorInfoBase &other) {
        if (other.isA<UsageError>())
          status = WrongUsage;
        llvm::errs() << "updraft-run: error: " << other.message() << '\n';
      });
  diagnostics.print(llvm::errs(), llvm::errs().has_colors());
  return status;
}

namespace {
/// A run under way: the roads taken and what was measured.
struct Run {
  const CommandLine &line;
  std::unique_ptr<Road> interpreter, compiled;
  std::vector<double> seconds;

  /// The road whose results are shown.
  Road &shown() { return compiled ? *compiled : *interpreter; }
};
} // namespace

static llvm::Error createRoads(Run &run, const Setup &setup,
                               const Tensors &params) {
  bool interprets = run.line.on == CommandLine::On::Interpreter;
  if (run.line.check || interprets) {
    auto road = makeInterpreter(setup, params);
    if (!road)
      return road.takeError();
    run.interpreter = std::move(*road);
  }
  if (run.line.check || !interprets) {
    auto road =
        makeCompiled(setup, params, run.line.on == CommandLine::On::Cuda);
    if (!road)
      return road.takeError();
    run.compiled = std::move(*road);
  }
  return llvm::Error::success();
}

/// Fails with the first difference there is.
static llvm::Error compare(llvm::Expected<Tensors> interpreted,
                           llvm::Expected<Tensors> compiled, size_t step) {
  if (!interpreted || !compiled)
    return llvm::joinErrors(interpreted.takeError(), compiled.takeError());
  if (auto difference = firstDifference(*interpreted, *compiled))
    return llvm::createStringError(
        (step ? "after step " + llvm::Twine(step) : "before step 1") + ": " +
        *difference);
  return llvm::Error::success();
}

static llvm::Error compareRoads(Run &run, const Setup &setup, size_t step) {
  if (!run.line.check)
    return llvm::Error::success();
  if (llvm::Error error =
          compare(run.interpreter->snapshot(), run.compiled->snapshot(), step))
    return error;
  for (const std::string &name : viewNames(*setup.rule))
    if (llvm::Error error = compare(run.interpreter->view(name),
                                    run.compiled->view(name), step))
      return error;
  return llvm::Error::success();
}

static llvm::Error takeStep(Run &run, const Tensors &grads,
                            const StepInputs &inputs) {
  for (Road *road : {run.interpreter.get(), run.compiled.get()})
    if (road)
      if (llvm::Error error = road->setInputs(inputs))
        return error;
  if (run.interpreter && run.compiled)
    if (llvm::Error error = run.interpreter->step(grads))
      return error;
  auto begin = std::chrono::steady_clock::now();
  if (llvm::Error error = run.shown().step(grads))
    return error;
  std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - begin;
  run.seconds.push_back(taken.count());
  return llvm::Error::success();
}

static llvm::Error takeSteps(Run &run, const Setup &setup,
                             const Inputs &inputs) {
  if (llvm::Error error = compareRoads(run, setup, 0))
    return error;
  for (size_t step = 0; step < inputs.steps; ++step) {
    llvm::Expected<Tensors> grads = inputs.grads(step);
    if (!grads)
      return grads.takeError();
    llvm::Expected<StepInputs> given =
        stepInputs(run.line, *setup.rule, inputs, step);
    if (!given)
      return given.takeError();
    if (llvm::Error error = takeStep(run, *grads, *given))
      return error;
    if (llvm::Error error = compareRoads(run, setup, step + 1))
      return error;
  }
  return llvm::Error::success();
}

static llvm::Error writeResults(Run &run, const Rule &rule) {
  const CommandLine &line = run.line;
  if (line.out.empty() && line.views.empty())
    return llvm::Error::success();
  llvm::Expected<Tensors> results = run.shown().snapshot();
  if (!results)
    return results.takeError();
  for (const std::string &name : line.views) {
    llvm::Expected<std::string> full = viewNamed(name, rule);
    if (!full)
      return full.takeError();
    llvm::Expected<Tensors> view = run.shown().view(*full);
    if (!view)
      return view.takeError();
    addView(*results, std::move(*view));
  }
  return writeTensors(line.out, *results);
}

static llvm::Error runAll(const CommandLine &line, Library &library,
                          Diagnostics &diagnostics) {
  llvm::Expected<Inputs> inputs = Inputs::open(line);
  if (!inputs)
    return inputs.takeError();
  llvm::Expected<Setup> setup = makeSetup(line, *inputs, library, diagnostics);
  if (!setup)
    return setup.takeError();
  Run run{line, nullptr, nullptr, {}};
  if (llvm::Error error = createRoads(run, *setup, inputs->params))
    return error;
  if (llvm::Error error = takeSteps(run, *setup, *inputs))
    return error;
  if (line.check)
    llvm::errs() << checkSummary(inputs->params, inputs->steps) << '\n';
  if (line.time)
    llvm::errs() << timeSummary(run.seconds) << '\n';
  return writeResults(run, *setup->rule);
}

int main(int count, char **arguments) {
  tools::ignoreFileSizeSignal();
  llvm::Expected<CommandLine> line = readCommandLine(count, arguments);
  if (!line) {
    llvm::errs() << "updraft-run: error: " << llvm::toString(line.takeError())
                 << "\nsee 'updraft-run --help'\n";
    return WrongUsage;
  }
  Diagnostics diagnostics;
  if (line->help) {
    llvm::Error error = tools::writeOutput("", helpText);
    return error ? fail(std::move(error), diagnostics) : int(Done);
  }
  Library library(line->library);
  if (llvm::Error error = runAll(*line, library, diagnostics))
    return fail(std::move(error), diagnostics);
  diagnostics.print(llvm::errs(), llvm::errs().has_colors());
  return Done;
}
