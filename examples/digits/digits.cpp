//===- digits.cpp - Every rule trains a network on real digits ------------===//
//
// Each rule of the table is wrapped in clipping, weight decay and averaging,
// compiled here and now, and trains the same network from the same start. Then
// the rule of mine.upd, which is for the reader to change. With --record the
// run of adamw.upd is written to a file, which replay.c repeats with
// ahead-of-time compiled code.
//
//===----------------------------------------------------------------------===//

#include "Recording.h"

#include "compiler/updraftc.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

using namespace digits;

namespace {

/// A rule with its arguments and the boxes next to it, inside of the others.
struct Recipe {
  std::string rule, pipe;
};

const char *const kOutside = "ema(0.99) | clip_by_global_norm(1.0) | ";

const Recipe kRecipes[] = {
    {"keras/sgd", "weight_decay(1e-4) |"
                  "keras/sgd(learning_rate = 0.1, momentum = 0.9)"},
    {"keras/adam", "weight_decay(1e-2) | keras/adam(learning_rate = 3e-3)"},
    {"keras/adamw", "keras/adamw(learning_rate = 3e-3, weight_decay = 1e-2)"},
    {"keras/adadelta",
     "weight_decay(1e-4) | keras/adadelta(learning_rate = 1.0)"},
    {"keras/adagrad",
     "weight_decay(1e-3) | keras/adagrad(learning_rate = 0.05)"},
    // Pixels and units that are never on need an epsilon that has a square.
    {"keras/adafactor", "weight_decay(1e-3) | keras/adafactor("
                        "learning_rate = 0.05, epsilon_1 = 1e-15)"},
    {"keras/nadam", "weight_decay(1e-2) | keras/nadam(learning_rate = 3e-3)"},
    {"keras/adamax", "weight_decay(1e-2) | keras/adamax(learning_rate = 3e-3)"},
    {"keras/rmsprop",
     "weight_decay(1e-2) | keras/rmsprop(learning_rate = 1e-3)"},
    {"keras/ftrl", "keras/ftrl(learning_rate = 0.1)"},
    {"keras/lion", "weight_decay(1e-2) | keras/lion(learning_rate = 1e-3)"},
    {"keras/lamb", "weight_decay(1e-2) | keras/lamb(learning_rate = 3e-3)"},
    {"keras/schedule_free_adamw",
     "keras/schedule_free_adamw(learning_rate = 1e-2)"},
    {"torch/sgd", "torch/sgd(lr = 0.1, momentum = 0.9, weight_decay = 1e-4)"},
    {"torch/adamw", "torch/adamw(lr = 3e-3, weight_decay = 1e-2)"},
    {"paper/lion", "paper/lion(lr = 1e-3, weight_decay = 1e-2)"},
};

struct Row {
  std::string rule;
  double coldSeconds, cachedSeconds, bytes;
  double loss, accuracy, averageAccuracy;
};

/// A folder of its own for the cache, so that the first compilation is one.
struct CacheFolder {
  CacheFolder()
      : path((std::filesystem::temp_directory_path() / "updraft-XXXXXX")
                 .string()) {
    if (!mkdtemp(path.data()))
      throw std::runtime_error("cannot make the folder '" + path + "'");
  }
  ~CacheFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }

  std::string path;
};

struct Arguments {
  std::string folder = UPDRAFT_DIGITS_FOLDER, only, record;
  Plan plan;
};

} // namespace

/// Compiles a pipe, or a file if the text ends in ".upd".
static updraft::Program compile(const std::string &text,
                                const std::string &cache) {
  updraft_compile_options options = {};
  options.struct_bytes = sizeof(options);
  options.param = UPDRAFT_F32;
  options.cache_folder = cache.c_str();
  updraft_loaded_program *program = nullptr;
  updraft::check(std::filesystem::path(text).extension() == ".upd"
                     ? updraft_compile_file(text.c_str(), &options, &program)
                     : updraft_compile(text.c_str(), &options, &program));
  return updraft::Program(program);
}

