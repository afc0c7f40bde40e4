//===- Import.cpp - Declarations of a rule's program ----------------------===//
//
// Declares what a program stores and says of itself, and makes the bodies:
// how states begin, what is required, the step, and each view.
//
//===----------------------------------------------------------------------===//

#include "compiler/Import.h"
#include "compiler/ImportBody.h"

#include "runtime/abi.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace updraft {

namespace {

/// A view, in whichever variants it has elements or tensor values.
struct Shown {
  std::string name, doc;
  Level level;
};

struct Importer {
  const Rule &rule;
  OpBuilder builder;
  ImportContext import;
  ir::ProgramOp program;
  std::vector<ir::VariantOp> variants;
  std::vector<Shown> views;
  std::vector<std::string> sharedRequires;
  std::vector<std::vector<std::string>> variantRequires;

  Importer(const Rule &rule, const llvm::SourceMgr *sources,
           MLIRContext &context);
  Location here() { return builder.getUnknownLoc(); }
  StringAttr doc(const std::string &text);
  Type typeOf(Format format);
  NamedAttribute named(StringRef name, Attribute value);

  ModuleOp run();
  void findViews();
  std::string freeListName(StringRef base);
  void declareProgram(ModuleOp module);
  DictionaryAttr describeProgram();
  ArrayAttr describeOptions();
  ArrayAttr describeRequires();
  ArrayAttr describeViews();
  void declareScalar(StringRef name, ir::Level level, ir::ScalarKind kind,
                     const std::string &text, DictionaryAttr describe = {});
  void declareHyper(const Hyper &hyper);
  void declareShared();
  void declareLists();
  void declareVariant(const Variant &variant, unsigned index);
  void declareArrays(const Variant &variant);
  ir::BodyOp makeBody(ir::When when, int view, int variant);
  void makeBodies(ir::When when, int view,
                  llvm::function_ref<void(BodyImporter &, int)> fill);
  void makeViewBodies();
};

} // namespace

Importer::Importer(const Rule &rule, const llvm::SourceMgr *sources,
                   MLIRContext &context)
    : rule(rule), builder(&context),
      import{rule,
             sources,
             rule.compute == Compute::F64 ? Type(Float64Type::get(&context))
                                          : Type(Float32Type::get(&context)),
             {},
             llvm::any_of(rule.nodes, [](const Expr &node) {
               return node.op == Op::TensorStep;
             })} {}

StringAttr Importer::doc(const std::string &text) {
  return text.empty() ? StringAttr() : builder.getStringAttr(text);
}

Type Importer::typeOf(Format format) {
  switch (format) {
  case Format::F64:
    return builder.getF64Type();
  case Format::F32:
    return builder.getF32Type();
  case Format::BF16:
    return builder.getBF16Type();
  case Format::F16:
    return builder.getF16Type();
  }
  llvm_unreachable("every format has a type");
}

NamedAttribute Importer::named(StringRef name, Attribute value) {
  return builder.getNamedAttr(name, value);
}

static ir::Level scalarLevel(Level level) {
  return level == Level::Tensor  ? ir::Level::Tensor
         : level == Level::Group ? ir::Level::Group
                                 : ir::Level::Model;
}

static ir::Level dialectLevel(Level level) {
  return level == Level::Element ? ir::Level::Element
         : level == Level::Axis  ? ir::Level::Axis
                                 : scalarLevel(level);
}

/// The state that `view` shows under the state's own name, or -1.
static int shownState(const Rule &rule, const View &view) {
  const Expr *value = view.value;
  if (value->op == Op::Old && rule.states[value->index].name == view.name)
    return value->index;
  return -1;
}

//===----------------------------------------------------------------------===//
// What the program says of itself
//===----------------------------------------------------------------------===//

void Importer::findViews() {
  auto add = [&](const View &view) {
    if (llvm::none_of(
            views, [&](const Shown &shown) { return shown.name == view.name; }))
      views.push_back({view.name, view.doc, view.level});
  };
  for (const View &view : rule.views)
    add(view);
  for (const Variant &variant : rule.variants)
    for (const View &view : variant.views)
      add(view);
}

ArrayAttr Importer::describeOptions() {
  SmallVector<Attribute> options;
  for (const Option &option : rule.options)
    options.push_back(builder.getDictionaryAttr(
        {named("name", builder.getStringAttr(option.name)),
         named("doc", builder.getStringAttr(option.doc)),
         named("value", builder.getStringAttr(option.value))}));
  return builder.getArrayAttr(options);
}

