//===- FrontEnd.cpp - From text to a checked rule -------------------------===//

#include "FrontEnd.h"

namespace updraft {

std::unique_ptr<Rule> buildRule(const Request &request, Library &library,
                                Diagnostics &diagnostics) {
  std::unique_ptr<ast::Box> flat = composeRule(request, library, diagnostics);
  if (!flat)
    return nullptr;
  return checkRule(*flat, request.param, diagnostics);
}

} // namespace updraft
