//===- Explain.cpp - What a compiled rule costs ---------------------------===//
//
// Nothing is computed here that the plan, or the code for a GPU, does not say.
//
//===----------------------------------------------------------------------===//

#include "compiler/Explain.h"

#include "compiler/Dialect/Dialect.h"
#include "compiler/ExplainOutcomes.h"
#include "compiler/Import.h"
#include "compiler/Passes/LowerToGpu.h"
#include "compiler/Pipeline.h"
#include "compiler/Target/GpuCode.h"
#include "runtime/abi.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace updraft;

//===----------------------------------------------------------------------===//
// Reading the plan
//===----------------------------------------------------------------------===//

static std::string typeName(mlir::Type type) {
  std::string name;
  llvm::raw_string_ostream(name) << type;
  return name;
}

/// "rank(p) >= 2": a test as the rule says it.
static std::string testText(mlir::DictionaryAttr test) {
  auto number = [&](llvm::StringRef key) {
    return test.getAs<mlir::IntegerAttr>(key).getInt();
  };
  static const char *const relations[] = {"==", "!=", "<", "<=", ">", ">="};
  std::string text;
  llvm::raw_string_ostream out(text);
  if (number("what") == UPDRAFT_TEST_TAG) {
    out << (number("relation") == UPDRAFT_NE ? "!" : "") << "tag(\""
        << test.getAs<mlir::StringAttr>("tag").getValue() << "\")";
    return text;
  }
  if (number("what") == UPDRAFT_TEST_DIM)
    out << "dim(p, " << number("index") << ")";
  else
    out << (number("what") == UPDRAFT_TEST_RANK ? "rank(p)" : "size(p)");
  out << " " << relations[number("relation")] << " "
      << llvm::format("%g",
                      test.getAs<mlir::FloatAttr>("value").getValueAsDouble());
  return text;
}

/// "cols, folded", "block 64"
static std::string spaceText(ir::SpaceAttr space) {
  std::string text = ir::stringifySpaceKind(space.getKind()).str();
  if (space.getKind() == ir::SpaceKind::Block)
    text += " " + std::to_string(space.getBlock());
  return text + (space.getFolded() ? ", folded" : "");
}

static Explanation::Variant describeVariant(ir::VariantOp variant) {
  Explanation::Variant result;
  result.name = variant.getSymName();
  for (mlir::Attribute test : variant.getTests()) {
    if (!result.tests.empty())
      result.tests += " && ";
    result.tests += testText(mlir::cast<mlir::DictionaryAttr>(test));
  }
  for (auto array : variant.getBody().getOps<ir::ArrayOp>())
    if (array.getRole() == ir::Role::State && !array.getSpace())
      result.stateBytes += array.getFormat().getIntOrFloatBitWidth() / 8.0;
  return result;
}

/// Of a symmetric product half is computed.
static std::string operationsOf(ir::ProductOp product) {
  if (product.getLeft() == product.getRight()) {
    auto array =
        llvm::cast<ir::ArrayOp>(ir::lookup(product, product.getLeft()));
    return array.getSpace() ? "n*n/m" : "n";
  }
  return "2*n";
}

static Explanation::Kernel describeKernel(ir::KernelOp kernel) {
  Explanation::Kernel result;
  result.name = kernel.getSymName();
  result.level = ir::stringifyLevel(kernel.getLevel());
  result.variant = kernel.getVariant().value_or("");
  if (kernel.getSpace())
    result.along = spaceText(*kernel.getSpace());
  if (auto after = kernel.getAfter())
    result.after = ir::stringifyLevel(*after);
  result.why = kernel.getWhy();
  result.reads = kernel.getReads() / 1000.0;
  result.writes = kernel.getWrites() / 1000.0;
  result.rounds = kernel.getRounds();
  for (auto product : kernel.getBody().getOps<ir::ProductOp>())
    result.operations = operationsOf(product);
  return result;
}

