//===- CodePassesTest.cpp - Which passes of the code generator run --------===//
//
// Passes are known by LLVM's names for them. A name that no pass has any more
// would leave nothing out, and nobody would see it but in the latency.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CodePasses.h"
#include "compiler/Target/Target.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Pass.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

#include <gtest/gtest.h>

using namespace updraft;

namespace {

/// Notes the names of the passes that it hands on.
class Notes : public llvm::legacy::PassManagerBase {
public:
  explicit Notes(llvm::legacy::PassManagerBase &taken) : taken_(taken) {}
  void add(llvm::Pass *pass) override {
    names.insert(pass->getPassName());
    taken_.add(pass);
  }
  llvm::StringSet<> names;

private:
  llvm::legacy::PassManagerBase &taken_;
};

llvm::StringSet<> passNames(bool areSomeLeftOut) {
  auto machine = createMachine(*findTarget("x86-64-v4"));
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  Notes notes(passes);
  CodePasses some(notes);
  llvm::legacy::PassManagerBase *taking = &notes;
  if (areSomeLeftOut)
    taking = &some;
  EXPECT_FALSE(machine->addPassesToEmitFile(*taking, stream, nullptr,
                                            llvm::CodeGenFileType::ObjectFile));
  return std::move(notes.names);
}

TEST(CodePasses, EveryNameLeftOutIsThatOfAPass) {
  llvm::StringSet<> all = passNames(/*areSomeLeftOut=*/false);
  for (llvm::StringRef name : passesLeftOut())
    EXPECT_TRUE(all.contains(name)) << name.str();
}

TEST(CodePasses, WhatIsLeftOutDoesNotRunAndTheRestDoes) {
  llvm::StringSet<> all = passNames(false), run = passNames(true);
  EXPECT_EQ(run.size() + passesLeftOut().size(), all.size());
  for (llvm::StringRef name : passesLeftOut())
    EXPECT_FALSE(run.contains(name)) << name.str();
}

} // namespace
