//===- ExplainOutcomes.cpp - Bytes that depend on conditions --------------===//
//
// The loops of a kernel are cut along its uniform conditions; what is left of
// the body for one outcome says what that outcome moves. The same slices are
// lowered, so this is what the machine code does.
//
//===----------------------------------------------------------------------===//

#include "compiler/ExplainOutcomes.h"

#include "compiler/Passes/LowerToLoopsBranches.h"
#include "runtime/abi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"

using namespace updraft;
using Outcome = Explanation::Outcome;
using Outcomes = std::vector<Outcome>;

/// More rows than this say less than the dearest alone.
static constexpr size_t kMostOutcomes = 12;
/// Conditions one after the other; each can double the rows before they merge.
static constexpr unsigned kMostConditions = 8;

//===----------------------------------------------------------------------===//
// Conditions as text
//===----------------------------------------------------------------------===//

namespace {
/// Prints scalar values as a rule would say them.
class Namer {
public:
  explicit Namer(ir::ProgramOp program);

  /// `isOperand`: what has operators stands in brackets.
  std::string text(mlir::Value value, bool isOperand = false,
                   unsigned depth = 0) const;

private:
  /// What is put into slots that the compiler named.
  llvm::StringMap<mlir::Value> slots;
  /// What the slots of reductions hold, as their kernels say.
  llvm::StringMap<std::string> reductions;
};
} // namespace

Namer::Namer(ir::ProgramOp program) {
  for (auto kernel : program.getBody().getOps<ir::KernelOp>()) {
    if (kernel.getWhen() != ir::When::Step)
      continue;
    llvm::StringRef why = kernel.getWhy();
    for (auto put : kernel.getBody().getOps<ir::PutOp>()) {
      // "all.1" is a slot of the kernel "all.model".
      llvm::StringRef stem = put.getTarget().split('.').first;
      if (kernel.getSymName().starts_with((stem + ".").str()) &&
          !why.contains(';'))
        reductions[put.getTarget()] = why.str();
      else if (stem == "value")
        slots[put.getTarget()] = put.getValue();
    }
  }
}

/// The operator of a comparison or of arithmetic; empty for all else.
static llvm::StringRef operatorOf(mlir::Operation *operation) {
  if (auto compare = llvm::dyn_cast<mlir::arith::CmpFOp>(operation)) {
    using Is = mlir::arith::CmpFPredicate;
    switch (compare.getPredicate()) {
    case Is::OEQ:
      return "==";
    case Is::UNE:
      return "!=";
    case Is::OLT:
      return "<";
    case Is::OLE:
      return "<=";
    case Is::OGT:
      return ">";
    case Is::OGE:
      return ">=";
    default:
      return "";
    }
  }
  return llvm::StringSwitch<llvm::StringRef>(
             operation->getName().getStringRef())
      .Case("arith.addf", "+")
      .Case("arith.subf", "-")
      .Case("arith.mulf", "*")
      .Case("arith.divf", "/")
      .Case("arith.andi", "&&")
      .Case("arith.ori", "||")
      .Default("");
}

std::string Namer::text(mlir::Value value, bool isOperand,
                        unsigned depth) const {
  mlir::Operation *operation = value.getDefiningOp();
  mlir::FloatAttr constant;
  if (depth > 6)
    return "...";
  if (mlir::matchPattern(value, mlir::m_Constant(&constant))) {
    std::string digits;
    llvm::raw_string_ostream(digits)
        << llvm::format("%g", constant.getValueAsDouble());
    return digits;
  }
  if (auto get = llvm::dyn_cast<ir::GetOp>(operation)) {
    if (std::string why = reductions.lookup(get.getSource()); !why.empty())
      return why;
    auto slot = slots.find(get.getSource());
    return slot == slots.end() ? get.getSource().str()
                               : text(slot->second, isOperand, depth + 1);
  }
  auto operand = [&](unsigned index) {
    return text(operation->getOperand(index), true, depth + 1);
  };
  llvm::StringRef between = operatorOf(operation);
  if (auto shape = llvm::dyn_cast<ir::ShapeOp>(operation))
    return ir::stringifyShape(shape.getWhat()).str();
  if (!between.empty()) {
    std::string result = operand(0) + " " + between.str() + " " + operand(1);
    return isOperand ? "(" + result + ")" : result;
  }
  auto math = llvm::dyn_cast<ir::MathOp>(operation);
  llvm::StringRef name = math ? ir::stringifyFunction(math.getFunction())
                              : operation->getName().stripDialect();
  std::vector<std::string> operands;
  for (mlir::Value each : operation->getOperands())
    operands.push_back(text(each, false, depth + 1));
  return name.str() + "(" + llvm::join(operands, ", ") + ")";
}

