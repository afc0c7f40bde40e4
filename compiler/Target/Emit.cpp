//===- Emit.cpp - The back half of the compiler ---------------------------===//

#include "compiler/Target/Emit.h"

#include "compiler/Target/Descriptor.h"
#include "compiler/Target/GpuCode.h"
#include "compiler/Target/Header.h"
#include "compiler/Target/Image.h"
#include "compiler/Target/Linker.h"
#include "compiler/Target/Object.h"
#include "compiler/Target/ToLlvm.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

#include <map>
#include <memory>
#include <string>

namespace updraft {

using Bytes = llvm::SmallVector<char, 0>;
using llvm::Expected;

std::optional<Form> findForm(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<Form>>(name)
      .Case("kernels", Form::Kernels)
      .Case("llvm", Form::Llvm)
      .Case("asm", Form::Asm)
      .Case("object", Form::Object)
      .Case("image", Form::Image)
      .Case("shared", Form::Shared)
      .Case("header", Form::Header)
      .Case("ptx", Form::Ptx)
      .Case("cubin", Form::Cubin)
      .Default(std::nullopt);
}

static llvm::Error fail(const char *message) {
  return llvm::createStringError(std::errc::invalid_argument, message);
}

static Bytes bytesOf(llvm::StringRef text) {
  return Bytes(text.begin(), text.end());
}

template <typename Printed> static Bytes print(const Printed &printTo) {
  Bytes result;
  llvm::raw_svector_ostream stream(result);
  printTo(stream);
  return result;
}

/// The code generator for `target`, kept for the next program: it has worked
/// out what the processor can do. Null where LLVM cannot generate code for it.
static llvm::TargetMachine *warmMachine(const Target &target) {
  static thread_local std::map<std::string,
                               std::unique_ptr<llvm::TargetMachine>>
      machines;
  std::unique_ptr<llvm::TargetMachine> &machine = machines[target.name.str()];
  if (!machine)
    machine = createMachine(target);
  return machine.get();
}

/// The forms that need machine code or LLVM's view of it.
static Expected<Bytes> emitCode(mlir::ModuleOp module, Form form,
                                const Target &target,
                                const Descriptor &descriptor) {
  llvm::TargetMachine *machine = warmMachine(target);
  if (!machine)
    return fail("this build of LLVM cannot generate code for the target");
  llvm::LLVMContext context;
  // People read code, machines take what is ready.
  bool forPeople = form == Form::Llvm || form == Form::Asm;
  std::unique_ptr<llvm::Module> code =
      translate(module, context, forPeople ? "" : target.name);
  if (!code)
    return fail("cannot translate the kernels to LLVM");
  fitToMachine(*code, target, *machine);
  addProgram(*code, descriptor);
  if (form == Form::Llvm)
    return print([&](llvm::raw_ostream &out) { code->print(out, nullptr); });
  Bytes object = generateCode(*code, *machine, form == Form::Asm);
  if (form == Form::Asm || form == Form::Object)
    return object;
  llvm::StringRef text(object.data(), object.size());
  if (form == Form::Shared)
    return linkShared(text);
  Expected<Image> image = flatten(text, descriptor.symbol);
  if (!image)
    return image.takeError();
  std::vector<uint8_t> file = fileOf(*image);
  return Bytes(file.begin(), file.end());
}

bool isOfOne(Form form) {
  return form == Form::Kernels || form == Form::Llvm || form == Form::Asm ||
         form == Form::Ptx || form == Form::Cubin;
}

static Expected<Bytes> emitForGpu(mlir::ModuleOp plan, Form form,
                                  const Gpu &gpu) {
  auto kernels = lowerCopyToGpu(plan);
  if (!kernels)
    return kernels.takeError();
  if (form == Form::Kernels)
    return print([&](llvm::raw_ostream &out) { (*kernels)->print(out); });
  auto text =
      form == Form::Llvm ? gpuLlvm(**kernels, gpu) : gpuPtx(**kernels, gpu);
  if (!text)
    return text.takeError();
  return form == Form::Cubin ? assemblePtx(*text, gpu) : bytesOf(*text);
}

Expected<Bytes> emitPlan(mlir::ModuleOp plan, Form form,
                         const TargetList &targets) {
  auto programs = plan.getOps<ir::ProgramOp>();
  if (programs.empty())
    return fail("the module holds no program");
  bool isGpuForm = form == Form::Ptx || form == Form::Cubin;
  if (isGpuForm || (isOfOne(form) && !targets.namesCpu)) {
    if (targets.gpus.size() != 1)
      return fail("the form is that of one GPU");
    return emitForGpu(plan, form, *targets.gpus.front());
  }
  const Target &target = *targets.cpu;
  bool needsCode = !isOfOne(form) && form != Form::Header;
  llvm::ArrayRef<const Gpu *> gpus(targets.gpus), cubins(targets.cubins);
  auto codes = needsCode ? gpuCodes(plan, gpus, cubins) : gpuCodes(plan, {});
  if (!codes)
    return codes.takeError();
  Descriptor descriptor = describe(*programs.begin(), target, *codes);
  if (form == Form::Header)
    return bytesOf(headerOf(descriptor));
  LoopShape shape;
  shape.tail = target.tail;
  shape.registerBytes = target.registerBytes;
  shape.tileRows = target.tileRows;
  if (failed(lowerToLoops(plan, shape)))
    return fail("cannot lower the kernels to loops");
  if (form == Form::Kernels)
    return print([&](llvm::raw_ostream &out) { plan.print(out); });
  return emitCode(plan, form, target, descriptor);
}

} // namespace updraft
