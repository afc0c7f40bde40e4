//===- Ops.cpp - Constraints and effects of the updraft ops ---------------===//
//
// The verifiers check exactly the labels of Ops.td, in its order. Memory
// effects name the declaration that is read or written, so that a pass can see
// that two reads of one name are one.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Dialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace updraft::ir;

#include "compiler/Dialect/Dialect.cpp.inc"
#include "compiler/Dialect/Enums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/Attributes.cpp.inc"
#define GET_OP_CLASSES
#include "compiler/Dialect/Ops.cpp.inc"

void UpdraftDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/Dialect/Attributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/Dialect/Ops.cpp.inc"
      >();
}

void updraft::ir::loadPlanDialects(MLIRContext &context) {
  context.loadDialect<UpdraftDialect, arith::ArithDialect, math::MathDialect>();
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// The variant that the body or kernel around `user` belongs to, as written.
static FlatSymbolRefAttr variantAround(Operation *user) {
  for (Operation *op = user; op; op = op->getParentOp()) {
    if (auto kernel = dyn_cast<KernelOp>(op))
      return kernel.getVariantAttr();
    if (auto body = dyn_cast<BodyOp>(op))
      return body.getVariantAttr();
  }
  return {};
}

Operation *updraft::ir::lookup(Operation *user, StringRef name) {
  auto program = user->getParentOfType<ProgramOp>();
  if (!program)
    return nullptr;
  if (FlatSymbolRefAttr variant = variantAround(user))
    if (Operation *table =
            SymbolTable::lookupSymbolIn(program, variant.getAttr()))
      if (Operation *found = SymbolTable::lookupSymbolIn(
              table, StringAttr::get(user->getContext(), name)))
        return found;
  return SymbolTable::lookupSymbolIn(program,
                                     StringAttr::get(user->getContext(), name));
}

/// Fails unless `name` means a declaration that satisfies `isWanted`.
static LogicalResult
verifyName(Operation *op, StringRef name, StringRef wanted,
           llvm::function_ref<bool(Operation *)> isWanted) {
  Operation *found = lookup(op, name);
  if (!found)
    return op->emitOpError()
           << "names '" << name << "', which is not declared here";
  if (!isWanted(found))
    return op->emitOpError()
           << "names '" << name << "', which is no " << wanted;
  return success();
}

//===----------------------------------------------------------------------===//
// Spaces
//===----------------------------------------------------------------------===//

/// `<rows>`, `<rows, folded>`, `<block 64>`.
Attribute SpaceAttr::parse(AsmParser &parser, Type) {
  SMLoc where = parser.getCurrentLocation();
  FailureOr<SpaceKind> kind = failure();
  bool isFolded = false;
  int64_t block = 0;
  if (parser.parseLess() ||
      failed(kind = FieldParser<SpaceKind>::parse(parser)))
    return {};
  if (*kind == SpaceKind::Block && parser.parseInteger(block))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("folded"))
      return {};
    isFolded = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<SpaceAttr>(where, parser.getContext(), *kind,
                                      isFolded, block);
}

void SpaceAttr::print(AsmPrinter &printer) const {
  printer << "<" << stringifySpaceKind(getKind());
  if (getKind() == SpaceKind::Block)
    printer << " " << getBlock();
  printer << (getFolded() ? ", folded>" : ">");
}

LogicalResult
SpaceAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                  SpaceKind kind, bool isFolded, int64_t block) {
  if (kind != SpaceKind::Block)
    return success();
  if (block < 1)
    return emitError() << "a block of " << block << " elements";
  if (isFolded)
    return emitError() << "blocks cannot be folded";
  return success();
}

