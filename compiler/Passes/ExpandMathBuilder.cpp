//===- ExpandMathBuilder.cpp - Arithmetic written as arithmetic -----------===//

#include "compiler/Passes/ExpandMathBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"

namespace arith = mlir::arith;

namespace updraft::expand {

/// `scalar`, or a vector of it shaped like `like`.
static mlir::Type shapedLike(mlir::Type scalar, mlir::Type like) {
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(like))
    return mlir::VectorType::get(vector.getShape(), scalar);
  return scalar;
}

Emitter::Emitter(mlir::OpBuilder &builder, mlir::Location location,
                 mlir::Type type, mlir::Block *entry)
    : builder_(builder), location_(location), numberType_(type),
      bitsType_(shapedLike(builder.getI64Type(), type)), entry_(entry) {}

mlir::Value Emitter::constant(mlir::TypedAttr scalar, mlir::Type type) {
  mlir::Value &known = constants_[scalar];
  if (known)
    return known;
  mlir::TypedAttr attribute = scalar;
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    attribute = mlir::DenseElementsAttr::get(vector, mlir::Attribute(scalar));
  mlir::OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(entry_);
  return known = arith::ConstantOp::create(builder_, location_, attribute);
}

Number Emitter::number(double value) {
  return {this, constant(builder_.getF64FloatAttr(value), numberType_)};
}

Bits Emitter::bits(uint64_t value) {
  return {this,
          constant(builder_.getI64IntegerAttr(int64_t(value)), bitsType_)};
}

template <class Op, class Result, class... Operands>
static Result build(Result first, Operands... rest) {
  Emitter &emitter = *first.emitter;
  return {&emitter, Op::create(emitter.builder(), emitter.location(),
                               first.value, rest.value...)
                        .getResult()};
}

template <class To, class From> static To bitcast(From x, mlir::Type type) {
  Emitter &emitter = *x.emitter;
  return {&emitter, arith::BitcastOp::create(
                        emitter.builder(), emitter.location(), type, x.value)};
}

static Truth compare(arith::CmpFPredicate predicate, Number a, Number b) {
  Emitter &emitter = *a.emitter;
  return {&emitter, arith::CmpFOp::create(emitter.builder(), emitter.location(),
                                          predicate, a.value, b.value)};
}

Number operator+(Number a, Number b) { return build<arith::AddFOp>(a, b); }
Number operator-(Number a, Number b) { return build<arith::SubFOp>(a, b); }
Number operator*(Number a, Number b) { return build<arith::MulFOp>(a, b); }
Number operator/(Number a, Number b) { return build<arith::DivFOp>(a, b); }
Number operator-(Number a) { return build<arith::NegFOp>(a); }

Truth operator<(Number a, Number b) {
  return compare(arith::CmpFPredicate::OLT, a, b);
}
Truth operator>(Number a, Number b) {
  return compare(arith::CmpFPredicate::OGT, a, b);
}
Truth operator<=(Number a, Number b) {
  return compare(arith::CmpFPredicate::OLE, a, b);
}
Truth operator>=(Number a, Number b) {
  return compare(arith::CmpFPredicate::OGE, a, b);
}
Truth operator==(Number a, Number b) {
  return compare(arith::CmpFPredicate::OEQ, a, b);
}
Truth operator!=(Number a, Number b) {
  return compare(arith::CmpFPredicate::UNE, a, b);
}

Number fma(Number a, Number b, Number c) {
  return build<mlir::math::FmaOp>(a, b, c);
}
Number floor(Number x) { return build<mlir::math::FloorOp>(x); }
Number abs(Number x) { return build<mlir::math::AbsFOp>(x); }
Number copysign(Number size, Number sign) {
  return build<mlir::math::CopySignOp>(size, sign);
}

Bits bitsOf(Number x) { return bitcast<Bits>(x, x.emitter->bitsType()); }
Number fromBits(Bits x) { return bitcast<Number>(x, x.emitter->numberType()); }

Bits operator+(Bits a, Bits b) { return build<arith::AddIOp>(a, b); }
Bits operator-(Bits a, Bits b) { return build<arith::SubIOp>(a, b); }
Bits operator*(Bits a, Bits b) { return build<arith::MulIOp>(a, b); }
Bits operator&(Bits a, Bits b) { return build<arith::AndIOp>(a, b); }
Bits operator|(Bits a, Bits b) { return build<arith::OrIOp>(a, b); }
Bits operator^(Bits a, Bits b) { return build<arith::XOrIOp>(a, b); }
Bits operator<<(Bits a, Bits count) { return build<arith::ShLIOp>(a, count); }
Bits operator>>(Bits a, Bits count) { return build<arith::ShRUIOp>(a, count); }

Truth isNotZero(Bits x) {
  Emitter &emitter = *x.emitter;
  return {&emitter, arith::CmpIOp::create(emitter.builder(), emitter.location(),
                                          arith::CmpIPredicate::ne, x.value,
                                          emitter.bits(0).value)};
}

Truth operator&(Truth a, Truth b) { return build<arith::AndIOp>(a, b); }
Truth operator|(Truth a, Truth b) { return build<arith::OrIOp>(a, b); }

Truth operator!(Truth a) {
  Emitter &emitter = *a.emitter;
  mlir::Type type = a.value.getType();
  mlir::TypedAttr truth = emitter.builder().getBoolAttr(true);
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    truth = mlir::DenseElementsAttr::get(vector, true);
  mlir::Value ones =
      arith::ConstantOp::create(emitter.builder(), emitter.location(), truth);
  return build<arith::XOrIOp>(a, Truth{&emitter, ones});
}

Number select(Truth condition, Number yes, Number no) {
  if (yes.value == no.value)
    return yes;
  Emitter &emitter = *yes.emitter;
  return {&emitter,
          arith::SelectOp::create(emitter.builder(), emitter.location(),
                                  condition.value, yes.value, no.value)};
}

Bits select(Truth condition, Bits yes, Bits no) {
  if (yes.value == no.value)
    return yes;
  Emitter &emitter = *yes.emitter;
  return {&emitter,
          arith::SelectOp::create(emitter.builder(), emitter.location(),
                                  condition.value, yes.value, no.value)};
}

} // namespace updraft::expand
