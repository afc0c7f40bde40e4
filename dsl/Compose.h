//===- Compose.h - A pipe of boxes to one flat rule -----------------------===//
//
// The steps of composition and what they hand on. A pipe becomes a list of
// parts (ComposePipe), each part gets its arguments and settings
// (ComposeBind), and the parts become one rule by renaming (ComposeFlat), with
// the counters and conditions of held parts written out (ComposeHold). The two
// routes of a router become one rule each, and these one core (ComposeRoute).
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_COMPOSE_H
#define UPDRAFT_DSL_COMPOSE_H

#include "AstMake.h"
#include "FrontEnd.h"

#include <set>

namespace updraft {

/// What boxes around a rule can ask of it. Behind a router it is one thing or
/// another.
struct Inside {
  ast::ExprPtr condition; ///< a router: which of `routes` it is; else null
  std::vector<Inside> routes;

  std::string name;
  std::string rate, port;                      ///< flat names; empty: none
  std::map<std::string, std::string> states;   ///< "m", "ema.average"
  std::map<std::string, std::string> counters; ///< "step", where it is held
  ast::ExprPtr committed;                      ///< null: always
};

/// One box of a pipe, outermost first; the last one is the core, a rule.
struct Part {
  ast::Box box;       ///< a copy, into which arguments and settings go
  std::string prefix; ///< its name in the flat rule; empty: the core's
  ast::Range used;    ///< the stage of the pipe
  const ast::Stage *stage = nullptr;    ///< null: the box itself was asked for
  const ast::File *scope = nullptr;     ///< the file of the pipe
  std::vector<ast::Hyper> parameters;   ///< of schedules, under full names
  std::set<std::string> names;          ///< all that the box defines
  std::shared_ptr<const Inside> inside; ///< of a core that a router made

  bool isCore() const { return !box.isTransform; }
  /// The name in the flat rule of what the box calls `name`.
  std::string fullName(llvm::StringRef name) const {
    return prefix.empty() ? name.str() : prefix + "." + name.str();
  }
};

struct Router;

/// What a request comes down to.
struct Pieces {
  std::vector<Part> parts;
  std::shared_ptr<Router> router; ///< what stands at the end instead of a rule
  std::string name;               ///< of the flat rule
  std::string doc;

  /// All parts, those of routes too.
  std::vector<Part *> all();
};

/// yes where condition else no
struct Router {
  ast::ExprPtr condition;
  Pieces yes, no;
};

/// Files that a file can see, and what is found in them by name.
class Scopes {
public:
  Scopes(Library &library, Diagnostics &diagnostics)
      : library_(library), diagnostics_(diagnostics) {}

  /// The file and all it uses, itself first.
  const std::vector<const ast::File *> &visible(const ast::File &file);

  struct Found {
    const ast::Box *box = nullptr;
    const ast::Optimizer *optimizer = nullptr;
    const ast::File *file = nullptr;
  };
  /// What a stage names; reports if there is none.
  Found findBox(const ast::Name &name, const ast::File &file);
  /// The schedule that a call names, null if there is none.
  const ast::Schedule *findSchedule(llvm::StringRef name,
                                    const ast::File &file);
  std::vector<std::string> scheduleNames(const ast::File &file);

private:
  void addUses(const ast::File &file, std::vector<const ast::File *> &seen,
               std::vector<const ast::File *> &open);
  void reportUnknown(const ast::Name &name, const ast::File &file);
  Found findInLibrary(llvm::StringRef name, ast::Range usedAt);

  Library &library_;
  Diagnostics &diagnostics_;
  std::map<const ast::File *, std::vector<const ast::File *>> visible_;
};

/// Finds the boxes of a request. False after errors.
bool collectParts(const Request &request, Library &library, Scopes &scopes,
                  Diagnostics &diagnostics, Pieces &pieces);

/// Gives every part its arguments, then the settings. False after errors.
bool bindParts(const std::vector<Setting> &settings, Scopes &scopes,
               Diagnostics &diagnostics, llvm::ArrayRef<Part *> parts);

/// A pipe that is one route of a router, or holds it.
struct Route {
  bool isRoute = false;
  bool sharesPort = false;        ///< all routes have one: it is called `u`
  std::set<std::string> counters; ///< that boxes around the router read
  Inside inside;                  ///< filled in
};

/// Renames all parts into one rule. Null after errors.
std::unique_ptr<ast::Box> flatten(const Pieces &pieces, Route &route,
                                  Diagnostics &diagnostics);

/// The same, routers and all.
std::unique_ptr<ast::Box> flattenRoutes(Pieces &pieces, Route &route,
                                        Diagnostics &diagnostics);

/// The rule's equation of its port, null where options leave it out.
const ast::Equation *portOf(const ast::Box &box);

/// The value of an expression that only constants, options and lets made of
/// these decide; none if something else does.
struct BuildValue {
  bool isBoolean = false;
  double number = 0; ///< a boolean: 0 or 1
};
std::optional<BuildValue> evaluateBuild(const ast::Expr &expression,
                                        const ast::Box &box);

/// Boolean expressions with true and false, null standing for true, taken out.
ast::ExprPtr conjunction(ast::ExprPtr left, ast::ExprPtr right);
/// An expression whose parts were replaced, with settled conditions settled.
ast::ExprPtr settled(ast::Expr node);

} // namespace updraft

#endif // UPDRAFT_DSL_COMPOSE_H