Explanation updraft::explain(mlir::ModuleOp module) {
  Explanation result;
  ir::ProgramOp program = *module.getOps<ir::ProgramOp>().begin();
  result.rule = program.getSymName();
  for (auto variant : program.getBody().getOps<ir::VariantOp>()) {
    result.variants.push_back(describeVariant(variant));
    auto arrays = variant.getBody().getOps<ir::ArrayOp>();
    if (!arrays.empty())
      result.param = typeName((*arrays.begin()).getFormat());
  }
  for (auto kernel : program.getBody().getOps<ir::KernelOp>()) {
    if (kernel.getWhen() != ir::When::Step)
      continue;
    result.kernels.push_back(describeKernel(kernel));
    Explanation::Kernel &described = result.kernels.back();
    if (kernel.getLevel() < ir::Level::Axis)
      continue;
    if (kernel.getLevel() == ir::Level::Element)
      described.outcomes = outcomesOf(kernel, program, module);
    for (Explanation::Variant &variant : result.variants)
      if (variant.name == described.variant) {
        variant.passes += kernel.getLevel() == ir::Level::Element;
        variant.bytes += described.reads + described.writes;
      }
  }
  for (const Explanation::Variant &variant : result.variants) {
    result.passes = std::max(result.passes, variant.passes);
    result.bytes = std::max(result.bytes, variant.bytes);
    result.stateBytes = std::max(result.stateBytes, variant.stateBytes);
  }
  return result;
}

/// The loops of launches of the step that walk elements; such a kernel has a
/// launch of its own.
static Explanation::GpuTarget describeCode(ir::ProgramOp program,
                                           const Gpu &gpu, const GpuCode &code,
                                           const Explanation &explanation) {
  Explanation::GpuTarget result;
  result.name = gpu.name;
  for (const GpuLaunch &launch : gpuLaunches(program)) {
    ir::KernelOp kernel = launch.kernels.front();
    if (kernel.getWhen() != ir::When::Step ||
        kernel.getLevel() != ir::Level::Element)
      continue;
    Explanation::GpuKernel described;
    described.name = kernel.getSymName();
    described.loops = mainLoops(code.ptx, launch.entry);
    for (const Explanation::Kernel &all : explanation.kernels)
      if (all.name == described.name)
        described.bytes = all.reads + all.writes;
    if (!described.loops.empty())
      result.kernels.push_back(std::move(described));
  }
  return result;
}

std::optional<Explanation>
updraft::explainRule(const Rule &rule, llvm::ArrayRef<const Gpu *> gpus) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module = importRule(rule, nullptr, context);
  if (!module || failed(runUntil(*module, "plan")))
    return std::nullopt;
  Explanation result = explain(*module);
  auto codes = gpuCodes(*module, gpus);
  if (!codes) {
    llvm::consumeError(codes.takeError());
    return std::nullopt;
  }
  for (auto [gpu, code] : llvm::zip(gpus, *codes))
    result.gpus.push_back(describeCode(*module->getOps<ir::ProgramOp>().begin(),
                                       *gpu, code, result));
  return result;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

/// A number without zeros behind the point.
static std::string brief(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", number);
  return text;
}

static std::string counted(unsigned count, llvm::StringRef what,
                           llvm::StringRef many) {
  return std::to_string(count) + " " + (count == 1 ? what : many).str();
}

/// Prints rows with columns as wide as their widest cell; the columns from
/// `firstNumber` up to `lastNumber` are numbers and stand to the right.
static void printRows(const std::vector<std::vector<std::string>> &rows,
                      unsigned firstNumber, unsigned lastNumber,
                      llvm::raw_ostream &out) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto &row : rows)
    for (auto [width, cell] : llvm::zip(widths, row))
      width = std::max(width, cell.size());
  for (const auto &row : rows) {
    std::string line;
    for (auto [column, cell] : llvm::enumerate(row)) {
      std::string space(widths[column] - cell.size(), ' ');
      bool isNumber = column >= firstNumber && column <= lastNumber;
      line += (column ? "  " : "") + (isNumber ? space + cell : cell + space);
    }
    out << llvm::StringRef(line).rtrim() << "\n";
  }
}

/// A list of reasons as far as people read one. JSON has it whole.
static std::string firstOf(llvm::StringRef why) {
  constexpr unsigned kShown = 4;
  llvm::SmallVector<llvm::StringRef> reasons;
  why.split(reasons, "; ");
  if (reasons.size() <= kShown + 1)
    return why.str();
  return llvm::join(llvm::ArrayRef(reasons).take_front(kShown), "; ") +
         " and " + std::to_string(reasons.size() - kShown) + " more";
}

