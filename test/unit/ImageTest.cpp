//===- ImageTest.cpp - Flat images and their relocations ------------------===//
//
// What a program may hold is flattened; what it may not is an error that says
// what it is. Relocations are checked against encodings worked out by hand from
// the two ABI supplements.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Image.h"
#include "compiler/Target/Object.h"
#include "compiler/Target/Relocation.h"
#include "runtime/image.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Target/TargetMachine.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace updraft;
namespace endian = llvm::support::endian;

namespace {

/// The object of LLVM IR, for x86-64-v3.
std::string objectOf(const char *text) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic error;
  auto module = llvm::parseAssemblyString(text, error, context);
  auto machine = createMachine(*findTarget("x86-64-v3"));
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  auto bytes = generateCode(*module, *machine, /*asAssembly=*/false);
  return std::string(bytes.begin(), bytes.end());
}

std::string messageOf(llvm::Expected<Image> result) {
  return result ? "no error" : llvm::toString(result.takeError());
}

// The distance from a constant to a function is right wherever both lie.
TEST(Image, FlattensCodeAndConstants) {
  std::string object = objectOf(R"(
    @program = dso_local constant i64 sub (i64 ptrtoint (ptr @code to i64),
                                 i64 ptrtoint (ptr @program to i64)), align 64
    define internal double @code(double %x) nounwind {
      %y = fadd double %x, 3.25
      ret double %y
    })");
  auto image = flatten(object, "program");
  ASSERT_TRUE(bool(image));
  ASSERT_LE(image->program + 8, image->bytes.size());
  EXPECT_EQ(image->program % 64, 0u);
  uint64_t code =
      image->program + endian::read64le(&image->bytes[image->program]);
  ASSERT_LT(code + 8, image->bytes.size());
  // vaddsd disp32(%rip), %xmm0, %xmm0; retq
  const uint8_t *at = &image->bytes[code];
  EXPECT_EQ(0, memcmp(at, "\xc5\xfb\x58\x05", 4));
  uint64_t constant = code + 8 + int32_t(endian::read32le(at + 4));
  double value;
  memcpy(&value, &image->bytes[constant], 8);
  EXPECT_EQ(value, 3.25);
  EXPECT_EQ(at[8], 0xc3);
}

TEST(Image, RefusesWhatAProgramHasNoUseFor) {
  EXPECT_EQ(messageOf(flatten(objectOf("declare void @gone()\n"
                                       "define void @program() nounwind {\n"
                                       "  call void @gone()\n"
                                       "  ret void\n"
                                       "}"),
                              "program")),
            "the object needs the symbol 'gone', which it does not define");
  EXPECT_EQ(messageOf(flatten(objectOf("@program = constant i64 7"), "other")),
            "the object does not define 'other'");
  EXPECT_EQ(messageOf(flatten(objectOf("@program = global i64 7"), "program")),
            "the object has a writable section '.data'");
  EXPECT_NE(messageOf(flatten("no object", "program")), "no error");
}

TEST(Image, FileHasHeaderAndChecksum) {
  Image image;
  image.bytes = {1, 2, 3, 4};
  image.program = 2;
  std::vector<uint8_t> file = fileOf(image);
  updraft_image_header header;
  ASSERT_EQ(file.size(), sizeof(header) + 4);
  memcpy(&header, file.data(), sizeof(header));
  EXPECT_EQ(0, memcmp(header.magic, "updimg\0\0", 8));
  EXPECT_EQ(header.bytes, 4u);
  EXPECT_EQ(header.program, 2u);
  image.bytes[3] = 5;
  EXPECT_NE(0, memcmp(header.checksum, &fileOf(image)[32], 16));
}

/// A word after a relocation of type `type` at `place` towards `target`.
uint32_t patched(bool (*apply)(const Relocation &), uint32_t type,
                 uint64_t place, int64_t target, uint32_t word, bool &fits) {
  uint8_t bytes[8] = {};
  endian::write32le(bytes, word);
  fits = apply({type, place, target, bytes});
  return endian::read32le(bytes);
}

TEST(Relocation, AArch64) {
  using namespace llvm::ELF;
  bool fits;
  // adrp x0: page 3 seen from page 1 is 2, whose low two bits are bits 29, 30.
  EXPECT_EQ(patched(applyAArch64, R_AARCH64_ADR_PREL_PG_HI21, 0x1ffc, 0x3010,
                    0x90000000, fits),
            0xd0000000u);
  EXPECT_TRUE(fits);
  // One page back: all 21 bits are set.
  EXPECT_EQ(patched(applyAArch64, R_AARCH64_ADR_PREL_PG_HI21, 0x1000, 0xfff,
                    0x90000000, fits),
            0xf0ffffe0u);
  // add x0, x0, #0x010
  EXPECT_EQ(patched(applyAArch64, R_AARCH64_ADD_ABS_LO12_NC, 0, 0x3010,
                    0x91000000, fits),
            0x91004000u);
  // ldr q0, [x0, #0x010]: the offset counts 16 bytes.
  EXPECT_EQ(patched(applyAArch64, R_AARCH64_LDST128_ABS_LO12_NC, 0, 0x3010,
                    0x3dc00000, fits),
            0x3dc00400u);
  EXPECT_TRUE(fits);
  patched(applyAArch64, R_AARCH64_LDST128_ABS_LO12_NC, 0, 0x3008, 0, fits);
  EXPECT_FALSE(fits) << "8 is no multiple of 16";
  // bl four instructions back
  EXPECT_EQ(
      patched(applyAArch64, R_AARCH64_CALL26, 0x100, 0xf0, 0x94000000, fits),
      0x97fffffcu);
  EXPECT_TRUE(fits);
  patched(applyAArch64, R_AARCH64_CALL26, 0, 1 << 27, 0x94000000, fits);
  EXPECT_FALSE(fits) << "too far";
  patched(applyAArch64, R_AARCH64_ABS64, 0, 0, 0, fits);
  EXPECT_FALSE(fits) << "an absolute address needs a loader";
}

TEST(Relocation, X86) {
  using namespace llvm::ELF;
  bool fits;
  EXPECT_EQ(patched(applyX86, R_X86_64_PC32, 0x100, 0x80, 0, fits),
            uint32_t(-0x80));
  EXPECT_TRUE(fits);
  patched(applyX86, R_X86_64_PC32, 0, int64_t(1) << 31, 0, fits);
  EXPECT_FALSE(fits) << "too far";
  patched(applyX86, R_X86_64_GOTPCREL, 0, 0, 0, fits);
  EXPECT_FALSE(fits) << "there is no table to point to";
}

} // namespace
