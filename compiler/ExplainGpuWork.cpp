//===- ExplainGpuWork.cpp - What an instruction of PTX costs --------------===//

#include "compiler/ExplainGpuWork.h"

#include "llvm/ADT/STLExtras.h"

using llvm::StringRef;

namespace updraft {

namespace {

struct Weight {
  StringRef operation; ///< "div", with which the opcode begins
  StringRef type;      ///< with which it ends; empty: any
  Work work;
};

} // namespace

/// The first that fits counts; what fits none is one of integers. Those of more
/// than one instruction are what ptxas 13.0 makes of them for sm_90, without
/// what only subnormal and other rare operands need. Signs are part of the
/// instruction that reads them.
static const Weight kWeights[] = {
    {"neg", "f32", {}},
    {"neg", "f64", {}},
    {"abs", "f32", {}},
    {"abs", "f64", {}},
    {"add", "f32", {.f32 = 1}},
    {"sub", "f32", {.f32 = 1}},
    {"mul", "f32", {.f32 = 1}},
    {"fma", "f32", {.f32 = 1}},
    {"add", "f32x2", {.f32 = 2}},
    {"sub", "f32x2", {.f32 = 2}},
    {"mul", "f32x2", {.f32 = 2}},
    {"fma", "f32x2", {.f32 = 2}},
    {"div", "f32", {.f32 = 5, .special = 2, .control = 3}},
    {"rcp", "f32", {.f32 = 3, .integer = 3, .special = 1, .control = 3}},
    {"sqrt", "f32", {.f32 = 4, .integer = 2, .special = 1, .control = 3}},
    {"add", "f64", {.f64 = 1}},
    {"sub", "f64", {.f64 = 1}},
    {"mul", "f64", {.f64 = 1}},
    {"fma", "f64", {.f64 = 1}},
    {"setp", "f64", {.f64 = 1}},
    {"min", "f64", {.integer = 3, .multiply = 3, .f64 = 1}},
    {"max", "f64", {.integer = 3, .multiply = 3, .f64 = 1}},
    {"div",
     "f64",
     {.f32 = 1,
      .integer = 2,
      .multiply = 3,
      .f64 = 8,
      .special = 1,
      .control = 3}},
    {"rcp", "f64", {.integer = 4, .f64 = 5, .special = 1, .control = 3}},
    {"sqrt",
     "f64",
     {.integer = 3, .multiply = 3, .f64 = 8, .special = 1, .control = 3}},
    {"cvt", "f64", {.special = 1}},
    {"cvt", "f32.s64", {.special = 1}},
    {"cvt", "f32.u64", {.special = 1}},
    {"cvt.rn.f64", "", {.special = 1}},
    {"cvt.f64", "", {.special = 1}},
    // Half of a register pair, or one beside a zero.
    {"cvt", "u32.u64", {}},
    {"cvt", "u64.u32", {}},
    {"cvt", "", {.integer = 1}},
    {"copysign", "", {.integer = 1}},
    {"div", "32", {.integer = 9, .multiply = 6, .special = 3}},
    {"rem", "32", {.integer = 9, .multiply = 6, .special = 3}},
    {"div", "64", {.integer = 32, .multiply = 31, .special = 3, .control = 4}},
    {"rem", "64", {.integer = 32, .multiply = 31, .special = 3, .control = 4}},
    {"mul.wide", "", {.multiply = 1}},
    {"mul", "64", {.integer = 1, .multiply = 3}},
    {"mad", "64", {.integer = 1, .multiply = 3}},
    {"mul", "", {.multiply = 1}},
    {"mad", "", {.multiply = 1}},
    {"ld.param", "", {.control = 1}},
    {"st.param", "", {.control = 1}},
    {"ld.", "", {.memory = 1}},
    {"st.", "", {.memory = 1}},
    {"shfl", "", {.memory = 1}},
    {"mov", "", {.control = 1}},
    {"bra", "", {.control = 1}},
    {"call", "", {.control = 2}},
    {"ret", "", {.control = 1}},
    {"bar", "", {.control = 1}},
    // Done by the instruction that adds what was shifted to an address.
    {"shl", "64", {}},
    // Carries are added by the units that multiply.
    {"add", "64", {.integer = 1, .multiply = 1}},
    {"sub", "64", {.integer = 1, .multiply = 1}},
    // Integers of 64 bits are two of 32.
    {"", "64", {.integer = 2}},
    {"", "", {.integer = 1}},
};

const Work &workOf(StringRef opcode) {
  return llvm::find_if(kWeights,
                       [&](const Weight &weight) {
                         return opcode.starts_with(weight.operation) &&
                                opcode.ends_with(weight.type);
                       })
      ->work;
}

} // namespace updraft