//===----------------------------------------------------------------------===//
// Outcomes
//===----------------------------------------------------------------------===//

namespace {
struct Walk {
  const loops::Kernel &kernel;
  const Namer &namer;

  Outcome measure(const loops::Slice &slice) const;
  Outcomes outcomes(const loops::Slice &slice, unsigned depth) const;
};
} // namespace

Outcome Walk::measure(const loops::Slice &slice) const {
  Outcome result;
  llvm::StringSet<> read;
  auto bytesOf = [&](llvm::StringRef name) {
    auto array = llvm::dyn_cast<ir::ArrayOp>(ir::lookup(kernel.op, name));
    if (!array)
      return 0.0;
    double bytes = array.getFormat().getIntOrFloatBitWidth() / 8.0;
    ir::SpaceAttr space = array.getSpaceAttr();
    if (!space)
      return bytes;
    return space.getKind() == ir::SpaceKind::RowRuns   ? bytes / UPDRAFT_COL_RUN
           : space.getKind() == ir::SpaceKind::ColRuns ? bytes / UPDRAFT_ROW_RUN
                                                       : 0.0;
  };
  for (mlir::Operation *operation : slice.operations()) {
    if (auto get = llvm::dyn_cast<ir::GetOp>(operation)) {
      if (read.insert(get.getSource()).second)
        result.reads += bytesOf(get.getSource());
    } else if (auto put = llvm::dyn_cast<ir::PutOp>(operation)) {
      result.writes += bytesOf(put.getTarget());
    } else if (auto partial = llvm::dyn_cast<ir::PartialOp>(operation)) {
      result.writes += bytesOf(partial.getList());
    }
  }
  return result;
}

static bool movesTheSame(const Outcome &a, const Outcome &b) {
  return a.reads == b.reads && a.writes == b.writes;
}

static bool isAbsence(loops::Value condition) {
  auto shape = llvm::dyn_cast<ir::ShapeOp>(condition.getDefiningOp());
  return shape && shape.getWhat() == ir::Shape::Absent;
}

Outcomes Walk::outcomes(const loops::Slice &slice, unsigned depth) const {
  loops::Value condition = slice.openCondition();
  if (condition && isAbsence(condition))
    return outcomes(slice.assuming(condition, false), depth);
  if (!condition || depth == kMostConditions)
    return {measure(slice)};
  Outcomes taken = outcomes(slice.assuming(condition, true), depth + 1);
  Outcomes other = outcomes(slice.assuming(condition, false), depth + 1);
  bool isOne = taken.size() == other.size() &&
               llvm::all_of(llvm::zip(taken, other), [](const auto &pair) {
                 auto &[a, b] = pair;
                 return movesTheSame(a, b) && a.when == b.when;
               });
  if (isOne)
    return taken;
  auto add = [](Outcomes &to, const std::string &what) {
    for (Outcome &outcome : to)
      outcome.when = what + (outcome.when.empty() ? "" : ", ") + outcome.when;
  };
  add(taken, namer.text(condition));
  add(other, "not " + namer.text(condition, /*isOperand=*/true));
  llvm::append_range(taken, other);
  return taken;
}

Outcomes updraft::outcomesOf(ir::KernelOp kernel, ir::ProgramOp program,
                             mlir::ModuleOp module) {
  Layout layout(program);
  LoopShape shape;
  loops::Kernel lowered(kernel, layout, shape, module);
  Namer namer(program);
  Outcomes result = Walk{lowered, namer}.outcomes(loops::Slice(lowered), 0);
  if (result.size() < 2 || result.size() > kMostOutcomes)
    return {};
  llvm::sort(result, [](const Outcome &a, const Outcome &b) {
    double bytesOfA = a.reads + a.writes, bytesOfB = b.reads + b.writes;
    return bytesOfA != bytesOfB ? bytesOfA > bytesOfB : a.when < b.when;
  });
  return result;
}
