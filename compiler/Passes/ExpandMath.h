//===- ExpandMath.h - Functions in terms of exact arithmetic --------------===//
//
// `updraft.math` stands for a function whose bits are our own (numerics.md 4).
// Whoever lowers loops has it expanded here, after vectorising: a call of an
// internal function of the module, made at first use, whose body holds only
// operations that every target does exactly and without a library.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_EXPANDMATH_H
#define UPDRAFT_COMPILER_PASSES_EXPANDMATH_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

#include <cstdint>

namespace updraft::ir {
enum class Function : uint32_t;
} // namespace updraft::ir

namespace updraft {

/// Builds `function` of `operands` at the insertion point of `builder`, which
/// stands somewhere below a builtin.module, and returns the value. All operands
/// have the result's type: f32, f64, or a vector of them of any one fixed even
/// length. The called functions use the func, arith, math, vector and scf
/// dialects; their names begin with "updraft_".
mlir::Value emitFunction(mlir::OpBuilder &builder, mlir::Location location,
                         ir::Function function, mlir::ValueRange operands);

} // namespace updraft

#endif // UPDRAFT_COMPILER_PASSES_EXPANDMATH_H
