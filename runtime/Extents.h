//===- Extents.h - How many values rows, columns and blocks have ----------===//
//
// What a tensor's shape makes of an updraft_extent: a number of items, and the
// shape that an array of them has for people and files.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_EXTENTS_H
#define UPDRAFT_RUNTIME_EXTENTS_H

#include "Program.h"

#include <vector>

inline bool operator==(const updraft_extent &a, const updraft_extent &b) {
  return a.space == b.space && a.folded == b.folded && a.block == b.block;
}

namespace updraft::runtime {

/// The shape of a parameter or of an array that belongs to one.
struct Shape {
  uint32_t rank = 0;
  int64_t shape[UPDRAFT_MAX_RANK] = {};
  uint64_t size = 0; ///< the product
};

/// What kernels see of a parameter's shape.
updraft_shape describeShape(const Shape &param);

/// How many items of `extent` a tensor has. Throws std::bad_alloc for a number
/// that no memory can hold.
uint64_t itemsOf(const updraft_extent &extent, const updraft_shape &shape,
                 uint64_t size);

/// The shape of an array with `extent`: rows are the parameter's without its
/// last axis, columns without the one before; blocks are a list.
Shape shapeOf(const updraft_extent &extent, const Shape &param);

/// Whether only tensors of rank 2 and more have such items.
inline bool needsMatrix(const updraft_extent &extent) {
  return extent.space != UPDRAFT_ELEMENTS && extent.space != UPDRAFT_BLOCKS;
}

/// Whether the items are what matrix kernels walk.
inline bool isTile(const updraft_extent &extent) {
  return extent.space == UPDRAFT_TILES || extent.space == UPDRAFT_SQUARE_TILES;
}

/// How many items one chunk has: about UPDRAFT_CHUNK elements, where a kernel
/// may walk those; of single values a thousand, of tiles one. On a GPU a block
/// of threads has one chunk: UPDRAFT_BLOCK elements, 256 values, one item else.
uint64_t itemsOfChunk(const updraft_extent &extent, const updraft_shape &shape,
                      bool onGpu);

/// The extents that kernels of a variant walk; elements come first.
std::vector<updraft_extent> walkedExtents(const updraft_program *program,
                                          uint32_t variant);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_EXTENTS_H
