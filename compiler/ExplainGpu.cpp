//===- ExplainGpu.cpp - Instructions of a GPU's main loops ----------------===//
//
// A loop is what leads from a label back to it. Of its roads the one with the
// most bytes of vectors counts, the longest of these if there are several.
//
//===----------------------------------------------------------------------===//

#include "compiler/ExplainGpu.h"

#include "compiler/ExplainGpuWork.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <optional>
#include <set>
#include <tuple>

using llvm::StringRef;

namespace updraft {

double GpuBoard::timeOf(double slots) const {
  return slots / (128.0 * processors * clock);
}

/// Elements of a vector, of whatever format.
static constexpr unsigned kItems = 4;

//===- Reading PTX --------------------------------------------------------===//

namespace {

struct Instruction {
  StringRef opcode, operands;
  bool isGuarded = false;
  StringRef target, callee; ///< a label; a function
  /// Of a vector access to a device's memory.
  StringRef base;
  int offset = 0;
  unsigned bytes = 0;
};

struct Function {
  std::vector<Instruction> code;
  llvm::StringMap<size_t> labels;
};

using Module = llvm::StringMap<Function>;

} // namespace

/// "ld.global.nc.v4.b32 {%r1, ...}, [%rd1+16];"
static void readAccess(StringRef text, Instruction &result) {
  size_t vector = result.opcode.find(".v");
  if (!result.opcode.contains(".global.") || vector == StringRef::npos)
    return;
  unsigned bits = 0, count = 0;
  result.opcode.substr(vector + 2).take_front(1).getAsInteger(10, count);
  result.opcode.rsplit('.').second.drop_front().getAsInteger(10, bits);
  result.bytes = count * bits / 8;
  StringRef address = text.split('[').second.split(']').first, offset;
  std::tie(result.base, offset) = address.split('+');
  offset.getAsInteger(10, result.offset);
}

static std::optional<Instruction> readInstruction(StringRef text) {
  Instruction result;
  if (text.consume_front("@")) {
    result.isGuarded = true;
    text = text.split(' ').second.trim();
  }
  if (text.empty() || !llvm::isAlpha(text.front()))
    return std::nullopt;
  size_t end = text.find_first_of(" \t;");
  result.opcode = text.take_front(end);
  StringRef operands = text.drop_front(end).trim(" \t;");
  result.operands = operands;
  if (result.opcode.starts_with("bra"))
    result.target = operands;
  else if (result.opcode.starts_with("call")) {
    if (operands.starts_with("("))
      operands = operands.split(',').second;
    result.callee = operands.split(',').first.trim();
  } else
    readAccess(operands, result);
  return result;
}

/// Names in the result point into `ptx`.
static Module readModule(StringRef ptx) {
  Module module;
  Function *function = nullptr;
  StringRef name;
  while (!ptx.empty()) {
    StringRef line;
    std::tie(line, ptx) = ptx.split('\n');
    line = line.split("//").first.rtrim();
    if (line.contains(".entry ") || line.contains(".func "))
      name = line.rtrim(" (").rsplit(' ').second;
    else if (line == "{")
      function = &module[name];
    else if (line == "}")
      function = nullptr;
    else if (function && line.ends_with(":"))
      function->labels[line.drop_back()] = function->code.size();
    else if (function)
      if (auto instruction = readInstruction(line.trim()))
        function->code.push_back(*instruction);
  }
  return module;
}

//===- Roads --------------------------------------------------------------===//

namespace {

/// From an instruction to the end that was asked for.
struct Road {
  unsigned bytes = 0;
  Work work;
  std::optional<size_t> next;

  bool isDearerThan(const Road &other) const {
    return std::make_tuple(bytes, work.instructions()) >
           std::make_tuple(other.bytes, other.work.instructions());
  }
};

/// The instructions of a function as a graph.
class Graph {
public:
  Graph(const Module &module, const Function &function);

  /// From the first instruction to where the function returns.
  Work wholeWork() const;
  /// Loops with vector accesses, without those around them.
  std::vector<GpuLoop> vectorLoops() const;

private:
  using Nodes = std::set<size_t>;

