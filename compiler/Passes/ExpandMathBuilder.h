//===- ExpandMathBuilder.h - Arithmetic written as arithmetic -------------===//
//
// Numbers, bit patterns and conditions that build operations when they are
// computed with, so that the bodies of functions read like those in
// dsl/Functions.cpp. A Number is an f64 or a vector of them, all of one type
// within a function; Bits are the i64s of the same shape.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_EXPANDMATHBUILDER_H
#define UPDRAFT_COMPILER_PASSES_EXPANDMATHBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

namespace updraft::expand {

class Emitter;

struct Number {
  Emitter *emitter;
  mlir::Value value;
};

struct Bits {
  Emitter *emitter;
  mlir::Value value;
};

struct Truth {
  Emitter *emitter;
  mlir::Value value;
};

/// Builds at the end of a function's body; constants go to its beginning.
class Emitter {
public:
  /// `type` is f64 or a vector of f64.
  Emitter(mlir::OpBuilder &builder, mlir::Location location, mlir::Type type,
          mlir::Block *entry);

  Number wrap(mlir::Value value) { return {this, value}; }
  Number number(double value);
  Bits bits(uint64_t value);

  mlir::Type numberType() const { return numberType_; }
  mlir::Type bitsType() const { return bitsType_; }
  mlir::Location location() const { return location_; }
  mlir::OpBuilder &builder() { return builder_; }

private:
  mlir::Value constant(mlir::TypedAttr scalar, mlir::Type type);

  mlir::OpBuilder &builder_;
  mlir::Location location_;
  mlir::Type numberType_, bitsType_;
  mlir::Block *entry_;
  llvm::DenseMap<mlir::Attribute, mlir::Value> constants_;
};

Number operator+(Number a, Number b);
Number operator-(Number a, Number b);
Number operator*(Number a, Number b);
Number operator/(Number a, Number b);
Number operator-(Number a);
Truth operator<(Number a, Number b);
Truth operator>(Number a, Number b);
Truth operator<=(Number a, Number b);
Truth operator>=(Number a, Number b);
Truth operator==(Number a, Number b);
Truth operator!=(Number a, Number b);

// A plain double beside a Number is a constant.
inline Number operator+(Number a, double b) { return a + a.emitter->number(b); }
inline Number operator-(Number a, double b) { return a - a.emitter->number(b); }
inline Number operator*(Number a, double b) { return a * a.emitter->number(b); }
inline Truth operator<(Number a, double b) { return a < a.emitter->number(b); }
inline Truth operator>(Number a, double b) { return a > a.emitter->number(b); }
inline Truth operator<=(Number a, double b) {
  return a <= a.emitter->number(b);
}
inline Truth operator>=(Number a, double b) {
  return a >= a.emitter->number(b);
}
inline Truth operator==(Number a, double b) {
  return a == a.emitter->number(b);
}
inline Truth operator!=(Number a, double b) {
  return a != a.emitter->number(b);
}

/// a * b + c, rounded once.
Number fma(Number a, Number b, Number c);
Number floor(Number x);
Number abs(Number x);
Number copysign(Number size, Number sign);

Bits bitsOf(Number x);
Number fromBits(Bits x);
Bits operator+(Bits a, Bits b);
Bits operator-(Bits a, Bits b);
Bits operator*(Bits a, Bits b);
Bits operator&(Bits a, Bits b);
Bits operator|(Bits a, Bits b);
Bits operator^(Bits a, Bits b);
Bits operator<<(Bits a, Bits count);
Bits operator>>(Bits a, Bits count);
inline Bits operator+(Bits a, uint64_t b) {
  return b == 0 ? a : a + a.emitter->bits(b);
}
inline Bits operator&(Bits a, uint64_t b) { return a & a.emitter->bits(b); }
inline Bits operator|(Bits a, uint64_t b) { return a | a.emitter->bits(b); }
inline Bits operator<<(Bits a, uint64_t count) {
  return a << a.emitter->bits(count);
}
inline Bits operator>>(Bits a, uint64_t count) {
  return a >> a.emitter->bits(count);
}
Truth isNotZero(Bits x);

Truth operator&(Truth a, Truth b);
Truth operator|(Truth a, Truth b);
Truth operator!(Truth a);

Number select(Truth condition, Number yes, Number no);
Bits select(Truth condition, Bits yes, Bits no);
inline Number select(Truth condition, double yes, Number no) {
  return select(condition, no.emitter->number(yes), no);
}
inline Number select(Truth condition, Number yes, double no) {
  return select(condition, yes, yes.emitter->number(no));
}
inline Number select(Truth condition, double yes, double no) {
  return select(condition, condition.emitter->number(yes), no);
}

} // namespace updraft::expand

#endif // UPDRAFT_COMPILER_PASSES_EXPANDMATHBUILDER_H
