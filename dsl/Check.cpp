//===- Check.cpp - From a flat rule to a checked one ----------------------===//
//
// The order of the parts is the order in which facts become known; each part
// goes on after errors as far as it can, so that one run reports all that are
// independent of each other.
//
//===----------------------------------------------------------------------===//

#include "CheckContext.h"
#include "FrontEnd.h"
#include "Printer.h"

using namespace updraft;
using namespace updraft::check;

static void enterHead(Rule &rule, const ast::Box &flat, Format param) {
  rule.name = flat.name.text;
  rule.doc = flat.doc;
  rule.param = param;
  rule.compute = param == Format::F64 ? Compute::F64 : Compute::F32;
  rule.coversAbsent = flat.coversAbsent;
}

std::unique_ptr<Rule> updraft::checkRule(const ast::Box &flat, Format param,
                                         Diagnostics &diagnostics) {
  unsigned errorsBefore = diagnostics.errorCount();
  auto rule = std::make_unique<Rule>();
  enterHead(*rule, flat, param);
  Context context(flat, *rule, diagnostics);
  collectNames(context);
  checkOptions(context);
  declareHypers(context);
  checkInputs(context);
  std::vector<Shapes> variants = enumerateVariants(context);
  checkStates(context, variants);
  checkDefaults(context);
  if (!variants.empty()) {
    checkEquations(context, variants);
    checkRequires(context);
  }
  if (diagnostics.errorCount() != errorsBefore)
    return nullptr;
  warnAboutRule(context);
  rule->source = print(flat);
  return rule;
}
