//===- MakePrebuilt.cpp - Generates the code of Prebuilt.h ----------------===//
//
// usage: updraft_prebuild OUT.cpp
//
// Compiles two rules to loops, takes the functions that programs share out of
// them and writes their machine code as an array each. AArch64 has none: its
// code finds constants by their page, so it cannot stand at any place.
//
//===----------------------------------------------------------------------===//

#include "compiler/Compiler.h"
#include "compiler/Dialect/Dialect.h"
#include "compiler/Target/Image.h"
#include "compiler/Target/Object.h"
#include "compiler/Target/Prebuilt.h"
#include "compiler/Target/ToLlvm.h"
#include "dsl/FrontEnd.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

#include <map>

using namespace updraft;
namespace func = mlir::func;

/// Every function of the language, of scalars and of elements.
static constexpr char kFunctions[] = R"(
rule functions {
  rate lr = 0.1
  hyper a = 0.5, b = 2
  s = (exp(a) + log(a) + expm1(a) + log1p(a) + tanh(a) + sigmoid(a)
       + atan2(a, b) + cos(a) + a^b + a mod b)
  e = (exp(g) + log(g) + expm1(g) + log1p(g) + tanh(g) + sigmoid(g)
       + atan2(g, p) + cos(g) + g^p + g mod p)
  p' = p - lr*s*e
}
)";

/// Every reduction in every direction.
static constexpr char kReductions[] = R"(
rule reductions {
  rate lr = 0.1
  require rank(p) >= 2, "there are rows and columns"
  s = sum(g over tensor) + max_of(g over tensor) + min_of(g over tensor)
  r = sum(g over cols) + max_of(g over cols) + min_of(g over cols)
  c = sum(g over rows) + max_of(g over rows) + min_of(g over rows)
  m = sum(r over rows) + max_of(r over rows) + min_of(r over rows)
  n = sum(g over model) + max_of(g over model) + min_of(g over model)
  b = (sum(g over block(64)) + max_of(g over block(64))
       + min_of(g over block(64)))
  p' = p - lr*s*r*c*m*b*n
}
)";

[[noreturn]] static void fail(const llvm::Twine &message) {
  llvm::errs() << "updraft_prebuild: " << message << "\n";
  exit(1);
}

namespace {

struct Code {
  std::string text; ///< of the function and those it calls
  std::vector<uint8_t> bytes;
};

class Maker {
public:
  Maker() {
    context_.loadDialect<func::FuncDialect, mlir::arith::ArithDialect,
                         mlir::cf::ControlFlowDialect, mlir::math::MathDialect,
                         mlir::LLVM::LLVMDialect, mlir::scf::SCFDialect,
                         mlir::vector::VectorDialect>();
    ir::loadPlanDialects(context_);
  }

  void addRules();
  void add(const Request &request);
  void write(llvm::raw_ostream &out) const;

private:
  void addFunctions(mlir::ModuleOp kernels, const Target &target);
  void addFunction(func::FuncOp function, const Target &target);
  std::vector<uint8_t> compile(mlir::ModuleOp module, llvm::StringRef name,
                               const Target &target);

  mlir::MLIRContext context_{mlir::MLIRContext::Threading::DISABLED};
  Library library_;
  std::map<std::pair<std::string, std::string>, Code> codes_;
};

} // namespace

std::vector<uint8_t> Maker::compile(mlir::ModuleOp module, llvm::StringRef name,
                                    const Target &target) {
  llvm::LLVMContext context;
  auto machine = createMachine(target);
  auto code = translate(module, context);
  if (!machine || !code)
    fail("cannot translate '" + name + "'");
  fitToMachine(*code, target, *machine);
  auto object = generateCode(*code, *machine, /*asAssembly=*/false);
  auto image = flatten(llvm::StringRef(object.data(), object.size()), name);
  if (!image)
    fail(llvm::toString(image.takeError()));
  if (image->program != 0)
    fail("'" + name + "' does not stand first");
  return std::move(image->bytes);
}

