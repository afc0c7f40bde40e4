//===- Road.h - One way to execute a rule ---------------------------------===//
//
// The interpreter and the compiled program behind one interface, so that a run
// or a check does not know which it drives.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TOOLS_RUN_ROAD_H
#define UPDRAFT_TOOLS_RUN_ROAD_H

#include "Setup.h"
#include "StepInputs.h"

namespace updraft::run {

class Road {
public:
  virtual ~Road() = default;

  /// Sets inputs for the steps that follow; copies what it is given.
  virtual llvm::Error setInputs(const StepInputs &inputs) = 0;

  /// One step; gradients parallel to the parameters.
  virtual llvm::Error step(const Tensors &grads) = 0;

  /// Sets a hyper of a group; one of model level for all.
  virtual llvm::Error setHyper(unsigned group, llvm::StringRef name,
                               double value) = 0;

  /// Set an input for the following steps: a scalar, or one parameter's part of
  /// an array. The tensor must outlive them.
  virtual llvm::Error setInput(llvm::StringRef name, double value) = 0;
  virtual llvm::Error setInput(llvm::StringRef name, size_t param,
                               const Tensor &values) = 0;

  /// Copies of parameters and states as they stand: "w", "w.m", "group0.d",
  /// "model.scale". Parameters, each followed by its states; then those of
  /// groups and of the model.
  virtual llvm::Expected<Tensors> snapshot() = 0;

  /// Values of a view, which is named in full: "w.average", "group0.d",
  /// "model.scale".
  virtual llvm::Expected<Tensors> view(llvm::StringRef name) = 0;
};

/// Each takes a copy of the parameters.
llvm::Expected<std::unique_ptr<Road>> makeInterpreter(const Setup &setup,
                                                      const Tensors &params);
llvm::Expected<std::unique_ptr<Road>>
makeCompiled(const Setup &setup, const Tensors &params, bool onGpu);

/// Something that only a bug of ours brings about.
class BugError : public llvm::ErrorInfo<BugError> {
public:
  static char ID;
  explicit BugError(std::string text) : text(std::move(text)) {}
  void log(llvm::raw_ostream &out) const override;
  std::error_code convertToErrorCode() const override;

private:
  std::string text;
};

/// What was asked for is not to be had, however good the input is.
class UsageError : public llvm::ErrorInfo<UsageError> {
public:
  static char ID;
  explicit UsageError(std::string text) : text(std::move(text)) {}
  void log(llvm::raw_ostream &out) const override;
  std::error_code convertToErrorCode() const override;

private:
  std::string text;
};

} // namespace updraft::run

#endif // UPDRAFT_TOOLS_RUN_ROAD_H
