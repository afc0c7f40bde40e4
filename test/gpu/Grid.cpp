//===- Grid.cpp - Modules and launches ------------------------------------===//

#include "Emulator.h"
#include "Parser.h"
#include "Permissions.h"
#include "Warp.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <stdexcept>

namespace updraft::gpu {

Module::Module(std::string_view text) : decoded(std::make_unique<Program>()) {
  // The text may end with a 0.
  Reader reader(tokens(text.substr(0, text.find('\0'))));
  parseModule(reader, *decoded);
}
Module::~Module() = default;
Module::Module(Module &&) noexcept = default;

bool Module::hasEntry(std::string_view name) const {
  auto found = decoded->functions.find(name);
  return found != decoded->functions.end() && found->second->entry;
}

namespace {

thread_local uint64_t ran = 0;

class Grid {
public:
  Grid(const Module &module, const Launch &launch, const Checks &checks);
  void run();

private:
  const Launch &launch;
  const Checks &checks;
  const Program &program;
  const Function *entry = nullptr;
  Permissions permissions;
  Block block;
  std::vector<std::unique_ptr<Warp>> warps;

  [[noreturn]] void fail(const std::string &what) const {
    throw std::runtime_error("entry " + launch.entry + ": " + what);
  }
  void check();
  void runBlock(uint64_t number);
};

Grid::Grid(const Module &module, const Launch &launch, const Checks &checks)
    : launch(launch), checks(checks), program(module.program()),
      permissions(checks, program) {
  if (!module.hasEntry(launch.entry))
    fail("there is none of this name");
  entry = program.functions.find(launch.entry)->second.get();
  check();
  static thread_local Shadow shadow;
  shadow.startLaunch();
  block.launch = &launch;
  block.checks = &checks;
  block.shadow = &shadow;
  block.permissions = &permissions;
  block.launchStart = ++shadow.now;
  block.threads = launch.block[0] * launch.block[1] * launch.block[2];
  block.staticBytes = program.sharedBytes;
  block.dynamicBytes = launch.sharedBytes;
  if (program.sharedBytes || launch.sharedBytes) {
    block.shared.resize(kDynamicShared + launch.sharedBytes);
    block.written.resize(block.shared.size());
  }
  for (uint32_t i = 0; i < block.threads; i += kLanes)
    warps.push_back(std::make_unique<Warp>());
}

void Grid::check() {
  constexpr uint64_t most[3] = {1024, 1024, 64}, blocks = (1u << 31) - 1;
  uint64_t threads = 1;
  for (int axis = 0; axis < 3; ++axis) {
    threads *= launch.block[axis];
    uint64_t grid = launch.grid[axis];
    if (launch.block[axis] > most[axis] || grid == 0 ||
        grid > (axis ? 65535 : blocks))
      fail("a grid or block of such a size cannot be");
    if (entry->required[axis] && entry->required[axis] != launch.block[axis])
      fail("blocks of another size than .reqntid");
  }
  if (threads == 0 || threads > 1024)
    fail("a block of " + std::to_string(threads) + " threads");
  if (entry->most && threads > entry->most)
    fail("more threads than .maxntid");
  if (launch.sharedBytes > 227 << 10)
    fail("too much shared memory");
}

void Grid::runBlock(uint64_t number) {
  block.index[0] = number % launch.grid[0];
  block.index[1] = number / launch.grid[0] % launch.grid[1];
  block.index[2] = number / launch.grid[0] / launch.grid[1];
  block.start = block.barrier = ++block.shadow->now;
  std::fill(block.written.begin(), block.written.end(), 0);
  for (uint32_t i = 0; i < warps.size(); ++i)
    warps[i]->start(block, i, block.threads - i * kLanes, *entry);
  for (;;) {
    size_t waiting = 0;
    for (auto &warp : warps)
      waiting += warp->run() == Stop::Barrier;
    if (waiting == 0)
      return;
    for (auto &warp : warps)
      if (waiting != warps.size() || warp->barrier != warps[0]->barrier)
        fail("block " + std::to_string(number) +
             ": a barrier to which some warps do not come");
    block.barrier = ++block.shadow->now;
  }
}

void Grid::run() {
  uint64_t count = uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2];
  std::vector<uint64_t> order;
  if (checks.shuffle) {
    order.resize(count);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937_64(checks.shuffle));
  }
  for (uint64_t i = 0; i < count; ++i)
    runBlock(checks.shuffle ? order[i] : i);
  for (auto &warp : warps)
    ran += warp->instructions;
}

} // namespace

void run(const Module &module, const Launch &launch, const Checks &checks) {
  Grid(module, launch, checks).run();
}

uint64_t instructionsRun() { return ran; }

} // namespace updraft::gpu
