//===- Convert.h - What a cvt does ----------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_CONVERT_H
#define UPDRAFT_TEST_GPU_CONVERT_H

#include "Lanes.h"
#include "Rounding.h"

namespace updraft::gpu {

/// How a cvt rounds; Whole...: to a whole number.
enum class Way : uint8_t { None, Near, Zero, Down, Up };

/// Of 8 bytes, so that it is kept in an instruction's offset.
struct Conversion {
  char toKind, fromKind; // as in Type
  uint8_t toBits, fromBits;
  Way way = Way::None;
  bool whole = false, saturate = false;
  uint8_t unused = 0;
};

/// Handlers for conversions that kernels are full of, by their types and the
/// widths of their registers; null: there is none.
Handler shortRoad(const Conversion &c, unsigned target, unsigned source);
/// cvt.rn.f16x2.f32, cvt.rn.bf16x2.f32.
Handler shortRoadOfTwo(Type type);

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_CONVERT_H
