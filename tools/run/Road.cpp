//===- Road.cpp - One way to execute a rule -------------------------------===//

#include "Road.h"

#include "llvm/Support/raw_ostream.h"

using namespace updraft::run;

char BugError::ID = 0;
void BugError::log(llvm::raw_ostream &out) const { out << text; }
std::error_code BugError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

char UsageError::ID = 0;
void UsageError::log(llvm::raw_ostream &out) const { out << text; }
std::error_code UsageError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}
