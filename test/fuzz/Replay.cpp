//===- Replay.cpp - A fuzz target without a fuzzer ------------------------===//
//
// usage: TARGET FIRST COUNT | TARGET FILE...
//
// Takes the files, or inputs made from the numbers FIRST, FIRST + 1, ..., the
// same ones in every run, on every machine and with every compiler.
//
//===----------------------------------------------------------------------===//

#include "Choices.h"
#include "Fuzz.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstdlib>

using namespace updraft;

static std::string current;

/// Says which input it was; only what may be called after a crash.
static void tellCurrent(int) {
  std::signal(SIGABRT, SIG_DFL);
  llvm::errs() << "input " << current << '\n';
  std::abort();
}

static int replayNumbers(uint64_t first, uint64_t count) {
  for (uint64_t number = first; number < first + count; ++number) {
    current = std::to_string(number);
    fuzz::Random random(number);
    std::vector<uint8_t> bytes(64 + random.bits() % 1024);
    for (uint8_t &byte : bytes)
      byte = uint8_t(random.bits() >> 32);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  return fuzz::isSatisfied() ? 0 : 1;
}

int main(int count, char **arguments) {
  std::signal(SIGABRT, tellCurrent);
  uint64_t first, number;
  if (count == 3 && !llvm::StringRef(arguments[1]).getAsInteger(10, first) &&
      !llvm::StringRef(arguments[2]).getAsInteger(10, number))
    return replayNumbers(first, number);
  if (count == 1) {
    llvm::errs() << "usage: " << arguments[0] << " FIRST COUNT | FILE...\n";
    return 2;
  }
  for (int i = 1; i < count; ++i) {
    current = arguments[i];
    auto file = llvm::MemoryBuffer::getFile(current);
    if (!file) {
      llvm::errs() << current << ": " << file.getError().message() << '\n';
      return 1;
    }
    llvm::StringRef text = (*file)->getBuffer();
    LLVMFuzzerTestOneInput(text.bytes_begin(), text.size());
  }
  return fuzz::isSatisfied() ? 0 : 1;
}
