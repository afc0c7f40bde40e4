//===- ToLlvmOps.cpp - Operations as instructions -------------------------===//

#include "compiler/Target/ToLlvmTranslator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace updraft::tollvm {

namespace arith = mlir::arith;
namespace func = mlir::func;
namespace math = mlir::math;
namespace vector = mlir::vector;
namespace LLVM = mlir::LLVM;

//===- Operations that are one instruction --------------------------------===//

template <typename Op>
static void add(llvm::DenseMap<mlir::TypeID, Plain> &all, Plain::Kind kind,
                unsigned code) {
  all.try_emplace(mlir::TypeID::get<Op>(), Plain{kind, code});
}

static llvm::DenseMap<mlir::TypeID, Plain> makePlain() {
  using I = llvm::Instruction;
  namespace intrinsic = llvm::Intrinsic;
  llvm::DenseMap<mlir::TypeID, Plain> all;
  add<arith::AddFOp>(all, Plain::Binary, I::FAdd);
  add<arith::SubFOp>(all, Plain::Binary, I::FSub);
  add<arith::MulFOp>(all, Plain::Binary, I::FMul);
  add<arith::DivFOp>(all, Plain::Binary, I::FDiv);
  add<arith::AddIOp>(all, Plain::Binary, I::Add);
  add<arith::SubIOp>(all, Plain::Binary, I::Sub);
  add<arith::MulIOp>(all, Plain::Binary, I::Mul);
  add<arith::DivUIOp>(all, Plain::Binary, I::UDiv);
  add<arith::AndIOp>(all, Plain::Binary, I::And);
  add<arith::OrIOp>(all, Plain::Binary, I::Or);
  add<arith::XOrIOp>(all, Plain::Binary, I::Xor);
  add<arith::ShLIOp>(all, Plain::Binary, I::Shl);
  add<arith::ShRUIOp>(all, Plain::Binary, I::LShr);
  add<arith::ExtFOp>(all, Plain::Cast, I::FPExt);
  add<arith::TruncFOp>(all, Plain::Cast, I::FPTrunc);
  add<arith::ExtUIOp>(all, Plain::Cast, I::ZExt);
  add<arith::TruncIOp>(all, Plain::Cast, I::Trunc);
  add<arith::SIToFPOp>(all, Plain::Cast, I::SIToFP);
  add<arith::UIToFPOp>(all, Plain::Cast, I::UIToFP);
  add<arith::FPToSIOp>(all, Plain::Cast, I::FPToSI);
  add<arith::BitcastOp>(all, Plain::Cast, I::BitCast);
  add<LLVM::PtrToIntOp>(all, Plain::Cast, I::PtrToInt);
  add<LLVM::IntToPtrOp>(all, Plain::Cast, I::IntToPtr);
  add<arith::MaximumFOp>(all, Plain::Intrinsic, intrinsic::maximum);
  add<arith::MinimumFOp>(all, Plain::Intrinsic, intrinsic::minimum);
  add<arith::MinUIOp>(all, Plain::Intrinsic, intrinsic::umin);
  add<arith::MinSIOp>(all, Plain::Intrinsic, intrinsic::smin);
  add<arith::MaxSIOp>(all, Plain::Intrinsic, intrinsic::smax);
  add<math::FmaOp>(all, Plain::Intrinsic, intrinsic::fma);
  add<math::SqrtOp>(all, Plain::Intrinsic, intrinsic::sqrt);
  add<math::AbsFOp>(all, Plain::Intrinsic, intrinsic::fabs);
  add<math::FloorOp>(all, Plain::Intrinsic, intrinsic::floor);
  add<math::CeilOp>(all, Plain::Intrinsic, intrinsic::ceil);
  add<math::RoundEvenOp>(all, Plain::Intrinsic, intrinsic::roundeven);
  add<math::CopySignOp>(all, Plain::Intrinsic, intrinsic::copysign);
  return all;
}