/// Whether a rule can have values of `space`.
static bool isAxis(SpaceAttr space) {
  return space && space.getKind() <= SpaceKind::Block;
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

LogicalResult ArrayOp::verify() {
  SpaceAttr space = getSpaceAttr();
  StringRef role = stringifyRole(getRole());
  // array (C1)
  bool isWhole =
      llvm::is_contained({Role::Param, Role::Grad, Role::Input}, getRole());
  if (space && isWhole)
    return emitOpError() << "is a " << role << " of " << space
                         << ": it has one value an element";
  // array (C2)
  bool isWalk = space && llvm::is_contained({SpaceKind::Bands, SpaceKind::Tiles,
                                             SpaceKind::SquareTiles},
                                            space.getKind());
  if (space && !isAxis(space) && (getRole() != Role::Scratch || isWalk))
    return emitOpError() << "cannot be a " << role << " of " << space;
  return success();
}

LogicalResult ScalarOp::verify() {
  // scalar (C1)
  if (getDescribe().has_value() != (getKind() == ScalarKind::Hyper))
    return emitOpError() << (getDescribe() ? "describes a "
                                           : "must describe a ")
                         << stringifyScalarKind(getKind())
                         << ": only a hyper is described";
  // scalar (C2)
  bool inVariant = isa<VariantOp>((*this)->getParentOp());
  if (inVariant != (getLevel() == Level::Tensor))
    return emitOpError()
           << "of " << stringifyLevel(getLevel()) << " level stands in a "
           << (inVariant ? "variant" : "program")
           << ": tensor scalars stand in a variant, others in the "
              "program";
  return success();
}

//===----------------------------------------------------------------------===//
// Bodies and kernels
//===----------------------------------------------------------------------===//

LogicalResult KernelOp::verify() {
  // kernel (C1)
  bool isFine = getLevel() >= Level::Tensor;
  if (getVariant().has_value() != isFine)
    return emitOpError() << "of " << stringifyLevel(getLevel()) << " level "
                         << (isFine ? "needs a variant" : "has a variant");
  // kernel (C2)
  SpaceAttr space = getSpaceAttr();
  bool fits = !space;
  if (getLevel() == Level::Axis)
    fits = isAxis(space);
  else if (getLevel() == Level::Element && space)
    fits = llvm::is_contained({SpaceKind::Bands, SpaceKind::Block},
                              space.getKind());
  else if (getLevel() == Level::Matrix)
    fits =
        space && llvm::is_contained({SpaceKind::Tiles, SpaceKind::SquareTiles},
                                    space.getKind());
  if (!fits) {
    auto error = emitOpError() << "of " << stringifyLevel(getLevel())
                               << " level cannot run along ";
    return space ? error << space : error << "nothing";
  }
  // kernel (C3)
  if (getRounds() != 1 && (getLevel() != Level::Matrix || getRounds() < 1))
    return emitOpError() << "of " << stringifyLevel(getLevel())
                         << " level cannot have " << getRounds() << " rounds";
  if (getSwaps() && (getLevel() != Level::Matrix || getSwaps()->size() != 2))
    return emitOpError() << "of " << stringifyLevel(getLevel())
                         << " level cannot swap " << getSwaps()->size()
                         << " arrays";
  return success();
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

using Effects =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

LogicalResult NewtonSchulzOp::verify() {
  // newton_schulz (C1)
  if (getSteps() < 1)
    return emitOpError() << "cannot have " << getSteps() << " steps";
  return success();
}

void ProductOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), getLeftAttr());
  effects.emplace_back(MemoryEffects::Read::get(), getRightAttr());
}

