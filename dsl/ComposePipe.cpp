//===- ComposePipe.cpp - The boxes of a request ---------------------------===//
//
// Finds what is asked for, follows optimizers into their pipes, and lists the
// boxes outermost first. A pipe is associative: an optimizer that stands in
// another's pipe is as its text in its place.
//
//===----------------------------------------------------------------------===//

#include "Compose.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

namespace updraft {

/// More boxes are a mistake or an attack.
static constexpr size_t kMaxParts = 64;

namespace {
struct Collector {
  Scopes &scopes;
  Diagnostics &diagnostics;
  Pieces *pieces;                           ///< to which parts are added
  std::vector<const ast::Optimizer *> open; ///< that are being expanded
  size_t count = 0;                         ///< parts so far
  bool isRoute = false;

  bool addPipe(const ast::Pipe &pipe, const ast::File &file);
  bool addStages(const ast::Pipe &pipe, const ast::File &file);
  bool addRouter(const ast::Pipe &pipe, const ast::File &file);
  bool isOpen(ast::Range range);
  bool addStage(const ast::Stage &stage, const ast::File &file);
  bool addOptimizer(const ast::Optimizer &optimizer, const ast::Stage &stage,
                    const ast::File &file);
  bool addBox(const ast::Box &box, const ast::Stage *stage,
              const ast::File &file);
};
} // namespace

std::vector<Part *> Pieces::all() {
  std::vector<Part *> list;
  for (Part &part : parts)
    list.push_back(&part);
  if (router)
    for (Pieces *route : {&router->yes, &router->no})
      llvm::append_range(list, route->all());
  return list;
}

bool Collector::addPipe(const ast::Pipe &pipe, const ast::File &file) {
  return pipe.where ? addRouter(pipe, file) : addStages(pipe, file);
}

/// Nothing stands behind a router.      SPEC (B8)
bool Collector::isOpen(ast::Range range) {
  if (!pieces->router)
    return true;
  diagnostics.report(Label::B8, range,
                     "a router must stand at the end of the pipe; only "
                     "transforms stand before '|'");
  diagnostics.note(pieces->router->condition->range, "it is a router");
  return false;
}

/// yes where condition else no: each route is a pipe with a rule of its own.
bool Collector::addRouter(const ast::Pipe &pipe, const ast::File &file) {
  if (!isOpen(pipe.range))
    return false;
  Pieces *outside = pieces;
  bool wasRoute = isRoute;
  isRoute = true;
  auto router = std::make_shared<Router>();
  router->condition = pipe.where;
  outside->router = router;
  pieces = &router->yes;
  bool isGood = addStages(pipe, file);
  pieces = &router->no;
  isGood &= addPipe(*pipe.otherwise, file);
  pieces = outside;
  isRoute = wasRoute;
  return isGood;
}

bool Collector::addStages(const ast::Pipe &pipe, const ast::File &file) {
  bool isGood = true;
  for (const ast::Stage &stage : pipe.stages)
    isGood &= addStage(stage, file);
  return isGood;
}

bool Collector::addStage(const ast::Stage &stage, const ast::File &file) {
  if (!stage.storage.empty())
    return diagnostics.report(Label::U1, stage.storage.front().state.range,
                              "storage formats in a pipe ('with') are not "
                              "supported yet");
  Scopes::Found found = scopes.findBox(stage.box, file);
  if (found.optimizer)
    return addOptimizer(*found.optimizer, stage, *found.file);
  return found.box && addBox(*found.box, &stage, file);
}

/// An optimizer as a stage takes neither arguments nor label.  SPEC (B4, B14)
bool Collector::addOptimizer(const ast::Optimizer &optimizer,
                             const ast::Stage &stage, const ast::File &file) {
  if (!stage.arguments.empty())
    return diagnostics.report(Label::B4, stage.arguments[0].value->range,
                              "the optimizer '" + optimizer.name.text +
                                  "' takes no arguments; give them in its "
                                  "own pipe");
  if (stage.label)
    return diagnostics.report(Label::B7, stage.label->range,
                              "an optimizer takes no label; label the boxes "
                              "in its own pipe");
  if (llvm::is_contained(open, &optimizer)) {
    diagnostics.report(Label::B14, stage.range,
                       "the optimizer '" + optimizer.name.text +
                           "' stands in its own pipe");
    diagnostics.note(optimizer.name.range, "it is declared here");
    return false;
  }
  open.push_back(&optimizer);
  bool isGood = addPipe(optimizer.pipe, file);
  open.pop_back();
  return isGood;
}

bool Collector::addBox(const ast::Box &box, const ast::Stage *stage,
                       const ast::File &file) {
  if (!isOpen(stage ? stage->range : box.name.range))
    return false;
  if (++count > kMaxParts)
    return diagnostics.report(Label::G5, stage ? stage->range : box.name.range,
                              "a pipe has at most " + llvm::Twine(kMaxParts) +
                                  " boxes");
  Part part;
  part.box = box;
  part.stage = stage;
  part.used = stage ? stage->range : box.name.range;
  part.scope = &file;
  if (box.isTransform || isRoute)
    part.prefix = stage && stage->label ? stage->label->text : box.name.text;
  pieces->parts.push_back(std::move(part));
  return true;
}

/// A rule stands last, and nothing else does.      SPEC (B8, B9)
static bool checkOrder(const Pieces &pieces, Diagnostics &diagnostics) {
  bool isGood = true;
  llvm::ArrayRef<Part> parts = pieces.parts;
  for (const Part &part : pieces.router ? parts : parts.drop_back())
    if (part.isCore()) {
      diagnostics.report(Label::B8, part.used,
                         "the rule '" + part.box.name.text +
                             "' must stand at the end of the pipe; only "
                             "transforms stand before '|'");
      diagnostics.note(part.box.name.range, "it is a rule");
      isGood = false;
    }
  if (pieces.router) {
    isGood &= checkOrder(pieces.router->yes, diagnostics);
    isGood &= checkOrder(pieces.router->no, diagnostics);
    return isGood;
  }
  const Part &last = parts.back();
  if (last.isCore())
    return isGood;
  diagnostics.report(Label::B9, last.used,
                     "'" + last.box.name.text +
                         "' is a transform and needs a rule to stand around; "
                         "end the pipe with '| torch/adamw', say");
  diagnostics.note(last.box.name.range, "it is a transform");
  return false;
}

/// Every box has a name of its own.      SPEC (B7)
static bool checkLabels(llvm::ArrayRef<Part *> parts,
                        Diagnostics &diagnostics) {
  for (size_t i = 0; i < parts.size(); ++i) {
    llvm::StringRef name = parts[i]->prefix;
    if (name.contains('.') || name == "inner")
      return diagnostics.report(Label::B7, parts[i]->used,
                                "'" + name + "' is no label for a box");
    for (size_t j = 0; j < i && !name.empty(); ++j) {
      if (parts[j]->prefix != name)
        continue;
      diagnostics.report(Label::B7, parts[i]->used,
                         "a second box called '" + name +
                             "' needs a label of its own, as in 'second: " +
                             parts[i]->box.name.text + "'");
      diagnostics.note(parts[j]->used, "the first one stands here");
      return false;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// What a request asks for
//===----------------------------------------------------------------------===//

/// The name after ".upd:" of a request, or nothing.
static llvm::StringRef pickOf(const Request &request) {
  if (request.kind != Request::Kind::Name)
    return {};
  size_t colon = request.text.rfind(".upd:");
  return colon == std::string::npos
             ? llvm::StringRef()
             : llvm::StringRef(request.text).drop_front(colon + 5);
}

/// The box or optimizer of a file that a request means: the one that is named,
/// else its one optimizer, else its one rule.      SPEC (B17)
static Scopes::Found choose(const ast::File &file, llvm::StringRef pick,
                            Diagnostics &diagnostics) {
  std::vector<std::string> names;
  std::vector<const ast::Box *> rules;
  for (const ast::Optimizer &optimizer : file.optimizers) {
    if (!pick.empty() && optimizer.name.text == pick)
      return {nullptr, &optimizer, &file};
    names.push_back(optimizer.name.text);
  }
  for (const ast::Box &box : file.boxes) {
    if (!pick.empty() && box.name.text == pick)
      return {&box, nullptr, &file};
    names.push_back(box.name.text);
    if (!box.isTransform)
      rules.push_back(&box);
  }
  std::string where = "'" + file.path + "'";
  if (!pick.empty()) {
    diagnostics.report(Label::B17, {},
                       where + " has no rule '" + pick + "'" +
                           didYouMean(pick, names));
    return {};
  }
  if (file.optimizers.size() == 1)
    return {nullptr, &file.optimizers[0], &file};
  if (file.optimizers.empty() && rules.size() == 1)
    return {rules[0], nullptr, &file};
  if (file.optimizers.empty() && rules.empty() && file.boxes.size() == 1)
    return {&file.boxes[0], nullptr, &file};
  if (names.empty())
    diagnostics.report(Label::B17, {}, where + " declares no rule");
  else
    diagnostics.report(Label::B17, {},
                       where + " declares several rules; say which one: " +
                           llvm::join(names, ", "));
  return {};
}

bool collectParts(const Request &request, Library &library, Scopes &scopes,
                  Diagnostics &diagnostics, Pieces &pieces) {
  const ast::File *file = parseRequest(request, library, diagnostics);
  if (!file || diagnostics.hasErrors())
    return false;
  scopes.visible(*file);
  if (diagnostics.hasErrors())
    return false;
  Scopes::Found found = choose(*file, pickOf(request), diagnostics);
  Collector collector{scopes, diagnostics, &pieces, {}};
  if (found.optimizer) {
    collector.open.push_back(found.optimizer);
    if (!collector.addPipe(found.optimizer->pipe, *file))
      return false;
    pieces.name = found.optimizer->name.text;
    pieces.doc = found.optimizer->doc;
  } else if (!found.box || !collector.addBox(*found.box, nullptr, *file)) {
    return false;
  }
  if (diagnostics.hasErrors() || !checkOrder(pieces, diagnostics) ||
      !checkLabels(pieces.all(), diagnostics))
    return false;
  // The core, or that of the first route.
  const Pieces *first = &pieces;
  while (first->router)
    first = &first->router->yes;
  const ast::Box &core = first->parts.back().box;
  if (pieces.name.empty())
    pieces.name = core.name.text;
  if (pieces.doc.empty() && !pieces.router)
    pieces.doc = core.doc;
  return true;
}

} // namespace updraft