/// Kernels that move less where some condition is not so.
static void printOutcomes(const Explanation &explanation,
                          llvm::raw_ostream &out) {
  std::vector<std::vector<std::string>> rows = {
      {"kernel", "reads", "writes", "bytes", "where"}};
  for (const Explanation::Kernel &kernel : explanation.kernels)
    for (const Explanation::Outcome &outcome : kernel.outcomes)
      rows.push_back({kernel.name, brief(outcome.reads), brief(outcome.writes),
                      brief(outcome.reads + outcome.writes), outcome.when});
  if (rows.size() == 1)
    return;
  out << "\n";
  printRows(rows, 1, 3, out);
}

/// Kernels that compute more than they move.
static void printOperations(const Explanation &explanation,
                            llvm::raw_ostream &out) {
  std::vector<std::vector<std::string>> rows = {
      {"kernel", "rounds", "operations"}};
  for (const Explanation::Kernel &kernel : explanation.kernels)
    if (!kernel.operations.empty())
      rows.push_back(
          {kernel.name, std::to_string(kernel.rounds), kernel.operations});
  if (rows.size() == 1)
    return;
  rows.front().back() +=
      " of a parameter, in a matrix of n rows and m >= n columns";
  out << "\n";
  printRows(rows, 1, 1, out);
}

/// "0.0583": three digits are more than an estimate has.
static std::string rounded(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g", number);
  return text;
}

static llvm::StringRef boundOf(const Explanation::GpuKernel &kernel,
                               const GpuLoop &loop) {
  return kernel.bytes / kBoard.bandwidth < kBoard.timeOf(loop.slots)
             ? "instructions"
             : "memory";
}

/// ns a parameter are seconds for a billion of them.
static void printGpu(const Explanation::GpuTarget &gpu,
                     llvm::raw_ostream &out) {
  out << "\n"
      << gpu.name << ", estimated for one " << kBoard.name << " ("
      << brief(kBoard.bandwidth) << " GB/s, " << kBoard.processors
      << " processors at " << brief(kBoard.clock)
      << " GHz), ms for a billion parameters\n\n";
  std::vector<std::vector<std::string>> rows = {
      {"kernel", "instructions", "slots", "memory ms", "instruction ms",
       "bound by", "calls"}};
  for (const Explanation::GpuKernel &kernel : gpu.kernels)
    for (const GpuLoop &loop : kernel.loops)
      rows.push_back(
          {kernel.name, rounded(loop.instructions), rounded(loop.slots),
           rounded(1000 * kernel.bytes / kBoard.bandwidth),
           rounded(1000 * kBoard.timeOf(loop.slots)),
           boundOf(kernel, loop).str(), llvm::join(loop.calls, ", ")});
  printRows(rows, 1, 4, out);
}

void updraft::printTable(const Explanation &explanation, double bandwidth,
                         llvm::raw_ostream &out) {
  out << explanation.rule << " (" << explanation.param
      << "): " << counted(explanation.passes, "pass", "passes") << ", "
      << brief(explanation.bytes) << " bytes per parameter, "
      << brief(explanation.stateBytes) << " of them state that is kept\n\n";
  std::vector<std::vector<std::string>> rows = {
      {"kernel", "level", "after", "reads", "writes", "bytes", "why"}};
  for (const Explanation::Kernel &kernel : explanation.kernels) {
    bool isAxis = kernel.level == "axis";
    bool movesBytes = isAxis || kernel.level == "element";
    auto bytes = [&](double number) {
      return movesBytes ? brief(number) : std::string();
    };
    rows.push_back({kernel.name, isAxis ? kernel.along : kernel.level,
                    kernel.after, bytes(kernel.reads), bytes(kernel.writes),
                    bytes(kernel.reads + kernel.writes), firstOf(kernel.why)});
  }
  printRows(rows, 3, 5, out);
  printOutcomes(explanation, out);
  printOperations(explanation, out);
  if (explanation.variants.size() > 1) {
    out << "\n";
    rows = {{"variant", "passes", "bytes", "state", "tensors with"}};
    for (const Explanation::Variant &variant : explanation.variants)
      rows.push_back({variant.name, std::to_string(variant.passes),
                      brief(variant.bytes), brief(variant.stateBytes),
                      variant.tests});
    printRows(rows, 1, 3, out);
  }
  for (const Explanation::GpuTarget &gpu : explanation.gpus)
    printGpu(gpu, out);
  if (!(bandwidth > 0))
    return;
  out << "\nat " << brief(bandwidth)
      << " GB/s: " << brief(explanation.bytes / bandwidth)
      << " ms for a million parameters\n";
}

