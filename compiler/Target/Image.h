//===- Image.h - An object as flat, position independent bytes ------------===//
//
// The object that is linked ahead of time is the one that is run at once: its
// sections are laid out one behind the other and its relocations, all of them
// relative, are applied. What comes out can be mapped at any page.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_IMAGE_H
#define UPDRAFT_COMPILER_TARGET_IMAGE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <vector>

namespace updraft {

struct Image {
  std::vector<uint8_t> bytes;
  uint64_t program = 0; ///< where `symbol` lies
};

/// Flattens an ELF object. Fails on a section, relocation or symbol that a
/// program has no use for: each of them is a bug of the compiler.
llvm::Expected<Image> flatten(llvm::StringRef object, llvm::StringRef symbol);

/// The file form: an updraft_image_header (runtime/image.h), then the bytes.
std::vector<uint8_t> fileOf(const Image &image);

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_IMAGE_H
