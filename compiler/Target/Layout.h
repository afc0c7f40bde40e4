//===- Layout.h - Where a program's values lie in memory ------------------===//
//
// Arrays, scalars and lists are declared by name; memory knows pointers, slots
// and numbers. This is the one place that turns the first into the second: the
// loops read through it and the descriptor prints it, so that they agree.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_TARGET_LAYOUT_H
#define UPDRAFT_COMPILER_TARGET_LAYOUT_H

#include "compiler/Dialect/Dialect.h"

#include "llvm/ADT/StringMap.h"

#include <optional>
#include <vector>

namespace updraft {

/// Where one declared value lies.
struct Place {
  enum class Kind : uint8_t { Array, Scalar, Partial, Total };
  Kind kind;
  ir::Level level = ir::Level::Element; ///< of a scalar; arrays are Element
  unsigned index = 0;                   ///< number of the array, slot or list
  mlir::Type format;                    ///< of an array's elements in memory
  ir::SpaceAttr space = {};             ///< of an array; null: elements
  int64_t offset = 0; ///< of an array's pointer or a tensor slot in its row
  /// A Total with one entry for tensors of some variants: list index + 1 holds
  /// 1 where there is one, as they put it, and the 0 that memory begins with.
  bool isRouted = false;
};

/// Numbers everything a program declares, in the order of declaration.
class Layout {
public:
  explicit Layout(ir::ProgramOp program);

  /// The place of `name` as seen from `variant` (empty: from none of them).
  std::optional<Place> find(llvm::StringRef variant,
                            llvm::StringRef name) const;

  unsigned slots(ir::Level level) const;
  unsigned partialLists() const { return partialLists_; }
  unsigned totalLists() const { return totalLists_; }
  unsigned arrays(llvm::StringRef variant) const;
  unsigned tensorSlots(llvm::StringRef variant) const;
  unsigned rowBytes(llvm::StringRef variant) const;
  /// Position of `variant` among the variants.
  unsigned variantIndex(llvm::StringRef variant) const;

private:
  struct Variant {
    unsigned index = 0, arrays = 0, slots = 0;
    llvm::StringMap<Place> places;
  };
  void addVariant(ir::VariantOp variant);

  llvm::StringMap<Place> shared_;
  llvm::StringMap<Variant> variants_;
  unsigned modelSlots_ = 0, groupSlots_ = 0;
  unsigned partialLists_ = 0, totalLists_ = 0;
};

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_LAYOUT_H