ArrayAttr Importer::describeRequires() {
  SmallVector<Attribute> all;
  auto add = [&](const Require &require, const std::string &scalar,
                 ir::Level level, StringRef variant) {
    all.push_back(builder.getDictionaryAttr(
        {named("message", builder.getStringAttr(require.message)),
         named("level", builder.getI32IntegerAttr(int(level))),
         named("scalar", builder.getStringAttr(scalar)),
         named("variant", builder.getStringAttr(variant))}));
  };
  unsigned number = 0;
  auto scalar = [&] { return "require." + std::to_string(number++); };
  for (const Require &require : rule.requires_) {
    sharedRequires.push_back(scalar());
    add(require, sharedRequires.back(), scalarLevel(require.condition->level),
        "");
  }
  for (const Variant &variant : rule.variants) {
    variantRequires.emplace_back();
    for (const Require &require : variant.requires_) {
      variantRequires.back().push_back(scalar());
      add(require, variantRequires.back().back(), ir::Level::Tensor,
          variant.name);
    }
  }
  return builder.getArrayAttr(all);
}

ArrayAttr Importer::describeViews() {
  SmallVector<Attribute> all;
  for (auto [index, view] : llvm::enumerate(views))
    all.push_back(builder.getDictionaryAttr(
        {named("name", builder.getStringAttr(view.name)),
         named("doc", builder.getStringAttr(view.doc)),
         named("level",
               builder.getI32IntegerAttr(int(dialectLevel(view.level)))),
         named("index", builder.getI32IntegerAttr(index))}));
  return builder.getArrayAttr(all);
}