static void printOutcomes(const std::vector<Explanation::Outcome> &outcomes,
                          llvm::json::OStream &json) {
  json.attributeArray("outcomes", [&] {
    for (const Explanation::Outcome &outcome : outcomes)
      json.object([&] {
        json.attribute("where", outcome.when);
        json.attribute("reads", outcome.reads);
        json.attribute("writes", outcome.writes);
        json.attribute("bytes_per_param", outcome.reads + outcome.writes);
      });
  });
}

static void printGpu(const Explanation::GpuTarget &gpu,
                     llvm::json::OStream &json) {
  json.attribute("target", gpu.name);
  json.attribute("estimated_for", kBoard.name);
  json.attribute("bandwidth_gb_per_s", kBoard.bandwidth);
  json.attribute("processors", kBoard.processors);
  json.attribute("clock_ghz", kBoard.clock);
  json.attributeArray("loops", [&] {
    for (const Explanation::GpuKernel &kernel : gpu.kernels)
      for (const GpuLoop &loop : kernel.loops)
        json.object([&] {
          json.attribute("kernel", kernel.name);
          json.attribute("elements_of_a_turn", loop.elements);
          json.attribute("bytes_per_param", loop.bytes);
          json.attribute("instructions_per_param", loop.instructions);
          json.attribute("slots_per_param", loop.slots);
          json.attribute("memory_ns_per_param",
                         kernel.bytes / kBoard.bandwidth);
          json.attribute("instruction_ns_per_param", kBoard.timeOf(loop.slots));
          json.attribute("bound", boundOf(kernel, loop));
          json.attributeArray("calls", [&] {
            for (const std::string &name : loop.calls)
              json.value(name);
          });
        });
  });
}

void updraft::printJson(const Explanation &explanation, double bandwidth,
                        llvm::raw_ostream &out) {
  llvm::json::OStream json(out, 2);
  json.object([&] {
    json.attribute("rule", explanation.rule);
    json.attribute("param", explanation.param);
    json.attribute("passes", explanation.passes);
    json.attribute("bytes_per_param", explanation.bytes);
    json.attribute("state_bytes_per_param", explanation.stateBytes);
    if (bandwidth > 0) {
      json.attribute("bandwidth_gb_per_s", bandwidth);
      json.attribute("predicted_ns_per_param", explanation.bytes / bandwidth);
    }
    json.attributeArray("kernels", [&] {
      for (const Explanation::Kernel &kernel : explanation.kernels)
        json.object([&] {
          json.attribute("name", kernel.name);
          json.attribute("level", kernel.level);
          json.attribute("variant", kernel.variant);
          json.attribute("along", kernel.along);
          json.attribute("after", kernel.after);
          json.attribute("reads", kernel.reads);
          json.attribute("writes", kernel.writes);
          json.attribute("bytes_per_param", kernel.reads + kernel.writes);
          json.attribute("why", kernel.why);
          if (!kernel.operations.empty()) {
            json.attribute("rounds", kernel.rounds);
            json.attribute("operations_per_param", kernel.operations);
          }
          if (!kernel.outcomes.empty())
            printOutcomes(kernel.outcomes, json);
        });
    });
    json.attributeArray("variants", [&] {
      for (const Explanation::Variant &variant : explanation.variants)
        json.object([&] {
          json.attribute("name", variant.name);
          json.attribute("tests", variant.tests);
          json.attribute("passes", variant.passes);
          json.attribute("bytes_per_param", variant.bytes);
          json.attribute("state_bytes_per_param", variant.stateBytes);
        });
    });
    if (!explanation.gpus.empty())
      json.attributeArray("gpus", [&] {
        for (const Explanation::GpuTarget &gpu : explanation.gpus)
          json.object([&] { printGpu(gpu, json); });
      });
  });
  out << "\n";
}