/// `function` and what it calls in a module of their own, it first. How often a
/// kernel runs does not matter here: all of them are compiled well.
static mlir::OwningOpRef<mlir::ModuleOp> moduleOf(func::FuncOp function) {
  auto from = function->getParentOfType<mlir::ModuleOp>();
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(function.getLoc());
  llvm::SmallVector<func::FuncOp> reached{function};
  for (size_t i = 0; i < reached.size(); ++i) {
    if (module->lookupSymbol(reached[i].getName()))
      continue;
    func::FuncOp copy = reached[i].clone();
    copy->removeAttr("passthrough");
    module->push_back(copy);
    reached[i].walk([&](func::CallOp call) {
      reached.push_back(from.lookupSymbol<func::FuncOp>(call.getCallee()));
    });
  }
  return module;
}

void Maker::addFunction(func::FuncOp function, const Target &target) {
  auto module = moduleOf(function);
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out);
  auto [found, isNew] =
      codes_.try_emplace({target.name.str(), function.getName().str()});
  if (isNew)
    found->second = {text, compile(*module, function.getName(), target)};
  else if (found->second.text != text)
    fail("'" + function.getName() + "' is the name of two functions");
}

void Maker::addFunctions(mlir::ModuleOp kernels, const Target &target) {
  for (auto function : kernels.getOps<func::FuncOp>())
    if (function.getName().starts_with("updraft_"))
      addFunction(function, target);
}

void Maker::add(const Request &request) {
  Diagnostics diagnostics;
  std::unique_ptr<Rule> rule = buildRule(request, library_, diagnostics);
  if (!rule) {
    diagnostics.print(llvm::errs());
    fail("cannot read a rule");
  }
  for (const Target &target : allTargets()) {
    if (!target.triple.starts_with("x86_64"))
      continue;
    CompileOptions options;
    options.target = target.name.str();
    auto text = compileRule(*rule, "kernels", options);
    if (!text)
      fail(llvm::toString(text.takeError()));
    auto module = mlir::parseSourceString<mlir::ModuleOp>(
        llvm::StringRef(text->data(), text->size()), &context_);
    if (!module)
      fail("cannot read the loops of a rule");
    addFunctions(*module, target);
  }
}

void Maker::addRules() {
  for (Format param : {Format::F32, Format::F64}) {
    Request request;
    request.param = param;
    request.kind = Request::Kind::Source;
    for (const char *source : {kFunctions, kReductions}) {
      request.text = source;
      add(request);
    }
  }
}

void Maker::write(llvm::raw_ostream &out) const {
  out << "#include \"compiler/Target/Prebuilt.h\"\n\nnamespace {\n";
  size_t number = 0;
  for (const auto &[key, code] : codes_) {
    out << "const uint8_t code" << number++ << "[] = {";
    for (auto [i, byte] : llvm::enumerate(code.bytes))
      out << (i % 24 ? "" : "\n    ") << unsigned(byte) << ",";
    out << "};\n";
  }
  out << "const updraft::PrebuiltFunction functions[] = {\n";
  number = 0;
  for (const auto &[key, code] : codes_) {
    out << "    {\"" << key.first << "\", \"" << key.second << "\", code"
        << number++ << ", " << code.bytes.size() << "},\n";
  }
  out << "};\n} // namespace\n\nextern const updraft::PrebuiltTable "
         "updraft_prebuilt_table;\nconst updraft::PrebuiltTable "
         "updraft_prebuilt_table = {functions, "
      << number << "};\n";
}

int main(int argc, char **argv) {
  if (argc != 2)
    fail("usage: updraft_prebuild OUT.cpp");
  Maker maker;
  maker.addRules();
  std::error_code error;
  llvm::raw_fd_ostream out(argv[1], error);
  if (error)
    fail(error.message());
  maker.write(out);
  out.close();
  if (out.has_error())
    fail(out.error().message());
  return 0;
}