LogicalResult ProductOp::verify() {
  auto kernel = dyn_cast<KernelOp>((*this)->getParentOp());
  // product (C1)
  if (!kernel || kernel.getLevel() != Level::Matrix)
    return emitOpError() << "stands in no kernel of matrix level";
  // product (C2)
  auto find = [&](StringRef name) {
    auto array = dyn_cast_or_null<ArrayOp>(lookup(*this, name));
    return array && array.getRole() == Role::Scratch ? array : ArrayOp();
  };
  ArrayOp left = find(getLeft()), right = find(getRight());
  if (!left || !right)
    return emitOpError() << "names '" << (left ? getRight() : getLeft())
                         << "', which is no scratch";
  auto isSquare = [](ArrayOp array) {
    return array.getSpace() &&
           array.getSpace()->getKind() == SpaceKind::Squares;
  };
  bool isOfSquares = kernel.getSpace()->getKind() == SpaceKind::SquareTiles;
  bool fits = isSquare(left) ? isSquare(right) == isOfSquares &&
                                   (isSquare(right) || !right.getSpace())
                             : left == right && !left.getSpace() && isOfSquares;
  if (!fits)
    return emitOpError() << "cannot multiply '" << getLeft() << "' by '"
                         << getRight() << "' along " << *kernel.getSpace();
  return success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

void GetOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), getSourceAttr());
}

LogicalResult GetOp::verify() {
  // get (C1)
  return verifyName(*this, getSource(), "array or scalar",
                    [](Operation *op) { return isa<ArrayOp, ScalarOp>(op); });
}

void PutOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Write::get(), getTargetAttr());
}

LogicalResult PutOp::verify() {
  // put (C1)
  return verifyName(
      *this, getTarget(), "array, scalar or total list", [](Operation *op) {
        auto list = dyn_cast<ListOp>(op);
        return isa<ArrayOp, ScalarOp>(op) || (list && !list.getPartial());
      });
}

LogicalResult ShapeOp::verify() {
  // shape (C1)
  if (getType().isInteger(1) != (getWhat() == Shape::Absent))
    return emitOpError() << stringifyShape(getWhat()) << " cannot be of type "
                         << getType() << ": absent is i1, all else f64";
  return success();
}

LogicalResult MathOp::verify() {
  bool isBinary = llvm::is_contained(
      {Function::Atan2, Function::Pow, Function::Mod}, getFunction());
  // math (C1)
  if (getOperands_().size() != (isBinary ? 2u : 1u))
    return emitOpError() << stringifyFunction(getFunction()) << " takes "
                         << (isBinary ? 2 : 1) << " operands, not "
                         << getOperands_().size();
  return success();
}

LogicalResult ReduceOp::verify() {
  // reduce (C1)
  SpaceAttr from = getOfAttr(), to = getSpaceAttr();
  bool fits = !from || isAxis(from);
  if (to && from)
    fits = from.getKind() <= SpaceKind::Cols &&
           to.getKind() == SpaceKind::Matrix &&
           from.getFolded() == to.getFolded();
  else if (to)
    fits = isAxis(to) && to.getKind() != SpaceKind::Matrix;
  if (fits)
    return success();
  auto error = emitOpError() << "cannot go ";
  if (from)
    error << "from " << from << (to ? " " : "");
  return to ? error << "to " << to : error;
}

static bool isScratch(Operation *op) {
  auto array = dyn_cast<ArrayOp>(op);
  return array && array.getRole() == Role::Scratch;
}

LogicalResult PartialOp::verify() {
  // partial (C1)
  return verifyName(
      *this, getList(), "list or scratch of runs or blocks", [](Operation *op) {
        return isa<ListOp>(op) ||
               (isScratch(op) &&
                cast<ArrayOp>(op).getSpace()->getKind() >= SpaceKind::Block);
      });
}

LogicalResult FoldOp::verify() {
  bool inBody = isa<BodyOp>((*this)->getParentOp());
  // fold (C1)
  if (getOver().has_value() != inBody)
    return emitOpError() << (inBody ? "in a body must say over what"
                                    : "in a kernel cannot say over what");
  // fold (C2)
  if (getOver() && *getOver() != Level::Model && *getOver() != Level::Group)
    return emitOpError() << "cannot go over " << stringifyLevel(*getOver())
                         << ": only over model or group";
  // fold (C3)
  return verifyName(
      *this, getList(), "list, scalar or scratch",
      [](Operation *op) { return isa<ListOp, ScalarOp>(op) || isScratch(op); });
}
