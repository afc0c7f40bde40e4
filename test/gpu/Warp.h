//===- Warp.h - A warp that runs ------------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_WARP_H
#define UPDRAFT_TEST_GPU_WARP_H

#include "Shadow.h"

#include <bit>
#include <string>
#include <vector>

namespace updraft::gpu {

class Permissions;

/// Lanes that stand at one instruction.
struct Group {
  uint32_t pc, lanes;
  bool waiting = false; // for lanes that are elsewhere
};

/// A function that runs: its registers and where its lanes are.
struct Frame {
  const Function *function = nullptr;
  std::vector<uint8_t> store; // of `file`, which is aligned
  uint8_t *file = nullptr;
  std::vector<uint32_t> set;       // by id: lanes that have a value
  std::vector<uint8_t> parameters; // lane after lane
  std::vector<Group> groups;       // by rising pc
  const Call *call = nullptr;      // what the frame above does for us
  void prepare(const Function &wanted);
};

struct Block {
  const Launch *launch = nullptr;
  const Checks *checks = nullptr;
  Shadow *shadow = nullptr;
  Permissions *permissions = nullptr;
  uint32_t launchStart = 0, start = 0, barrier = 0; // times
  uint32_t index[3] = {0, 0, 0};
  uint32_t threads = 0;
  uint32_t staticBytes = 0, dynamicBytes = 0; // shared, see kDynamicShared
  std::vector<uint8_t> shared, written;       // bytes, and whether each is set
};

enum class Stop { Done, Barrier };

/// 32 lanes in lockstep; the lanes with the smallest pc run, so that branches
/// join again.
class Warp {
public:
  Block *block = nullptr;
  Frame *frame = nullptr; // the innermost
  uint32_t barrier = 0;   // the number of the block's barrier it stands at
  uint64_t instructions = 0;

  /// Lanes [0, count) of the block's warp `index` stand at the entry's start.
  void start(Block &block, uint32_t index, uint32_t count,
             const Function &entry);
  /// Until all lanes have ended or stand at a barrier of the block.
  Stop run();

  template <class T> T *at(Operand operand) {
    return reinterpret_cast<T *>(frame->file + operand.at);
  }
  uint32_t &mask(Operand operand) { return *at<uint32_t>(operand); }
  /// A barrier among `members` has been passed.
  void synchronise(uint32_t members);
  Order order();
  /// Throws, with entry, block, thread and line.
  [[noreturn]] void fail(const Instruction &at, uint32_t lane,
                         const std::string &what) const;

private:
  uint32_t index = 0; // in its block
  uint32_t existing = 0, alive = 0;
  uint32_t full = 0; // time of the last barrier of all lanes
  bool hasPartial = false;
  bool standing = false;            // at a barrier of the block
  uint32_t partial[kLanes][kLanes]; // see Order
  std::vector<std::unique_ptr<Frame>> frames;
  size_t depth = 0; // frames in use

  void push(const Function &function);
  bool pop();
  void advance(Group group, uint32_t until);
  bool control(const Instruction &at, Group &group, uint32_t lanes);
  void table(const Instruction &at, uint32_t lanes);
  void call(const Instruction &at, uint32_t lanes);
  void leave(const Instruction &at, uint32_t lanes);
  bool gather(const Instruction &at, Group group, uint32_t lanes);
  void put(Group group);
  void checkSet(const Instruction &at, uint32_t lanes) const;
};

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_WARP_H
