//===- check.cpp - updraft-gpu-check: a GPU's bits and speed --------------===//
//
// Needs a CUDA driver and images, nothing else: no compiler, no toolkit.
//
//===----------------------------------------------------------------------===//

#include "Trial.h"

#include "runtime/Format.h"
#include "runtime/Program.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace updraft;
using namespace updraft::gpu;

static constexpr const char *kHelp =
    "Usage: updraft-gpu-check [options] IMAGE...\n"
    "\n"
    "Runs the rules of images (updraftc RULE --target=x86-64-v3,sm_90\n"
    "--emit=image) on the processor and on a GPU and compares every bit of\n"
    "parameters and states, in steps and in replays of a CUDA graph.\n"
    "\n"
    "  --device=N      which GPU (0)\n"
    "  --steps=N       steps before the graph (3)\n"
    "  --small         few tensors, for emulated GPUs\n"
    "  --time=N        times steps on one tensor of N elements instead, "
    "beside\n"
    "                  a copy on the device that moves as many bytes\n"
    "  --rounds=N      of which the median counts (21)\n"
    "\n"
    "Exit status: 0 all bits are the same, 1 some differ or a rule fails, 2\n"
    "wrong usage, 77 there is no driver or no GPU.\n";

namespace {

struct Request {
  unsigned device = 0, steps = 3, rounds = 21;
  bool small = false;
  size_t elements = 0;
  std::vector<std::string> images;
};

[[noreturn]] void wrongUsage(const std::string &what) {
  std::fprintf(stderr, "updraft-gpu-check: %s; --help says more\n",
               what.c_str());
  std::exit(2);
}

size_t numberIn(const std::string &argument) {
  std::string digits = argument.substr(argument.find('=') + 1);
  char *end = nullptr;
  unsigned long long value = std::strtoull(digits.c_str(), &end, 10);
  if (digits.empty() || *end || digits[0] == '-')
    wrongUsage("'" + argument + "' wants a number");
  return size_t(value);
}

Request readRequest(int count, char **arguments) {
  Request options;
  for (int i = 1; i < count; ++i) {
    std::string argument = arguments[i];
    auto is = [&](const char *name) { return argument.rfind(name, 0) == 0; };
    if (argument == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    } else if (argument == "--small")
      options.small = true;
    else if (is("--device="))
      options.device = unsigned(numberIn(argument));
    else if (is("--steps="))
      options.steps = unsigned(numberIn(argument));
    else if (is("--rounds="))
      options.rounds = unsigned(numberIn(argument));
    else if (is("--time="))
      options.elements = numberIn(argument);
    else if (is("-"))
      wrongUsage("there is no option '" + argument + "'");
    else
      options.images.push_back(argument);
  }
  if (options.images.empty())
    wrongUsage("no image was given");
  if (!options.steps || !options.rounds)
    wrongUsage("at least one step and one round are needed");
  return options;
}

//===- Bits ---------------------------------------------------------------===//

/// Prints a line; whether all bits are the same.
bool compare(const Program &program, const Request &options,
             const Device &device) {
  Trial trial(program, shapesFor(program, options.small), device);
  std::optional<std::string> found;
  std::string when;
  for (unsigned round = 0; round < options.steps && !found; ++round) {
    trial.step(round);
    found = trial.difference();
    when = "step " + std::to_string(round + 1);
  }
  if (!found) {
    trial.replay(3);
    found = trial.difference();
    when = "replays of a graph";
  }
  if (found)
    std::printf("DIFFERS after %s: %s\n", when.c_str(), found->c_str());
  else
    std::printf("same bits: %zu tensors, %u steps, 3 replays of a graph\n",
                trial.tensors(), options.steps);
  return !found;
}

//===- Speed --------------------------------------------------------------===//

/// Bytes that a step moves for a parameter, of those tensors that cost most.
double bytesPerParam(const updraft_program &program) {
  auto kernels = runtime::items<updraft_kernel>(&program, program.kernels);
  double most = 0;
  for (uint32_t variant = 0; variant < program.variants.count; ++variant) {
    double bytes = 0;
    for (const updraft_kernel &kernel : kernels)
      if (kernel.when == UPDRAFT_AT_STEP && kernel.variant == variant &&
          kernel.level == UPDRAFT_ELEMENT)
        bytes += (kernel.reads_milli + kernel.writes_milli) / 1000.0;
    most = std::max(most, bytes);
  }
  return most;
}

double median(const Device &device, unsigned rounds,
              const std::function<void()> &enqueue) {
  std::vector<double> seconds;
  enqueue();
  device.synchronize();
  for (unsigned i = 0; i < rounds; ++i)
    seconds.push_back(device.seconds(enqueue));
  std::nth_element(seconds.begin(), seconds.begin() + rounds / 2,
                   seconds.end());
  return seconds[rounds / 2];
}

void time(const Program &program, const Request &options,
          const Device &device) {
  const updraft_program &facts = program.descriptor();
  int64_t side = 1;
  while (size_t(side) * size_t(side) * 4 <= options.elements)
    side *= 2;
  // A matrix, so that rules of rows and columns do what they are for.
  Shape shape = {side, int64_t(options.elements) / side};
  size_t count = size_t(shape[0] * shape[1]);
  size_t bytes = count * runtime::bytesOf(facts.param);
  Memory param(bytes), grad(bytes);
  std::vector<uint8_t> zeros(bytes);
  param.write(zeros.data());
  grad.write(zeros.data());
  auto arrayOf = [&](const Memory &memory) {
    Array array;
    array.data = memory.data();
    array.dtype = facts.param;
    array.shape = shape;
    array.device = device.number() + 1;
    return array;
  };
  Optimizer optimizer(program, {{"p", arrayOf(param), 0, {}}},
                      {settingsFor(facts)});
  Array given = arrayOf(grad);
  updraft_ndarray grads = given.get();
  double step =
      median(device, options.rounds, [&] { optimizer.step(&grads, 1); });
  double copy = median(device, options.rounds, [&] { param.copyFrom(grad); });
  double each = bytesPerParam(facts);
  double stepRate = each * double(count) / step;
  double copyRate = 2 * double(bytes) / copy;
  std::printf("%zu elements, %g bytes each: %.3g ms, %.0f GB/s, %.2f of a "
              "copy's %.0f GB/s\n",
              count, each, step * 1e3, stepRate * 1e-9, stepRate / copyRate,
              copyRate * 1e-9);
}

int run(const Request &options) {
  Device device(options.device);
  std::printf("%s\n", device.describe().c_str());
  int failures = 0;
  for (const std::string &image : options.images) {
    std::printf("%-40s ", image.c_str());
    std::fflush(stdout);
    try {
      Program program = Program::open(image);
      if (!program.descriptor().gpu.count)
        throw std::runtime_error("the image has no code for GPUs");
      if (options.elements)
        time(program, options, device);
      else
        failures += !compare(program, options, device);
    } catch (const NoDevice &) {
      throw;
    } catch (const std::exception &error) {
      std::printf("FAILS: %s\n", error.what());
      ++failures;
    }
    std::fflush(stdout);
  }
  if (!options.elements)
    std::printf("%zu passed, %d failed\n", options.images.size() - failures,
                failures);
  return failures != 0;
}

} // namespace

int main(int count, char **arguments) {
  Request options = readRequest(count, arguments);
  try {
    return run(options);
  } catch (const NoDevice &reason) {
    std::printf("skipped: %s\n", reason.what());
    return 77;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "updraft-gpu-check: %s\n", error.what());
    return 1;
  }
}