llvm::Value *Translator::emitPlain(const Plain &plain,
                                   mlir::Operation &operation) {
  llvm::Type *type = typeOf(operation.getResult(0).getType());
  llvm::Value *first = valueOf(operation.getOperand(0));
  switch (plain.kind) {
  case Plain::Binary: {
    llvm::Value *second = valueOf(operation.getOperand(1));
    // The code generator looks for constants on the right.
    if (llvm::isa<llvm::Constant>(first) &&
        llvm::Instruction::isCommutative(plain.code))
      std::swap(first, second);
    return at_.CreateBinOp(llvm::Instruction::BinaryOps(plain.code), first,
                           second);
  }
  case Plain::Cast:
    return at_.CreateCast(llvm::Instruction::CastOps(plain.code), first, type);
  case Plain::Intrinsic:
    return at_.CreateIntrinsic(plain.code, {type},
                               valuesOf(operation.getOperands()));
  }
  llvm_unreachable("no such kind");
}

//===- Types and constants ------------------------------------------------===//

llvm::Type *Translator::makeType(mlir::Type type) {
  llvm::LLVMContext &context = module_.getContext();
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    return llvm::FixedVectorType::get(typeOf(vector.getElementType()),
                                      unsigned(vector.getNumElements()));
  if (mlir::isa<LLVM::LLVMPointerType>(type))
    return llvm::PointerType::get(
        context, mlir::cast<LLVM::LLVMPointerType>(type).getAddressSpace());
  if (auto array = mlir::dyn_cast<LLVM::LLVMArrayType>(type))
    return llvm::ArrayType::get(typeOf(array.getElementType()),
                                array.getNumElements());
  if (type.isF64())
    return llvm::Type::getDoubleTy(context);
  if (type.isF32())
    return llvm::Type::getFloatTy(context);
  if (type.isF16())
    return llvm::Type::getHalfTy(context);
  if (type.isBF16())
    return llvm::Type::getBFloatTy(context);
  return llvm::Type::getIntNTy(context, type.getIntOrFloatBitWidth());
}

llvm::Type *Translator::typeOf(mlir::Type type) {
  if (llvm::Type *known = types_.lookup(type))
    return known;
  llvm::Type *made = makeType(type);
  return types_[type] = made;
}

llvm::Constant *Translator::constantOf(mlir::Attribute value,
                                       llvm::Type *type) {
  if (auto integer = mlir::dyn_cast<mlir::IntegerAttr>(value))
    return llvm::ConstantInt::get(type, integer.getValue());
  if (auto number = mlir::dyn_cast<mlir::FloatAttr>(value))
    return llvm::ConstantFP::get(type, number.getValue());
  auto items = mlir::cast<mlir::DenseElementsAttr>(value);
  auto *vector = llvm::cast<llvm::FixedVectorType>(type);
  llvm::Type *item = vector->getElementType();
  if (items.isSplat())
    return llvm::ConstantVector::getSplat(
        vector->getElementCount(),
        constantOf(items.getSplatValue<mlir::Attribute>(), item));
  llvm::SmallVector<llvm::Constant *> parts;
  for (mlir::Attribute part : items.getValues<mlir::Attribute>())
    parts.push_back(constantOf(part, item));
  return llvm::ConstantVector::get(parts);
}

Values Translator::valuesOf(mlir::ValueRange values) {
  Values result;
  for (mlir::Value value : values)
    result.push_back(valueOf(value));
  return result;
}

void Translator::bind(mlir::ValueRange values,
                      llvm::ArrayRef<llvm::Value *> to) {
  for (auto [value, what] : llvm::zip(values, to))
    values_[value] = what;
}

//===- Memory and vectors -------------------------------------------------===//

static llvm::MaybeAlign alignmentOf(std::optional<uint64_t> bytes) {
  return llvm::MaybeAlign(bytes.value_or(0));
}

llvm::Value *Translator::emitAddress(LLVM::GEPOp address) {
  Values indices;
  for (auto index : address.getIndices())
    if (auto constant = mlir::dyn_cast<mlir::IntegerAttr>(index))
      indices.push_back(at_.getInt64(constant.getInt()));
    else
      indices.push_back(valueOf(mlir::cast<mlir::Value>(index)));
  return at_.CreateGEP(typeOf(address.getElemType()),
                       valueOf(address.getBase()), indices);
}

