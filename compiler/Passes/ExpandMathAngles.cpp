//===- ExpandMathAngles.cpp - Angles and remainders -----------------------===//
//
// The algorithms are explained in dsl/Functions.cpp, of which this is the copy
// in operations. Where the order of two operations could differ, it is that.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/ExpandMathFunctions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <bit>
#include <limits>

namespace updraft::expand {

static constexpr double kInf = std::numeric_limits<double>::infinity();
static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
static constexpr double kPi4High = 0x1.921fb54442d18p-1,
                        kPi4Low = 0x1.1a62633145c07p-55;

static Pair select(Truth condition, Pair yes, Pair no) {
  return {select(condition, yes.high, no.high),
          select(condition, yes.low, no.low)};
}

/// The pair angle * quarters - p, where quarters * pi/4 is subtracted from.
static Pair mirror(double quarters, Pair angle) {
  Emitter &e = *angle.high.emitter;
  Pair result = exactSum(e.number(quarters * kPi4High), -angle.high);
  result.low = result.low + (e.number(quarters * kPi4Low) - angle.low);
  return result;
}

Number atan2(Number y, Number x) {
  Emitter &e = *x.emitter;
  Number width = abs(x), height = abs(y);
  Truth isSteep = height > width;
  Number a = select(isSteep, width, height);
  Number b = select(isSteep, height, width);
  Truth isFar = b == kInf, isZero = b == 0;
  a = select(isFar, select(a == kInf, 1, 0), a);
  b = select(isFar | isZero, 1, b);
  Number direct = a / b;

  Number factor =
      select(b > 0x1p500, 0x1p-600, select(b < 0x1p-400, 0x1p600, 1));
  Number above = a * factor, below = b * factor;
  Truth isWide = above > below * 0x1.a827999fcef32p-2;
  Pair zero = {above, e.number(0)}, whole = {below, e.number(0)};
  Pair z = quotient(select(isWide, exactSum(above, -below), zero),
                    select(isWide, exactSum(below, above), whole));
  Number square = z.high * z.high;
  Number q = polynomial(square, {0x1.fb81f769758aep-7, -0x1.14bd80cae63e1p-5,
                                 0x1.72169dbe34a0fp-5, -0x1.abcc3d95a51a9p-5,
                                 0x1.e17f3cbf8f645p-5, -0x1.110d2f18fa6c7p-4,
                                 0x1.3b137c240395fp-4, -0x1.745d15680755cp-4,
                                 0x1.c71c71bca8eaep-4, -0x1.2492492481cbep-3,
                                 0x1.9999999999815p-3, -0x1.5555555555555p-2});
  Number tail = fma(z.high * square, q, fma(-square, z.low, z.low));
  Pair angle = exactSum(select(isWide, kPi4High, 0), z.high);
  angle.low = angle.low + (tail + select(isWide, kPi4Low, 0));

  angle = select(isSteep, mirror(2, angle), angle);
  Truth isLeft = isNotZero(bitsOf(x) >> 63);
  angle = select(isLeft, mirror(4, angle), angle);

  Number result = angle.high + angle.low;
  result = select((direct < 0x1p-30) & !isSteep & !isLeft, direct, result);
  return select((x != x) | (y != y), kNan, copysign(result, y));
}

//===- Cosine -------------------------------------------------------------===//

/// 2/pi, in words of 32 bits, behind 96 bits of zero.
static constexpr uint32_t kTwoOverPi[40] = {
    0x00000000, 0x00000000, 0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1,
    0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561, 0xb7246e3a,
    0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5,
    0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b,
    0xbdf9283b, 0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf,
    0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b, 0x3d0739f7,
    0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046};

static constexpr uint64_t kLow32 = 0xffffffff;

/// Six words of kTwoOverPi from bit `position` on, the highest first.
static llvm::SmallVector<Bits> window(Bits position) {
  Emitter &e = *position.emitter;
  llvm::SmallVector<Bits> moved;
  for (int i = 0; i < 70; ++i)
    moved.push_back(e.bits(i < 40 ? kTwoOverPi[i] : 0));
  for (int places = 32; places >= 1; places /= 2) {
    Truth moves = isNotZero(position & (32 * places));
    for (int i = 0; i < 6 + places; ++i)
      moved[i] = select(moves, moved[i + places], moved[i]);
  }
  Bits shift = position & 31;
  llvm::SmallVector<Bits> words;
  for (int i = 0; i < 6; ++i)
    words.push_back((((moved[i] << 32) | moved[i + 1]) << shift) >> 32);
  return words;
}

/// The low 192 bits of m * words, as six words, lowest last.
static llvm::SmallVector<Bits> multiply(Bits m, llvm::ArrayRef<Bits> words) {
  Emitter &e = *m.emitter;
  Bits mLow = m & kLow32, mHigh = m >> 32;
  Bits carry = e.bits(0), previous = e.bits(0);
  llvm::SmallVector<Bits> product(6, carry);
  for (int i = 5; i >= 0; --i) {
    Bits low = mLow * words[i], high = mHigh * previous;
    Bits sum = carry + (low & kLow32) + (high & kLow32);
    product[i] = sum & kLow32;
    carry = (sum >> 32) + (low >> 32) + (high >> 32);
    previous = words[i];
  }
  return product;
}

namespace {
/// x = quadrant * pi/2 + angle up to multiples of 2 pi, |angle| <= pi/4.
struct Reduced {
  Bits quadrant;
  Pair angle;
};
} // namespace

static Reduced reduce(Number x) {
  Emitter &e = *x.emitter;
  Bits bits = bitsOf(x);
  Bits m = (bits & 0xfffffffffffff) | 0x10000000000000;
  llvm::SmallVector<Bits> product =
      multiply(m, window((bits >> 52) + uint64_t(-1075 - 2 + 96)));

  Bits quadrant = ((product[0] + 0x20000000) >> 30) & 3;
  Bits isNegative = (product[0] >> 29) & 1;
  Bits flip = (e.bits(0) - isNegative) & kLow32;
  Pair sum = {e.number(0), e.number(0)};
  double weight = 0x1p-32;
  for (int i = 0; i < 5; ++i) {
    Bits word = ((product[i] << 2) | (product[i + 1] >> 30)) & kLow32;
    Number digit =
        fromBits((word ^ flip) | std::bit_cast<uint64_t>(0x1p52)) - 0x1p52;
    Pair next = fastSum(sum.high, digit * weight);
    sum = {next.high, next.low + sum.low};
    weight *= 0x1p-32;
  }
  sum = fastSum(sum.high, sum.low);
  sum = select(isNotZero(isNegative), {-sum.high, -sum.low}, sum);

  Number pi2 = e.number(2 * kPi4High);
  Number high = sum.high * pi2;
  Number low = fma(sum.high, pi2, -high) +
               fma(sum.high, e.number(2 * kPi4Low), sum.low * pi2);
  return {quadrant, fastSum(high, low)};
}

Number cos(Number x) {
  Emitter &e = *x.emitter;
  Number size = clamp(abs(x), 0x1p-30, 0x1.fffffffffffffp1023);
  Reduced r = reduce(size);
  Number a = r.angle.high, square = a * a;
  Number s = polynomial(square, {-0x1.8d4a467ccf749p-41, 0x1.60e5c07e29e76p-33,
                                 -0x1.ae63f7f2a6342p-26, 0x1.71de3a1031602p-19,
                                 -0x1.a01a019fe8845p-13, 0x1.111111111101ep-7,
                                 -0x1.5555555555555p-3});
  Number c = polynomial(square, {0x1.343d8f40c03a6p-45, -0x1.92a5b4b077a0ap-37,
                                 0x1.1eecd5a0b1608p-29, -0x1.27e4faeeaa569p-22,
                                 0x1.a01a019fb7a89p-16, -0x1.6c16c16c16a32p-10,
                                 0x1.5555555555555p-5});
  Number sine =
      a + fma(a * square, s, fma(square * -0.5, r.angle.low, r.angle.low));
  Pair one = fastSum(e.number(1), square * -0.5);
  Number squareLow = fma(a, a, -square);
  Number rest =
      fma(square * square, c, fma(e.number(-0.5), squareLow, -a * r.angle.low));
  Number cosine = one.high + (one.low + rest);
  Number result = select(isNotZero(r.quadrant & 1), sine, cosine);
  result = select(isNotZero((r.quadrant + 1) & 2), -result, result);
  return select(abs(x) < kInf, result, kNan);
}

//===- Remainder ----------------------------------------------------------===//

/// How many rounds of 51 binary digits the largest distance takes.
static mlir::Value roundsOf(Number distance) {
  Emitter &e = *distance.emitter;
  mlir::OpBuilder &builder = e.builder();
  mlir::Location location = e.location();
  mlir::Value largest = clamp(distance, 0, 3000).value;
  if (mlir::isa<mlir::VectorType>(largest.getType()))
    largest = mlir::vector::ReductionOp::create(
        builder, location, mlir::vector::CombiningKind::MAXIMUMF, largest);
  mlir::Value whole = mlir::arith::FPToSIOp::create(
      builder, location, builder.getI64Type(), largest);
  auto constant = [&](int64_t value) {
    return mlir::arith::ConstantOp::create(builder, location,
                                           builder.getI64IntegerAttr(value));
  };
  mlir::Value rounded =
      mlir::arith::AddIOp::create(builder, location, whole, constant(50));
  return mlir::arith::DivUIOp::create(builder, location, rounded, constant(51));
}

/// The remainder of rest * 2^distance by `divisor`; lanes that are done go on
/// without change.
static Number reduceRemainder(Number rest, Number distance, Number divisor) {
  Emitter &e = *rest.emitter;
  mlir::OpBuilder &builder = e.builder();
  mlir::Location location = e.location();
  auto constant = [&](int64_t value) -> mlir::Value {
    return mlir::arith::ConstantOp::create(builder, location,
                                           builder.getI64IntegerAttr(value));
  };
  mlir::Value zero = constant(0), one = constant(1);
  auto loop =
      mlir::scf::ForOp::create(builder, location, zero, roundsOf(distance), one,
                               mlir::ValueRange{rest.value, distance.value});
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Number before = e.wrap(loop.getRegionIterArg(0));
  Number ahead = e.wrap(loop.getRegionIterArg(1));
  Number scaled = before * powerOfTwo(clamp(ahead, 0, 51));
  Number digits = floor(scaled / divisor);
  Number after = fma(-digits, divisor, scaled);
  after = select(after < 0, after + divisor, after);
  mlir::scf::YieldOp::create(builder, location,
                             mlir::ValueRange{after.value, (ahead - 51).value});
  return e.wrap(loop.getResult(0));
}

Number mod(Number x, Number y) {
  Number a = abs(x), b = abs(y);
  Split from = split(a, 1), by = split(b, 1);
  Number divisor = by.fraction, rest = from.fraction;
  rest = select(rest >= divisor, rest - divisor, rest);
  rest = reduceRemainder(rest, from.power - by.power, divisor);
  rest = select(a < b, a, scale(rest, by.power));

  Number same = copysign(rest, y);
  Truth differ = isNotZero((bitsOf(x) ^ bitsOf(y)) >> 63);
  Number result = select(differ & (rest != 0), y - same, same);
  return select((a < kInf) & (b > 0), result, kNan);
}

} // namespace updraft::expand
