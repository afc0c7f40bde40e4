//===- Compiler.cpp - From a checked rule to any form of a program --------===//

#include "compiler/Compiler.h"

#include "compiler/Import.h"
#include "compiler/Pipeline.h"
#include "compiler/Target/Emit.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>

namespace updraft {

using Bytes = llvm::SmallVector<char, 0>;
using Kind = CompileError::Kind;

char CompileError::ID = 0;

void CompileError::log(llvm::raw_ostream &out) const { out << text; }

std::error_code CompileError::convertToErrorCode() const {
  return std::make_error_code(std::errc::invalid_argument);
}

static llvm::Error fail(Kind kind, const llvm::Twine &text) {
  return llvm::make_error<CompileError>(kind, text.str());
}

namespace {

/// A context that is used for many rules. What rules leave behind in it (their
/// names and texts) stays, so it is made anew now and then.
class WarmContext {
public:
  mlir::MLIRContext &get() {
    constexpr unsigned kUses = 256;
    if (!context_ || uses_ == kUses) {
      context_ = std::make_unique<mlir::MLIRContext>(
          mlir::MLIRContext::Threading::DISABLED);
      ir::loadPlanDialects(*context_);
      uses_ = 0;
    }
    ++uses_;
    return *context_;
  }

private:
  std::unique_ptr<mlir::MLIRContext> context_;
  unsigned uses_ = 0;
};

} // namespace

static mlir::MLIRContext &warmContext() {
  static thread_local WarmContext context;
  return context.get();
}

static Bytes printed(mlir::ModuleOp module) {
  Bytes result;
  llvm::raw_svector_ostream out(result);
  module.print(out);
  return result;
}

static llvm::Expected<TargetList> targetsOf(const CompileOptions &options,
                                            std::optional<Form> form) {
  if (auto targets = findTargets(options.target)) {
    bool isGpus = form == Form::Ptx || form == Form::Cubin;
    if (form && isOfOne(*form) && (isGpus || !targets->namesCpu) &&
        targets->gpus.size() != 1)
      return fail(Kind::Usage, "this stage is code for one GPU: name one as "
                               "the target, for example sm_90");
    return *targets;
  }
  if (options.target.empty())
    return fail(Kind::Unsupported,
                "this processor has no fma: x86-64-v3 is the least");
  std::string known;
  for (const Target &target : allTargets())
    known += (known.empty() ? "" : ", ") + target.name.str();
  for (const Gpu &gpu : allGpus())
    known += ", " + gpu.name.str();
  return fail(Kind::Usage, "unknown target '" + options.target +
                               "': it is one of " + known +
                               ", or several GPUs beside a processor");
}

/// What the system refuses, a linker or room for its files, is no bug: such an
/// error has the system's code.
static llvm::Error failToEmit(llvm::Error error,
                              const std::string &complaints) {
  Kind kind = Kind::Internal;
  std::string text;
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &info) {
    text = info.message();
    if (info.convertToErrorCode() != llvm::inconvertibleErrorCode())
      kind = Kind::Unsupported;
  });
  return fail(kind, text + complaints);
}

llvm::Expected<Bytes> compileRule(const Rule &rule, llvm::StringRef stage,
                                  const CompileOptions &options) {
  std::optional<Form> form = findForm(stage);
  if (!form && stage != "updraft" && stage != "plan")
    return fail(Kind::Usage, "there is no stage '" + stage + "' to compile to");
  llvm::Expected<TargetList> targets = targetsOf(options, form);
  if (!targets)
    return targets.takeError();
  mlir::MLIRContext &context = warmContext();
  std::string complaints;
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [&](mlir::Diagnostic &diagnostic) {
                                          complaints += "\n" + diagnostic.str();
                                          return mlir::success();
                                        });
  mlir::OwningOpRef<mlir::ModuleOp> module =
      importRule(rule, options.sources, context);
  if (!module)
    return fail(Kind::Internal, "cannot import the rule" + complaints);
  if (failed(runUntil(*module, form ? "plan" : stage,
                      {.verifiesEach = options.verifiesEach})))
    return fail(Kind::Internal, "cannot plan the rule" + complaints);
  if (!form)
    return printed(*module);
  llvm::Expected<Bytes> result = emitPlan(*module, *form, *targets);
  if (!result)
    return failToEmit(result.takeError(), complaints);
  return result;
}

} // namespace updraft