DictionaryAttr Importer::describeProgram() {
  std::string source;
  if (import.sources && import.sources->getNumBuffers())
    source = import.sources->getMemoryBuffer(import.sources->getMainFileID())
                 ->getBufferIdentifier();
  return builder.getDictionaryAttr(
      {named("doc", builder.getStringAttr(rule.doc)),
       named("rule", builder.getStringAttr(rule.source)),
       named("source", builder.getStringAttr(source)),
       named("param", TypeAttr::get(typeOf(rule.param))),
       named("options", describeOptions()),
       named("requires", describeRequires()), named("views", describeViews())});
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

void Importer::declareProgram(ModuleOp module) {
  builder.setInsertionPointToEnd(module.getBody());
  program = ir::ProgramOp::create(builder, here(), rule.name, import.compute,
                                  describeProgram());
  builder.setInsertionPointToEnd(&program.getBody().emplaceBlock());
}

void Importer::declareScalar(StringRef name, ir::Level level,
                             ir::ScalarKind kind, const std::string &text,
                             DictionaryAttr describe) {
  ir::ScalarOp::create(builder, here(), name, level, kind, describe, doc(text));
}

void Importer::declareHyper(const Hyper &hyper) {
  int flags = (hyper.isRate ? UPDRAFT_HYPER_RATE : 0) |
              (hyper.initial || hyper.computed ? 0 : UPDRAFT_HYPER_REQUIRED) |
              (hyper.domain.lowOpen ? UPDRAFT_HYPER_LOW_OPEN : 0) |
              (hyper.domain.highOpen ? UPDRAFT_HYPER_HIGH_OPEN : 0) |
              (hyper.computed ? UPDRAFT_HYPER_COMPUTED : 0) |
              (hyper.isInt ? UPDRAFT_HYPER_INT : 0);
  double initial = hyper.initial.value_or(0.0);
  declareScalar(hyper.name, scalarLevel(hyper.level), ir::ScalarKind::Hyper,
                hyper.doc,
                builder.getDictionaryAttr(
                    {named("initial", builder.getF64FloatAttr(initial)),
                     named("low", builder.getF64FloatAttr(hyper.domain.low)),
                     named("high", builder.getF64FloatAttr(hyper.domain.high)),
                     named("flags", builder.getI32IntegerAttr(flags))}));
}

void Importer::declareShared() {
  declareScalar("step", ir::Level::Model, ir::ScalarKind::Counter,
                "number of the call under way");
  for (const Hyper &hyper : rule.hypers)
    declareHyper(hyper);
  for (const Input &input : rule.inputs)
    if (input.isScalar)
      declareScalar(input.name, ir::Level::Model, ir::ScalarKind::Input,
                    input.doc);
  for (const State &state : rule.states)
    if (state.level < Level::Tensor)
      declareScalar(state.name, scalarLevel(state.level), ir::ScalarKind::State,
                    state.doc);
  for (const View &view : rule.views)
    if (shownState(rule, view) < 0)
      declareScalar(view.name, scalarLevel(view.level), ir::ScalarKind::View,
                    view.doc);
  for (auto [require, scalar] : llvm::zip(rule.requires_, sharedRequires))
    declareScalar(scalar, scalarLevel(require.condition->level),
                  ir::ScalarKind::Slot, "");
}

std::string Importer::freeListName(StringRef base) {
  std::string name = base.str();
  for (unsigned number = 1;
       SymbolTable::lookupSymbolIn(program, builder.getStringAttr(name));
       ++number)
    name = base.str() + "." + std::to_string(number);
  return name;
}

static StringRef nameOf(Reducer reducer) {
  switch (reducer) {
  case Reducer::Sum:
    return "sum";
  case Reducer::Mean:
    return "mean";
  case Reducer::Norm:
    return "norm";
  case Reducer::Rms:
    return "rms";
  case Reducer::Max:
    return "max_of";
  case Reducer::Min:
    return "min_of";
  case Reducer::Any:
    return "any";
  case Reducer::All:
    return "all";
  case Reducer::Count:
    return "count";
  }
  llvm_unreachable("every reducer has a name");
}

void Importer::declareLists() {
  for (auto [index, reduction] : llvm::enumerate(rule.reductions)) {
    bool isRouted = !reduction.shared &&
                    llvm::any_of(rule.variants, [&](const Variant &variant) {
                      return !variant.operands[index];
                    });
    ImportContext::Lists lists;
    std::string base = nameOf(reduction.reducer).str();
    lists.total = freeListName(base + ".total");
    ir::ListOp::create(builder, here(), lists.total, false, isRouted);
    if (needsCount(reduction.reducer)) {
      lists.count = freeListName(base + ".count.total");
      ir::ListOp::create(builder, here(), lists.count, false, isRouted);
    }
    import.lists.push_back(lists);
  }
}

static int relationOf(Op relation) {
  switch (relation) {
  case Op::Ne:
    return UPDRAFT_NE;
  case Op::Lt:
    return UPDRAFT_LT;
  case Op::Le:
    return UPDRAFT_LE;
  case Op::Gt:
    return UPDRAFT_GT;
  case Op::Ge:
    return UPDRAFT_GE;
  default:
    return UPDRAFT_EQ;
  }
}

void Importer::declareArrays(const Variant &variant) {
  auto add = [&](StringRef name, ir::Role role, Type format,
                 const std::string &text, const Axis &axis = {},
                 bool isViewed = false) {
    ir::ArrayOp::create(builder, here(), name, role, format,
                        spaceOf(builder.getContext(), axis), doc(text),
                        isViewed);
  };
  Type param = typeOf(rule.param);
  add("p", ir::Role::Param, param, "");
  add("g", ir::Role::Grad, param, "");
  for (unsigned index : variant.states) {
    const State &state = rule.states[index];
    if (state.level < Level::Axis)
      continue;
    bool isViewed = llvm::any_of(variant.views, [&](const View &view) {
      return shownState(rule, view) == int(index);
    });
    add(state.name, ir::Role::State,
        state.format ? typeOf(*state.format) : import.compute, state.doc,
        state.axis, isViewed);
  }
  for (const Input &input : rule.inputs)
    if (!input.isScalar)
      add(input.name, ir::Role::Input, param, input.doc);
  for (const View &view : variant.views)
    if (view.level >= Level::Axis && shownState(rule, view) < 0)
      add(view.name, ir::Role::View, import.compute, view.doc, view.axis);
}

void Importer::declareVariant(const Variant &variant, unsigned index) {
  SmallVector<Attribute> tests;
  for (const Test &test : variant.tests) {
    // "has it not" is written as equal to 0 by the checker.
    bool isMissing = test.what == Test::What::Tag && test.value == 0;
    int relation = isMissing ? int(UPDRAFT_NE) : relationOf(test.relation);
    tests.push_back(builder.getDictionaryAttr(
        {named("what", builder.getI32IntegerAttr(int(test.what))),
         named("index", builder.getI32IntegerAttr(test.index)),
         named("relation", builder.getI32IntegerAttr(relation)),
         named("value", builder.getF64FloatAttr(test.value)),
         named("tag", builder.getStringAttr(test.tag))}));
  }
  variants.push_back(ir::VariantOp::create(builder, here(), variant.name,
                                           builder.getArrayAttr(tests)));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&variants.back().getBody().emplaceBlock());
  declareArrays(variant);
  if (import.countsTensors)
    declareScalar("t", ir::Level::Tensor, ir::ScalarKind::Counter,
                  "number of the tensor's update under way");
  for (unsigned state : variant.states)
    if (rule.states[state].level == Level::Tensor)
      declareScalar(rule.states[state].name, ir::Level::Tensor,
                    ir::ScalarKind::State, rule.states[state].doc);
  for (const View &view : variant.views)
    if (view.level < Level::Axis && shownState(rule, view) < 0)
      declareScalar(view.name, ir::Level::Tensor, ir::ScalarKind::View,
                    view.doc);
  for (const std::string &scalar : variantRequires[index])
    declareScalar(scalar, ir::Level::Tensor, ir::ScalarKind::Slot, "");
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

ir::BodyOp Importer::makeBody(ir::When when, int view, int variant) {
  IntegerAttr number;
  if (view >= 0)
    number = builder.getI32IntegerAttr(view);
  FlatSymbolRefAttr name;
  if (variant >= 0)
    name = FlatSymbolRefAttr::get(variants[variant]);
  auto body = ir::BodyOp::create(builder, here(), when, number, name);
  body.getBody().emplaceBlock();
  return body;
}

/// Makes the shared body and one of each variant, and hands to the reductions
/// what they need. Bodies that do nothing are dropped.
void Importer::makeBodies(ir::When when, int view,
                          llvm::function_ref<void(BodyImporter &, int)> fill) {
  std::set<unsigned> used;
  std::vector<ir::BodyOp> bodies;
  std::vector<std::unique_ptr<BodyImporter>> importers;
  for (int variant = -1; variant < int(rule.variants.size()); ++variant) {
    bodies.push_back(makeBody(when, view, variant));
    importers.push_back(std::make_unique<BodyImporter>(
        import, bodies.back(), variant < 0 ? nullptr : &rule.variants[variant],
        used));
    fill(*importers.back(), variant);
  }
  // What is handed over may need further reductions.
  std::set<unsigned> handed;
  while (handed.size() < used.size()) {
    std::set<unsigned> wanted = used;
    for (unsigned index : wanted)
      if (handed.insert(index).second)
        for (auto &importer : importers)
          importer->importPartial(index);
  }
  for (ir::BodyOp body : bodies)
    if (body.getBody().front().empty())
      body.erase();
}

void Importer::makeViewBodies() {
  for (auto [index, shown] : llvm::enumerate(views))
    makeBodies(ir::When::View, index, [&](BodyImporter &importer, int variant) {
      for (const View &view :
           variant < 0 ? rule.views : rule.variants[variant].views)
        if (view.name == shown.name && shownState(rule, view) < 0)
          importer.importView(view);
    });
}

ModuleOp Importer::run() {
  auto module = ModuleOp::create(here());
  findViews();
  declareProgram(module);
  for (auto [index, variant] : llvm::enumerate(rule.variants))
    declareVariant(variant, index);
  declareShared();
  declareLists();
  makeBodies(ir::When::Init, -1,
             [&](BodyImporter &importer, int) { importer.importInit(); });
  makeBodies(ir::When::Check, -1, [&](BodyImporter &importer, int variant) {
    auto &all = variant < 0 ? rule.requires_ : rule.variants[variant].requires_;
    auto &scalars = variant < 0 ? sharedRequires : variantRequires[variant];
    for (auto [require, scalar] : llvm::zip(all, scalars))
      importer.importRequire(require, scalar);
  });
  makeBodies(ir::When::Step, -1,
             [&](BodyImporter &importer, int) { importer.importStep(); });
  makeViewBodies();
  return module;
}

OwningOpRef<ModuleOp> importRule(const Rule &rule,
                                 const llvm::SourceMgr *sources,
                                 MLIRContext &context) {
  ir::loadPlanDialects(context);
  return Importer(rule, sources, context).run();
}

} // namespace updraft
