//===- Object.cpp - From an LLVM module to machine code -------------------===//
//
// No LLVM pass runs before code generation: the module's vectors and loops are
// as they shall be (LowerToLoops.h), and most of the time would go there. Of
// the code generator's own passes those run that CodePasses.cpp leaves.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Object.h"

#include "compiler/Target/CodePasses.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

namespace updraft {

/// The descriptor's bytes with the entries between them as differences of
/// addresses, which need no relocation when the program is loaded.
static llvm::Constant *bytesWithEntries(llvm::Module &module,
                                        const Descriptor &descriptor,
                                        llvm::GlobalVariable *self) {
  llvm::LLVMContext &context = module.getContext();
  llvm::Type *i64 = llvm::Type::getInt64Ty(context);
  llvm::SmallVector<llvm::Constant *> parts;
  uint64_t done = 0;
  auto addBytes = [&](uint64_t end) {
    parts.push_back(llvm::ConstantDataArray::get(
        context, llvm::ArrayRef(descriptor.bytes).slice(done, end - done)));
    done = end;
  };
  llvm::Constant *start = llvm::ConstantExpr::getPtrToInt(self, i64);
  for (const Descriptor::Entry &entry : descriptor.entries) {
    addBytes(entry.offset);
    llvm::Constant *code = llvm::ConstantExpr::getPtrToInt(
        module.getFunction(entry.function), i64);
    parts.push_back(llvm::ConstantExpr::getSub(code, start));
    done += 8;
  }
  addBytes(descriptor.bytes.size());
  return llvm::ConstantStruct::getAnon(context, parts, /*Packed=*/true);
}

// The type is that of the value, so the value is made against a stand-in.
void addProgram(llvm::Module &module, const Descriptor &descriptor) {
  llvm::LLVMContext &context = module.getContext();
  auto make = [&](llvm::Type *type) {
    auto *global =
        new llvm::GlobalVariable(module, type, /*isConstant=*/true,
                                 llvm::GlobalValue::ExternalLinkage, nullptr);
    global->setDSOLocal(true);
    global->setAlignment(llvm::Align(64));
    return global;
  };
  llvm::GlobalVariable *standIn = make(llvm::Type::getInt8Ty(context));
  llvm::Constant *value = bytesWithEntries(module, descriptor, standIn);
  llvm::GlobalVariable *global = make(value->getType());
  standIn->replaceAllUsesWith(global);
  standIn->eraseFromParent();
  global->setName(descriptor.symbol);
  global->setInitializer(bytesWithEntries(module, descriptor, global));
}

void fitToMachine(llvm::Module &module, const Target &target,
                  llvm::TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.setLinkage(llvm::GlobalValue::InternalLinkage);
    function.setDSOLocal(true);
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (!target.vectorBits.empty())
      function.addFnAttr("prefer-vector-width", target.vectorBits);
  }
}

llvm::SmallVector<char, 0> generateCode(llvm::Module &module,
                                        llvm::TargetMachine &machine,
                                        bool asAssembly) {
  llvm::SmallVector<char, 0> result;
  llvm::raw_svector_ostream stream(result);
  llvm::legacy::PassManager passes;
  CodePasses some(passes);
  machine.addPassesToEmitFile(some, stream, nullptr,
                              asAssembly ? llvm::CodeGenFileType::AssemblyFile
                                         : llvm::CodeGenFileType::ObjectFile,
                              /*DisableVerify=*/true);
  passes.run(module);
  return result;
}

} // namespace updraft