llvm::Value *Translator::emitMemory(mlir::Operation &operation) {
  return llvm::TypeSwitch<mlir::Operation *, llvm::Value *>(&operation)
      .Case([&](LLVM::GEPOp op) { return emitAddress(op); })
      .Case([&](LLVM::AddressOfOp op) {
        return module_.getGlobalVariable(op.getGlobalName(),
                                         /*AllowInternal=*/true);
      })
      .Case([&](LLVM::LoadOp op) -> llvm::Value * {
        llvm::LoadInst *load =
            at_.CreateAlignedLoad(typeOf(op.getType()), valueOf(op.getAddr()),
                                  alignmentOf(op.getAlignment()));
        if (op.getInvariant())
          load->setMetadata(llvm::LLVMContext::MD_invariant_load,
                            llvm::MDNode::get(module_.getContext(), {}));
        return load;
      })
      .Case([&](LLVM::MaskedLoadOp op) -> llvm::Value * {
        return at_.CreateMaskedLoad(typeOf(op.getType()), valueOf(op.getData()),
                                    llvm::Align(op.getAlignment()),
                                    valueOf(op.getMask()),
                                    valueOf(op.getPassThru()));
      })
      .Case([&](LLVM::StoreOp op) -> llvm::Value * {
        return at_.CreateAlignedStore(valueOf(op.getValue()),
                                      valueOf(op.getAddr()),
                                      alignmentOf(op.getAlignment()));
      })
      .Case([&](LLVM::MaskedStoreOp op) -> llvm::Value * {
        return at_.CreateMaskedStore(
            valueOf(op.getValue()), valueOf(op.getData()),
            llvm::Align(op.getAlignment()), valueOf(op.getMask()));
      })
      .Case([&](LLVM::Prefetch op) -> llvm::Value * {
        return at_.CreateIntrinsic(
            llvm::Intrinsic::prefetch, {at_.getPtrTy()},
            {valueOf(op.getAddr()), at_.getInt32(op.getRw()),
             at_.getInt32(op.getHint()), at_.getInt32(op.getCache())});
      })
      .Case([&](LLVM::AllocaOp op) -> llvm::Value * {
        llvm::AllocaInst *memory = at_.CreateAlloca(typeOf(op.getElemType()),
                                                    valueOf(op.getArraySize()));
        memory->setAlignment(llvm::Align(*op.getAlignment()));
        return memory;
      })
      .Default([](mlir::Operation *) { return nullptr; });
}

static llvm::SmallVector<int> lanesOf(vector::ShuffleOp shuffle) {
  return llvm::SmallVector<int>(shuffle.getMask());
}

//===- Everything else without blocks -------------------------------------===//

static llvm::CmpInst::Predicate predicateOf(arith::CmpFPredicate predicate) {
  using P = llvm::CmpInst;
  static constexpr llvm::CmpInst::Predicate kInOrder[] = {
      P::FCMP_FALSE, P::FCMP_OEQ, P::FCMP_OGT, P::FCMP_OGE,
      P::FCMP_OLT,   P::FCMP_OLE, P::FCMP_ONE, P::FCMP_ORD,
      P::FCMP_UEQ,   P::FCMP_UGT, P::FCMP_UGE, P::FCMP_ULT,
      P::FCMP_ULE,   P::FCMP_UNE, P::FCMP_UNO, P::FCMP_TRUE};
  static_assert(size_t(arith::CmpFPredicate::ORD) == 7 &&
                size_t(arith::CmpFPredicate::UNO) == 14);
  return kInOrder[size_t(predicate)];
}