  void visit(size_t start);
  std::map<size_t, Nodes> findLoops() const;
  std::map<size_t, Road> roadsTo(std::optional<size_t> header,
                                 const Nodes *within) const;
  bool isInvariant(size_t node, const Nodes &loop) const;
  std::string valueOf(StringRef name, const Nodes &loop,
                      unsigned depth = 4) const;
  Work workAt(size_t node, const Nodes *within) const;
  GpuLoop describe(size_t header, const Nodes &nodes) const;

  const Module &module_;
  const Function &function_;
  std::vector<llvm::SmallVector<size_t, 2>> next_;
  std::vector<size_t> order_; ///< each after all that follow it
  std::set<std::pair<size_t, size_t>> back_;
};

} // namespace

Graph::Graph(const Module &module, const Function &function)
    : module_(module), function_(function), next_(function.code.size()) {
  for (auto [node, instruction] : llvm::enumerate(function.code)) {
    bool isEnd = instruction.opcode == "ret" || instruction.opcode == "exit" ||
                 instruction.opcode == "trap";
    bool isJump = !instruction.target.empty();
    if (isJump)
      next_[node].push_back(function.labels.lookup(instruction.target));
    if (!(isEnd || isJump) || instruction.isGuarded)
      next_[node].push_back(node + 1);
    llvm::erase_if(next_[node], [&](size_t to) { return to >= next_.size(); });
  }
  if (!next_.empty())
    visit(0);
}

/// Depth first; an edge to what is still open closes a loop.
void Graph::visit(size_t start) {
  std::vector<uint8_t> state(next_.size()); // 1: open, 2: done
  std::vector<std::pair<size_t, size_t>> open = {{start, 0}};
  state[start] = 1;
  while (!open.empty()) {
    auto &[node, edge] = open.back();
    if (edge == next_[node].size()) {
      state[node] = 2;
      order_.push_back(node);
      open.pop_back();
      continue;
    }
    size_t to = next_[node][edge++];
    if (state[to] == 1)
      back_.insert({node, to});
    else if (state[to] == 0) {
      state[to] = 1;
      open.push_back({to, 0});
    }
  }
}

/// Of each header what leads back to it.
std::map<size_t, Graph::Nodes> Graph::findLoops() const {
  std::vector<llvm::SmallVector<size_t, 2>> before(next_.size());
  for (size_t node : order_)
    for (size_t to : next_[node])
      before[to].push_back(node);
  std::map<size_t, Nodes> loops;
  for (auto [from, header] : back_) {
    Nodes &nodes = loops[header];
    nodes.insert(header);
    std::vector<size_t> work = {from};
    while (!work.empty()) {
      size_t node = work.back();
      work.pop_back();
      if (nodes.insert(node).second)
        work.insert(work.end(), before[node].begin(), before[node].end());
    }
  }
  return loops;
}

/// Whether the last operand of `node` is the same in all turns of a loop.
bool Graph::isInvariant(size_t node, const Nodes &loop) const {
  StringRef operand = function_.code[node].operands.rsplit(' ').second;
  return llvm::none_of(loop, [&](size_t other) {
    StringRef written = function_.code[other].operands.split(',').first;
    return other != node && written == operand;
  });
}

/// How a loop's turn computes a register: the same text for the same value.
/// `depth` bounds what is followed.
std::string Graph::valueOf(StringRef name, const Nodes &loop,
                           unsigned depth) const {
  const Instruction *definition = nullptr;
  for (size_t node : loop) {
    const Instruction &other = function_.code[node];
    if (other.operands.split(',').first != name)
      continue;
    if (definition)
      return name.str();
    definition = &other;
  }
  if (!depth || !definition || definition->opcode.starts_with("ld"))
    return name.str();
  std::string text = definition->opcode.str();
  StringRef rest = definition->operands.split(',').second;
  while (!rest.empty()) {
    StringRef operand;
    std::tie(operand, rest) = rest.split(',');
    operand = operand.trim();
    if (operand == name) // goes on from turn to turn
      return name.str();
    text += "(" + valueOf(operand, loop, depth - 1) + ")";
  }
  return text;
}

/// What an instruction costs within a loop, or anywhere if `within` is null. A
/// function's body counts where it is called.
Work Graph::workAt(size_t node, const Nodes *within) const {
  const Instruction &instruction = function_.code[node];
  bool divides = instruction.opcode == "div.u32";
  if (divides && within && isInvariant(node, *within))
    return kInvariantDivision;
  Work work = workOf(instruction.opcode);
  auto callee = module_.find(instruction.callee);
  if (!instruction.callee.empty() && callee != module_.end())
    work += Graph(module_, callee->second).wholeWork();
  return work;
}

/// The dearest road from each node within `within` (null: all) to `header`, or
/// to the function's end.
std::map<size_t, Road> Graph::roadsTo(std::optional<size_t> header,
                                      const Nodes *within) const {
  std::map<size_t, Road> roads;
  for (size_t node : order_) {
    if (within && !within->count(node))
      continue;
    std::optional<Road> best;
    if (!header && next_[node].empty())
      best = Road();
    for (size_t to : next_[node]) {
      if (to == header && back_.count({node, to}) && !best)
        best = Road();
      auto road = roads.find(to);
      if (back_.count({node, to}) || road == roads.end())
        continue;
      if (!best || road->second.isDearerThan(*best)) {
        best = road->second;
        best->next = to;
      }
    }
    if (!best)
      continue;
    best->work += workAt(node, within);
    best->bytes += function_.code[node].bytes;
    roads[node] = *best;
  }
  return roads;
}

Work Graph::wholeWork() const { return roadsTo(std::nullopt, nullptr)[0].work; }

GpuLoop Graph::describe(size_t header, const Nodes &nodes) const {
  std::map<size_t, Road> roads = roadsTo(header, &nodes);
  GpuLoop loop;
  // Vectors of one array lie at offsets from one address, and apart; accesses
  // that follow one another without a gap are of the same vector.
  std::map<std::pair<std::string, bool>, std::map<int, int>> arrays;
  for (std::optional<size_t> node = header; node; node = roads[*node].next) {
    const Instruction &instruction = function_.code[*node];
    bool isLoad = instruction.opcode.starts_with("ld");
    if (instruction.bytes)
      arrays[{valueOf(instruction.base, nodes), isLoad}][instruction.offset] =
          instruction.offset + int(instruction.bytes);
    if (!instruction.callee.empty() &&
        !llvm::is_contained(loop.calls, instruction.callee))
      loop.calls.push_back(instruction.callee.str());
  }
  for (const auto &[array, accesses] : arrays) {
    unsigned vectors = 0;
    std::optional<int> end;
    for (auto [from, to] : accesses) {
      vectors += from != end;
      end = to;
    }
    loop.elements = std::max(loop.elements, kItems * vectors);
  }
  if (!loop.elements)
    return loop;
  const Road &road = roads[header];
  loop.bytes = road.bytes / loop.elements;
  loop.instructions = double(road.work.instructions()) / loop.elements;
  loop.slots = double(road.work.slots()) / loop.elements;
  return loop;
}

std::vector<GpuLoop> Graph::vectorLoops() const {
  std::map<size_t, Nodes> loops = findLoops();
  std::erase_if(loops, [&](const auto &loop) {
    return llvm::none_of(
        loop.second, [&](size_t node) { return function_.code[node].bytes; });
  });
  std::vector<GpuLoop> result;
  for (const auto &[header, nodes] : loops) {
    bool isInnermost = llvm::none_of(loops, [&](const auto &other) {
      return other.first != header && nodes.count(other.first);
    });
    if (isInnermost)
      result.push_back(describe(header, nodes));
  }
  return result;
}

std::vector<GpuLoop> mainLoops(StringRef ptx, StringRef entry) {
  Module module = readModule(ptx);
  auto function = module.find(entry);
  if (function == module.end())
    return {};
  std::vector<GpuLoop> loops = Graph(module, function->second).vectorLoops();
  unsigned bytes = 0, elements = 0;
  for (const GpuLoop &loop : loops)
    bytes = std::max(bytes, loop.bytes);
  llvm::erase_if(
      loops, [&](const GpuLoop &loop) { return !bytes || loop.bytes < bytes; });
  for (const GpuLoop &loop : loops)
    elements = std::max(elements, loop.elements);
  llvm::erase_if(loops,
                 [&](const GpuLoop &loop) { return loop.elements < elements; });
  llvm::sort(loops, [](const GpuLoop &left, const GpuLoop &right) {
    return left.slots > right.slots;
  });
  return loops;
}

} // namespace updraft
