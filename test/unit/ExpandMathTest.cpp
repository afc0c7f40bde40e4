//===- ExpandMathTest.cpp - Compiled functions against their C++ copy -----===//
//
// Every function is compiled for this machine, as scalars and as vectors of f64
// and f32, and compared bit for bit with dsl/Functions, over random arguments
// of every size and special ones (UPDRAFT_SAMPLES sets how many). With
// UPDRAFT_EXHAUSTIVE set, functions of one f32 are compared over all of them.
// For all targets the object must not refer to anything outside.
//
//===----------------------------------------------------------------------===//

#include "ExpandMathCases.h"

#include "compiler/Passes/ExpandMath.h"
#include "compiler/Target/Target.h"
#include "compiler/Target/ToLlvm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

using namespace updraft;
namespace func = mlir::func;
namespace LLVM = mlir::LLVM;

namespace {

/// A loop over arrays of f64 or f32, `lanes` at a time.
struct Shape {
  bool isWide;
  int64_t lanes;
};
const Shape shapes[] = {{true, 1}, {false, 1}, {true, 8}, {false, 16}};

std::string nameOf(const Case &c, const Shape &shape) {
  return ("loop_" + ir::stringifyFunction(c.function) +
          (shape.isWide ? "_f64_" : "_f32_") + llvm::Twine(shape.lanes))
      .str();
}

/// void loop(const T *x, const T *y, T *out, i64 count)
void emitLoop(mlir::ModuleOp module, const Case &c, const Shape &shape) {
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(module.getBody());
  mlir::Location location = builder.getUnknownLoc();
  mlir::Type scalar =
      shape.isWide ? mlir::Type(builder.getF64Type()) : builder.getF32Type();
  mlir::Type type =
      shape.lanes == 1 ? scalar : mlir::VectorType::get({shape.lanes}, scalar);
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  mlir::Type i64 = builder.getI64Type();
  auto function = func::FuncOp::create(
      builder, location, nameOf(c, shape),
      builder.getFunctionType({pointer, pointer, pointer, i64}, {}));
  mlir::Block *entry = function.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  auto constant = [&](int64_t value) -> mlir::Value {
    return mlir::arith::ConstantOp::create(builder, location,
                                           builder.getI64IntegerAttr(value));
  };
  mlir::Value zero = constant(0), step = constant(shape.lanes);
  auto loop = mlir::scf::ForOp::create(builder, location, zero,
                                       entry->getArgument(3), step);
  func::ReturnOp::create(builder, location);
  builder.setInsertionPointToStart(loop.getBody());
  auto address = [&](int argument) {
    return LLVM::GEPOp::create(
        builder, location, pointer, scalar, entry->getArgument(argument),
        llvm::ArrayRef<LLVM::GEPArg>{loop.getInductionVar()});
  };
  llvm::SmallVector<mlir::Value> operands;
  for (int i = 0; i < (c.takesTwo ? 2 : 1); ++i)
    operands.push_back(LLVM::LoadOp::create(builder, location, type, address(i),
                                            shape.isWide ? 8 : 4));
  mlir::Value result = emitFunction(builder, location, c.function, operands);
  LLVM::StoreOp::create(builder, location, result, address(2),
                        shape.isWide ? 8 : 4);
}

std::unique_ptr<llvm::Module> emitModule(llvm::LLVMContext &llvmContext,
                                         llvm::TargetMachine &machine) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<func::FuncDialect, mlir::arith::ArithDialect,
                      mlir::math::MathDialect, mlir::scf::SCFDialect,
                      mlir::cf::ControlFlowDialect, mlir::vector::VectorDialect,
                      LLVM::LLVMDialect>();
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  for (const Case &c : cases)
    for (const Shape &shape : shapes)
      emitLoop(*module, c, shape);
  std::unique_ptr<llvm::Module> result = translate(*module, llvmContext);
  if (!result)
    return nullptr;
  result->setDataLayout(machine.createDataLayout());
  result->setTargetTriple(machine.getTargetTriple());
  return result;
}

std::unique_ptr<llvm::MemoryBuffer> emitObject(const Target &target) {
  llvm::LLVMContext context;
  auto machine = createMachine(target);
  auto module = emitModule(context, *machine);
  if (!module)
    return nullptr;
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  machine->addPassesToEmitFile(passes, out, nullptr,
                               llvm::CodeGenFileType::ObjectFile);
  passes.run(*module);
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes));
}

/// One value for every NaN, the bits of everything else.
template <class T> uint64_t identity(T x) {
  if (std::isnan(x))
    return ~uint64_t(0);
  if constexpr (sizeof(T) == 8)
    return std::bit_cast<uint64_t>(x);
  else
    return std::bit_cast<uint32_t>(x);
}