static llvm::CmpInst::Predicate predicateOf(arith::CmpIPredicate predicate) {
  using P = llvm::CmpInst;
  static constexpr llvm::CmpInst::Predicate kInOrder[] = {
      P::ICMP_EQ,  P::ICMP_NE,  P::ICMP_SLT, P::ICMP_SLE, P::ICMP_SGT,
      P::ICMP_SGE, P::ICMP_ULT, P::ICMP_ULE, P::ICMP_UGT, P::ICMP_UGE};
  static_assert(size_t(arith::CmpIPredicate::slt) == 2 &&
                size_t(arith::CmpIPredicate::uge) == 9);
  return kInOrder[size_t(predicate)];
}

llvm::Value *Translator::emitCall(func::CallOp call) {
  return at_.CreateCall(module_.getFunction(call.getCallee()),
                        valuesOf(call.getOperands()));
}

llvm::Value *Translator::emitOther(mlir::Operation &operation) {
  return llvm::TypeSwitch<mlir::Operation *, llvm::Value *>(&operation)
      .Case([&](arith::ConstantOp op) -> llvm::Value * {
        return constantOf(op.getValue(), typeOf(op.getType()));
      })
      .Case([&](arith::SelectOp op) {
        return at_.CreateSelect(valueOf(op.getCondition()),
                                valueOf(op.getTrueValue()),
                                valueOf(op.getFalseValue()));
      })
      .Case([&](arith::CmpFOp op) {
        return at_.CreateFCmp(predicateOf(op.getPredicate()),
                              valueOf(op.getLhs()), valueOf(op.getRhs()));
      })
      .Case([&](arith::CmpIOp op) {
        return at_.CreateICmp(predicateOf(op.getPredicate()),
                              valueOf(op.getLhs()), valueOf(op.getRhs()));
      })
      .Case([&](arith::NegFOp op) {
        return at_.CreateFNeg(valueOf(op.getOperand()));
      })
      .Case([&](vector::BroadcastOp op) {
        llvm::Type *type = typeOf(op.getType());
        llvm::Value *none = llvm::PoisonValue::get(type);
        llvm::Value *one =
            at_.CreateInsertElement(none, valueOf(op.getSource()), uint64_t(0));
        llvm::SmallVector<int> lanes(op.getType().getNumElements(), 0);
        return at_.CreateShuffleVector(one, none, lanes);
      })
      .Case([&](vector::ShuffleOp op) {
        return at_.CreateShuffleVector(valueOf(op.getV1()), valueOf(op.getV2()),
                                       lanesOf(op));
      })
      .Case([&](vector::ExtractOp op) {
        return at_.CreateExtractElement(valueOf(op.getSource()),
                                        op.getStaticPosition()[0]);
      })
      .Case([&](vector::ReductionOp op) -> llvm::Value * {
        if (op.getKind() != vector::CombiningKind::MAXIMUMF || op.getAcc())
          return nullptr;
        return at_.CreateFPMaximumReduce(valueOf(op.getVector()));
      })
      .Case([&](LLVM::ZeroOp op) -> llvm::Value * {
        return llvm::Constant::getNullValue(typeOf(op.getType()));
      })
      .Case([&](vector::FromElementsOp op) {
        llvm::Value *all = llvm::PoisonValue::get(typeOf(op.getType()));
        for (auto [lane, item] : llvm::enumerate(op.getElements()))
          all = at_.CreateInsertElement(all, valueOf(item), uint64_t(lane));
        return all;
      })
      .Case([&](LLVM::CallIntrinsicOp op) -> llvm::Value * {
        return at_.CreateIntrinsic(
            llvm::Intrinsic::lookupIntrinsicID(op.getIntrin()), {},
            valuesOf(op.getArgs()));
      })
      .Case([&](func::CallOp op) { return emitCall(op); })
      .Default([&](mlir::Operation *op) { return emitMemory(*op); });
}

llvm::Value *Translator::emitLeaf(mlir::Operation &operation) {
  static const llvm::DenseMap<mlir::TypeID, Plain> plain = makePlain();
  auto found = plain.find(operation.getName().getTypeID());
  return found != plain.end() ? emitPlain(found->second, operation)
                              : emitOther(operation);
}

} // namespace updraft::tollvm
