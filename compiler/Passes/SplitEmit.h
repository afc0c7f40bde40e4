//===- SplitEmit.h - The writer of kernels --------------------------------===//
//
// The state of writing one plan's kernels. Private to SplitEmit.cpp, which
// writes bodies, SplitMatrix.cpp, which writes those of matrices,
// SplitSlots.cpp, which hands values from kernel to kernel, and SplitNames.cpp,
// which says what a kernel is called and what it waits for.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_COMPILER_PASSES_SPLITEMIT_H
#define UPDRAFT_COMPILER_PASSES_SPLITEMIT_H

#include "compiler/Passes/SplitGraph.h"

#include "mlir/IR/Builders.h"

#include "llvm/ADT/DenseMap.h"

#include <map>
#include <string>

namespace updraft {

/// A kernel that is being written.
struct Emitted {
  ir::KernelOp kernel;
  mlir::OpBuilder builder;
  llvm::DenseMap<int, mlir::Value> values;
  struct Conditions {
    std::map<std::vector<plan::Literal>, mlir::Value> made;
    mlir::Value lookup(const std::vector<plan::Literal> &key) const {
      auto found = made.find(key);
      return found == made.end() ? mlir::Value() : found->second;
    }
    mlir::Value &operator[](const std::vector<plan::Literal> &key) {
      return made[key];
    }
  } conditions;
  mlir::Value yes; ///< the constant true

  Emitted(ir::KernelOp kernel, mlir::OpBuilder builder)
      : kernel(kernel), builder(builder) {}
};

struct Emitter {
  ir::ProgramOp program;
  RuleGraph &rule;
  const plan::Plan &plan;
  mlir::Operation *firstBody = nullptr; ///< declarations go before it
  std::vector<Emitted> emitted;
  std::map<int, std::string> itemSlots;   ///< item -> slot or scratch
  std::map<int, std::string> oldSlots;    ///< Scalar or Array value -> the same
  std::map<int, std::string> groupSlots;  ///< Fold over model -> slot
  std::map<int, std::string> reduceLists; ///< Reduce -> partial list
  std::map<int, std::string> runTotals;   ///< the same -> scratch
  std::map<int, std::string> blockLists;  ///< list -> its partial list
  std::vector<std::string> sharedBlocks;
  /// Scratch of an Iterate: X, what a round makes of it, A and B.
  struct Matrices {
    std::string x, next, square, factor;
  };
  std::map<int, Matrices> matrices;

  Emitter(ir::ProgramOp program, RuleGraph &rule, const plan::Plan &plan)
      : program(program), rule(rule), plan(plan) {}

  std::string freeName(llvm::StringRef name);
  std::string declareSlot(llvm::StringRef hint, plan::Level level, int variant);
  std::string declareScratch(llvm::StringRef hint, int variant,
                             ir::SpaceAttr space, mlir::Type format);
  std::string declareHandedOn(llvm::StringRef hint, int variant,
                              plan::Level level, const plan::Space &space,
                              mlir::Type type);
  std::string declareList(llvm::StringRef hint, bool isPartial);
  std::string blocksOfReduce(int value);
  std::string totalsOfReduce(int value);
  std::string listOfReduce(int value);
  std::string blocksOfList(int list);

  mlir::Value getSlot(unsigned kernel, llvm::StringRef name, mlir::Type type,
                      mlir::Location location);
  mlir::Value getHandedOn(unsigned kernel, llvm::StringRef name,
                          plan::Level level, mlir::Type type,
                          mlir::Location location);
  void handOn(unsigned kernel, llvm::StringRef name, plan::Level level,
              mlir::Value value, mlir::Location location);
  const std::string &slotOfItem(int item, int value);
  mlir::Value readItem(unsigned kernel, int item, int value);
  int writerOf(const plan::Value &old) const;
  mlir::Value readStored(unsigned kernel, int value);
  mlir::Value cloneOp(unsigned kernel, int value);
  mlir::Value emitFold(unsigned kernel, int value);
  mlir::Value emitHere(unsigned kernel, int value);
  mlir::Value emit(unsigned kernel, int value);
  mlir::Value emitTrue(unsigned kernel);
  mlir::Value emitWhen(unsigned kernel, const plan::Literals &literals);
  plan::Literals literalsOfWhen(int condition) const;

  const Matrices &matricesOf(int value);
  void emitProduct(unsigned kernel, const plan::Item &item);
  void emitSpread(unsigned kernel, int item);
  void emitTotal(unsigned kernel, int root);
  void emitGroupFold(unsigned kernel, int value);
  void emitPuts(unsigned kernel, llvm::ArrayRef<int> roots);
  void emitScalarKernel(unsigned kernel);
  void emitElementKernel(unsigned kernel);
  void declareKernel(const plan::Kernel &kernel, ir::BodyOp body);
  void run(llvm::ArrayRef<ir::BodyOp> bodies);

  struct Words {
    std::string name, why;
  };
  void mentionItem(const plan::Item &item, std::string &reductions,
                   std::string &others) const;
  void mentionReaders(const plan::Item &item, std::string &list) const;
  /// A name for people and the equation or reduction that forced the kernel.
  Words wordsOfKernel(const plan::Kernel &kernel, ir::BodyOp body) const;
};

/// A list's name without what says that it holds totals.
llvm::StringRef stemOf(ir::ListOp list);

/// Kernels of a round of newton_schulz, which stand one after the other.
constexpr int kProducts = 3;

/// Sets `after` of each kernel from what earlier ones read and write.
void sayWhatMustBeFinished(llvm::ArrayRef<ir::KernelOp> kernels);

/// Lets nothing but their own tensor stand between the kernels of a round.
void joinRounds(llvm::ArrayRef<ir::KernelOp> kernels);

} // namespace updraft

#endif // UPDRAFT_COMPILER_PASSES_SPLITEMIT_H