template <class T> struct Arguments {
  static constexpr size_t count = 1 << 16;
  std::vector<T> x = std::vector<T>(count), y = x, out = x;
  std::mt19937_64 random{7};

  /// Half of them of any size, the others where functions do something.
  T draw() {
    static const double special[] = {
        0,       -0.0,     1,         -1,     0.5,   2,      -2,
        3,       HUGE_VAL, -HUGE_VAL, NAN,    1e300, -1e300, 1e-320,
        -1e-320, 0x1p-149, 709.79,    -745.2, 20,    1e17};
    uint64_t bits = random();
    switch (bits % 8) {
    case 0:
      return T(special[(bits >> 8) % std::size(special)]);
    case 1:
      return T(int64_t(bits >> 8) % 2000 - 1000);
    case 2:
    case 3:
      return T(1 +
               std::ldexp(double(int64_t(bits)), -64 - int(bits >> 8) % 40));
    case 4:
      return T(std::ldexp(double(int64_t(bits)), -63 + int(bits >> 8) % 12));
    default:
      if constexpr (sizeof(T) == 8)
        return std::bit_cast<double>(random());
      else
        return std::bit_cast<float>(uint32_t(random()));
    }
  }
  void fill() {
    for (size_t i = 0; i < count; ++i) {
      x[i] = draw(), y[i] = draw();
      // Fractions of a size where an angle is neither 0 nor pi/2.
      if (random() % 4 == 0)
        y[i] = x[i] * T(1 + random() % 1000) / 300;
    }
  }
  void fillFrom(uint64_t first) {
    for (size_t i = 0; i < count; ++i)
      x[i] = T(std::bit_cast<float>(uint32_t(first + i)));
  }
};

class Compiled : public testing::TestWithParam<const Target *> {
protected:
  void SetUp() override {
    object_ = emitObject(*GetParam());
    ASSERT_TRUE(object_);
    auto jit = llvm::orc::LLJITBuilder().create();
    ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
    jit_ = std::move(*jit);
    llvm::cantFail(jit_->addObjectFile(
        llvm::MemoryBuffer::getMemBufferCopy(object_->getBuffer())));
  }

  template <class T> bool compare(const Case &c, Arguments<T> &a, void *loop) {
    reinterpret_cast<void (*)(T *, T *, T *, int64_t)>(loop)(
        a.x.data(), a.y.data(), a.out.data(), int64_t(a.count));
    for (size_t i = 0; i < a.count; ++i) {
      T wanted;
      if constexpr (sizeof(T) == 8)
        wanted = c.wide(a.x[i], a.y[i]);
      else
        wanted = c.narrow(a.x[i], a.y[i]);
      if (identity(a.out[i]) == identity(wanted))
        continue;
      ADD_FAILURE() << ir::stringifyFunction(c.function).str() << "(" << a.x[i]
                    << ", " << a.y[i] << ") = " << a.out[i] << ", not "
                    << wanted;
      return false;
    }
    return true;
  }

  template <class T> void compareAll(const Shape &shape) {
    const char *text = std::getenv("UPDRAFT_SAMPLES");
    uint64_t samples = text ? std::strtoull(text, nullptr, 10) : 1 << 20;
    bool isExhaustive = std::getenv("UPDRAFT_EXHAUSTIVE") && sizeof(T) == 4;
    for (const Case &c : cases) {
      auto symbol = jit_->lookup(nameOf(c, shape));
      ASSERT_TRUE(bool(symbol)) << llvm::toString(symbol.takeError());
      void *loop = symbol->toPtr<void *>();
      Arguments<T> arguments;
      for (uint64_t done = 0; done < samples; done += arguments.count) {
        arguments.fill();
        if (!compare(c, arguments, loop))
          break;
      }
      if (!isExhaustive || c.takesTwo || shape.lanes == 1)
        continue;
      for (uint64_t first = 0; first < uint64_t(1) << 32;
           first += arguments.count) {
        arguments.fillFrom(first);
        if (!compare(c, arguments, loop))
          break;
      }
    }
  }

  std::unique_ptr<llvm::MemoryBuffer> object_;
  std::unique_ptr<llvm::orc::LLJIT> jit_;
};

TEST_P(Compiled, F64) { compareAll<double>(shapes[0]); }
TEST_P(Compiled, F32) { compareAll<float>(shapes[1]); }
TEST_P(Compiled, VectorsOfF64) { compareAll<double>(shapes[2]); }
TEST_P(Compiled, VectorsOfF32) { compareAll<float>(shapes[3]); }

/// The targets that this machine can run: all of its architecture up to the
/// best one.
std::vector<const Target *> runnable() {
  std::vector<const Target *> targets;
  const Target *best = findTarget("");
  for (const Target &target : allTargets())
    if (best && target.triple == best->triple && &target <= best)
      targets.push_back(&target);
  return targets;
}
INSTANTIATE_TEST_SUITE_P(Here, Compiled, testing::ValuesIn(runnable()),
                         [](const auto &info) {
                           std::string name = info.param->name.str();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Compiled);

TEST(Objects, ReferToNothingOutside) {
  for (const Target &target : allTargets()) {
    auto object = emitObject(target);
    ASSERT_TRUE(object) << target.name.str();
    auto file =
        llvm::object::ObjectFile::createObjectFile(object->getMemBufferRef());
    ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
    for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
      bool isUndefined = llvm::cantFail(symbol.getFlags()) &
                         llvm::object::SymbolRef::SF_Undefined;
      std::string name = llvm::cantFail(symbol.getName()).str();
      EXPECT_TRUE(!isUndefined || name.empty())
          << target.name.str() << " needs " << name;
    }
  }
}

} // namespace
