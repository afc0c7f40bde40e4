//===- CodePasses.h - Which passes of the code generator run --------------===//

#ifndef UPDRAFT_COMPILER_TARGET_CODEPASSES_H
#define UPDRAFT_COMPILER_TARGET_CODEPASSES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/LegacyPassManager.h"

namespace updraft {

/// LLVM's names of the passes that are left out.
llvm::ArrayRef<llvm::StringLiteral> passesLeftOut();

/// Takes the code generator's passes and hands on those that pay. A pass that
/// is handed on brings the analyses that it requires.
class CodePasses : public llvm::legacy::PassManagerBase {
public:
  explicit CodePasses(llvm::legacy::PassManagerBase &taken) : taken_(taken) {}
  void add(llvm::Pass *pass) override;

private:
  llvm::legacy::PassManagerBase &taken_;
};

} // namespace updraft

#endif // UPDRAFT_COMPILER_TARGET_CODEPASSES_H
