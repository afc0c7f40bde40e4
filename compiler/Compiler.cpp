//===- Compiler.cpp - From a checked rule to any form of a program --------===//

#include "compiler/Compiler.h"

#include "compiler/Import.h"
#include "compiler/Pipeline.h"
#include "compiler/Target/Emit.h"
#include "compiler/Target/ToLlvm.h"

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

/// The forms before machine code, as the pipeline's stages call them.
static constexpr OutputName kStages[] = {
    {"updraft", "the rule in the updraft dialect", true},
    {"plan", "the rule cut into kernels", true},
};

std::vector<OutputName> allOutputs() {
  std::vector<OutputName> result(std::begin(kStages), std::end(kStages));
  for (const FormName &form : allForms())
    result.push_back({form.name, form.summary, form.isText});
  return result;
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
      registerTranslations(*context_);
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

static llvm::Expected<Bytes> emitForm(mlir::ModuleOp module,
                                      const FormName &form,
                                      const CompileOptions &options,
                                      const std::string &complaints) {
  const Target *target = findTarget(options.target);
  if (!target)
    return options.target.empty()
               ? fail(Kind::Unsupported,
                      "this processor has no fma: x86-64-v3 is the least")
               : fail(Kind::Usage, "unknown target '" + options.target +
                                       "': it is one of x86-64-v3, "
                                       "x86-64-v4, aarch64");
  llvm::Expected<Bytes> result = emitPlan(module, form.form, *target);
  if (result)
    return result;
  std::string text = llvm::toString(result.takeError());
  return fail(Kind::Internal, text + complaints);
}

llvm::Expected<Bytes> compileRule(const Rule &rule, llvm::StringRef output,
                                  const CompileOptions &options) {
  bool isStage = llvm::any_of(
      kStages, [&](const OutputName &stage) { return stage.name == output; });
  auto form = llvm::find_if(
      allForms(), [&](const FormName &form) { return form.name == output; });
  if (!isStage && form == allForms().end())
    return fail(Kind::Usage, "there is no output '" + output + "'");
  mlir::MLIRContext &context = warmContext();
  std::string complaints;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        complaints += "\n" + diagnostic.str();
        return mlir::success();
      });
  mlir::OwningOpRef<mlir::ModuleOp> module = importRule(rule, nullptr, context);
  if (!module)
    return fail(Kind::Internal, "cannot import the rule" + complaints);
  if (failed(runUntil(*module, isStage ? output : "plan")))
    return fail(Kind::Internal, "cannot plan the rule" + complaints);
  return isStage ? printed(*module)
                 : emitForm(*module, *form, options, complaints);
}

} // namespace updraft
