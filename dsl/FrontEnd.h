//===- FrontEnd.h - From text to a checked rule ---------------------------===//
//
// The one way in: find the files, parse, compose the pipe into one flat rule,
// check it. Everything a user can do wrong is reported here.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_DSL_FRONTEND_H
#define UPDRAFT_DSL_FRONTEND_H

#include "Ast.h"
#include "Diagnostics.h"
#include "Library.h"
#include "Rule.h"

#include <memory>

namespace updraft {

/// `--set amsgrad=true`: an option of the core rule, or "ema.x" of a box.
struct Setting {
  std::string name, value;
};

/// What to build a rule from.
struct Request {
  enum class Kind {
    Pipe,   ///< `text` is a pipe: "ema(0.999) | torch/adamw"
    Name,   ///< `text` is a file ("my.upd", "my.upd:name") or a library name
            ///< ("keras/adam")
    Source, ///< `text` is the content of a file called `sourceName`
  };
  Kind kind = Kind::Name;
  std::string text;
  std::string sourceName = "<source>";
  std::vector<Setting> settings;
  Format param = Format::F32;
};

/// The parsed text of a request, null if it cannot be read. Of a pipe: a file
/// with one optimizer.
const ast::File *parseRequest(const Request &request, Library &library,
                              Diagnostics &diagnostics);

/// The flat rule of a request: boxes composed, options settled, printable with
/// print() as text that parses again. Null after errors.
std::unique_ptr<ast::Box> composeRule(const Request &request, Library &library,
                                      Diagnostics &diagnostics);

/// composeRule and check. Null after errors, which `diagnostics` holds. The
/// diagnostics must outlive the rule: its ranges point into their buffers.
std::unique_ptr<Rule> buildRule(const Request &request, Library &library,
                                Diagnostics &diagnostics);

/// Checks a flat rule. Compute type and format follow from `param`.
std::unique_ptr<Rule> checkRule(const ast::Box &flat, Format param,
                                Diagnostics &diagnostics);

} // namespace updraft

#endif // UPDRAFT_DSL_FRONTEND_H