static double secondsOf(const std::function<void()> &action) {
  auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

/// What a step moves for each parameter, as the program itself says: of the
/// variant that moves most, if the rule treats tensors in different ways.
static double bytesPerParameter(const updraft::Program &program) {
  const updraft_program &descriptor = program.descriptor();
  auto kernels = reinterpret_cast<const updraft_kernel *>(
      reinterpret_cast<const char *>(&descriptor) + descriptor.kernels.at);
  double most = 0;
  for (uint32_t variant = 0; variant < descriptor.variants.count; ++variant) {
    double bytes = 0;
    for (uint64_t i = 0; i < descriptor.kernels.count; ++i)
      if (kernels[i].when == UPDRAFT_AT_STEP && kernels[i].variant == variant)
        bytes += (kernels[i].reads_milli + kernels[i].writes_milli) / 1000.0;
    most = std::max(most, bytes);
  }
  return most;
}

/// Prints the loss as training goes on.
static Watch progress(const Plan &plan) {
  Watch watch;
  watch.epoch = [plan](size_t epoch, double loss) {
    if (epoch == 1 || epoch % std::max<size_t>(plan.epochs / 5, 1) == 0)
      std::printf(" %7.4f", loss);
    std::fflush(stdout);
  };
  return watch;
}

/// Compiles twice, trains, and says how it went.
static Row trainWith(const std::string &rule, const std::string &text,
                     const std::string &cache, const Split &split,
                     const Plan &plan) {
  Row row = {};
  row.rule = rule;
  row.coldSeconds = secondsOf([&] { compile(text, cache); });
  updraft::Program program = compile(text, cache);
  row.cachedSeconds = secondsOf([&] { compile(text, cache); });
  row.bytes = bytesPerParameter(program);
  std::printf("  %-25s", rule.c_str());
  Trained trained = train(program, split.train, plan, progress(plan));
  std::printf("\n");
  row.loss = evaluate(trained.weights, split.train).loss;
  row.accuracy = evaluate(trained.weights, split.test).accuracy;
  row.averageAccuracy = evaluate(trained.average, split.test).accuracy;
  return row;
}

static void printTable(const std::vector<Row> &rows) {
  std::printf("\n  %-25s %9s %9s %7s %10s %15s\n", "", "compiled", "from",
              "bytes a", "training", "test accuracy");
  std::printf("  %-25s %9s %9s %7s %10s %7s %7s\n", "rule", "in", "cache",
              "param", "loss", "raw", "average");
  for (const Row &row : rows)
    std::printf("  %-25s %6.2f ms %6.3f ms %7.1f %10.4f %6.2f%% %6.2f%%\n",
                row.rule.c_str(), 1e3 * row.coldSeconds,
                1e3 * row.cachedSeconds, row.bytes, row.loss,
                100 * row.accuracy, 100 * row.averageAccuracy);
}

/// Trains with adamw.upd, compiled at run time, and writes every step down.
static void record(const Arguments &arguments, const Split &split) {
  updraft::Program program = compile(arguments.folder + "/adamw.upd", "");
  Recording recording(arguments.record);
  Plan plan = arguments.plan;
  plan.epochs = 2;
  if (!recording.finish(train(program, split.train, plan, recording.watch())))
    throw std::runtime_error("cannot write '" + arguments.record + "'");
}

const char *const kUsage =
    "usage: digits [--rule NAME] [--epochs N] [--data FOLDER] [--record FILE]\n"
    "\n"
    "Trains a network on handwritten digits with every rule, or with those\n"
    "whose name holds NAME.\n";

/// A whole number of at most six digits, else 0.
static size_t numberIn(const std::string &text) {
  bool isNumber = !text.empty() && text.size() <= 6 &&
                  text.find_first_not_of("0123456789") == std::string::npos;
  return isNumber ? std::strtoul(text.c_str(), nullptr, 10) : 0;
}

/// Leaves, unless what was printed did not arrive.
[[noreturn]] static void finish(int status) {
  if (std::fflush(stdout) || std::ferror(stdout)) {
    std::fprintf(stderr, "digits: error: cannot write standard output\n");
    status = status ? status : 1;
  }
  std::exit(status);
}

static Arguments parse(int count, char **values) {
  Arguments arguments;
  for (int i = 1; i < count; i += 2) {
    std::string name = values[i], value = i + 1 < count ? values[i + 1] : "";
    if (name == "--help" || name == "-h") {
      std::fputs(kUsage, stdout);
      finish(0);
    }
    if (name == "--rule" && !value.empty())
      arguments.only = value;
    else if (name == "--epochs" && numberIn(value) > 0)
      arguments.plan.epochs = numberIn(value);
    else if (name == "--data" && !value.empty())
      arguments.folder = value;
    else if (name == "--record" && !value.empty())
      arguments.record = value;
    else {
      std::fprintf(stderr,
                   "digits: error: '%s' is unknown or wants a value\n%s",
                   name.c_str(), kUsage);
      finish(2);
    }
  }
  return arguments;
}

static Split readSplit(const Arguments &arguments) {
  Images images;
  std::string error;
  if (!readImages(arguments.folder + "/digits.csv", images, error))
    throw std::runtime_error(error);
  Split split = splitImages(images, arguments.plan.seed);
  std::printf("%zu handwritten digits to learn from, %zu to be tested on; "
              "%zu epochs.\n",
              split.train.count(), split.test.count(), arguments.plan.epochs);
  return split;
}

/// The recipes whose rule's name holds what was asked for.
static std::vector<Recipe> chooseRecipes(const Arguments &arguments) {
  std::vector<Recipe> chosen;
  std::string names;
  auto add = [&](const std::string &rule, const std::string &pipe) {
    names += (names.empty() ? "" : ", ") + rule;
    if (rule.find(arguments.only) != std::string::npos)
      chosen.push_back({rule, pipe});
  };
  for (const Recipe &recipe : kRecipes)
    add(recipe.rule, kOutside + recipe.pipe);
  add("mine.upd", arguments.folder + "/mine.upd");
  if (chosen.empty())
    throw std::runtime_error("no rule is called '" + arguments.only +
                             "'; there are " + names);
  return chosen;
}

static void runAll(const Arguments &arguments) {
  std::vector<Recipe> chosen = chooseRecipes(arguments);
  Split split = readSplit(arguments);
  CacheFolder cache;
  double first = secondsOf([] { compile("keras/sgd", ""); });
  std::printf("The compiler was loaded, and compiled its first rule, in "
              "%.0f ms.\n\nEvery rule stands in: %s...\n"
              "Loss in the first epoch and in each fifth of them:\n",
              1e3 * first, kOutside);
  std::vector<Row> rows;
  for (const Recipe &recipe : chosen)
    rows.push_back(
        trainWith(recipe.rule, recipe.pipe, cache.path, split, arguments.plan));
  printTable(rows);
  if (!arguments.record.empty())
    record(arguments, split);
}

int main(int count, char **values) {
  // A file that grows too large is then a failed write, with a message.
  std::signal(SIGXFSZ, SIG_IGN);
  Arguments arguments = parse(count, values);
  try {
    runAll(arguments);
  } catch (const std::exception &failure) {
    std::fprintf(stderr, "digits: error: %s\n", failure.what());
    return 1;
  }
  finish(0);
}
