//===- Descriptor.h - What a program says of itself, as bytes -------------===//
//
// Fills the structs of runtime/abi.h from the plan. The `describe` dictionary
// of the program has, all of them optional:
//
//   doc, rule = "text"
//   options   = [{name, doc, value}]                 strings
//   requires  = [{message, scalar, variant}]         strings; scalar: its name
//   views     = [{name, doc, level, index}]          level, index: integers
//
// That of a hyper: {initial, low, high: f64, flags: i32}. Tests of a variant:
// {what, index, relation: i32, value: f64, tag: string}.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_DESCRIPTOR_H
#define UPDRAFT_COMPILER_TARGET_DESCRIPTOR_H

#include "compiler/Target/GpuCode.h"
#include "compiler/Target/Layout.h"
#include "compiler/Target/Target.h"

#include <cstdint>
#include <string>
#include <vector>

namespace updraft {

/// The bytes of an updraft_program whose kernels' entries are still 0.
struct Descriptor {
  std::string symbol; ///< "updraft_program_<name>", a C identifier
  std::vector<uint8_t> bytes;
  /// Where the distance from the program to a function has to stand.
  struct Entry {
    uint64_t offset;
    std::string function;
  };
  std::vector<Entry> entries;
};

Descriptor describe(ir::ProgramOp program, const Target &target,
                    llvm::ArrayRef<GpuCode> gpu = {});

/// `name` as a C identifier: everything else becomes '_'.
std::string identifierOf(llvm::StringRef name);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_DESCRIPTOR_H
