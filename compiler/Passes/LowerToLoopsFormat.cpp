//===- LowerToLoopsFormat.cpp - Elements in memory and in registers -------===//

#include "compiler/Passes/LowerToLoopsFormat.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace updraft::loops {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace math = mlir::math;

bool isStorable(Type format, Type compute) {
  bool isFormat =
      format.isF64() || format.isF32() || format.isBF16() || format.isF16();
  return isFormat && (compute.isF32() || compute.isF64());
}

/// To a wider or narrower type of f32 and f64, rounding to nearest even.
static Value converted(Builder &b, Value value, Type type, unsigned width) {
  Type wanted = Builder::widened(type, width);
  if (value.getType() == wanted)
    return value;
  if (type.isF64())
    return arith::ExtFOp::create(b, b.location, wanted, value);
  return arith::TruncFOp::create(b, b.location, wanted, value);
}

/// 16-bit formats travel as integers: a masked load of halves is taken apart
/// into calls otherwise.
static Type memoryType(Builder &builder, Type format) {
  return format.getIntOrFloatBitWidth() == 16 ? builder.getI16Type() : format;
}

static unsigned widthOf(Value value) {
  auto vector = mlir::dyn_cast<mlir::VectorType>(value.getType());
  return vector ? vector.getNumElements() : 1;
}

static Value splat(Builder &builder, int64_t value, unsigned width) {
  Type i32 = builder.getI32Type();
  if (width == 1)
    return builder.integer(value, i32);
  auto type = mlir::VectorType::get({width}, i32);
  return arith::ConstantOp::create(
      builder, builder.location,
      mlir::DenseElementsAttr::get(type, builder.getI32IntegerAttr(value)));
}

static Value widenBf16(Builder &b, Value bits, unsigned width) {
  Type i32 = Builder::widened(b.getI32Type(), width);
  Value wide = arith::ExtUIOp::create(b, b.location, i32, bits);
  Value high = arith::ShLIOp::create(b, b.location, wide, splat(b, 16, width));
  return arith::BitcastOp::create(
      b, b.location, Builder::widened(b.getF32Type(), width), high);
}

/// Adds half of what is cut off, less one where the kept part is even, so that
/// ties go to even. A NaN would carry over into the sign: it keeps its upper
/// bits and is made quiet.
static Value narrowToBf16(Builder &b, Value value, unsigned width) {
  Type i32 = Builder::widened(b.getI32Type(), width);
  Value bits = arith::BitcastOp::create(b, b.location, i32, value);
  Value high = arith::ShRUIOp::create(b, b.location, bits, splat(b, 16, width));
  Value odd = arith::AndIOp::create(b, b.location, high, splat(b, 1, width));
  Value half =
      arith::AddIOp::create(b, b.location, bits, splat(b, 0x7fff, width));
  Value sum = arith::AddIOp::create(b, b.location, half, odd);
  Value rounded =
      arith::ShRUIOp::create(b, b.location, sum, splat(b, 16, width));
  Value quiet =
      arith::OrIOp::create(b, b.location, high, splat(b, 0x40, width));
  Value isNan = arith::CmpFOp::create(b, b.location, arith::CmpFPredicate::UNO,
                                      value, value);
  Value chosen = arith::SelectOp::create(b, b.location, isNan, quiet, rounded);
  return arith::TruncIOp::create(
      b, b.location, Builder::widened(b.getI16Type(), width), chosen);
}

/// f64 to f32 such that rounding the result once more, to 16 bits, rounds the
/// f64 correctly: what is inexact is cut off and made odd, so that it is never
/// taken for a tie (Boldo and Melquiond 2008, "Emulation of FMA and correctly
/// rounded sums", section 3).
static Value roundToOdd(Builder &b, Value value, unsigned width) {
  Type f32 = Builder::widened(b.getF32Type(), width);
  Type i32 = Builder::widened(b.getI32Type(), width);
  auto compare = [&](arith::CmpFPredicate how, Value left, Value right) {
    return arith::CmpFOp::create(b, b.location, how, left, right);
  };
  Value nearest = arith::TruncFOp::create(b, b.location, f32, value);
  Value back = arith::ExtFOp::create(b, b.location, value.getType(), nearest);
  Value inexact = compare(arith::CmpFPredicate::ONE, back, value);
  Value outwards = compare(arith::CmpFPredicate::OGT,
                           math::AbsFOp::create(b, b.location, back),
                           math::AbsFOp::create(b, b.location, value));
  Value bits = arith::BitcastOp::create(b, b.location, i32, nearest);
  Value less = arith::SubIOp::create(b, b.location, bits, splat(b, 1, width));
  Value cut = arith::SelectOp::create(b, b.location, outwards, less, bits);
  Value odd = arith::OrIOp::create(b, b.location, cut, splat(b, 1, width));
  Value chosen = arith::SelectOp::create(b, b.location, inexact, odd, bits);
  return arith::BitcastOp::create(b, b.location, f32, chosen);
}

Value loadElements(Builder &b, Type format, Type compute, Value address,
                   unsigned width, Value mask, Access access) {
  Type item = memoryType(b, format);
  Type type = Builder::widened(item, width);
  unsigned alignment =
      access.alignment ? access.alignment : item.getIntOrFloatBitWidth() / 8;
  Value loaded;
  if (mask) {
    Value zero = LLVM::ZeroOp::create(b, b.location, type);
    loaded = LLVM::MaskedLoadOp::create(b, b.location, type, address, mask,
                                        zero, alignment);
  } else {
    loaded = b.load(type, address, alignment, access.isConstant);
  }
  if (format.isBF16()) {
    loaded = widenBf16(b, loaded, width);
  } else if (format.isF16()) {
    Value half = arith::BitcastOp::create(
        b, b.location, Builder::widened(format, width), loaded);
    loaded = arith::ExtFOp::create(
        b, b.location, Builder::widened(b.getF32Type(), width), half);
  }
  return converted(b, loaded, compute, width);
}

void storeElements(Builder &b, Type format, Value elements, Value address,
                   Value mask, Access access) {
  unsigned width = widthOf(elements);
  Type item = memoryType(b, format);
  bool isWide = mlir::getElementTypeOrSelf(elements).isF64();
  if (!item.isInteger(16))
    elements = converted(b, elements, format, width);
  else if (isWide)
    elements = roundToOdd(b, elements, width);
  if (format.isBF16()) {
    elements = narrowToBf16(b, elements, width);
  } else if (format.isF16()) {
    Value half = arith::TruncFOp::create(
        b, b.location, Builder::widened(format, width), elements);
    elements = arith::BitcastOp::create(b, b.location,
                                        Builder::widened(item, width), half);
  }
  unsigned alignment =
      access.alignment ? access.alignment : item.getIntOrFloatBitWidth() / 8;
  if (!mask)
    return b.store(elements, address, alignment);
  LLVM::MaskedStoreOp::create(b, b.location, elements, address, mask,
                              alignment);
}

} // namespace updraft::loops
