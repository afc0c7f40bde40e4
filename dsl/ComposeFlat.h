//===- ComposeFlat.h - Renaming parts into one rule -----------------------===//
//
// The state of flatten(). Boxes are numbered from the outermost, 0; the core is
// the last. Every part has a place: what it sees from outside and which
// conditions hold it.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_COMPOSEFLAT_H
#define UPDRAFT_DSL_COMPOSEFLAT_H

#include "Compose.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace updraft {

/// What a box says about its inside. An equation whose guard options make false
/// says nothing and is null here.
struct Handed {
  const ast::Equation *g = nullptr, *p = nullptr;
  const ast::Equation *commit = nullptr, *call = nullptr;
  const ast::Equation *u = nullptr, *result = nullptr;

  bool holds() const { return commit || call; }
};

/// Where a part stands.
struct Place {
  Handed handed;
  ast::ExprPtr g, p;         ///< what comes in from outside
  ast::ExprPtr active;       ///< the conditions around it; null: none
  int holder = -1;           ///< the innermost box around it that holds it
  int caller = -1;           ///< ... that defines inner.call
  bool coversInside = false; ///< something further in covers absent tensors
};

class Flattener {
public:
  Flattener(const Pieces &pieces, Route &route, Diagnostics &diagnostics)
      : pieces_(pieces), route_(route), parts_(pieces.parts),
        diagnostics_(diagnostics), places_(pieces.parts.size()) {}

  std::unique_ptr<ast::Box> run();

private:
  /// Where an expression is evaluated: in a step, or outside of it (initial
  /// values, views, guards), where p is the parameter as it is stored.
  enum class When { Step, Stored };

  // What the parts define (ComposeFlat.cpp).
  bool checkDefinitions(size_t part);
  bool checkName(size_t part, const ast::Name &name);
  bool gatherHanded(size_t part);
  bool takeName(const std::string &name, ast::Range range, size_t part);
  bool takeNames();
  bool changesResult(size_t part, const ast::Equation &equation) const;
  void checkClipping(size_t part);
  bool checkHeights();

  // Holding (ComposeHold.cpp).
  void placeParts();
  void placeInside(size_t box);
  ast::ExprPtr held(ast::ExprPtr value, const ast::ExprPtr &active) const;
  std::string counterName(llvm::StringRef kind, int holder) const;
  ast::ExprPtr counter(llvm::StringRef kind, size_t part, ast::Range range);
  ast::ExprPtr calledInside(int caller) const;
  void addCounters();

  // Renaming (ComposeNames.cpp).
  ast::ExprPtr rename(const ast::ExprPtr &e, size_t part, When when);
  ast::ExprPtr renameRef(const ast::ExprPtr &e, size_t part, When when);
  ast::ExprPtr innerCounter(llvm::StringRef kind, size_t part,
                            ast::Range range);
  ast::ExprPtr renameInner(const ast::ExprPtr &e, size_t part);
  ast::ExprPtr renameInnerState(const ast::ExprPtr &e, size_t part);
  ast::ExprPtr innerResult(size_t part, ast::Range range);
  ast::ExprPtr outerResult(size_t part, ast::Range range);
  ast::ExprPtr innerDirection(size_t part, ast::Range range);
  ast::ExprPtr unknown(const ast::ExprPtr &e, size_t part);
  std::string coreRate() const;
  const ast::Equation *corePort() const;
  void describeInside();
  ast::ExprPtr routed(const Inside &inside,
                      llvm::function_ref<ast::ExprPtr(const Inside &)> read,
                      size_t part, const llvm::Twine &what, ast::Range range);
  bool returnsForAbsent(size_t part) const;
  bool isResultNamed(size_t part) const;
  std::string resultName(size_t part) const;
  ast::ExprPtr resultOf(size_t part, ast::Range range);

  // Writing the flat rule (ComposeFlat.cpp).
  void addDeclarations(size_t part);
  void addEquations(size_t part);
  void addHanded(size_t part);
  void addLet(const std::string &name, ast::ExprPtr value,
              const ast::Equation &from);
  /// Adds the lets of what boxes return and returns the equation of p'.
  std::optional<ast::Equation> addResults();
  ast::ExprPtr guarded(size_t part, const ast::Equation &equation,
                       ast::ExprPtr otherwise, bool forAbsentToo);

  size_t core() const { return parts_.size() - 1; }

  const Pieces &pieces_;
  Route &route_;
  std::vector<Part> parts_;
  Diagnostics &diagnostics_;
  std::vector<Place> places_;
  std::unique_ptr<ast::Box> flat_ = std::make_unique<ast::Box>();
  std::map<std::string, size_t> owners_; ///< of flat names
  std::set<size_t> readResults_;         ///< boxes whose result somebody reads
  /// Counters of held parts that somebody reads, and who holds them.
  struct Counter {
    std::string kind;
    int holder;
  };
  std::map<std::string, Counter> counters_;
};

} // namespace updraft

#endif // UPDRAFT_DSL_COMPOSEFLAT_H
