//===- Unsupported.cpp - What the compiler cannot do yet ------------------===//

#include "compiler/Unsupported.h"

#include "dsl/Rule.h"

#include "llvm/Support/SourceMgr.h"

using namespace updraft;

static std::string messageAt(const llvm::SourceMgr *sources,
                             llvm::SMRange range, const char *what,
                             const char *label) {
  std::string text = std::string(what) +
                     " cannot be compiled yet; the interpreter runs it [" +
                     label + "]";
  unsigned buffer = sources && range.Start.isValid()
                        ? sources->FindBufferContainingLoc(range.Start)
                        : 0;
  if (!buffer)
    return text;
  auto [line, column] = sources->getLineAndColumn(range.Start, buffer);
  return (sources->getMemoryBuffer(buffer)->getBufferIdentifier() + ":" +
          llvm::Twine(line) + ":" + llvm::Twine(column) + ": " + text)
      .str();
}

std::string updraft::findUnsupported(const Rule &rule,
                                     const llvm::SourceMgr *sources) {
  for (const Expr &node : rule.nodes)
    if (node.op == Op::NewtonSchulz)
      return messageAt(sources, node.range, "'newton_schulz'", "U6");
  return {};
}
