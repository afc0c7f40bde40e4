//===- FuzzRules.cpp - Any rule, the same bits ----------------------------===//
//
// Takes any bytes as choices of a rule, tensors and steps (RuleWriter.h). The
// front end accepts the rule or says why not, and what it accepts computes the
// same bits interpreted and compiled.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"
#include "RuleWriter.h"
#include "Trial.h"

#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace updraft;

static unsigned accepted, rejected;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // Before the trial, which may not end.
  if (std::getenv("UPDRAFT_FUZZ_SHOW")) {
    fuzz::Choices choices({data, size});
    llvm::errs() << fuzz::writeFile(choices);
  }
  fuzz::Outcome outcome = fuzz::tryRule({data, size});
  ++(outcome.rejection.empty() ? accepted : rejected);
  if (!outcome.rejection.empty())
    llvm::errs() << outcome.rule << outcome.rejection;
  if (outcome.difference.empty())
    return 0;
  llvm::errs() << outcome.rule << outcome.difference << '\n';
  std::abort();
}

bool fuzz::isSatisfied() {
  llvm::errs() << accepted << " rules accepted, " << rejected << " rejected\n";
  return rejected * 20 <= accepted;
}
