//===- Program.h - Decoded PTX --------------------------------------------===//
//
// What the parser makes and the warps run. A function has a file of registers;
// an operand is a place in it: 32 values, one a lane. Constants and special
// registers are places too, so that nothing is decoded twice.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_PROGRAM_H
#define UPDRAFT_TEST_GPU_PROGRAM_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace updraft::gpu {

constexpr uint32_t kLanes = 32;
/// Generic addresses of shared memory: its offsets above this.
constexpr uint64_t kSharedWindow = uint64_t(1) << 60;

/// Where dynamic shared memory starts; static memory ends before.
constexpr uint64_t kDynamicShared = 1 << 16;

class Warp;
struct Function;
struct Instruction;
using Handler = void (*)(Warp &, const Instruction &, uint32_t lanes);

/// Bytes into the register file; id 0: a constant. A predicate is a word with a
/// bit a lane.
struct Operand {
  uint32_t at = 0, id = 0;
};

enum class Control : uint8_t {
  Plain,
  Branch,
  Table,
  Call,
  Return,
  Exit,
  WarpSync, // all lanes of its mask must come to it
  BlockSync
};

struct Instruction {
  Handler run = nullptr;
  Control control = Control::Plain;
  bool guarded = false, negated = false;
  uint8_t targets = 0, sources = 0; // targets stand first
  Operand guard;
  const Operand *operands = nullptr; // into Function::operands
  uint32_t first = 0;                // the index there
  uint32_t jump = 0; // Branch: an instruction; Table, Call: into that list
  uint32_t detail = 0;
  uint32_t line = 0;
  int64_t offset = 0; // of an address
};

struct Parameter {
  std::string name;
  uint32_t bytes = 0, align = 1;
  uint32_t at = 0; // in the parameter space of a frame, of each lane
};

struct Call {
  std::string name;
  const Function *callee = nullptr;
  std::vector<Parameter> arguments, results; // the caller's
  uint32_t line = 0;
};

enum class Special : uint8_t {
  Tid,
  Ntid = 3,
  Ctaid = 6,
  Nctaid = 9,
  LaneId = 12,
  MaskEq,
  MaskLt,
  MaskLe,
  MaskGt,
  MaskGe
};

struct Function {
  std::string name;
  bool entry = false, defined = false;
  uint32_t line = 0;
  uint32_t required[3] = {0, 0, 0}; // .reqntid; 0: any
  uint32_t most = 0;                // .maxntid; 0: any
  std::vector<Parameter> parameters, results;
  uint32_t parameterBytes = 0; // of a lane
  std::vector<Instruction> code;
  std::vector<Operand> operands;
  std::vector<std::vector<uint32_t>> tables;
  std::vector<Call> calls;
  /// The register file: its size, and the constants that it starts with.
  uint32_t fileBytes = 0, ids = 1;
  struct Constant {
    uint32_t at, bits;
    uint64_t value;
  };
  std::vector<Constant> constants;
  std::vector<std::pair<uint32_t, uint32_t>> specials; // which, place
};

struct Variable {
  std::string space; // "global", "const", "shared"
  uint64_t address = 0, bytes = 0;
  bool dynamic = false; // shared, without a size
};

struct Program {
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions;
  std::map<std::string, Variable, std::less<>> variables;
  std::vector<std::unique_ptr<uint8_t[]>> storage; // of .global and .const
  uint64_t sharedBytes = 0;                        // static
};

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_PROGRAM_H
