//===- Builtins.h - Looking up the functions of the language --------------===//
//
// Builtins.def as a table that can be searched by name and by meaning.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_BUILTINS_H
#define UPDRAFT_DSL_BUILTINS_H

#include "Rule.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace updraft {

/// A name that can be called in an expression.
struct Function {
  enum class Kind : uint8_t {
    Builtin,
    Expansion,
    Shape,
    Reduction,
    Matrix,
    Later
  };
  Kind kind;
  llvm::StringRef name;
  llvm::StringRef parameters; ///< one word an argument
  llvm::StringRef domain, meaning;
  Builtin builtin = Builtin::Abs; ///< of Kind::Builtin
  Reducer reducer = Reducer::Sum; ///< of Kind::Reduction
  /// Number of arguments.
  unsigned arity() const;
};

/// All functions in the order of Builtins.def.
llvm::ArrayRef<Function> allFunctions();

/// Null if nothing is called so.
const Function *findFunction(llvm::StringRef name);

/// "sqrt" of Builtin::Sqrt.
llvm::StringRef nameOf(Builtin builtin);

/// "sum" of Reducer::Sum.
llvm::StringRef nameOf(Reducer reducer);

/// Whether the function yields a boolean.
bool isPredicate(Builtin builtin);

} // namespace updraft

#endif // UPDRAFT_DSL_BUILTINS_H
