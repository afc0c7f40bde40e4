//===- Layout.cpp - Where a program's values lie in memory ----------------===//

#include "compiler/Target/Layout.h"

#include "runtime/abi.h"

namespace updraft {

using ir::Level;

Layout::Layout(ir::ProgramOp program) {
  for (mlir::Operation &op : program.getBody().front()) {
    if (auto scalar = llvm::dyn_cast<ir::ScalarOp>(op)) {
      unsigned &slots =
          scalar.getLevel() == Level::Model ? modelSlots_ : groupSlots_;
      shared_[scalar.getSymName()] = {
          Place::Kind::Scalar, scalar.getLevel(), slots++, {}, {}, 0};
    } else if (auto list = llvm::dyn_cast<ir::ListOp>(op)) {
      bool partial = list.getPartial();
      unsigned &count = partial ? partialLists_ : totalLists_;
      shared_[list.getSymName()] = {partial ? Place::Kind::Partial
                                            : Place::Kind::Total,
                                    Level::Tensor,
                                    count,
                                    {},
                                    {},
                                    0,
                                    list.getRouted()};
      count += list.getRouted() ? 2 : 1;
    } else if (auto variant = llvm::dyn_cast<ir::VariantOp>(op)) {
      addVariant(variant);
    }
  }
}

void Layout::addVariant(ir::VariantOp variant) {
  unsigned index = variants_.size();
  Variant &entry = variants_[variant.getSymName()];
  entry.index = index;
  for (auto array : variant.getBody().getOps<ir::ArrayOp>()) {
    int64_t offset = sizeof(updraft_tensor) + 8 * entry.arrays;
    entry.places[array.getSymName()] = {Place::Kind::Array,   Level::Element,
                                        entry.arrays++,       array.getFormat(),
                                        array.getSpaceAttr(), offset};
  }
  int64_t slots = sizeof(updraft_tensor) + 8 * entry.arrays;
  for (auto scalar : variant.getBody().getOps<ir::ScalarOp>()) {
    int64_t offset = slots + 8 * entry.slots;
    entry.places[scalar.getSymName()] = {
        Place::Kind::Scalar, Level::Tensor, entry.slots++, {}, {}, offset};
  }
}

std::optional<Place> Layout::find(llvm::StringRef variant,
                                  llvm::StringRef name) const {
  if (auto inner = variants_.find(variant); inner != variants_.end())
    if (auto found = inner->second.places.find(name);
        found != inner->second.places.end())
      return found->second;
  if (auto found = shared_.find(name); found != shared_.end())
    return found->second;
  return std::nullopt;
}

unsigned Layout::slots(Level level) const {
  return level == Level::Model ? modelSlots_ : groupSlots_;
}

unsigned Layout::arrays(llvm::StringRef variant) const {
  return variants_.find(variant)->second.arrays;
}

unsigned Layout::tensorSlots(llvm::StringRef variant) const {
  return variants_.find(variant)->second.slots;
}

unsigned Layout::rowBytes(llvm::StringRef variant) const {
  return sizeof(updraft_tensor) + 8 * (arrays(variant) + tensorSlots(variant));
}

unsigned Layout::variantIndex(llvm::StringRef variant) const {
  return variants_.find(variant)->second.index;
}

} // namespace updraft
