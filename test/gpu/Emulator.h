//===- Emulator.h - PTX run by the CPU ------------------------------------===//
//
// Reads PTX text and runs its entries, one warp of 32 lanes in lockstep, so
// that the bits of GPU code can be compared where there is no GPU. It holds to
// the PTX ISA and refuses all that it does not know, and what PTX leaves open:
// arithmetic that ptxas may contract, a value never set, a race.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_EMULATOR_H
#define UPDRAFT_TEST_GPU_EMULATOR_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace updraft::gpu {

struct Program;

/// A module as cuModuleLoadData would make it; its global variables live and
/// die with it. Device addresses are addresses of this process.
class Module {
public:
  /// Throws std::runtime_error with line and text of what it does not know.
  explicit Module(std::string_view text);
  ~Module();
  Module(Module &&) noexcept;
  Module(const Module &) = delete;

  bool hasEntry(std::string_view name) const;
  const Program &program() const { return *decoded; }

private:
  std::unique_ptr<Program> decoded;
};

struct Launch {
  std::string entry;
  uint32_t grid[3] = {1, 1, 1}, block[3] = {1, 1, 1};
  uint32_t sharedBytes = 0;                // dynamic
  const void *const *parameters = nullptr; // as cuLaunchKernel's kernelParams
};

struct Checks {
  /// Two threads of the launch touch one byte, one of them writes, and no
  /// barrier stands between them.
  bool races = true;
  /// Whether [address, + bytes) may be read or written (true); empty: all may.
  /// A part of what may be accessed may be, and the answer holds for a launch.
  std::function<bool(uint64_t address, uint64_t bytes, bool write)> mayAccess;
  /// Not 0: blocks run in an order shuffled by this seed.
  uint64_t shuffle = 0;
};

/// Throws std::runtime_error with entry, block, thread, line and address.
void run(const Module &, const Launch &, const Checks & = {});

/// Instructions of warps that this thread has run so far.
uint64_t instructionsRun();

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_EMULATOR_H
