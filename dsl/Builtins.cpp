//===- Builtins.cpp - Looking up the functions of the language ------------===//

#include "Builtins.h"

#include "llvm/ADT/StringMap.h"

using namespace updraft;

static const Function kFunctions[] = {
#define UPDRAFT_BUILTIN(op, name, parameters, domain, meaning)                 \
  {Function::Kind::Builtin,                                                    \
   name,                                                                       \
   parameters,                                                                 \
   domain,                                                                     \
   meaning,                                                                    \
   Builtin::op,                                                                \
   Reducer::Sum},
#define UPDRAFT_EXPANSION(name, parameters, domain, meaning)                   \
  {Function::Kind::Expansion, name, parameters, domain, meaning},
#define UPDRAFT_SHAPE(name, parameters, meaning)                               \
  {Function::Kind::Shape, name, parameters, "all", meaning},
#define UPDRAFT_REDUCTION(reducer, name, parameters, meaning)                  \
  {Function::Kind::Reduction, name, parameters, "all", meaning, Builtin::Abs,  \
   Reducer::reducer},
#define UPDRAFT_MATRIX(name, parameters, meaning)                              \
  {Function::Kind::Matrix, name, parameters, "all", meaning},
#define UPDRAFT_LATER(name, meaning)                                           \
  {Function::Kind::Later, name, "", "", meaning},
#include "Builtins.def"
};

unsigned Function::arity() const {
  return parameters.empty() ? 0 : parameters.count(' ') + 1;
}

llvm::ArrayRef<Function> updraft::allFunctions() { return kFunctions; }

const Function *updraft::findFunction(llvm::StringRef name) {
  static const llvm::StringMap<const Function *> byName = [] {
    llvm::StringMap<const Function *> map;
    for (const Function &function : kFunctions)
      map[function.name] = &function;
    return map;
  }();
  return byName.lookup(name);
}

llvm::StringRef updraft::nameOf(Builtin builtin) {
  for (const Function &function : kFunctions)
    if (function.kind == Function::Kind::Builtin && function.builtin == builtin)
      return function.name;
  return {};
}

llvm::StringRef updraft::nameOf(Reducer reducer) {
  for (const Function &function : kFunctions)
    if (function.kind == Function::Kind::Reduction &&
        function.reducer == reducer)
      return function.name;
  return {};
}

bool updraft::isPredicate(Builtin builtin) {
  return builtin == Builtin::IsFinite || builtin == Builtin::IsNan;
}
