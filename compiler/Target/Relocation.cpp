//===- Relocation.cpp - Applying what an object leaves open ---------------===//
//
// System V ABI, AMD64 supplement 4.4; ELF for the Arm 64-bit architecture 5.7.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Relocation.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

namespace updraft {

using namespace llvm::support;

bool applyX86(const Relocation &relocation) {
  int64_t distance = relocation.target - int64_t(relocation.place);
  switch (relocation.type) {
  case llvm::ELF::R_X86_64_PC32:
  case llvm::ELF::R_X86_64_PLT32:
    endian::write32le(relocation.bytes, uint32_t(distance));
    return llvm::isInt<32>(distance);
  case llvm::ELF::R_X86_64_PC64:
    endian::write64le(relocation.bytes, uint64_t(distance));
    return true;
  }
  return false;
}

/// Replaces `count` bits of an instruction from bit `low` on.
static void patch(uint8_t *bytes, unsigned low, unsigned count,
                  uint64_t value) {
  uint32_t mask = llvm::maskTrailingOnes<uint32_t>(count) << low;
  uint32_t old = endian::read32le(bytes);
  endian::write32le(bytes, (old & ~mask) | ((uint32_t(value) << low) & mask));
}

/// The low 12 bits of an address, as an offset in units of 2^scale bytes.
static bool patchLow12(const Relocation &relocation, unsigned scale) {
  uint64_t low = relocation.target & 0xfff;
  patch(relocation.bytes, 10, 12, low >> scale);
  return (low & llvm::maskTrailingOnes<uint64_t>(scale)) == 0;
}

static bool patchPage(const Relocation &relocation) {
  int64_t pages = (relocation.target >> 12) - int64_t(relocation.place >> 12);
  patch(relocation.bytes, 29, 2, uint64_t(pages));
  patch(relocation.bytes, 5, 19, uint64_t(pages) >> 2);
  return llvm::isInt<21>(pages);
}

bool applyAArch64(const Relocation &relocation) {
  int64_t distance = relocation.target - int64_t(relocation.place);
  switch (relocation.type) {
  case llvm::ELF::R_AARCH64_ADR_PREL_PG_HI21:
    return patchPage(relocation);
  case llvm::ELF::R_AARCH64_ADD_ABS_LO12_NC:
  case llvm::ELF::R_AARCH64_LDST8_ABS_LO12_NC:
    return patchLow12(relocation, 0);
  case llvm::ELF::R_AARCH64_LDST16_ABS_LO12_NC:
    return patchLow12(relocation, 1);
  case llvm::ELF::R_AARCH64_LDST32_ABS_LO12_NC:
    return patchLow12(relocation, 2);
  case llvm::ELF::R_AARCH64_LDST64_ABS_LO12_NC:
    return patchLow12(relocation, 3);
  case llvm::ELF::R_AARCH64_LDST128_ABS_LO12_NC:
    return patchLow12(relocation, 4);
  case llvm::ELF::R_AARCH64_CALL26:
  case llvm::ELF::R_AARCH64_JUMP26:
    patch(relocation.bytes, 0, 26, uint64_t(distance) >> 2);
    return llvm::isInt<28>(distance);
  case llvm::ELF::R_AARCH64_PREL32:
    endian::write32le(relocation.bytes, uint32_t(distance));
    return llvm::isInt<32>(distance);
  case llvm::ELF::R_AARCH64_PREL64:
    endian::write64le(relocation.bytes, uint64_t(distance));
    return true;
  }
  return false;
}

} // namespace updraft
